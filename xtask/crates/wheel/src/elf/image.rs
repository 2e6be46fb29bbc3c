//! An ELF file as the loader sees it: by its segments and their addresses (System V gABI, "Program Header").
//!
//! Section headers are for linkers and debuggers; a file may lack them, or say one thing in them and be loaded by
//! another. So nothing is read of them.

use object::elf::{ELF_NOTE_GNU, NT_GNU_PROPERTY_TYPE_0, PT_DYNAMIC, PT_GNU_PROPERTY, PT_INTERP, PT_LOAD, PT_NOTE};
use object::read::elf::{FileHeader, ProgramHeader as _};
use object::{Endianness, ReadRef};

/// A name of a library or of a version is shorter; so is a path (`PATH_MAX`).
const MOST_NAME: u64 = 4096;
/// Search paths of many folders are shorter.
pub(super) const MOST_SEARCH: u64 = 64 << 10;
/// Far more than the notes of a file have.
const MOST_NOTES: u64 = 64 << 10;
/// So many segments with notes are looked at.
const MOST_NOTE_SEGMENTS: usize = 16;

/// The segments of a file.
pub(super) struct Image<'data, E: FileHeader<Endian = Endianness>, R> {
    data: R,
    length: u64,
    pub(super) endian: Endianness,
    pub(super) header: &'data E,
    pub(super) segments: &'data [E::ProgramHeader],
}

/// A part of the file, in bytes from its start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Region {
    at: u64,
    size: u64,
}

