//! Texts as values of a unit's keys: what is quoted, and what would mean something to systemd.

/// Text of a line that is no list of words: `%` is taken literally.
pub fn literal(text: &str) -> String {
    // A backslash at the end would join the next line.
    text.replace('%', "%%").trim_end_matches('\\').to_owned()
}

/// Writes words as a line of systemd.service(5): quoted where needed, `%` and `$` taken literally.
pub fn command_line(words: &[String]) -> String {
    let quoted = |word: &String| {
        let word = word.replace('%', "%%").replace('$', "$$");
        if !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-:=@%$+,[]{}".contains(c)) {
            word
        } else {
            quote(&word)
        }
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// An assignment of systemd.exec(5), "Environment=": quoted where needed, `%` taken literally; `$` is no
/// special character there.
pub fn assignment(name: &str, value: &str) -> String {
    let both = format!("{name}={}", value.replace('%', "%%"));
    if both.chars().all(|c| c.is_ascii_alphanumeric() || "/._-:=@%$+,[]{}".contains(c)) { both } else { quote(&both) }
}

fn quote(word: &str) -> String {
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_reach_the_application_as_they_are() {
        #[rustfmt::skip]
        let cases = [ // value              line
            ("",                            "A="),
            ("/var/x:y@z",                  "A=/var/x:y@z"),
            ("two words",                   "\"A=two words\""),
            ("100%",                        "A=100%%"),
            ("$HOME",                       "A=$HOME"),
            ("say \"hi\" \\n 'x'",          "\"A=say \\\"hi\\\" \\\\n 'x'\""),
            ("postgres://a;b#c",            "\"A=postgres://a;b#c\""),
        ];
        for (value, line) in cases {
            assert_eq!(assignment("A", value), line);
        }
    }
}
