//! Libraries that Python modules open by their names: `ctypes.CDLL("libmagic.so.1")`, `find_library("magic")`,
//! `ffi.dlopen("libpango-1.0.so.0")`. No ELF file asks for them, so nothing else finds them.
//!
//! It is no parser: in a module that opens libraries, every text is taken that is the name of one. What runs on other
//! systems alone is left out: blocks behind `if sys.platform == "darwin"` and its like, and modules named after a system.

use crate::{Archive, Contents, Scheme};
use memchr::memmem::find;
use rawzip::ReaderAt;
use std::collections::BTreeSet;

/// A module that is longer opens nothing that anybody wrote.
const MOST_SOURCE: u64 = 2 << 20;

/// The libraries that the modules of a wheel open by name, `libmagic.so.1`; `libmagic.so` where no version is said.
///
/// # Errors
/// Where a module cannot be unpacked.
pub fn opened_by_name<R: ReaderAt>(archive: &Archive<R>, contents: &Contents) -> anyhow::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for placed in contents.files.iter().filter(|placed| placed.scheme == Scheme::Library) {
        let size = archive.members()[placed.place].size;
        if !placed.path.ends_with(".py") || size > MOST_SOURCE || is_elsewhere(&placed.path) {
            continue;
        }
        let bytes = archive.read(placed.place)?;
        if OPENERS.iter().any(|opener| find(&bytes, opener.as_bytes()).is_some()) {
            found.extend(opened_in(&String::from_utf8_lossy(&bytes)));
        }
    }
    Ok(found)
}

/// The name of a library without versions: of `libz-1a2b3c4d.so.1`, as auditwheel renames it, `libz`.
pub fn stem_of(library: &str) -> &str {
    let stem = library.split(".so").next().unwrap_or(library);
    let is_hash = |end: &str| end.len() == 8 && end.bytes().all(|byte| byte.is_ascii_hexdigit());
    stem.rsplit_once('-').filter(|(_, end)| is_hash(end)).map_or(stem, |(stem, _)| stem)
}

/// How libraries are opened; others have these in their names.
const OPENERS: [&str; 5] = ["CDLL", "PyDLL", "LoadLibrary", "dlopen", "find_library"];
/// Other systems, as `sys.platform`, `os.name` and `platform.system()` call them.
const OTHERS: [&str; 16] = [
    "aix",
    "android",
    "cygwin",
    "Darwin",
    "darwin",
    "emscripten",
    "FreeBSD",
    "freebsd",
    "ios",
    "java",
    "Java",
    "msys",
    "nt",
    "sunos",
    "win",
    "Windows",
];
/// What is found on no Linux: frameworks of macOS, and libraries of Windows.
const NOT_OF_LINUX: [&str; 14] = [
    "AppKit",
    "ApplicationServices",
    "Carbon",
    "Cocoa",
    "CoreFoundation",
    "CoreServices",
    "Foundation",
    "IOKit",
    "Security",
    "System",
    "SystemConfiguration",
    "kernel32",
    "msvcrt",
    "objc",
];

/// Whether a module is run on other systems alone, or in tests.
fn is_elsewhere(path: &str) -> bool {
    let mut parts: Vec<&str> = path.trim_end_matches(".py").split('/').collect();
    let name = parts.pop().unwrap_or_default().to_ascii_lowercase();
    let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphabetic()).collect();
    const SYSTEMS: [&str; 9] = ["android", "cygwin", "darwin", "ios", "mac", "macos", "osx", "win", "windows"];
    parts.iter().any(|part| ["test", "tests", "macOS", "windows", "darwin", "win32"].contains(part))
        || name == "conftest"
        || words.first() == Some(&"test")
        || words.last() == Some(&"test")
        || words.iter().any(|word| SYSTEMS.contains(word))
}

/// A part of a module's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Name(&'a str),
    /// without its quotes
    Text(&'a str),
    /// a text with values put in
    Made,
    Sign(char),
}

