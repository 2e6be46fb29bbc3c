//! The text of a Python module in logical lines, without strings and comments: enough to tell what is imported and
//! what is named where. It is no parser: what it is unsure of counts as said.

/// What a line stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    /// a function or a class
    Own,
    /// `if`, `try`, `with` and their kin: it may not come to that
    Perhaps,
    /// a loop, or what is no block of Python
    Plain,
}

/// A logical line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// its code; a string is `""`, line breaks in brackets are blanks
    pub code: String,
    /// the blocks around it, from the outermost
    pub blocks: Vec<Block>,
}

impl Line {
    /// Whether a function or a class has it, so that what it names is no name of the module.
    pub(super) fn is_inner(&self) -> bool {
        self.blocks.contains(&Block::Own)
    }

    /// Whether it hangs on a condition.
    pub(super) fn is_perhaps(&self) -> bool {
        self.blocks.contains(&Block::Perhaps)
    }

    /// The names in it that no dot stands before.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names_with_rest().map(|(word, _)| word)
    }

    /// Whether it may give something this name: it has the name, and not only to call it.
    pub(super) fn may_bind(&self, name: &str) -> bool {
        let mut before = "";
        self.names_with_rest().any(|(word, rest)| {
            let is_called = rest.trim_start().starts_with('(') && !matches!(before, "def" | "class");
            before = word;
            word == name && !is_called
        })
    }

    /// Each of [`Self::names`], and what stands behind it.
    fn names_with_rest(&self) -> impl Iterator<Item = (&str, &str)> {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let mut rest = self.code.as_str();
        let mut before = ' ';
        std::iter::from_fn(move || {
            loop {
                let first = rest.chars().next()?;
                if !is_part(first) {
                    if !first.is_whitespace() {
                        before = first;
                    }
                    rest = &rest[first.len_utf8()..];
                    continue;
                }
                let (word, after) = rest.split_at(rest.find(|c| !is_part(c)).unwrap_or(rest.len()));
                rest = after;
                let is_own = before != '.' && !first.is_ascii_digit();
                before = ' ';
                if is_own {
                    return Some((word, after));
                }
            }
        })
    }
}

/// More blocks in each other are no Python: its own limit is 100.
const DEEPEST: usize = 100;

/// Gives the logical lines to `take`, in order, until it says `false`.
pub(super) fn for_each_line(source: &str, take: &mut dyn FnMut(&Line) -> bool) {
    let mut blocks: Vec<(usize, Block)> = Vec::new();
    let mut chars = source.chars().peekable();
    loop {
        let Some((indent, code)) = logical_line(&mut chars) else { return };
        let code = code.trim();
        if code.is_empty() {
            continue;
        }
        while blocks.last().is_some_and(|(before, _)| *before >= indent) {
            blocks.pop();
        }
        let line = Line { code: code.to_owned(), blocks: blocks.iter().map(|(_, block)| *block).collect() };
        if !take(&line) {
            return;
        }
        if blocks.len() < DEEPEST {
            blocks.push((indent, opened_by(code)));
        }
    }
}

fn opened_by(code: &str) -> Block {
    let word: String = code.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    match word.as_str() {
        "def" | "class" => Block::Own,
        "async" if code["async".len()..].trim_start().starts_with("def") => Block::Own,
        "if" | "elif" | "else" | "try" | "except" | "finally" | "with" | "while" | "match" | "case" | "async" => {
            Block::Perhaps
        }
        _ => Block::Plain,
    }
}

