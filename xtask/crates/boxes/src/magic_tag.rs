//! Byte-code of the target's Python: its file's name (PEP 3147), magic number and header (PEP 552).

use crate::target::Target;

/// Magic numbers of the final releases, by minor of Python 3: `importlib.util.MAGIC_NUMBER`, little-endian,
/// without its `\r\n`. A minor keeps its number from its first final release on.
const NUMBERS: [(u32, u16); 11] = [
    (4, 3310),
    (5, 3351),
    (6, 3379),
    (7, 3394),
    (8, 3413),
    (9, 3425),
    (10, 3439),
    (11, 3495),
    (12, 3531),
    (13, 3571),
    (14, 3627),
];

/// What tells byte-code of one Python from that of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MagicTag {
    minor: u32,
    /// what a file starts with, as a number
    pub number: u16,
}

/// What byte-code says of the source that it was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MadeFrom {
    /// which hash that is, the wheel crate's `SourceHash` says
    Hash([u8; 8]),
    /// in bytes, modulo 2^32, beside a time that is a matter of the installation
    Size(u32),
}

impl Target {
    /// The tag of the target's Python; none for a Python whose byte-code this tool does not know.
    pub fn magic_tag(&self) -> Option<MagicTag> {
        let (major, minor) = self.interpreter.version;
        let known = NUMBERS.iter().find(|(known, _)| major == 3 && u32::from(minor) == *known);
        known.map(|(minor, number)| MagicTag { minor: *minor, number: *number })
    }
}

impl MagicTag {
    /// Where Python looks for the byte-code of a source: `a/b.py` → `a/__pycache__/b.cpython-311.pyc`.
    ///
    /// - Gives: none for what is no source, lies in a `__pycache__` itself, or has too long a name.
    pub fn cached(self, source: &str) -> Option<String> {
        let (folder, name) =
            source.rsplit_once('/').map_or(("", source), |(_, name)| source.split_at(source.len() - name.len()));
        let name = format!("{}.{self}.pyc", name.strip_suffix(".py")?);
        let is_cache = folder.ends_with("/__pycache__/") || folder == "__pycache__/";
        (!is_cache && name.len() <= 255).then(|| format!("{folder}__pycache__/{name}"))
    }

    /// The source whose byte-code Python looks for at a path: the way back from [`Self::cached`].
    pub fn source(self, cached: &str) -> Option<String> {
        let (folder, name) = cached.rsplit_once('/')?;
        let folder = folder.strip_suffix("__pycache__").filter(|folder| folder.is_empty() || folder.ends_with('/'))?;
        Some(format!("{folder}{}.py", name.strip_suffix(&format!(".{self}.pyc"))?))
    }

    /// The tag that the name of a file of byte-code ends with: `a/__pycache__/b.cpython-311.pyc`.
    ///
    /// - Gives: none for a Python whose byte-code this tool does not know, and for optimized byte-code.
    pub fn of_name(cached: &str) -> Option<Self> {
        let (_, minor) = cached.strip_suffix(".pyc")?.rsplit_once(".cpython-3")?;
        let known = NUMBERS.iter().find(|(known, _)| known.to_string() == minor);
        known.map(|(minor, number)| Self { minor: *minor, number: *number })
    }

    /// Whether that hash is SipHash-1-3, as from 3.11 on; before it was SipHash-2-4.
    pub fn has_new_hash(self) -> bool {
        self.minor >= 11
    }

    /// Whether byte-code can be valid by a hash: from 3.7 on (PEP 552). Before, it is by its source's time.
    pub fn knows_hashes(self) -> bool {
        self.minor >= 7
    }

    /// What byte-code that fits says of its source: a hash after magic number and flags (PEP 552), and before 3.7
    /// time and size after the magic number.
    ///
    /// - Gives: none where `head` is too short for it.
    pub fn made_from(self, head: &[u8]) -> Option<MadeFrom> {
        if self.knows_hashes() {
            return Some(MadeFrom::Hash(*head.get(8..)?.first_chunk()?));
        }
        Some(MadeFrom::Size(u32::from_le_bytes(*head.get(8..)?.first_chunk()?)))
    }