/// The libraries that a module opens.
fn opened_in(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    // What only looks for a library may hand it to others: SQLite, in Django.
    let mut opens = false;
    // The indentation of a block that other systems run, and of an `if` that is for Linux.
    let (mut other, mut linux) = (None, None);
    let mut lines = Lines { rest: source };
    while let Some((indent, tokens)) = lines.next_line() {
        if other.is_some_and(|other| indent > other) {
            continue;
        }
        other = None;
        let (is_condition, is_else) = match tokens.first() {
            Some(Token::Name("if" | "elif")) => (true, false),
            Some(Token::Name("else")) => (false, true),
            _ => (false, false),
        };
        let end = tokens.iter().position(|token| *token == Token::Sign(':')).unwrap_or(tokens.len());
        let system = if is_condition { system_of(&tokens[1..end]) } else { None };
        if system == Some(false) || (is_else && linux == Some(indent)) {
            other = Some(indent);
            continue;
        }
        if !is_else {
            linux = (system == Some(true)).then_some(indent).or(linux.filter(|linux| indent > *linux));
        }
        for (at, token) in tokens.iter().enumerate() {
            match *token {
                Token::Name(name) if OPENERS.iter().any(|opener| name.ends_with(opener)) => {
                    opens |= name != "find_library";
                    if let ("find_library", [Token::Sign('('), Token::Text(asked), ..]) = (name, &tokens[at + 1..])
                        && is_sought(asked)
                    {
                        found.insert(format!("lib{asked}.so"));
                    }
                }
                Token::Text(text) => found.extend(library_in(text).map(str::to_owned)),
                _ => {}
            }
        }
    }
    if opens { found } else { BTreeSet::new() }
}

/// Whether a condition holds on Linux alone, or on other systems alone; none where it says neither.
fn system_of(condition: &[Token<'_>]) -> Option<bool> {
    let is_denied = condition.windows(2).any(|two| *two == [Token::Sign('!'), Token::Sign('=')])
        || condition.iter().any(|token| matches!(token, Token::Name("not" | "or")));
    let texts: Vec<&str> =
        condition.iter().filter_map(|token| if let Token::Text(text) = token { Some(*text) } else { None }).collect();
    let is_other = |text: &&str| OTHERS.iter().any(|other| text.starts_with(other));
    let flag = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["windows", "win32", "macos", "darwin", "osx"].iter().any(|word| name.contains(word))
    };
    let has_flag = condition.iter().any(|token| matches!(token, Token::Name(name) if flag(name)));
    match (is_denied, texts.as_slice()) {
        (true, _) => None,
        (false, []) => has_flag.then_some(false),
        (false, texts) if texts.iter().all(is_other) => Some(false),
        (false, texts) if texts.iter().all(|text| text.to_ascii_lowercase().starts_with("linux")) => Some(true),
        _ => None,
    }
}

/// Whether `find_library` can find it on Linux, where it puts `lib` before a name and `.so` behind it.
fn is_sought(name: &str) -> bool {
    let has_ending = [".dylib", ".dll", ".so"].iter().any(|ending| name.contains(ending));
    is_plain(name) && !has_ending && !name.starts_with("lib") && !NOT_OF_LINUX.contains(&name)
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_+.-".contains(c))
}

/// The library that a text names: by its name alone, or by a path from the root on. Other paths lead into the package.
fn library_in(text: &str) -> Option<&str> {
    let name = match text.rsplit_once('/') {
        Some(_) if !text.starts_with('/') => return None,
        Some((_, name)) => name,
        None => text,
    };
    let (stem, version) = name.strip_prefix("lib")?.split_once(".so")?;
    let is_version = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let has_version =
        version.is_empty() || version.strip_prefix('.').is_some_and(|rest| rest.split('.').all(is_version));
    // Of several that a publisher brings itself, a wheel has the one for its processor.
    let of_processor = ["x86_64", "amd64", "arm64", "aarch64", "i686", "x86"].iter().any(|word| stem.ends_with(word));
    (is_plain(stem) && !stem.is_empty() && has_version && !of_processor).then_some(name)
}

