//! Words of a unit's lines, read as systemd does: systemd.service(5), "COMMAND LINES", and systemd.syntax(7).

/// A text cut into words.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// without their quotes, escapes resolved; `%` and `$` as they stand
    pub words: Vec<String>,
    /// escapes that mean nothing, as they stand: `\q`
    pub unknown_escapes: Vec<String>,
}

/// A command of `ExecStart=` and its like.
#[derive(Debug, PartialEq, Eq)]
pub struct CommandLine {
    /// what stands before the program: `-+`
    pub prefix: String,
    /// the program and its arguments
    pub words: Vec<String>,
}

impl CommandLine {
    /// The words as the program gets them, as far as nothing of the box's is put in: `%%` and `$$` are one.
    pub fn literal_words(&self) -> Vec<String> {
        self.words.iter().map(|word| word.replace("%%", "%").replace("$$", "$")).collect()
    }
}

/// Cuts a text into words.
///
/// # Errors
/// If a quote is not closed.
pub fn split_words(text: &str) -> Result<Words, &'static str> {
    let mut found = Words::default();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (word, behind) = first_word(rest, &mut found.unknown_escapes)?;
        found.words.push(word);
        rest = behind.trim_start();
    }
    Ok(found)
}

/// Cuts the value of `ExecStart=` into its commands, with the escapes in it that mean nothing.
///
/// # Errors
/// If a quote is not closed, or a command has no program.
pub fn split_commands(value: &str) -> Result<(Vec<CommandLine>, Vec<String>), &'static str> {
    const EMPTY: &str = "a command has no program";
    let mut unknown = Vec::new();
    let mut found = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut rest = value.trim();
    while !rest.is_empty() {
        if let Some(behind) = alone(rest, ";") {
            found.push(command(std::mem::take(&mut words)).ok_or(EMPTY)?);
            rest = behind.trim_start();
            continue;
        }
        let (word, behind) = match alone(rest, "\\;") {
            Some(behind) => (";".to_owned(), behind),
            None => first_word(rest, &mut unknown)?,
        };
        words.push(word);
        rest = behind.trim_start();
    }
    if !words.is_empty() {
        found.push(command(words).ok_or(EMPTY)?);
    }
    Ok((found, unknown))
}

/// What is behind a mark that is a word of its own.
fn alone<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    text.strip_prefix(mark).filter(|behind| behind.is_empty() || behind.starts_with(char::is_whitespace))
}

/// Each sign before the program counts once, and `+`, `!` and `!!` are of one kind.
fn command(mut words: Vec<String>) -> Option<CommandLine> {
    let first = words.first()?.clone();
    let mut end = 0;
    let mut seen = String::new();
    for sign in first.chars() {
        let rights = |signs: &str| signs.contains(['+', '!']) && !(sign == '!' && signs.ends_with('!'));
        let again = match sign {
            '-' | '@' | ':' => seen.contains(sign),
            '+' | '!' => rights(&seen),
            _ => break,
        };
        if again {
            break;
        }
        seen.push(sign);
        end += 1;
    }
    words[0] = first[end..].to_owned();
    (!words[0].is_empty()).then_some(CommandLine { prefix: seen, words })
}

/// The first word of a text that starts with one, and what is behind it.
fn first_word<'a>(text: &'a str, unknown: &mut Vec<String>) -> Result<(String, &'a str), &'static str> {
    let mut word = String::new();
    let mut quote = None;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let behind = &rest[c.len_utf8()..];
        rest = match (c, quote) {
            ('\\', _) => escaped(behind, &mut word, unknown),
            (c, Some(open)) if c == open => {
                quote = None;
                behind
            }
            ('"' | '\'', None) => {
                quote = Some(c);
                behind
            }
            (c, None) if c.is_whitespace() => break,
            (c, _) => {
                word.push(c);
                behind
            }
        };
    }
    if quote.is_some() { Err("a quote is not closed") } else { Ok((word, rest)) }
}

