//! A real compiled module, changed in place: fields of its headers, entries of its dynamic section.

/// Offsets of ELF's file header and program headers, of 64 bits and little-endian.
const HEADER: usize = 64;
const ENTRY: usize = 56;
const DYNAMIC: u32 = 2;
const NOTE: u32 = 4;
const STACK: u32 = 0x6474_e551;

pub const DT_NEEDED: u64 = 1;
pub const DT_RPATH: u64 = 15;
pub const DT_TEXTREL: u64 = 22;
pub const DT_RUNPATH: u64 = 29;
pub const DT_RELACOUNT: u64 = 0x6fff_fff9;
pub const AARCH64: u16 = 183;
pub const PPC64: u16 = 21;

fn half(elf: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes([elf[at], elf[at + 1]]))
}

fn word(elf: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(elf[at..at + 4].try_into().unwrap())
}

fn long(elf: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(elf[at..at + 8].try_into().unwrap())
}

fn put_long(elf: &mut [u8], at: usize, value: u64) {
    elf[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

pub fn set_machine(elf: &mut [u8], machine: u16) {
    elf[18..20].copy_from_slice(&machine.to_le_bytes());
}

/// Where the first program header of a kind is.
fn segment(elf: &[u8], kind: u32) -> usize {
    let headers = (0..half(elf, 56)).map(|index| HEADER + index * ENTRY);
    headers.into_iter().find(|at| word(elf, *at) == kind).unwrap_or_else(|| panic!("no segment {kind:#x}"))
}

/// Lets the stack be executable.
pub fn make_stack_executable(elf: &mut [u8]) {
    let at = segment(elf, STACK);
    elf[at + 4] |= 1;
}

/// Asks for a program interpreter, in place of the note; its path is put at the end of the file.
pub fn set_interpreter(elf: &mut Vec<u8>, path: &str) {
    const INTERPRETER: u32 = 3;
    let at = segment(elf, NOTE);
    let (offset, size) = (elf.len() as u64, path.len() as u64 + 1);
    elf.extend_from_slice(path.as_bytes());
    elf.push(0);
    elf[at..at + 4].copy_from_slice(&INTERPRETER.to_le_bytes());
    put_long(elf, at + 8, offset);
    put_long(elf, at + 32, size);
    put_long(elf, at + 40, size);
}

/// Asks for a level of x86-64 as linkers write it (`GNU_PROPERTY_X86_ISA_1_NEEDED`), in place of the note.
pub fn set_level(elf: &mut [u8], level: u32) {
    let mut note = Vec::new();
    for number in [4_u32, 16, 5] {
        note.extend(number.to_le_bytes());
    }
    note.extend(b"GNU\0");
    for number in [0xc000_8002_u32, 4, (1 << level) - 1, 0] {
        note.extend(number.to_le_bytes());
    }
    let at = segment(elf, NOTE);
    let (offset, room) = (long(elf, at + 8) as usize, long(elf, at + 32) as usize);
    assert!(room >= note.len(), "there is no room for the note");
    elf[offset..offset + note.len()].copy_from_slice(&note);
    put_long(elf, at + 32, note.len() as u64);
    put_long(elf, at + 40, note.len() as u64);
    put_long(elf, at + 48, 8);
}

/// Gives an entry of the dynamic section another tag, and another value.
///
/// - Takes: `is_it`, of the tag and the string that its value points to.
pub fn set_dynamic(elf: &mut [u8], is_it: impl Fn(u64, &str) -> bool, tag: u64, value: impl Fn(u64) -> u64) {
    let strings = strings_of(elf);
    let at = entries(elf)
        .into_iter()
        .find(|at| {
            let place = (strings + long(elf, at + 8) as usize).min(elf.len());
            let end = elf[place..].iter().position(|byte| *byte == 0).map_or(place, |length| place + length);
            is_it(long(elf, *at), std::str::from_utf8(&elf[place..end]).unwrap_or_default())
        })
        .expect("there is no such entry");
    let old = long(elf, at + 8);
    put_long(elf, at, tag);
    put_long(elf, at + 8, value(old));
}

/// Where a text is among the strings of the dynamic section.
pub fn offset_of(elf: &[u8], text: &[u8]) -> u64 {
    let strings = strings_of(elf);
    let at = elf[strings..].windows(text.len()).position(|window| window == text);
    at.expect("the text is among the strings") as u64
}

fn entries(elf: &[u8]) -> Vec<usize> {
    let dynamic = segment(elf, DYNAMIC);
    let (start, size) = (long(elf, dynamic + 8) as usize, long(elf, dynamic + 32) as usize);
    (0..size / 16).map(|index| start + index * 16).take_while(|at| long(elf, *at) != 0).collect()
}

/// Where the strings of the dynamic section are in the file.
fn strings_of(elf: &[u8]) -> usize {
    let address = entries(elf).into_iter().find(|at| long(elf, *at) == 5).map(|at| long(elf, at + 8)).unwrap();
    let loads = (0..half(elf, 56)).map(|index| HEADER + index * ENTRY).filter(|at| word(elf, *at) == 1);
    for at in loads {
        let (offset, start, size) = (long(elf, at + 8), long(elf, at + 16), long(elf, at + 32));
        if (start..start + size).contains(&address) {
            return (address - start + offset) as usize;
        }
    }
    panic!("the strings are in no segment")
}