    /// What is wrong with the first bytes of a byte-code file, as this tool ships them.
    pub fn misfit(self, head: &[u8]) -> Option<String> {
        let Some((magic, rest)) = head.split_at_checked(4).filter(|_| head.len() >= 16) else {
            return Some("it is too short for byte-code".to_owned());
        };
        let number = u16::from_le_bytes([magic[0], magic[1]]);
        if number != self.number || magic[2..] != *b"\r\n" {
            return Some(format!("it has the magic number {number}, and `{self}` has {}", self.number));
        }
        match u32::from_le_bytes([rest[0], rest[1], rest[2], rest[3]]) {
            _ if !self.knows_hashes() => None,
            0b01 => None,
            0b00 => Some("it is valid by the time of its source, which another release may share".to_owned()),
            0b11 => Some("it is held against its source at each start".to_owned()),
            flags => Some(format!("it has the flags {flags:#b}, which PEP 552 does not know")),
        }
    }
}

impl std::fmt::Display for MagicTag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cpython-3{}", self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(target: &str, python: Option<&str>) -> MagicTag {
        Target::find(target, python, None).unwrap().magic_tag().unwrap()
    }

    #[test]
    fn byte_code_lies_where_python_looks_for_it() {
        let long = "x".repeat(250);
        #[rustfmt::skip]
        let cases = [
            ("a.py",               Some("__pycache__/a.cpython-39.pyc")),
            ("a/b/__init__.py",    Some("a/b/__pycache__/__init__.cpython-39.pyc")),
            ("a/b.c.py",           Some("a/__pycache__/b.c.cpython-39.pyc")),
            ("a/ä.py",             Some("a/__pycache__/ä.cpython-39.pyc")),
            ("a/b.pyi",            None),
            ("a/b.PY",             None),
            ("__pycache__/a.py",   None),
            ("a/__pycache__/a.py", None),
            (&format!("{long}.py"), None),
        ];
        for (source, cached) in cases {
            assert_eq!(tag("el9-x86_64", None).cached(source).as_deref(), cached, "{source}");
            let back = cached.and_then(|cached| tag("el9-x86_64", None).source(cached));
            assert_eq!(back.as_deref(), cached.map(|_| source), "{source}");
        }
        assert_eq!(MagicTag::of_name("a/__pycache__/b.c.cpython-39.pyc"), Some(tag("el9-x86_64", None)));
        for none in ["a/b.pyc", "b.cpython-399.pyc", "b.cpython-39.opt-1.pyc", "b.pypy-39.pyc", "b.cpython-39"] {
            assert_eq!(MagicTag::of_name(none), None, "{none}");
        }
        for cached in ["a/b.cpython-39.pyc", "a/__pycache__/b.cpython-311.pyc", "a/x__pycache__/b.cpython-39.pyc", "b"]
        {
            assert_eq!(tag("el9-x86_64", None).source(cached), None, "{cached}");
        }
    }

    #[test]
    fn only_byte_code_that_is_never_held_against_its_source_fits() {
        let (new, old) = (tag("el9-x86_64", None), tag("el8-x86_64", None));
        #[rustfmt::skip]
        let cases: [(MagicTag, &[u8], &str); 8] = [
            (new, b"\x61\r\r\n\x01\0\0\0hashhash", ""),
            (new, b"\x61\r\r\n\0\0\0\0hashhash",   "by the time"),
            (new, b"\x61\r\r\n\x03\0\0\0hashhash", "at each start"),
            (new, b"\x61\r\r\n\x04\0\0\0hashhash", "PEP 552"),
            (new, b"\xa7\r\r\n\x01\0\0\0hashhash", "magic number 3495, and `cpython-39` has 3425"),
            (new, b"\x61\r\r\n\x01\0\0\0",         "too short"),
            (new, b"",                             "too short"),
            (old, b"3\r\r\ntime\x10\x02\0\0c\0\0\0", ""),
        ];
        for (tag, head, says) in cases {
            match tag.misfit(head) {
                None => assert_eq!(says, "", "{head:?}"),
                Some(text) => assert!(!says.is_empty() && text.contains(says), "{head:?}: {text}"),
            }
        }
    }

    #[test]
    fn byte_code_says_what_it_was_made_from() {
        let (new, old) = (tag("el9-x86_64", None), tag("el8-x86_64", None));
        assert_eq!(new.made_from(b"\x61\r\r\n\x01\0\0\0hash-it-c"), Some(MadeFrom::Hash(*b"hash-it-")));
        assert_eq!(new.made_from(b"\x61\r\r\n\x01\0\0\0hash"), None);
        // The body begins with a code object, `c`, as what CPython 3.6 writes does.
        assert_eq!(old.made_from(b"3\r\r\ntime\x10\x02\0\0c\0\0\0"), Some(MadeFrom::Size(0x210)));
        assert_eq!(old.made_from(b"3\r\r\ntime\x10\x02"), None);
    }
}