/// Reads a text line by line, as Python joins them: over brackets, and `\` at an end.
struct Lines<'a> {
    rest: &'a str,
}

impl<'a> Lines<'a> {
    /// The next logical line that has anything, with its indentation.
    fn next_line(&mut self) -> Option<(usize, Vec<Token<'a>>)> {
        let (mut tokens, mut depth, mut indent, mut at_start) = (Vec::new(), 0_usize, 0, true);
        while let Some(c) = self.rest.chars().next() {
            let behind = &self.rest[c.len_utf8()..];
            match c {
                '\n' if depth == 0 && !tokens.is_empty() => {
                    self.rest = behind;
                    return Some((indent, tokens));
                }
                '\n' => (self.rest, indent, at_start) = (behind, 0, tokens.is_empty()),
                ' ' | '\t' | '\r' | '\x0c' | '\u{feff}' => {
                    indent += usize::from(at_start && c != '\r' && c != '\u{feff}');
                    self.rest = behind;
                }
                '\\' => self.rest = behind.strip_prefix("\r\n").or(behind.strip_prefix('\n')).unwrap_or(behind),
                '#' => self.rest = &self.rest[self.rest.find('\n').unwrap_or(self.rest.len())..],
                '"' | '\'' => {
                    at_start = false;
                    let text = self.string();
                    tokens.push(Token::Text(text));
                }
                c if c.is_alphanumeric() || c == '_' => {
                    at_start = false;
                    let is_part = |c: char| c.is_alphanumeric() || c == '_';
                    let (name, rest) = self.rest.split_at(self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len()));
                    self.rest = rest;
                    let is_prefix = name.len() <= 2 && name.bytes().all(|byte| b"rRbBuUfFtT".contains(&byte));
                    if is_prefix && rest.starts_with(['"', '\'']) {
                        let text = self.string();
                        let is_made = name.contains(['f', 'F', 't', 'T']);
                        tokens.push(if is_made { Token::Made } else { Token::Text(text) });
                    } else {
                        tokens.push(Token::Name(name));
                    }
                }
                sign => {
                    at_start = false;
                    match sign {
                        '(' | '[' | '{' => depth += 1,
                        ')' | ']' | '}' => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                    tokens.push(Token::Sign(sign));
                    self.rest = behind;
                }
            }
        }
        (!tokens.is_empty()).then_some((indent, tokens))
    }

