//! The values of a header's tags, by the numbers of the tags in rpm's `rpmtag.h`.

use crate::header::{ENCODING, Header, INT16, INT32, INT64, STRING, STRING_ARRAY, TRANSLATED, Value};
use anyhow::{Context as _, ensure};
use std::borrow::Cow;

impl Header {
    fn is_utf8(&self) -> bool {
        self.value(ENCODING).is_some_and(|value| value.kind == STRING && value.data == b"utf-8\0")
    }

    /// Whether there is a value, of whatever kind.
    pub(crate) fn has(&self, tag: u32) -> bool {
        self.value(tag).is_some()
    }

    fn value_as(&self, tag: u32, kinds: &[u32], what: &str) -> anyhow::Result<Value<'_>> {
        let value = self.value(tag).with_context(|| format!("it has no tag {tag}"))?;
        ensure!(kinds.contains(&value.kind), "its tag {tag} is of kind {} and not {what}", value.kind);
        Ok(value)
    }

    /// All strings of a tag, be they one, several or translated. What is not UTF-8 becomes `U+FFFD`.
    ///
    /// # Errors
    /// For what is not UTF-8 in a package that says that everything is.
    pub(crate) fn texts(&self, tag: u32) -> anyhow::Result<Vec<Cow<'_, str>>> {
        self.each_text(tag)?.1.collect()
    }

    /// The same, with how many there are, and one after the other: of a hundred thousand files a list is megabytes.
    pub(crate) fn each_text(
        &self,
        tag: u32,
    ) -> anyhow::Result<(usize, impl Iterator<Item = anyhow::Result<Cow<'_, str>>> + use<'_>)> {
        let is_utf8 = self.is_utf8();
        let value = self.value_as(tag, &[STRING, STRING_ARRAY, TRANSLATED], "strings")?;
        let count = if value.kind == STRING { 1 } else { value.count as usize };
        let mut start = 0;
        let strings = memchr::memchr_iter(0, value.data).take(count).map(move |end| {
            let string = &value.data[start..end];
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
    pub(crate) fn text(&self, tag: u32) -> anyhow::Result<String> {
        let value = self.value_as(tag, &[STRING, STRING_ARRAY], "a string")?;
        ensure!(value.kind == STRING || value.count == 1, "its tag {tag} has {} strings instead of one", value.count);
        self.first_text(tag)
    }

    /// The first string of a tag: of a text in several languages the one in none.
    pub(crate) fn first_text(&self, tag: u32) -> anyhow::Result<String> {
        let first = self.texts(tag)?.into_iter().next();
        first.map(Cow::into_owned).with_context(|| format!("its tag {tag} has no string"))
    }

    /// Numbers of 16 bits.
    pub(crate) fn int16(&self, tag: u32) -> anyhow::Result<Vec<u16>> {
        let value = self.value_as(tag, &[INT16], "numbers of 16 bits")?;
        Ok(value.data.chunks_exact(2).map(|two| u16::from_be_bytes([two[0], two[1]])).collect())
    }

    /// Numbers of 32 bits.
    pub(crate) fn int32(&self, tag: u32) -> anyhow::Result<Vec<u32>> {
        let value = self.value_as(tag, &[INT32], "numbers of 32 bits")?;
        Ok(value.data.chunks_exact(4).map(|four| u32::from_be_bytes([four[0], four[1], four[2], four[3]])).collect())
    }

    /// The first number of 32 bits, none where there is none.
    pub(crate) fn number(&self, tag: u32) -> Option<u32> {
        self.int32(tag).ok()?.first().copied()
    }

    /// Numbers of 64 bits.
    pub(crate) fn int64(&self, tag: u32) -> anyhow::Result<Vec<u64>> {
        let value = self.value_as(tag, &[INT64], "numbers of 64 bits")?;
        let number = |eight: &[u8]| eight.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        Ok(value.data.chunks_exact(8).map(number).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Region;
    use crate::header_encode::{TagData, encode_header};

    fn header(tags: Vec<(u32, TagData<'_>)>) -> Vec<u8> {
        encode_header(tags, Region::Header, 0).unwrap()
    }

    fn read(bytes: &[u8]) -> anyhow::Result<Header> {
        Header::parse(bytes.to_vec(), Region::Header)
    }

    fn some() -> Vec<(u32, TagData<'static>)> {
        vec![
            (5009, TagData::int64(1 << 40)),
            (1000, TagData::text("näme")),
            (1030, TagData::Int16(Box::new([0o100_644, 0].into_iter()))),
            (1117, TagData::texts(["a", "", "b"])),
            (1004, TagData::Translated("summary")),
            (1028, TagData::Int32(Box::new([1, u32::MAX].into_iter()))),
            (1118, TagData::texts(["/"])),
        ]
    }

    #[test]
    fn what_is_written_is_read_whatever_its_order() {
        let bytes = header(some());
        let read = read(&bytes).unwrap();
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
        let bytes =
            header(vec![(1000, TagData::text("x")), (1006, TagData::int32(7)), (1047, TagData::texts(["a", "b"]))]);
        let read = read(&bytes).unwrap();
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
        let empty = header(vec![(1000, TagData::Int32(Box::new([].into_iter())))]);
        assert_eq!(said(self::read(&empty).unwrap_err()), "its tag 1000 has no data");
    }

    #[test]
    fn only_a_package_that_says_so_must_be_utf_8() {
        let latin = || (1000, TagData::Raw(STRING, 1, b"caf\xe9\0"));
        #[rustfmt::skip]
        let cases = [ // RPMTAG_ENCODING
            (vec![latin()],                                  Some("caf\u{fffd}")),
            (vec![latin(), (5062, TagData::text("latin-1"))],   Some("caf\u{fffd}")),
            (vec![latin(), (5062, TagData::text("utf-8"))],     None),
        ];
        for (tags, expected) in cases {
            let bytes = header(tags);
            assert_eq!(read(&bytes).unwrap().text(1000).ok().as_deref(), expected);
        }
    }
}