/// Resolves what is behind a backslash, and gives what is behind that.
fn escaped<'a>(text: &'a str, word: &mut String, unknown: &mut Vec<String>) -> &'a str {
    let Some(kind) = text.chars().next() else {
        word.push('\\');
        return text;
    };
    let behind = &text[kind.len_utf8()..];
    let number = |digits: &'a str, count: usize, base: u32| {
        let digits = digits.get(..count).filter(|digits| digits.chars().all(|c| c.is_digit(base)))?;
        char::from_u32(u32::from_str_radix(digits, base).ok()?).filter(|c| *c != '\0')
    };
    let (made, behind) = match kind {
        'a' => (Some('\x07'), behind),
        'b' => (Some('\x08'), behind),
        'f' => (Some('\x0c'), behind),
        'n' => (Some('\n'), behind),
        'r' => (Some('\r'), behind),
        't' => (Some('\t'), behind),
        'v' => (Some('\x0b'), behind),
        's' => (Some(' '), behind),
        '\\' | '"' | '\'' => (Some(kind), behind),
        'x' => (number(behind, 2, 16), behind.get(2..).unwrap_or_default()),
        'u' => (number(behind, 4, 16), behind.get(4..).unwrap_or_default()),
        'U' => (number(behind, 8, 16), behind.get(8..).unwrap_or_default()),
        '0'..='7' => (number(text, 3, 8), text.get(3..).unwrap_or_default()),
        _ => (None, behind),
    };
    match made {
        Some(made) => {
            word.push(made);
            behind
        }
        None => {
            unknown.push(format!("\\{kind}"));
            word.push('\\');
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quoting::{assignment, command_line};

    #[test]
    fn words_are_cut_as_systemd_cuts_them() {
        #[rustfmt::skip]
        let cases: &[(&str, &[&str], &[&str])] = &[ // text     words                        unknown escapes
            ("",                         &[],                                                &[]),
            ("  a \t b ",                &["a", "b"],                                        &[]),
            ("\"a b\" 'c \"d'",          &["a b", "c \"d"],                                  &[]),
            ("a\"b c\"d",                &["ab cd"],                                         &[]),
            ("''",                       &[""],                                              &[]),
            (r"a\x20b \s \\ \'",         &["a b", " ", "\\", "'"],                           &[]),
            (r"\101 é",                &["A", "é"],                                        &[]),
            (r"\U0001f600",              &["😀"],                                            &[]),
            (r"a\qb \x4",                &[r"a\qb", r"\x4"],                                 &[r"\q", r"\x"]),
            (r"a\",                      &[r"a\"],                                           &[]),
            ("$$ %%",                    &["$$", "%%"],                                      &[]),
        ];
        for (text, words, unknown) in cases {
            let found = split_words(text).unwrap();
            assert_eq!((found.words, found.unknown_escapes), (own(words), own(unknown)), "{text}");
        }
        for text in ["\"a", "a 'b", "a\"b c"] {
            assert!(split_words(text).is_err() && split_commands(text).is_err(), "{text}");
        }
    }

    fn own(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    /// Each command's prefix and words.
    type Prefixed = &'static [(&'static str, &'static [&'static str])];

    #[test]
    fn commands_have_signs_and_are_several_in_a_line() {
        #[rustfmt::skip]
        let cases: &[(&str, Prefixed)] = &[
            ("/bin/a b",               &[("", &["/bin/a", "b"])]),
            ("-+/bin/a",               &[("-+", &["/bin/a"])]),
            ("@/bin/a b",              &[("@", &["/bin/a", "b"])]),
            ("!!/bin/a",               &[("!!", &["/bin/a"])]),
            ("--/bin/a",               &[("-", &["-/bin/a"])]),
            ("+!/bin/a",               &[("+", &["!/bin/a"])]),
            ("\"/bin/a b\" c",         &[("", &["/bin/a b", "c"])]),
            ("/bin/a ; -/bin/b x",     &[("", &["/bin/a"]), ("-", &["/bin/b", "x"])]),
            ("/bin/a \\; ';' x;",      &[("", &["/bin/a", ";", ";", "x;"])]),
            ("",                       &[]),
        ];
        for (value, expected) in cases {
            let found = split_commands(value).unwrap().0;
            let found: Vec<_> = found.into_iter().map(|command| (command.prefix, command.words)).collect();
            let expected: Vec<_> = expected.iter().map(|(prefix, words)| ((*prefix).to_owned(), own(words))).collect();
            assert_eq!(found, expected, "{value}");
        }
        assert!(split_commands("-").is_err() && split_commands("; /bin/a").is_err());
    }

    #[test]
    fn what_this_tool_writes_is_read_as_it_was_meant() {
        let words = own(&["/bin/a", "two words", "100%", "$HOME", "say \"hi\"", r"\n", "a;b", "'", "", "é"]);
        let found = split_commands(&command_line(&words)).unwrap().0.remove(0);
        assert_eq!(found.literal_words(), words);
        for value in &words {
            assert_eq!(
                split_words(&assignment("A", value)).unwrap().words,
                [format!("A={}", value.replace('%', "%%"))]
            );
        }
    }
}
