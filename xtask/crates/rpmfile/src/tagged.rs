//! The tags of a header that was read, by number.

use crate::front::parts;
use crate::read::for_each_tag;
use anyhow::{Context as _, ensure};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Kinds of values (`rpmTagType` of rpm's `rpmtag.h`).
const INT16: u32 = 3;
const INT32: u32 = 4;
const INT64: u32 = 5;
const TEXT: u32 = 6;
const TEXTS: u32 = 8;
const TRANSLATED: u32 = 9;

/// `RPMTAG_ENCODING`: `utf-8` where rpmbuild checked that every text is.
const ENCODING: u32 = 5062;

/// The tags of a header by number.
#[derive(Debug)]
pub(super) struct Tags<'a> {
    rows: BTreeMap<u32, Row<'a>>,
    is_utf8: bool,
}

#[derive(Debug, Clone, Copy)]
struct Row<'a> {
    kind: u32,
    count: u32,
    data: &'a [u8],
}

impl<'a> Tags<'a> {
    /// - Takes: `header`, from its magic to its end, checked to end there.
    pub(super) fn read(header: &'a [u8]) -> anyhow::Result<Self> {
        let (index, store) = parts(header)?;
        let mut rows = BTreeMap::new();
        for_each_tag(index, store, |number, kind, count, data| {
            rows.insert(number, Row { kind, count, data });
        })?;
        let is_utf8 = rows.get(&ENCODING).is_some_and(|row| row.kind == TEXT && row.data == b"utf-8\0");
        Ok(Self { rows, is_utf8 })
    }

    /// Whether there is a value, of whatever kind.
    pub(super) fn has(&self, tag: u32) -> bool {
        self.rows.contains_key(&tag)
    }

