//! `wheelhaul completions`: what a shell completes.

use crate::command_line::Cli;
use crate::command_line::shown::Shown;
use anyhow::Context as _;
use clap::{Args, CommandFactory as _, ValueEnum};
use serde::Serialize;
use wheelhaul_base::problem::Problem;

/// Print completions for a shell
///
/// For the program `wheelhaul`. After `cargo xtask` shells complete what cargo knows, which asks no task.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    wheelhaul completions bash > ~/.local/share/bash-completion/completions/wheelhaul\n  \
    wheelhaul completions zsh > ~/.zfunc/_wheelhaul       where `fpath` has ~/.zfunc\n  \
    wheelhaul completions fish > ~/.config/fish/completions/wheelhaul.fish")]
pub(super) struct Flags {
    /// The shell
    shell: Shell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// What the shell reads.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    script: String,
}

impl Shown for Report {
    fn text(&self) -> String {
        self.script.clone()
    }
}

/// The task; `name` is what the user typed before it.
pub(super) fn run(flags: &Flags, name: &str) -> anyhow::Result<Report> {
    if name.contains(' ') {
        return Err(Problem::with_hint(
            format!(
                "there are no completions for `{name}`: the shell asks cargo what it completes, and cargo knows no task"
            ),
            "they are for the program itself: `wheelhaul completions SHELL`",
        ));
    }
    Ok(Report { script: script(flags.shell, name)? })
}

fn script(shell: Shell, name: &str) -> anyhow::Result<String> {
    let mut command = Cli::command();
    let mut out = Vec::new();
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    clap_complete::generate(shell, &mut command, name, &mut out);
    String::from_utf8(out).context("completions are text")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::process::Command;

    /// What bash would complete the last word to.
    fn completed(words: &[&str]) -> Vec<String> {
        let script = script(Shell::Bash, "wheelhaul").unwrap();
        let ask = format!(
            "{script}\nCOMP_WORDS=({}); COMP_CWORD={}\n_wheelhaul wheelhaul \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
            words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
            words.len() - 1,
        );
        let said = Command::new("bash").args(["--norc", "-c", &ask]).output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8(said.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn bash_completes_tasks_flags_and_values() {
        assert_eq!(completed(&["wheelhaul", "ver"]), ["verify"]);
        assert!(completed(&["wheelhaul", "lock", "--up"]).contains(&"--upgrade".to_owned()));
        assert_eq!(completed(&["wheelhaul", "completions", "fi"]), ["fish"]);
    }

    #[test]
    fn every_shell_has_every_task() {
        let tasks: Vec<String> = Cli::command().get_subcommands().map(|task| task.get_name().to_owned()).collect();
        assert!(tasks.len() > 6, "{tasks:?}");
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = script(shell, "wheelhaul").unwrap();
            assert!(tasks.iter().all(|task| script.contains(task.as_str())), "{shell:?}");
            assert!(script.contains("wheelhaul"), "{shell:?}");
        }
    }

    #[test]
    fn cargo_has_no_completions_of_tasks() {
        let error = run(&Flags { shell: Shell::Zsh }, "cargo xtask").unwrap_err();
        assert!(error.to_string().contains("`cargo xtask`"), "{error}");
    }
}
