//! Pinned `requirements.txt`, hashed or not: the part of pip's requirements file format that is a lock.

use crate::pins::{Pin, Pins, Requirement, Source, sha256_digests};
use crate::problem::{Problem, all_of, shortened};
use anyhow::Context as _;
use std::str::FromStr;

pub(super) fn parse(source: &Source<'_>) -> anyhow::Result<Pins> {
    let mut pins = Vec::new();
    let mut faults = Vec::new();
    for (number, line) in logical_lines(source.text().trim_start_matches('\u{feff}')) {
        match pin(&line, number) {
            Ok(pin) => pins.push(pin),
            Err(fault) => faults.push(fault.context(format!("line {number}"))),
        }
    }
    all_of("lines cannot be packed", faults)?;
    Ok(Pins { pins, ..Pins::default() })
}

/// Joins continued lines and drops comments, as pip does; a number is that of the first physical line.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, raw) in text.lines().enumerate() {
        let comment_line = raw.trim_start().starts_with('#');
        // pip: a comment line ends a continued one; a `\` inside a comment does not continue it.
        let (piece, continues) = match raw.strip_suffix('\\') {
            Some(piece) if !comment_line => (piece, true),
            _ => (raw, false),
        };
        let (_, line) = open.get_or_insert_with(|| (index + 1, String::new()));
        if comment_line {
            line.push(' ');
        }
        line.push_str(piece);
        if !continues {
            lines.extend(open.take());
        }
    }
    lines.extend(open);
    lines
        .into_iter()
        .map(|(number, line)| (number, without_comment(&line).trim().to_owned()))
        .filter(|(_, line)| !line.is_empty())
        .collect()
}

/// A comment starts at a `#` at the line's start or after white space.
fn without_comment(line: &str) -> &str {
    let starts = line.match_indices('#').map(|(at, _)| at);
    let start = starts.into_iter().find(|at| *at == 0 || line[..*at].ends_with(char::is_whitespace));
    &line[..start.unwrap_or(line.len())]
}

fn pin(line: &str, number: usize) -> anyhow::Result<Pin> {
    if line.starts_with('-') {
        let option = line.split(['=', ' ']).next().unwrap_or(line);
        return Err(Problem::with_hint(
            format!("the option `{}` is not part of a lock", shortened(option)),
            "give a file of pinned requirements only; an index is configured for pip and uv themselves",
        ));
    }
    let (specifier, options) = split_options(line);
    let mut hashes = Vec::new();
    for option in options {
        match option.strip_prefix("--hash").map(|rest| rest.trim_start_matches(['=', ' '])) {
            Some(hash) => hashes.push(hash),
            None => {
                return Err(Problem::with_hint(
                    format!("the option `{}` cannot be honoured", shortened(option)),
                    "only `--hash` has a meaning behind a pin",
                ));
            }
        }
    }
    let requirement = Requirement::from_str(specifier)?;
    if requirement.is_url {
        return Err(Problem::with_hint(
            format!("`{}` comes from a URL, and only packages of an index can be packed", requirement.name),
            "publish it to your index as a wheel and lock that version",
        ));
    }
    let version = requirement.pinned()?;
    Ok(Pin {
        hashes: sha256_digests(hashes.into_iter()).with_context(|| format!("`{}`", requirement.name))?,
        extras: requirement.extras,
        marker: requirement.marker,
        ..Pin::new(requirement.name, version, format!("line {number}"))
    })
}

/// Splits a line into the requirement and its options, each `--NAME=VALUE` or `--NAME VALUE`.
fn split_options(line: &str) -> (&str, Vec<&str>) {
    let mut starts = line.match_indices(" --").map(|(at, _)| at).chain([line.len()]);
    let front = starts.next().unwrap_or(line.len());
    let mut options = Vec::new();
    let mut from = front;
    for to in starts {
        options.push(line[from..to].trim());
        from = to;
    }
    (line[..front].trim(), options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pins::{Format, parse_text};

    fn parse(text: &str) -> anyhow::Result<Vec<Pin>> {
        Ok(parse_text(Format::Requirements, text)?.pins)
    }

    #[test]
    fn pins_are_read_with_continuations_comments_and_hashes() {
        let one = "1".repeat(64);
        let two = "2".repeat(64);
        let text = format!(
            "\u{feff}# made by a tool\r\n\nflask==3.0.3 ; python_version >= '3.8' \\\n    --hash=sha256:{one} \\\n    --hash sha256:{two}\n    # via app\nsix==1.16.0  # old\r\nuvicorn[standard]==0.30.0"
        );
        let pins = parse(&text).unwrap();
        let names: Vec<_> = pins.iter().map(|pin| (pin.name.as_ref(), pin.place.as_str(), pin.hashes.len())).collect();
        assert_eq!(names, [("flask", "line 3", 2), ("six", "line 7", 0), ("uvicorn", "line 8", 0)]);
        assert_eq!(pins[0].marker.as_deref(), Some("python_version >= '3.8'"));
        assert_eq!(pins[2].extras[0].as_ref(), "standard");
    }

    #[test]
    fn what_is_no_lock_is_named_with_its_line() {
        let text = "-i https://index.example/simple\nflask>=3\n-e .\nx @ https://index.example/x.whl\na==1 --config-settings x\n\nrequests-==1\n";
        let error = parse(text).unwrap_err().to_string();
        for part in [
            "6 lines",
            "line 1: the option `-i`",
            "line 2: `flask` is not pinned",
            "line 3: the option `-e`",
            "line 4: `x` comes from a URL",
            "line 5: the option `--config-settings x`",
            "line 7",
        ] {
            assert!(error.contains(part), "`{part}` is missing in {error}");
        }
    }
}
