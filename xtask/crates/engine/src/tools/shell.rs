//! The shells of this host, and shellcheck: each parses scripts, and none runs one.

use anyhow::ensure;
use camino::Utf8PathBuf;
use serde_json::Value;
use std::time::Duration;
use wheelhaul_base::problem::shortened;
use wheelhaul_host::{Answer, Program, Sys, on_path};

/// A shell that parses.
#[derive(Debug)]
pub struct Shell {
    path: Utf8PathBuf,
    /// `bash` or `sh`
    pub name: &'static str,
}

impl Shell {
    /// Takes bash, which is the boxes' `/bin/sh`, else `sh`; none that takes what no shell takes.
    pub fn find(sys: &Sys) -> Option<Self> {
        // Windows has a `bash.exe` that offers to install one.
        let names: &[&str] = if cfg!(windows) { &["sh"] } else { &["bash", "sh"] };
        let mut found = names.iter().filter_map(|name| Some(Self { path: on_path(name)?, name }));
        found.find(|shell| {
            let says = |text: &str| shell.parse(sys, text, Duration::from_secs(5));
            says("if :; then :; fi\n").is_ok_and(|said| said.is_none())
                && says("if :; then\n").is_ok_and(|said| said.is_some())
        })
    }

    /// Parses a script, as POSIX has it.
    ///
    /// - Gives: what is wrong with it, in a line.
    /// - Fails: where the shell does not answer in time.
    pub fn parse(&self, sys: &Sys, text: &str, within: Duration) -> anyhow::Result<Option<String>> {
        // It reads what comes in as a script, and `-n` runs nothing of it, `set +n` included.
        let words: &[&str] = if self.name == "bash" { &["--norc", "--noprofile", "--posix", "-n"] } else { &["-n"] };
        let answer = sys.ask(&Program::new(&self.path).args(words.iter().copied()), text, within)?;
        Ok(fault_of(&answer))
    }
}

/// What a shell said: its first line, without its own name.
fn fault_of(answer: &Answer) -> Option<String> {
    let said = answer.err.lines().next().unwrap_or_default().trim();
    if answer.code == Some(0) && said.is_empty() {
        return None;
    }
    let said = said.split_once(": ").map_or(said, |(_, rest)| rest);
    let said = if said.is_empty() { "a shell refuses it without a word" } else { said };
    Some(visible(said))
}

/// A line of a program's on a line of ours.
fn visible(text: &str) -> String {
    shortened(text).chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// shellcheck.
#[derive(Debug)]
pub struct Shellcheck {
    path: Utf8PathBuf,
    /// `0.9.0`
    pub version: String,
}

impl Shellcheck {
    /// Takes that of the PATH; none older than 0.7, which has no `json1` and reads settings of the home.
    pub fn find(sys: &Sys) -> Option<Self> {
        let path = on_path("shellcheck")?;
        let said = sys.ask(&Program::new(&path).args(["--version"]), "", Duration::from_secs(10)).ok()?;
        let version = said.out.lines().find_map(|line| line.strip_prefix("version: "))?.trim().to_owned();
        let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        let number = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        (number >= (0, 7)).then_some(Self { path, version })
    }

    /// Looks at a script for `/bin/sh`.
    ///
    /// - Gives: line, what is said, and whether it is an error; warnings and errors alone.
    /// - Fails: where it does not answer in time, or says what is not understood.
    pub fn look(&self, sys: &Sys, text: &str, within: Duration) -> anyhow::Result<Vec<(u64, String, bool)>> {
        let words = ["--norc", "--shell=sh", "--severity=warning", "--format=json1", "-"];
        let answer = sys.ask(&Program::new(&self.path).args(words), text, within)?;
        ensure!(matches!(answer.code, Some(0 | 1)), "shellcheck failed: {}", shortened(answer.err.trim()));
        comments(&answer.out)
    }
}

fn comments(out: &str) -> anyhow::Result<Vec<(u64, String, bool)>> {
    let said: Value = serde_json::from_str(out)?;
    let comments = said["comments"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rows = comments.iter().map(|comment| {
        let message = comment["message"].as_str().unwrap_or_default();
        let text = format!("SC{}: {}", comment["code"].as_u64().unwrap_or(0), visible(message));
        (comment["line"].as_u64().unwrap_or(0), text, comment["level"] == "error")
    });
    Ok(rows.collect())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use wheelhaul_host::Verbosity;

    fn sys() -> Sys {
        Sys { root: ".".into(), verbosity: Verbosity::Quiet, offline: false }
    }

    #[test]
    fn a_script_is_parsed_and_never_run() {
        let shell = Shell::find(&sys()).expect("every Unix has a shell");
        let within = Duration::from_secs(20);
        let folder = tempfile::tempdir().unwrap();
        let marker = folder.path().join("was-run");
        let touch = format!("touch {}", marker.display());
        #[rustfmt::skip]
        let cases = [ // script                                   line that is named
            ("exit 0\n".to_owned(),                               None),
            ("a <<X\n$(b)\nX\nc 'd\ne' || :\n".to_owned(),        None),
            (format!("set +n\n{touch}\n"),                        None),
            (format!("x=$({touch})\n"),                           None),
            ("if a; then\n  b\n".to_owned(),                      Some("line")),
            ("a (\n".to_owned(),                                  Some("line 1")),
            ("fi\n".to_owned(),                                   Some("line 1")),
            ("echo 'open\n".to_owned(),                           Some("line")),
        ];
        for (script, line) in cases {
            let said = shell.parse(&sys(), &script, within).unwrap();
            assert_eq!(said.is_some(), line.is_some(), "{script}: {said:?}");
            // dash says `1:`, bash `line 1:`.
            let is_named = said.is_none_or(|said| said.contains(|c: char| c.is_ascii_digit()));
            assert!(is_named && !marker.exists(), "{script}");
        }
    }

    #[test]
    fn what_shellcheck_says_is_read() {
        let out = r#"{"comments":[{"line":3,"level":"warning","code":2034,"message":"x appears unused."},
            {"line":1,"level":"error","code":1073,"message":"Couldn't parse."}]}"#;
        let said = comments(out).unwrap();
        assert_eq!(
            said,
            [(3, "SC2034: x appears unused.".to_owned(), false), (1, "SC1073: Couldn't parse.".to_owned(), true)]
        );
        assert!(comments("no JSON").is_err());
    }
}
