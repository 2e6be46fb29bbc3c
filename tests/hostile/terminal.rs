//! What reaches the terminal: nothing of a lock, a name, a package or a program that steers it, or looks like a line of
//! this tool.

use crate::boxes::CONFIG;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Sets the title, colours, clears by a C1 control, turns the order, goes back to the line's start, and makes a line.
const EVIL: &str = "\x1b]0;x\x07\x1b[31m\u{9b}2J\u{202e}\u{2066}\u{200b}\rX\nFORGED";

/// What it is called; files with their texts; what is run.
type Case = (&'static str, Vec<(&'static str, String)>, Vec<&'static str>);

struct Repository(tempfile::TempDir);

impl Repository {
    fn new() -> Self {
        let made = Self(tempfile::tempdir().unwrap());
        made.write("dist/package.toml", CONFIG);
        made.write("app/requirements.txt", "");
        made.write("app/config.yaml", "");
        made.write("app/pyproject.toml", "[build-system]\nrequires = []\n");
        made
    }

    fn commit(&self) {
        self.git(&["init", "--quiet"]);
        self.git(&["add", "--all"]);
        self.git(&["-c", "user.name=a", "-c", "user.email=a@localhost", "commit", "--quiet", "--message", "a"]);
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn git(&self, words: &[&str]) {
        assert!(Command::new("git").args(words).current_dir(self.0.path()).status().unwrap().success());
    }

    fn run(&self, words: &[&str], path: Option<&Path>) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_started"));
        command.args(words).current_dir(self.0.path()).stdin(Stdio::null());
        // No index: nobody is asked.
        command.env("UV_OFFLINE", "1").env("PIP_NO_INDEX", "1");
        if let Some(path) = path {
            command.env("PATH", path);
        }
        command.output().unwrap()
    }
}

/// What is in an output that must not be, and whether the evil text got there at all.
fn faults(output: &Output) -> Vec<String> {
    let mut faults = Vec::new();
    for bytes in [&output.stdout, &output.stderr] {
        let text = String::from_utf8_lossy(bytes);
        let steers = |c: char| {
            (c.is_control() && c != '\n' && c != '\t')
                || ('\u{200b}'..='\u{200f}').contains(&c)
                || ('\u{202a}'..='\u{202e}').contains(&c)
                || ('\u{2066}'..='\u{2069}').contains(&c)
        };
        if text.contains(steers) || text.lines().any(|line| line.starts_with("FORGED")) {
            faults.push(format!("{text:?}"));
        }
    }
    faults
}

/// A program on a PATH of its own, beside all others of this host.
fn with_program(repository: &Repository, name: &str, script: &str) -> std::path::PathBuf {
    let folder = repository.0.path().join("target/path");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), script).unwrap();
    fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    let rest = std::env::var_os("PATH").unwrap();
    let all = std::env::join_paths(std::iter::once(folder).chain(std::env::split_paths(&rest))).unwrap();
    all.into()
}

