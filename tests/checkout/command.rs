//! One way to run a program, so that every failure shows its command line and all it said.

use super::home::in_test_home;
use anyhow::Context;
use std::process::{Command, Stdio};

pub use wheelhaul_host::Ended as Finished;

/// Runs `command` to its end with nothing to read, at home where the tests are.
///
/// - Gives: what it said, whatever its exit code; [`Finished::text`] judges that.
/// - Fails: only when the program cannot be started.
pub fn run(command: &mut Command) -> anyhow::Result<Finished> {
    let line = command_line(command);
    let output =
        in_test_home(command).stdin(Stdio::null()).output().with_context(|| format!("failed to start `{line}`"))?;
    Ok(Finished {
        line,
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// The program and its arguments as one line; long arguments (scripts) are cut.
fn command_line(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| {
            let word = word.to_string_lossy().replace('\n', "\\n");
            match word.char_indices().nth(120) {
                Some((end, _)) => format!("{}…", &word[..end]),
                None => word,
            }
        })
        .collect::<Vec<_>>()
        .join(" ")
}
