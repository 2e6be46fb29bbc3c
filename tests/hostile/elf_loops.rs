//! ELF files that send their reader in circles.

use crate::boxes::{Draft, pack};
use crate::rpms::findings;
use std::sync::mpsc;
use std::time::Duration;

/// An ELF file whose list of symbol versions is read over and over: each need has 65,535 versions, which
/// are the needs after it.
fn endless_elf() -> Vec<u8> {
    let count = 200_000_u32;
    let mut elf = Vec::new();
    elf.extend_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    for half in [3_u16, 62] {
        elf.extend_from_slice(&half.to_le_bytes());
    }
    elf.extend_from_slice(&1_u32.to_le_bytes());
    for word in [0_u64, 0, 64] {
        elf.extend_from_slice(&word.to_le_bytes());
    }
    elf.extend_from_slice(&0_u32.to_le_bytes());
    for half in [64_u16, 0, 0, 64, 3, 1] {
        elf.extend_from_slice(&half.to_le_bytes());
    }
    let at = 64 + 3 * 64;
    // Nothing, the strings (one NUL), the needs.
    for (kind, offset, size, link, info) in
        [(0_u32, 0_u64, 0_u64, 0_u32, 0_u32), (3, 16, 0, 0, 0), (0x6fff_fffe, at, u64::from(count) * 16, 1, count)]
    {
        for word in [0, kind] {
            elf.extend_from_slice(&word.to_le_bytes());
        }
        for word in [0_u64, 0, offset, if kind == 3 { 64 } else { size }] {
            elf.extend_from_slice(&word.to_le_bytes());
        }
        for word in [link, info] {
            elf.extend_from_slice(&word.to_le_bytes());
        }
        for word in [4_u64, 0] {
            elf.extend_from_slice(&word.to_le_bytes());
        }
    }
    for _ in 0..count {
        elf.extend_from_slice(&1_u16.to_le_bytes());
        elf.extend_from_slice(&u16::MAX.to_le_bytes());
        for word in [0_u32, 16, 16] {
            elf.extend_from_slice(&word.to_le_bytes());
        }
    }
    elf
}

#[test]
fn an_elf_file_that_refers_to_itself_does_not_take_forever() {
    let elf = endless_elf();
    let mut draft = Draft::of("demo");
    draft.files.push(("demo.so".to_owned(), elf));
    let rpm = pack(&[draft, Draft::app()]).unwrap().1;
    let (tell, told) = mpsc::channel();
    // Left behind where it does not end; the process ends with the tests.
    std::thread::spawn(move || tell.send(findings(&rpm).is_ok()));
    assert!(told.recv_timeout(Duration::from_secs(6)).is_ok(), "it is not judged after 6 s");
}
