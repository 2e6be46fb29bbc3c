//! The grammar of markers (PEP 508): text → comparisons joined by `and` and `or`.
//!
//! The text is walked once: its cost is linear, and brackets are followed to a limit. (pep508_rs builds a
//! decision diagram, whose size can grow exponentially with the text.)

use anyhow::{bail, ensure};

/// Deeper brackets than any lock has.
const MOST_DEPTH: usize = 64;
/// Longer than any lock's marker, and short enough to stand in an error.
const MOST_BYTES: usize = 8 << 10;

/// What a word of a marker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// a variable, `and`, `or`, `not`, `in`
    Word,
    /// a quoted string, with its quotes
    Literal,
    /// made of `<>=!~`
    Operator,
    /// `(` or `)`
    Bracket,
}

/// A word of a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    /// what it is
    pub kind: Kind,
    /// as written
    pub text: &'a str,
}

impl<'a> Token<'a> {
    /// A literal without its quotes.
    pub(crate) fn unquoted(&self) -> &'a str {
        match self.kind {
            Kind::Literal => &self.text[1..self.text.len() - 1],
            _ => self.text,
        }
    }

    fn is_value(&self) -> bool {
        self.kind == Kind::Literal || (self.kind == Kind::Word && !matches!(self.text, "and" | "or" | "not" | "in"))
    }
}

/// `left operator right`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Comparison<'a> {
    /// a variable or a literal
    pub left: Token<'a>,
    /// `==`, `in`, `not in` …
    pub operator: &'a str,
    /// a variable or a literal
    pub right: Token<'a>,
}

/// Evaluates a marker.
///
/// - Takes: `judge`, which is asked for every comparison, also where the rest decides already, so that
///   none without meaning goes unseen.
/// - Fails: for what is not the grammar, and with the first failure of `judge`.
pub(crate) fn evaluate(
    marker: &str,
    judge: &mut dyn FnMut(Comparison<'_>) -> anyhow::Result<bool>,
) -> anyhow::Result<bool> {
    let tokens = tokenize(marker)?;
    let mut walk = Walk { tokens: &tokens, at: 0, depth: 0, judge };
    let holds = walk.any()?;
    match walk.tokens.get(walk.at) {
        None => Ok(holds),
        Some(token) => bail!("`{}` does not belong there", token.text),
    }
}

struct Walk<'t, 'm, 'j> {
    tokens: &'t [Token<'m>],
    at: usize,
    depth: usize,
    judge: &'j mut dyn FnMut(Comparison<'_>) -> anyhow::Result<bool>,
}

impl<'m> Walk<'_, 'm, '_> {
    fn take(&mut self, text: &str) -> bool {
        let is_next = self.tokens.get(self.at).is_some_and(|token| token.text == text && token.kind != Kind::Literal);
        self.at += usize::from(is_next);
        is_next
    }

    fn any(&mut self) -> anyhow::Result<bool> {
        let mut holds = self.all()?;
        while self.take("or") {
            holds |= self.all()?;
        }
        Ok(holds)
    }

    fn all(&mut self) -> anyhow::Result<bool> {
        let mut holds = self.one()?;
        while self.take("and") {
            holds &= self.one()?;
        }
        Ok(holds)
    }

    fn one(&mut self) -> anyhow::Result<bool> {
        if !self.take("(") {
            return self.comparison();
        }
        self.depth += 1;
        ensure!(self.depth <= MOST_DEPTH, "its brackets are deeper than {MOST_DEPTH}");
        let holds = self.any()?;
        ensure!(self.take(")"), "a bracket is not closed");
        self.depth -= 1;
        Ok(holds)
    }

    fn comparison(&mut self) -> anyhow::Result<bool> {
        let left = self.value()?;
        let operator = match self.tokens.get(self.at..).unwrap_or_default() {
            [Token { kind: Kind::Word, text: "not" }, Token { kind: Kind::Word, text: "in" }, ..] => {
                self.at += 2;
                "not in"
            }
            [Token { kind: Kind::Word, text: "in" }, ..] => {
                self.at += 1;
                "in"
            }
            [Token { kind: Kind::Operator, text }, ..] => {
                self.at += 1;
                *text
            }
            [other, ..] => bail!("`{}` stands where a comparison operator is expected", other.text),
            [] => bail!("it ends where a comparison operator is expected"),
        };
        let right = self.value()?;
        (self.judge)(Comparison { left, operator, right })
    }

    fn value(&mut self) -> anyhow::Result<Token<'m>> {
        match self.tokens.get(self.at) {
            Some(token) if token.is_value() => {
                self.at += 1;
                Ok(*token)
            }
            Some(token) => bail!("`{}` stands where a variable or a quoted string is expected", token.text),
            None => bail!("it ends where a variable or a quoted string is expected"),
        }
    }
}

/// Splits a marker into words, quoted literals, operators and brackets.
fn tokenize(marker: &str) -> anyhow::Result<Vec<Token<'_>>> {
    ensure!(marker.len() <= MOST_BYTES, "it has {} bytes, and at most {MOST_BYTES} are read", marker.len());
    let mut tokens = Vec::new();
    let mut rest = marker.trim_start();
    while let Some(first) = rest.chars().next() {
        let run = |of: fn(char) -> bool| rest.find(|c| !of(c)).unwrap_or(rest.len());
        let (kind, length) = match first {
            '(' | ')' => (Kind::Bracket, 1),
            '\'' | '"' => match rest[1..].find(first) {
                Some(end) => (Kind::Literal, end + 2),
                None => bail!("a quote is not closed"),
            },
            '<' | '>' | '=' | '!' | '~' => (Kind::Operator, run(|c| "<>=!~".contains(c))),
            c if is_word(c) => (Kind::Word, run(is_word)),
            c => bail!("`{}` does not belong into a marker", c.escape_debug()),
        };
        tokens.push(Token { kind, text: &rest[..length] });
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '.'
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Judges `t == 't'` as true and everything else as false.
    fn holds(marker: &str) -> anyhow::Result<bool> {
        evaluate(marker, &mut |comparison| Ok(comparison.left.text == "t"))
    }

    #[test]
    fn and_binds_tighter_than_or_and_brackets_before_both() {
        #[rustfmt::skip]
        let cases = [
            ("t == 'x'",                                   true),
            ("f == 'x' and f == 'x' or t == 'x'",          true),
            ("t == 'x' or f == 'x' and f == 'x'",          true),
            ("(t == 'x' or f == 'x') and f == 'x'",        false),
            ("((t not in 'and or ( \"') )",                true),
            ("f=='x'or t<='x'",                            true),
        ];
        for (marker, expected) in cases {
            assert_eq!(holds(marker).unwrap(), expected, "{marker}");
        }
    }

    #[test]
    fn what_is_not_the_grammar_is_an_error() {
        for marker in [
            "",
            "t",
            "t ==",
            "== 'x'",
            "t == 'x' and",
            "(t == 'x'",
            "t == 'x')",
            "t == 'x' t == 'x'",
            "t not 'x'",
            "t == 'x",
            "t in in",
            "and == 'x'",
            "t == 'x' & t == 'x'",
            "t 'x'",
        ] {
            assert!(holds(marker).is_err(), "{marker}");
        }
        let deep = format!("{}t == 'x'{}", "(".repeat(100_000), ")".repeat(100_000));
        assert!(holds(&deep).is_err());
    }
}