/// The next logical line with its indentation; none at the end.
fn logical_line(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<(usize, String)> {
    chars.peek()?;
    let mut indent = 0;
    while let Some(c) = chars.next_if(|c| matches!(c, ' ' | '\t' | '\x0c' | '\u{feff}')) {
        match c {
            ' ' => indent += 1,
            '\t' => indent = (indent / 8 + 1) * 8,
            _ => {}
        }
    }
    let mut code = String::new();
    let mut depth = 0_usize;
    while let Some(c) = chars.next() {
        match c {
            '#' => while chars.next_if(|c| *c != '\n').is_some() {},
            '\'' | '"' => {
                skip_string(chars, c);
                code.push_str("\"\"");
            }
            '\\' if chars.next_if(|c| matches!(c, '\r' | '\n')).is_some() => {
                chars.next_if_eq(&'\n');
                code.push(' ');
            }
            '\n' | '\r' if depth == 0 => break,
            '\n' | '\r' => code.push(' '),
            c => {
                match c {
                    '(' | '[' | '{' => depth += 1,
                    ')' | ']' | '}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                code.push(c);
            }
        }
    }
    Some((indent, code))
}

/// Passes over a string to behind its end; one that is not closed ends with its line.
fn skip_string(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, quote: char) {
    let is_long = chars.next_if_eq(&quote).is_some();
    if is_long && chars.next_if_eq(&quote).is_none() {
        return;
    }
    let mut row = 0;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let skipped = chars.next();
                if skipped == Some('\r') {
                    chars.next_if_eq(&'\n');
                }
                row = 0;
            }
            c if c == quote => {
                row += 1;
                if !is_long || row == 3 {
                    return;
                }
            }
            '\n' if !is_long => return,
            _ => row = 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(source: &str) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for_each_line(source, &mut |line| {
            let letters = line.blocks.iter().map(|block| match block {
                Block::Own => 'o',
                Block::Perhaps => 'p',
                Block::Plain => '-',
            });
            all.push((letters.collect(), line.code.clone()));
            true
        });
        all
    }

    #[test]
    fn lines_are_logical_and_know_their_blocks() {
        #[rustfmt::skip]
        let cases: [(&str, &[(&str, &str)]); 12] = [
            ("import a\nimport b",                     &[("", "import a"), ("", "import b")]),
            ("from a import (b,  # one\n  c)\nd",      &[("", "from a import (b,     c)"), ("", "d")]),
            ("a = \\\n  b\nc",                         &[("", "a =    b"), ("", "c")]),
            ("'''\nimport a\n'''\nb",                  &[("", "\"\""), ("", "b")]),
            ("a = '\\''; b = \"'\"\nc",                &[("", "a = \"\"; b = \"\""), ("", "c")]),
            ("a = ''\nb = '\nc",                       &[("", "a = \"\""), ("", "b = \"\"c")]),
            ("if a:\n  b\nelse:\n  c\nd",              &[("", "if a:"), ("p", "b"), ("", "else:"), ("p", "c"), ("", "d")]),
            ("def f():\n    import a\nb",              &[("", "def f():"), ("o", "import a"), ("", "b")]),
            ("async  def f():\n\timport a\nb",         &[("", "async  def f():"), ("o", "import a"), ("", "b")]),
            ("class A:\n  def f(s):\n    try:\n      b", &[("", "class A:"), ("o", "def f(s):"), ("oo", "try:"), ("oop", "b")]),
            ("for a in b:\n  c\n\n#x\n  d\r\ne",       &[("", "for a in b:"), ("-", "c"), ("-", "d"), ("", "e")]),
            ("\u{feff}a = ))\nb",                      &[("", "a = ))"), ("", "b")]),
        ];
        for (source, expected) in cases {
            let expected: Vec<(String, String)> =
                expected.iter().map(|(blocks, code)| ((*blocks).to_owned(), (*code).to_owned())).collect();
            assert_eq!(lines(source), expected, "{source:?}");
        }
    }

    #[test]
    fn names_are_those_without_a_dot_before_them() {
        let names = |code: &str| {
            let line = Line { code: code.to_owned(), blocks: Vec::new() };
            line.names().map(str::to_owned).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names("app = make . it(x.y, 1e3, ä_1)"), "app make x ä_1");
        assert_eq!(names("from .a import b as c"), "from import b as c");
    }
}
