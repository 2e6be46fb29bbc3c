//! Marks of cryptography in the bytes of an ELF file: what is in there, whatever the file is called and whether
//! or not it has symbols. The file goes by piece by piece, and a mark across two pieces is found.

use memchr::memmem::find_iter;

/// No mark is longer, with the version that is read behind it.
const LONGEST: usize = 64;

/// What a mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// ciphers themselves, and not only calls of them
    Cipher,
    /// `OpenSSL 3.5.8 25 Aug 2026`, if a version and a day follow
    OpenSsl,
    /// that library's code
    Library(&'static str),
    /// a name that others mention, too: it says whose the ciphers are
    Family(&'static str),
}

/// Marks with what they say; those of the family in the order in which they count.
///
/// Sources: OpenSSL's assembler modules, which BoringSSL, AWS-LC and ring took over; the first entries of the
/// tables of FIPS 197, section 5.1.1, and of its usual implementation by words, in both orders of bytes; libsodium's
/// `randombytes.c`; libgcrypt's `version.c`; ring's name in the paths of its panics.
const MARKS: [(&[u8], Mark); 10] = [
    (b"CRYPTOGAMS by", Mark::Cipher),
    (&[0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5, 0x30, 0x01, 0x67, 0x2b], Mark::Cipher),
    (&[0xc6, 0x63, 0x63, 0xa5, 0xf8, 0x7c, 0x7c, 0x84], Mark::Cipher),
    (&[0xa5, 0x63, 0x63, 0xc6, 0x84, 0x7c, 0x7c, 0xf8], Mark::Cipher),
    (b"LibsodiumDRG", Mark::Library("libsodium")),
    (b"This is Libgcrypt ", Mark::Library("libgcrypt")),
    (b"OpenSSL ", Mark::OpenSsl),
    (b"AWS-LC ", Mark::Family("AWS-LC")),
    (b"BoringSSL", Mark::Family("BoringSSL")),
    (b"/ring-0.", Mark::Family("ring")),
];

/// What the bytes of a file say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CryptoMarks {
    /// whether it has ciphers of its own
    pub has_ciphers: bool,
    /// `OpenSSL 3.5.8 25 Aug 2026`; a file that is merely compiled against it may have it, too
    pub openssl: Option<String>,
    /// whose code it is, where that is known
    pub(crate) family: Option<usize>,
}

impl CryptoMarks {
    /// Whether there is any mark that counts.
    pub fn is_any(&self) -> bool {
        self.has_ciphers || self.openssl.is_some()
    }

    /// What to call it.
    pub fn title(&self) -> &str {
        let family = self.family.map(|place| match MARKS[place].1 {
            Mark::Library(name) | Mark::Family(name) => name,
            Mark::Cipher | Mark::OpenSsl => "",
        });
        self.openssl.as_deref().or(family).unwrap_or("AES")
    }

    fn note(&mut self, place: usize, behind: &[u8]) {
        match MARKS[place].1 {
            Mark::Cipher => self.has_ciphers = true,
            Mark::OpenSsl if self.openssl.is_none() => {
                self.openssl = release(behind).map(|release| format!("OpenSSL {release}"));
            }
            Mark::OpenSsl => {}
            Mark::Library(_) => {
                self.has_ciphers = true;
                self.family = Some(self.family.map_or(place, |known| known.min(place)));
            }
            Mark::Family(_) => self.family = Some(self.family.map_or(place, |known| known.min(place))),
        }
    }
}

/// The version of OpenSSL and its day, at the start of a text: `1.1.1k  FIPS 25 Mar 2021`.
///
/// Without a day it is some message that speaks of a version.
fn release(bytes: &[u8]) -> Option<String> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let end = bytes.iter().position(|byte| !(b' '..=b'~').contains(byte)).unwrap_or(bytes.len());
    let text = std::str::from_utf8(&bytes[..end]).ok()?;
    let words: Vec<&str> = text.split_whitespace().take(6).collect();
    let month = words.iter().position(|word| MONTHS.contains(word)).filter(|month| *month >= 2)?;
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let year: String = words.get(month + 1)?.chars().take(4).collect();
    let is_release = words[0].starts_with(|c: char| c.is_ascii_digit()) && words[0].contains('.');
    (is_release && is_number(words[month - 1]) && is_number(&year))
        .then(|| format!("{} {year}", words[..=month].join(" ")))
}