    /// Reads a text in quotes; one that does not end goes to the end of its line, or of all where it may have several.
    fn string(&mut self) -> &'a str {
        let quote = &self.rest[..1];
        let long = [quote, quote, quote].concat();
        let (is_long, open) = if self.rest.starts_with(&long) { (true, 3) } else { (false, 1) };
        let inside = &self.rest[open..];
        let mut is_escaped = false;
        for (at, c) in inside.char_indices() {
            let ends =
                if is_long { inside[at..].starts_with(&long) } else { c == '\n' || inside[at..].starts_with(quote) };
            if !is_escaped && ends {
                let behind = if !is_long && c == '\n' { 0 } else { open };
                self.rest = &inside[at + behind..];
                return &inside[..at];
            }
            is_escaped = c == '\\' && !is_escaped;
        }
        self.rest = "";
        inside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str) -> String {
        opened_in(source).into_iter().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn libraries_are_found_however_they_are_opened() {
        #[rustfmt::skip]
        let cases = [
            ("import ctypes\nlib = ctypes.CDLL('libmagic.so.1')\n",                       "libmagic.so.1"),
            ("cdll.LoadLibrary(\"libusb-1.0.so\")",                                       "libusb-1.0.so"),
            ("CDLL(find_library('magic'))",                                               "libmagic.so"),
            ("x = ctypes.util.find_library(\n    'sndfile'  # the name\n)\ny = CDLL(x)", "libsndfile.so"),
            ("connection.load_extension(find_library('spatialite'))",                     ""),
            ("pango = _dlopen(\n  ffi, 'libpango-1.0-0', 'pango-1.0',\n  'libpango-1.0.so.0', 'libpango-1.0.dylib')", "libpango-1.0.so.0"),
            ("def names():\n    yield 'libmagic.so.1'\nfor n in names():\n    CDLL(n)",   "libmagic.so.1"),
            ("CDLL('/usr/lib64/libodbc.so.2')",                                           "libodbc.so.2"),
            ("CDLL(r'libx.so.1', mode=1)",                                                "libx.so.1"),
            ("CDLL('''libx.so''')",                                                       "libx.so"),
            // In no call of its own, and where nothing is opened.
            ("NAMES = ['libx.so.1']\n",                                                   ""),
            // No names of libraries.
            ("CDLL(None)\nCDLL(f'lib{x}.so')\nCDLL('libx.so.conf')\nCDLL('x.so.1')\nCDLL('lib.so')\n", ""),
            ("CDLL(path)\n\"\"\"Opens libx.so.1 by its name\"\"\"\n# libx.so.1\n# 'libx.so.1'\n", ""),
            ("CDLL(os.path.join(here, 'lib/libx.so.1'))",                                 ""),
            ("CDLL(find_library(name))",                                                      ""),
            ("CDLL('libsndfile_arm64.so')",                                               ""),
            ("CDLL(find_library('libSystem.dylib'))\nCDLL(find_library('libmagic-1'))\nCDLL(find_library('x.dll'))", ""),
            ("CDLL(find_library('objc'))",                                                     ""),
            // Other systems.
            ("if sys.platform == 'darwin':\n    CDLL('liba.so')\nelif os.name == 'nt':\n    CDLL('libb.so')\nelse:\n    CDLL('libc1.so')\n", "libc1.so"),
            ("if sys.platform.startswith('linux'):\n    CDLL('liba.so')\nelse:\n    CDLL('libb.so')\nCDLL('libd.so')\n", "liba.so libd.so"),
            ("if platform.system() in ('Windows', 'Darwin'):\n    if x:\n        CDLL('liba.so')\n",  ""),
            ("if sys.platform != 'darwin':\n    CDLL('liba.so')\n",                       "liba.so"),
            ("if not WINDOWS:\n    CDLL('liba.so')\n",                                    "liba.so"),
            ("if WINDOWS: CDLL('liba.so')\nCDLL('libb.so')",                              "libb.so"),
            ("if name == 'x':\n    CDLL('liba.so')\n",                                    "liba.so"),
            // Odd texts end.
            ("CDLL('libx.so\n'liby.so')\n",                                               "libx.so liby.so"),
            ("CDLL(\"\"\"libx.so",                                                        "libx.so"),
            ("CDLL('lib\\'x.so')",                                                        ""),
            ("((((\\",                                                                    ""),
        ];
        for (source, expected) in cases {
            assert_eq!(found(source), expected, "{source}");
        }
    }

    #[test]
    fn names_of_files_and_libraries_are_told_apart() {
        #[rustfmt::skip]
        let cases = [
            ("libmagic.so.1",               "libmagic"),
            ("libmagic.so",                 "libmagic"),
            ("libz-1a2b3c4d.so.1.2.11",     "libz"),
            ("libgobject-2.0.so.0",         "libgobject-2.0"),
        ];
        for (library, stem) in cases {
            assert_eq!(stem_of(library), stem);
        }
        for (path, elsewhere) in [
            ("a/loader.py", false),
            ("a/_windows.py", true),
            ("a/win32.py", true),
            ("a/window.py", false),
            ("a/tests/x.py", true),
            ("a/test_x.py", true),
            ("a/latest.py", false),
            ("keyring/backends/macOS/api.py", true),
        ] {
            assert_eq!(is_elsewhere(path), elsewhere, "{path}");
        }
    }

    #[test]
    fn a_long_text_takes_time_in_proportion() {
        let start = std::time::Instant::now();
        for text in ["CDLL('", "((((", "if 'nt':\n ", "\"\"\"", "'\\", "f'"] {
            opened_in(&text.repeat(200_000 / text.len()));
        }
        assert!(start.elapsed() < std::time::Duration::from_secs(10), "{:?}", start.elapsed());
    }
}
