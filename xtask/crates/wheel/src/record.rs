//! `RECORD`: every file of a distribution with its digest and size, as CSV in Python's default
//! dialect ("Recording installed projects", PEP 376, PEP 427).

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use wheelhaul_base::problem::shortened;

/// No archive that is read has more entries.
const MOST_ROWS: usize = 500_000;

/// A digest that RECORD may use: sha256 or stronger, as raw bytes. Hardly any is another than the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Digest {
    /// what installers write
    Sha256([u8; 32]),
    /// stronger
    Sha384(Box<[u8; 48]>),
    /// stronger
    Sha512(Box<[u8; 64]>),
}

/// What RECORD says of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// none for RECORD itself and its signatures
    pub digest: Option<Digest>,
    /// in bytes
    pub size: Option<u64>,
}

/// Paths, relative to the folder of `*.dist-info`, to rows.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct WheelRecord {
    /// sorted by path
    pub rows: BTreeMap<String, RecordRow>,
}

impl WheelRecord {
    /// Reads a RECORD file.
    ///
    /// - Fails: for a row that is not `path,digest,size`, a weak or malformed digest, a path that
    ///   stands twice with different digests.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let mut record = Self::default();
        for_each_row(text, &mut |number, fields| {
            let at = || format!("row {number}");
            let [path, digest, size] = fields else {
                bail!("{} has {} fields instead of 3", at(), fields.len());
            };
            ensure!(number <= MOST_ROWS, "it has more than {MOST_ROWS} rows");
            let row = RecordRow {
                digest: if digest.is_empty() { None } else { Some(Digest::parse(digest).with_context(at)?) },
                size: match *size {
                    "" => None,
                    text => Some(text.parse().with_context(|| format!("{}: the size `{}`", at(), shortened(text)))?),
                },
            };
            match record.rows.entry((*path).to_owned()) {
                Entry::Occupied(before) => {
                    ensure!(*before.get() == row, "{}: `{path}` stands twice, and not with the same digest", at());
                }
                Entry::Vacant(place) => {
                    place.insert(row);
                }
            }
            Ok(())
        })?;
        Ok(record)
    }

    /// Writes the file: rows sorted by path, ended by line feeds.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (path, row) in &self.rows {
            push_quoted(path, &mut text);
            text.push(',');
            row.digest.iter().for_each(|digest| digest.push_to(&mut text));
            text.push(',');
            row.size.iter().for_each(|size| text.push_str(&size.to_string()));
            text.push('\n');
        }
        // It is kept until it is packed.
        text.shrink_to_fit();
        text
    }
}

impl Digest {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let Some((kind, encoded)) = text.split_once('=') else { bail!("`{text}` is not a digest") };
        let decode = || {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(encoded.trim_end_matches('='));
            bytes.with_context(|| format!("`{encoded}` is not url-safe base64"))
        };
        let digest = match kind {
            "sha256" => exactly(&decode()?).map(Self::Sha256),
            "sha384" => exactly(&decode()?).map(|bytes| Self::Sha384(Box::new(bytes))),
            "sha512" => exactly(&decode()?).map(|bytes| Self::Sha512(Box::new(bytes))),
            weak => bail!("`{weak}` digests are not accepted, only sha256, sha384 and sha512"),
        };
        digest.with_context(|| format!("`{text}`"))
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Sha256(bytes) => bytes,
            Self::Sha384(bytes) => &**bytes,
            Self::Sha512(bytes) => &**bytes,
        }
    }

    fn push_to(&self, text: &mut String) {
        let name = match self {
            Self::Sha256(_) => "sha256=",
            Self::Sha384(_) => "sha384=",
            Self::Sha512(_) => "sha512=",
        };
        text.push_str(name);
        BASE64_URL_SAFE_NO_PAD.encode_string(self.bytes(), text);
    }
}

/// The bytes, where they are as many.
fn exactly<const N: usize>(bytes: &[u8]) -> anyhow::Result<[u8; N]> {
    <[u8; N]>::try_from(bytes).ok().with_context(|| format!("it has {} bytes instead of {N}", bytes.len()))
}

fn push_quoted(field: &str, text: &mut String) {
    // By bytes: a search for several characters at once looks at each of them in turn.
    if field.bytes().any(|byte| matches!(byte, b'"' | b',' | b'\n' | b'\r')) {
        text.extend(["\"", &field.replace('"', "\"\""), "\""]);
    } else {
        text.push_str(field);
    }
}

/// Splits CSV into rows of fields, which `take` gets with their number; empty lines are skipped, as
/// Python's reader does.
fn for_each_row(text: &str, take: &mut dyn FnMut(usize, &[&str]) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut row: Vec<String> = Vec::new();
    let mut field = String::new();
    let (mut quoted, mut any, mut number) = (false, false, 0);
    // Most have no quote in them: those before the first are split, and not looked at letter by letter.
    let plain = text.find('"').unwrap_or(text.len());
    let (plain, rest) = text.split_at(text[..plain].rfind(['\r', '\n']).map_or(0, |at| at + 1));
    let mut fields = Vec::new();
    // One after the other: only a single byte is searched for with SIMD.
    for line in plain.split('\n').flat_map(|line| line.split('\r')).filter(|line| !line.is_empty()) {
        number += 1;
        fields.clear();
        fields.extend(line.split(',').take(5));
        ensure!(fields.len() <= 4, "row {number} has more than 3 fields");
        take(number, &fields)?;
    }
    let mut chars = rest.chars().chain(['\n']).peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' if quoted || field.is_empty() => quoted = !quoted,
            c if quoted => field.push(c),
            ',' => {
                row.push(std::mem::take(&mut field));
                ensure!(row.len() <= 3, "row {} has more than 3 fields", number + 1);
            }
            '\r' | '\n' => {
                if any {
                    row.push(std::mem::take(&mut field));
                    number += 1;
                    take(number, &row.iter().map(String::as_str).collect::<Vec<_>>())?;
                    row.clear();
                }
                any = false;
                continue;
            }
            c => field.push(c),
        }
        any = true;
    }
    ensure!(!quoted, "a quote is not closed");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";

    #[test]
    fn rows_are_read_and_written_back() {
        let text = format!("a/b.py,{HASH},0\r\n\"odd,\"\"name\"\"\",{HASH},0\na-1.dist-info/RECORD,,\n\n");
        let record = WheelRecord::parse(&text).unwrap();
        assert_eq!(record.rows.len(), 3);
        assert!(record.rows.contains_key("odd,\"name\""));
        assert_eq!(WheelRecord::parse(&record.to_text()).unwrap(), record);
    }

    #[test]
    fn weak_or_broken_rows_are_refused() {
        let other = "sha256=AAAAQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
        for text in [
            "a",
            "a,b",
            "a,md5=00,1",
            "a,sha256=!!,1",
            "a,sha256=AA,1",
            &format!("a,{HASH},x"),
            "\"a,,",
            &format!("a,{HASH},0\na,{other},0"),
            "a,,,",
        ] {
            assert!(WheelRecord::parse(text).is_err(), "{text}");
        }
    }
}