/// Takes a file piece by piece.
#[derive(Debug, Default)]
pub(crate) struct CryptoScan {
    window: Vec<u8>,
    marks: CryptoMarks,
}

impl CryptoScan {
    /// Takes the next piece.
    pub(crate) fn take(&mut self, piece: &[u8]) {
        self.window.extend_from_slice(piece);
        let Some(sure) = self.window.len().checked_sub(LONGEST) else { return };
        self.look(sure);
        self.window.drain(..sure);
    }

    /// What was found.
    pub(crate) fn finish(mut self) -> CryptoMarks {
        self.look(self.window.len());
        self.marks
    }

    /// Looks for marks that start before `end`.
    fn look(&mut self, end: usize) {
        for (place, (mark, _)) in MARKS.iter().enumerate() {
            let until = self.window.len().min(end + mark.len() - 1);
            for at in find_iter(&self.window[..until], mark) {
                let behind = &self.window[at + mark.len()..];
                self.marks.note(place, &behind[..behind.len().min(LONGEST - mark.len())]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanned(pieces: &[&[u8]]) -> CryptoMarks {
        let mut scan = CryptoScan::default();
        pieces.iter().for_each(|piece| scan.take(piece));
        scan.finish()
    }

    #[test]
    fn marks_are_told_from_mentions() {
        #[rustfmt::skip]
        let cases: [(&[u8], bool, bool, &str); 14] = [ // bytes                    any    ciphers  title
            (b"\0OpenSSL 3.5.8 25 Aug 2026\0",                                     true,  false, "OpenSSL 3.5.8 25 Aug 2026"),
            (b"\0OpenSSL 1.1.1k  FIPS 25 Mar 2021\0",                              true,  false, "OpenSSL 1.1.1k FIPS 25 Mar 2021"),
            (b"\0OpenSSL 1.0.2k-fips  26 Jan 2017\0",                              true,  false, "OpenSSL 1.0.2k-fips 26 Jan 2017"),
            (b"OpenSSL 3.5.0 or later is needed\0",                                false, false, "AES"),
            (b"OpenSSL error %s, in May 2020\0",                                   false, false, "AES"),
            (b"OpenSSL 1.1.1 (compatible; BoringSSL)\0CRYPTOGAMS by <x>",          true,  true,  "BoringSSL"),
            (b"AWS-LC 5.1 BoringSSL CRYPTOGAMS by",                                true,  true,  "AWS-LC"),
            (b"BoringSSL CRYPTOGAMS by OpenSSL 3.6.5 29 Sep 2026",                 true,  true,  "OpenSSL 3.6.5 29 Sep 2026"),
            (b"/src/ring-0.17.14/src/rsa.rs CRYPTOGAMS by",                        true,  true,  "ring"),
            (b"built without AWS-LC and BoringSSL and libsodium",                  false, false, "AWS-LC"),
            (b"\0LibsodiumDRG",                                                    true,  true,  "libsodium"),
            (b"This is Libgcrypt 1.10",                                            true,  true,  "libgcrypt"),
            (&[9, 0xa5, 0x63, 0x63, 0xc6, 0x84, 0x7c, 0x7c, 0xf8],                 true,  true,  "AES"),
            (b"",                                                                  false, false, "AES"),
        ];
        for (bytes, is_any, has_ciphers, title) in cases {
            let marks = scanned(&[bytes]);
            let row = String::from_utf8_lossy(bytes);
            assert_eq!((marks.is_any(), marks.has_ciphers, marks.title()), (is_any, has_ciphers, title), "{row}");
        }
    }

    #[test]
    fn a_mark_is_found_wherever_the_pieces_end() {
        let before = [b'x'; 100];
        let whole = [&before[..], b"\0OpenSSL 3.5.8 25 Aug 2026\0CRYPTOGAMS by <x>\0/ring-0.", &before[..]].concat();
        let expected = scanned(&[&whole]);
        assert!(expected.has_ciphers && expected.family.is_some() && expected.openssl.is_some());
        for at in 0..=whole.len() {
            let (one, two) = whole.split_at(at);
            assert_eq!(scanned(&[one, two]), expected, "cut at {at}");
        }
        for size in [1, 2, 7, 63, 64, 65] {
            let pieces: Vec<&[u8]> = whole.chunks(size).collect();
            assert_eq!(scanned(&pieces), expected, "pieces of {size}");
        }
    }
}