#[test]
fn nothing_from_outside_steers_the_terminal_or_makes_a_line() {
    let toml = EVIL.escape_unicode().to_string().replace("\\u{", "\\U{");
    let toml: String =
        toml.split("\\U{").skip(1).map(|code| format!("\\U{:0>8}", code.trim_end_matches('}'))).collect();
    let json = serde_json::to_string(EVIL).unwrap();
    let without_lines = EVIL.replace(['\n', '\r'], "");
    let marker = format!("a==1 ; os_name == '{without_lines}'\n");
    let pipfile =
        |package: &str| format!("{{\"_meta\": {{\"pipfile-spec\": 6, \"sources\": []}}, \"default\": {{{package}}}}}");
    let in_pipfile = CONFIG.replace("requirements.txt", "Pipfile.lock");
    let marked = pipfile(&format!(
        "\"a\": {{\"version\": \"==1\", \"markers\": {}}}",
        serde_json::to_string(&format!("os_name == '{EVIL}'")).unwrap()
    ));
    // What is written, and what is run; `evil` is a part of a file or of its name.
    #[rustfmt::skip]
    let cases: Vec<Case> = vec![
        ("a marker, with -v",        vec![("app/requirements.txt", marker.clone())],                          vec!["lock", "-v"]),
        ("a marker, explained",      vec![("app/requirements.txt", marker.clone())],                          vec!["lock", "--explain", "a"]),
        ("a marker, as JSON",        vec![("app/requirements.txt", marker)],                                  vec!["lock", "--format", "json"]),
        ("a marker of a Pipfile",    vec![("dist/package.toml", in_pipfile.clone()), ("app/Pipfile.lock", marked.clone())], vec!["lock", "-v"]),
        ("the same, explained",      vec![("dist/package.toml", in_pipfile.clone()), ("app/Pipfile.lock", marked)], vec!["lock", "--explain", "a"]),
        ("a package's name",         vec![("dist/package.toml", in_pipfile.clone()), ("app/Pipfile.lock", pipfile(&format!("{json}: {{\"version\": \"==1\"}}")))], vec!["lock"]),
        ("a version",                vec![("dist/package.toml", in_pipfile.clone()), ("app/Pipfile.lock", pipfile(&format!("\"a\": {{\"version\": {json}}}")))], vec!["lock"]),
        ("a path, as JSON",          vec![("dist/package.toml", in_pipfile), ("app/Pipfile.lock", pipfile(&format!("\"a\": {{\"path\": {json}}}")))], vec!["lock", "--format", "json"]),
        ("a line that is no pin",    vec![("app/requirements.txt", format!("{without_lines}\n"))],            vec!["lock"]),
        ("an included file",         vec![("app/requirements.txt", format!("-r {without_lines}.txt\n"))],     vec!["lock"]),
        ("a key of package.toml",    vec![("dist/package.toml", format!("{CONFIG}\"{toml}\" = 1\n"))],        vec!["lock"]),
        ("a value of package.toml",  vec![("dist/package.toml", CONFIG.replace("name = \"demo\"", &format!("name = \"{toml}\"")))], vec!["lock"]),
        ("our lock",                 vec![("dist/pylock.el9-x86_64.toml", format!("lock-version = \"{toml}\"\n"))], vec!["lock", "--check"]),
        ("our lock, as JSON",        vec![("dist/pylock.el9-x86_64.toml", format!("\"{toml}\" = 1\n"))],      vec!["lock", "--check", "--format", "json"]),
        ("a word of the command",    vec![],                                                                  vec!["lock", "--\x1b[31m\u{202e}\u{9b}x"]),
        ("the name of an RPM",       vec![],                                                                  vec!["verify", EVIL]),
        ("the same, as JSON",        vec![],                                                                  vec!["verify", "--format", "json", EVIL]),
        ("RPMs that are compared",   vec![],                                                                  vec!["diff", EVIL, EVIL]),
        ("a target",                 vec![],                                                                  vec!["--target", EVIL, "lock"]),
    ];
    let mut wrong = Vec::new();
    for (row, files, words) in cases {
        let repository = Repository::new();
        files.iter().for_each(|(path, text)| repository.write(path, text));
        let output = repository.run(&words, None);
        assert!(matches!(output.status.code(), Some(0..=2)), "{row}: {:?}", output.status);
        let all = [output.stdout.as_slice(), &output.stderr].concat();
        assert!(!all.is_empty(), "{row}: nothing was said");
        wrong.extend(faults(&output).into_iter().map(|fault| format!("{row}: {fault}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_of_files_and_words_of_programs_are_text_alone() {
    let repository = Repository::new();
    assert_eq!(repository.run(&["lock"], None).status.code(), Some(0), "no package has to be asked for");
    repository.commit();
    repository.write(&format!("app/{EVIL}"), "x");
    // One that is at hand and builds nothing: none has to be installed.
    let uv = |says: &str| format!("#!/bin/sh\n[ \"$1\" = --version ] && echo 'uv 0.13.9' && exit\n{says}\nexit 1\n");
    let path = with_program(&repository, "uv", &uv(""));
    let output = repository.run(&["rpm", "-v"], Some(&path));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("warning: not committed") && said.contains("`app/\\u{1b}]0;x"), "{said}");
    assert_eq!(faults(&output), Vec::<String>::new());
    // A program that fails, and says why on either stream.
    for stream in ["", ">&2"] {
        let evil = EVIL.bytes().map(|byte| format!("\\{byte:03o}")).collect::<String>();
        let path = with_program(&repository, "uv", &uv(&format!("printf '{evil}' {stream}")));
        for words in [&["rpm"][..], &["rpm", "-v"], &["rpm", "--format", "json"]] {
            let output = repository.run(words, Some(&path));
            assert_eq!(output.status.code(), Some(2), "{words:?}");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(said.contains("\\u{1b}[31m"), "{words:?}: {said}");
            assert_eq!(faults(&output), Vec::<String>::new(), "{words:?}");
        }
    }
}
