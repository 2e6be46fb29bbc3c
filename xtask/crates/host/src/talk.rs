//! Everything that reaches the terminal goes through here, and nothing that a package, a lock, a file's name or a program
//! says gets there as it is: what steers a terminal, or turns the order of a text, is shown by its number.

use crate::typed::as_typed;
use std::io::{IsTerminal as _, Write as _};
use wheelhaul_base::text::{visible, visible_json};

/// Whether colours are wanted on standard output (<https://no-color.org>).
pub fn colours_of_output() -> bool {
    std::io::stdout().is_terminal() && wants_colours()
}

fn wants_colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Writes one message to standard error.
pub(super) fn tell(message: &str) {
    write_error(&below(message, "  "));
}

/// Writes a text of several lines to standard error, such as a table.
pub fn tell_lines(text: &str) {
    write_error(&visible(text.trim_end()));
}

/// Writes an error to standard error: what was tried, with its causes, then the cures.
pub fn tell_error(causes: &[String], hints: &[String]) {
    let is_coloured = std::io::stderr().is_terminal() && wants_colours();
    let paint = |colour: &str, word: &str| match is_coloured {
        true => format!("\x1b[1;{colour}m{word}\x1b[0m"),
        false => word.to_owned(),
    };
    let indented = |text: &str| below(text, "    ");
    for (index, cause) in causes.iter().enumerate() {
        match index {
            0 => write_error(&format!("{} {}", paint("31", "error:"), indented(cause))),
            _ => write_error(&format!("  caused by: {}", indented(cause))),
        }
    }
    for hint in hints {
        write_error(&format!("{} {}", paint("36", "hint:"), indented(hint)));
    }
}

/// Writes a result to standard output; a reader that has gone away (`| head`) is no error, a full disk is.
///
/// - Takes: `paint`, which may put colours into the text once nothing else in it can steer a terminal.
pub fn print(text: &str, paint: impl FnOnce(&str) -> String) -> std::io::Result<()> {
    write_output(&paint(&visible(text)))
}

/// The same for help, which has no word from outside, and whose colours the caller has put in where they are wanted.
pub fn print_help(help: &str) -> std::io::Result<()> {
    write_output(help)
}

/// The same for a JSON document.
pub fn print_json(value: &serde_json::Value) -> std::io::Result<()> {
    write_output(&visible_json(&format!("{value:#}\n")))
}

/// Whether there is a person who sees a question, and can answer it.
pub fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks a question on the terminal.
pub fn ask(question: &str) -> std::io::Result<String> {
    let mut error = std::io::stderr();
    write!(error, "{} ", visible(question)).and_then(|()| error.flush())?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// A message as one paragraph: its further lines are indented, so that none of them looks like another message.
fn below(message: &str, indent: &str) -> String {
    visible(&message.trim_end().replace("\r\n", "\n")).replace('\n', &format!("\n{indent}"))
}

/// Where nobody can read it, it is lost, and that is no reason to stop.
fn write_error(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", as_typed(text));
}

fn write_output(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    match out.write_all(as_typed(text).as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_paragraph_without_anything_unseen() {
        let shown = below("a\r\nerror: b\x1b]0;x\x07\u{9b}31m\u{202e}\rc\n", "  ");
        assert_eq!(shown, "a\n  error: b\\u{1b}]0;x\\u{7}\\u{9b}31m\\u{202e}\\u{d}c");
    }
}
