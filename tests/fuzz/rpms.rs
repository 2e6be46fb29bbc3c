//! `verify`, as a reader: headers and archives of RPMs, judged to the end.

use crate::boxes::{Draft, pack};
use crate::readers::Reader;
use std::io::Cursor;
use wheelhaul_verify::{Evidence, judge};

/// Buffers of the payload, which do not grow with it: chunks that wait, zstd's window.
const BUFFERS: usize = 12 << 20;
/// How a member of an archive starts; what is before the first is the preamble.
const MEMBER: &[u8] = b"070701";

/// Preamble and archive as one input, so that changes hit what is behind the compression.
fn sample() -> Vec<u8> {
    let (_, rpm) = pack(&[Draft::of("demo"), Draft::app()]).unwrap();
    let magic = [0x28, 0xb5, 0x2f, 0xfd];
    let payload = rpm.windows(4).position(|window| window == magic).unwrap();
    let archive = zstd::stream::decode_all(&rpm[payload..]).unwrap();
    [&rpm[..payload], &archive].concat()
}

fn verify(input: &[u8]) {
    let split = input.windows(MEMBER.len()).position(|window| window == MEMBER).unwrap_or(input.len());
    let packed = zstd::stream::encode_all(&input[split..], 1).unwrap();
    if let Ok(evidence) = Evidence::gather(Cursor::new([&input[..split], &packed].concat())) {
        drop(judge(&evidence));
    }
}

/// The reader.
pub fn reader() -> Reader {
    Reader { name: "an RPM", samples: vec![sample()], made: None, base: BUFFERS, read: Box::new(verify) }
}
