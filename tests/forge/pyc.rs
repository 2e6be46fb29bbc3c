//! Files of byte-code (PEP 552): header and a body that nobody runs.

/// What `importlib` calls the magic number, of CPython 3.11.
pub const MAGIC_311: u16 = 3495;
pub const MAGIC_312: u16 = 3531;

/// Byte-code that is valid by its source's hash: unchecked where `flags` is 1, checked where it is 3.
pub fn by_hash(magic: u16, flags: u32, source: &[u8]) -> Vec<u8> {
    let mut pyc = intro(magic, flags);
    pyc.extend(source_hash(magic, source).to_le_bytes());
    // None, marshalled.
    pyc.push(b'N');
    pyc
}

/// Byte-code that is valid by its source's time and size.
pub fn by_time(magic: u16, time: u32, source: &[u8]) -> Vec<u8> {
    let mut pyc = intro(magic, 0);
    pyc.extend(time.to_le_bytes());
    pyc.extend((source.len() as u32).to_le_bytes());
    pyc.push(b'N');
    pyc
}

fn intro(magic: u16, flags: u32) -> Vec<u8> {
    let mut pyc = magic.to_le_bytes().to_vec();
    pyc.extend(b"\r\n");
    pyc.extend(flags.to_le_bytes());
    pyc
}

/// SipHash-1-3 keyed with the magic number, as CPython from 3.11 on hashes sources.
fn source_hash(magic: u16, source: &[u8]) -> u64 {
    let key = u64::from(u32::from(magic) | 0x0a0d_0000);
    let mut v =
        [key ^ 0x736f_6d65_7073_6575, 0x646f_7261_6e64_6f6d, key ^ 0x6c79_6765_6e65_7261, 0x7465_6462_7974_6573];
    let mut chunks = source.chunks_exact(8);
    for chunk in &mut chunks {
        let word = u64::from_le_bytes(chunk.try_into().unwrap());
        v[3] ^= word;
        round(&mut v);
        v[0] ^= word;
    }
    let mut last = (source.len() as u64) << 56;
    for (place, byte) in chunks.remainder().iter().enumerate() {
        last |= u64::from(*byte) << (8 * place);
    }
    v[3] ^= last;
    round(&mut v);
    v[0] ^= last;
    v[2] ^= 0xff;
    (0..3).for_each(|_| round(&mut v));
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

fn round(v: &mut [u64; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[2] = v[2].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[1]);
    v[0] = v[0].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].rotate_left(32);
}