    fn row(&self, tag: u32, kinds: &[u32], what: &str) -> anyhow::Result<Row<'a>> {
        let row = self.rows.get(&tag).with_context(|| format!("it has no tag {tag}"))?;
        ensure!(kinds.contains(&row.kind), "its tag {tag} is of kind {} and not {what}", row.kind);
        Ok(*row)
    }

    /// All strings of a tag, be they one, several or translated.
    ///
    /// - Fails: for what is not UTF-8 in a package that says that all is; else it becomes `U+FFFD`.
    pub(super) fn texts(&self, tag: u32) -> anyhow::Result<Vec<Cow<'a, str>>> {
        self.each_text(tag)?.1.collect()
    }

    /// The same, with how many there are, and one after the other: of a hundred thousand files a list is megabytes.
    pub(super) fn each_text(
        &self,
        tag: u32,
    ) -> anyhow::Result<(usize, impl Iterator<Item = anyhow::Result<Cow<'a, str>>> + use<'a>)> {
        let is_utf8 = self.is_utf8;
        let row = self.row(tag, &[TEXT, TEXTS, TRANSLATED], "strings")?;
        let count = if row.kind == TEXT { 1 } else { row.count as usize };
        let mut start = 0;
        let strings = memchr::memchr_iter(0, row.data).take(count).map(move |end| {
            let string = &row.data[start..end];
            start = end + 1;
            string
        });
        let texts = strings.map(move |bytes| match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Cow::Borrowed(text)),
            Err(_) if !is_utf8 => Ok(String::from_utf8_lossy(bytes)),
            Err(error) => Err(error).with_context(|| format!("its tag {tag} is not UTF-8")),
        });
        Ok((count, texts))
    }

    /// The string of a tag that has one.
    pub(super) fn text(&self, tag: u32) -> anyhow::Result<String> {
        let row = self.row(tag, &[TEXT, TEXTS], "a string")?;
        ensure!(row.kind == TEXT || row.count == 1, "its tag {tag} has {} strings instead of one", row.count);
        self.first_text(tag)
    }

    /// The first string of a tag: of a text in several languages the one in none.
    pub(super) fn first_text(&self, tag: u32) -> anyhow::Result<String> {
        let first = self.texts(tag)?.into_iter().next();
        first.map(Cow::into_owned).with_context(|| format!("its tag {tag} has no string"))
    }

    /// Numbers of 16 bits.
    pub(super) fn int16(&self, tag: u32) -> anyhow::Result<Vec<u16>> {
        let row = self.row(tag, &[INT16], "numbers of 16 bits")?;
        Ok(row.data.chunks_exact(2).map(|two| u16::from_be_bytes([two[0], two[1]])).collect())
    }

    /// Numbers of 32 bits.
    pub(super) fn int32(&self, tag: u32) -> anyhow::Result<Vec<u32>> {
        let row = self.row(tag, &[INT32], "numbers of 32 bits")?;
        Ok(row.data.chunks_exact(4).map(|four| u32::from_be_bytes([four[0], four[1], four[2], four[3]])).collect())
    }

    /// The first number of 32 bits, none where there is none.
    pub(super) fn number(&self, tag: u32) -> Option<u32> {
        self.int32(tag).ok()?.first().copied()
    }

    /// Numbers of 64 bits.
    pub(super) fn int64(&self, tag: u32) -> anyhow::Result<Vec<u64>> {
        let row = self.row(tag, &[INT64], "numbers of 64 bits")?;
        let number = |eight: &[u8]| eight.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        Ok(row.data.chunks_exact(8).map(number).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tags::{Data, HEADER_REGION, encode};

    fn header(tags: Vec<(u32, Data<'_>)>) -> Vec<u8> {
        encode(tags, HEADER_REGION, 0).unwrap()
    }

    fn some() -> Vec<(u32, Data<'static>)> {
        vec![
            (5009, Data::int64(1 << 40)),
            (1000, Data::text("näme")),
            (1030, Data::Int16(Box::new([0o100_644, 0].into_iter()))),
            (1117, Data::texts(["a", "", "b"])),
            (1004, Data::Translated("summary")),
            (1028, Data::Int32(Box::new([1, u32::MAX].into_iter()))),
            (1118, Data::texts(["/"])),
        ]
    }

    #[test]
    fn what_is_written_is_read_whatever_its_order() {
        let bytes = header(some());
        let read = Tags::read(&bytes).unwrap();
        assert_eq!(read.text(1000).unwrap(), "näme");
        assert_eq!(read.first_text(1004).unwrap(), "summary");
        assert_eq!(read.texts(1117).unwrap(), ["a", "", "b"]);
        assert_eq!(read.texts(1118).unwrap(), ["/"]);
        assert_eq!(read.int16(1030).unwrap(), [0o100_644, 0]);
        assert_eq!(read.int32(1028).unwrap(), [1, u32::MAX]);
        assert_eq!(read.int64(5009).unwrap(), [1 << 40]);
        assert!(read.has(1000) && !read.has(1001));
        assert_eq!(header(some().into_iter().rev().collect()), bytes);
    }

    #[test]
    fn a_value_of_another_kind_is_an_error_and_not_a_guess() {
        let bytes = header(vec![(1000, Data::text("x")), (1006, Data::int32(7)), (1047, Data::texts(["a", "b"]))]);
        let read = Tags::read(&bytes).unwrap();
        let said = |error: anyhow::Error| format!("{error:#}");
        #[rustfmt::skip]
        let cases = [
            (read.int32(1000).map(drop),      "its tag 1000 is of kind 6 and not numbers of 32 bits"),
            (read.int16(1006).map(drop),      "its tag 1006 is of kind 4 and not numbers of 16 bits"),
            (read.int64(1000).map(drop),      "its tag 1000 is of kind 6 and not numbers of 64 bits"),
            (read.text(1006).map(drop),       "its tag 1006 is of kind 4 and not a string"),
            (read.texts(1006).map(drop),      "its tag 1006 is of kind 4 and not strings"),
            (read.text(1047).map(drop),       "its tag 1047 has 2 strings instead of one"),
            (read.text(1001).map(drop),       "it has no tag 1001"),
        ];
        for (result, expected) in cases {
            assert_eq!(said(result.unwrap_err()), expected);
        }
        assert_eq!((read.number(1006), read.number(1000)), (Some(7), None));
        // As rpm has it: what has no data is refused.
        let empty = header(vec![(1000, Data::Int32(Box::new([].into_iter())))]);
        assert_eq!(said(Tags::read(&empty).unwrap_err()), "its tag 1000 has no data");
    }

    #[test]
    fn only_a_package_that_says_so_must_be_utf_8() {
        let latin = || (1000, Data::Raw(TEXT, 1, b"caf\xe9\0"));
        #[rustfmt::skip]
        let cases = [ // RPMTAG_ENCODING
            (vec![latin()],                                  Some("caf\u{fffd}")),
            (vec![latin(), (5062, Data::text("latin-1"))],   Some("caf\u{fffd}")),
            (vec![latin(), (5062, Data::text("utf-8"))],     None),
        ];
        for (tags, expected) in cases {
            let bytes = header(tags);
            assert_eq!(Tags::read(&bytes).unwrap().text(1000).ok().as_deref(), expected);
        }
    }
}