impl<'data, E: FileHeader<Endian = Endianness>, R: ReadRef<'data>> Image<'data, E, R> {
    pub(super) fn parse(data: R) -> Result<Self, String> {
        let text = |error: object::Error| error.to_string();
        let header = E::parse(data).map_err(text)?;
        let endian = header.endian().map_err(text)?;
        let segments = header.program_headers(endian, data).map_err(text)?;
        let length = data.len().map_err(|()| "its size cannot be told".to_owned())?;
        Ok(Self { data, length, endian, header, segments })
    }

    /// Where in the file that is which is loaded at an address, to the end of what is loaded with it.
    ///
    /// Of segments that overlap the last one is mapped over the others.
    pub(super) fn region(&self, address: u64) -> Option<Region> {
        let part = |segment: &E::ProgramHeader| {
            let start: u64 = segment.p_vaddr(self.endian).into();
            let size: u64 = segment.p_filesz(self.endian).into();
            let inside = address.checked_sub(start).filter(|inside| *inside < size)?;
            let offset: u64 = segment.p_offset(self.endian).into();
            let at = offset.checked_add(inside).filter(|at| *at < self.length)?;
            Some(Region { at, size: (size - inside).min(self.length - at) })
        };
        self.segments.iter().rev().filter(|segment| segment.p_type(self.endian) == PT_LOAD).find_map(part)
    }

    /// The bytes of a region, at most so many.
    pub(super) fn bytes(&self, region: Region, most: u64) -> Result<&'data [u8], String> {
        let read = self.data.read_bytes_at(region.at, region.size.min(most));
        read.map_err(|()| "it is cut short".to_owned())
    }

    /// The text at a place in a table of strings, up to its NUL.
    pub(super) fn text(&self, table: Region, place: u64, most: u64) -> Result<String, String> {
        let rest = table.size.checked_sub(place).filter(|rest| *rest > 0);
        let rest = rest.ok_or("a name in it lies outside of its table")?;
        let bytes = self.bytes(Region { at: table.at + place, size: rest }, most)?;
        let end = bytes.iter().position(|byte| *byte == 0).ok_or("a name in it has no end")?;
        Ok(String::from_utf8_lossy(&bytes[..end]).into_owned())
    }

    /// The name of a library or of a version.
    pub(super) fn name(&self, table: Region, place: u64) -> Result<String, String> {
        self.text(table, place, MOST_NAME)
    }

    /// The dynamic segment; none for what is linked statically, and for what was taken out of a file (debug data).
    pub(super) fn dynamic(&self) -> Result<Option<Region>, String> {
        let segment = self.segments.iter().find(|segment| segment.p_type(self.endian) == PT_DYNAMIC);
        let Some(segment) = segment.filter(|segment| segment.p_filesz(self.endian).into() > 0) else { return Ok(None) };
        let region = self.region(segment.p_vaddr(self.endian).into());
        let region = region.ok_or("its dynamic segment lies in nothing that is loaded")?;
        Ok(Some(Region { at: region.at, size: region.size.min(segment.p_filesz(self.endian).into()) }))
    }

    /// The loader that a program asks for, `PT_INTERP`.
    pub(super) fn interpreter(&self) -> Result<Option<String>, String> {
        let Some(segment) = self.segments.iter().find(|segment| segment.p_type(self.endian) == PT_INTERP) else {
            return Ok(None);
        };
        let (at, size) = (segment.p_offset(self.endian).into(), segment.p_filesz(self.endian).into());
        if size == 0 {
            return Ok(None);
        }
        // `patchelf` and the like leave an empty one in libraries, of which the loader reads none.
        self.name(Region { at, size }, 0).map(|name| Some(name).filter(|name| !name.is_empty()))
    }

    /// A property of the file, of those that a linker joins to one number (Linux gABI extensions,
    /// `.note.gnu.property`); the loader takes what it cannot read for none.
    pub(super) fn property(&self, kind: object::elf::GnuPropertyType) -> Option<u32> {
        let of_kind = |kind| self.segments.iter().filter(move |segment| segment.p_type(self.endian) == kind);
        let mut segments: Vec<&E::ProgramHeader> = of_kind(PT_GNU_PROPERTY).take(1).collect();
        if segments.is_empty() {
            segments.extend(of_kind(PT_NOTE).take(MOST_NOTE_SEGMENTS));
        }
        segments.into_iter().find_map(|segment| {
            let size: u64 = segment.p_filesz(self.endian).into();
            let region = self.region(segment.p_vaddr(self.endian).into())?;
            let bytes = self.bytes(Region { at: region.at, size: region.size.min(size) }, MOST_NOTES).ok()?;
            let align = segment.p_align(self.endian).into();
            self.property_of(bytes, if align == 8 { 8 } else { 4 }, kind.0)
        })
    }

    /// Looks through notes: sizes of name and content, kind; name; content, each at its alignment.
    fn property_of(&self, mut notes: &[u8], align: usize, kind: u32) -> Option<u32> {
        while let (Some(name), Some(size), Some(note)) =
            (self.number(notes, 0, 4), self.number(notes, 4, 4), self.number(notes, 8, 4))
        {
            let start = (12 + name as usize).next_multiple_of(align);
            let content = notes.get(start..start.checked_add(size as usize)?)?;
            let is_property = note as u32 == NT_GNU_PROPERTY_TYPE_0.0
                && notes.get(12..12 + name as usize).is_some_and(|name| name.strip_suffix(b"\0") == Some(ELF_NOTE_GNU));
            if is_property && let Some(value) = self.value_in(content, kind) {
                return Some(value);
            }
            notes = notes.get((start + size as usize).next_multiple_of(align)..)?;
        }
        None
    }

    fn value_in(&self, mut properties: &[u8], kind: u32) -> Option<u32> {
        let align = if E::is_type_64_sized() { 8 } else { 4 };
        loop {
            let size = self.number(properties, 4, 4)? as usize;
            if self.number(properties, 0, 4)? == u64::from(kind) {
                return self.number(properties, 8, 4).filter(|_| size == 4).map(|value| value as u32);
            }
            properties = properties.get((8 + size).next_multiple_of(align)..)?;
        }
    }

    /// A number of 2, 4 or 8 bytes.
    pub(super) fn number(&self, bytes: &[u8], at: usize, size: usize) -> Option<u64> {
        let bytes = bytes.get(at..at.checked_add(size)?)?;
        let add = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        Some(match self.endian {
            Endianness::Little => bytes.iter().rev().fold(0, add),
            Endianness::Big => bytes.iter().fold(0, add),
        })
    }

    /// The size of an address, in bytes.
    pub(super) fn word(&self) -> usize {
        if E::is_type_64_sized() { 8 } else { 4 }
    }
}
