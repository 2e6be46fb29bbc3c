//! What an ELF file says of itself: processor, libraries and the versions of their symbols (System V
//! gABI, "Dynamic Linking"; "Symbol Versioning" of the Linux Standard Base).

use crate::elf::image::{Image, MOST_SEARCH, Region};
use object::elf::{
    DF_TEXTREL, DT_FLAGS, DT_NEEDED, DT_NULL, DT_RPATH, DT_RUNPATH, DT_SONAME, DT_STRTAB, DT_TEXTREL, DT_VERNEED,
    EM_AMDGPU, EM_BPF, EM_CUDA, EM_X86_64, ET_CORE, ET_DYN, ET_EXEC, FileHeader32, FileHeader64,
    GNU_PROPERTY_X86_ISA_1_NEEDED, PF_W, PF_X, PT_GNU_STACK, PT_LOAD,
};
use object::read::elf::{FileHeader, ProgramHeader as _};
use object::{Endianness, ReadCache, ReadRef};
use std::collections::BTreeSet;
use std::fs::File;

/// What is judged of an ELF file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ElfFacts {
    /// whether it is of 64 bits, `EI_CLASS`
    pub is_64: bool,
    /// `e_machine`
    pub machine: u16,
    /// what it is for
    pub kind: ElfKind,
    /// the loader that it asks for, `PT_INTERP`: a program has one
    pub interpreter: Option<String>,
    /// whether it asks for libraries, or could be asked for: it has a dynamic segment
    pub is_dynamic: bool,
    /// the highest `GLIBC_X.Y` that it asks for
    pub glibc: Option<(u16, u16)>,
    /// whether it asks for symbols that glibc keeps to itself
    pub private_symbols: bool,
    /// what others ask for it by, `DT_SONAME`
    pub soname: Option<String>,
    /// the libraries that it asks for, `DT_NEEDED`
    pub needed: Vec<String>,
    /// library and version of the symbols that it asks for, `("libc.so.6", "GLIBC_2.17")`
    pub versions: BTreeSet<(String, String)>,
    /// the elements of `DT_RPATH`, which files that this one loads inherit: `$ORIGIN/../x.libs`
    pub rpath: Vec<String>,
    /// the elements of `DT_RUNPATH`; with one, `DT_RPATH` counts for nothing
    pub runpath: Vec<String>,
    /// whether its code has to be changed where it is loaded, `DT_TEXTREL`
    pub has_text_relocations: bool,
    /// whether a segment of it can be written and executed
    pub has_writable_code: bool,
    /// what it says of the stack, `PT_GNU_STACK`
    pub stack: Stack,
    /// the level of x86-64 that it needs, 2 for `x86-64-v2`; 0 where it says none
    pub x86_level: u8,
}

/// What a file is for, `e_type`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ElfKind {
    /// a program or a library
    #[default]
    Loaded,
    /// what a linker takes, and files of processors of other devices, which are data to the box
    Data,
    /// what a program leaves behind that crashes
    Core,
}

/// What a file says of the stack.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stack {
    /// nobody executes it
    #[default]
    Plain,
    /// it has to be executable
    Executable,
    /// nothing, which on x86-64 the loader takes for executable
    Unsaid,
}

/// More names than any library asks for; a file whose tables refer to themselves has no end of them.
const MOST_NAMES: usize = 10_000;
/// Far more bytes than the names of a file have; they may share those of the file.
const MOST_TEXT: usize = 1 << 20;
/// Far more folders than a search path has.
const MOST_ELEMENTS: usize = 1000;
/// Far more bytes than a dynamic segment or a table of versions has.
const MOST_TABLE: u64 = 2 << 20;

impl ElfFacts {
    /// Reads an ELF file that is in memory.
    pub fn read_bytes(bytes: &[u8]) -> Result<Self, String> {
        read(bytes)
    }

    /// Reads an ELF file from disk, as much of it as is needed.
    pub fn read_file(file: File) -> Result<Self, String> {
        read(&ReadCache::new(file))
    }

    /// Whether the box's loader has to do with it.
    pub fn is_loaded(&self) -> bool {
        self.kind == ElfKind::Loaded
    }

    /// About how many bytes its names take.
    pub fn weight(&self) -> usize {
        const OF_EACH: usize = 64;
        let plain = self.needed.iter().chain(&self.rpath).chain(&self.runpath).map(String::len);
        let versions = self.versions.iter().map(|(library, version)| library.len() + version.len());
        plain.chain(versions).map(|length| length + OF_EACH).sum()
    }

    /// Where its libraries are looked for first, before the folders of the box.
    pub fn search(&self) -> &[String] {
        if self.runpath.is_empty() { &self.rpath } else { &self.runpath }
    }
}

fn read<'data, R: ReadRef<'data>>(data: R) -> Result<ElfFacts, String> {
    match data.read_bytes_at(4, 1).map(|class| class[0]) {
        Ok(1) => read_class::<FileHeader32<Endianness>, R>(data),
        Ok(2) => read_class::<FileHeader64<Endianness>, R>(data),
        _ => Err("it is neither of 32 nor of 64 bits".to_owned()),
    }
}

fn read_class<'data, E: FileHeader<Endian = Endianness>, R: ReadRef<'data>>(data: R) -> Result<ElfFacts, String> {
    let image = Image::<E, R>::parse(data)?;
    let endian = image.endian;
    let machine = image.header.e_machine(endian);
    let mut facts = ElfFacts {
        is_64: E::is_type_64_sized(),
        machine: machine.0,
        kind: match image.header.e_type(endian) {
            ET_CORE => ElfKind::Core,
            ET_DYN | ET_EXEC if ![EM_AMDGPU, EM_BPF, EM_CUDA].contains(&machine) => ElfKind::Loaded,
            _ => ElfKind::Data,
        },
        stack: Stack::Unsaid,
        ..ElfFacts::default()
    };
    if !facts.is_loaded() {
        return Ok(facts);
    }
    for segment in image.segments {
        let flags = segment.p_flags(endian);
        match segment.p_type(endian) {
            PT_GNU_STACK if flags.contains(PF_X) => facts.stack = Stack::Executable,
            PT_GNU_STACK => facts.stack = Stack::Plain,
            PT_LOAD => facts.has_writable_code |= flags.contains(PF_X | PF_W),
            _ => {}
        }
    }
    if machine == EM_X86_64 {
        let bits = image.property(GNU_PROPERTY_X86_ISA_1_NEEDED).unwrap_or(0);
        facts.x86_level = (u32::BITS - bits.leading_zeros()) as u8;
    }
    if let Some(dynamic) = image.dynamic()? {
        facts.is_dynamic = true;
        facts.read_dynamic(&image, dynamic)?;
    }
    facts.interpreter = match image.interpreter() {
        // Of a library nothing reads it.
        Err(_) if facts.soname.is_some() => None,
        read => read?,
    };
    Ok(facts)
}

impl ElfFacts {
    /// Reads the dynamic segment. Of what stands in it twice the last one counts, as it does for the loader.
    fn read_dynamic<'data, E: FileHeader<Endian = Endianness>, R: ReadRef<'data>>(
        &mut self,
        image: &Image<'data, E, R>,
        dynamic: Region,
    ) -> Result<(), String> {
        let word = image.word();
        let (mut needed, mut table, mut versions) = (Vec::new(), None, None);
        let (mut soname, mut rpath, mut runpath) = (None, None, None);
        for entry in image.bytes(dynamic, MOST_TABLE)?.chunks_exact(2 * word) {
            let (Some(tag), Some(value)) = (image.number(entry, 0, word), image.number(entry, word, word)) else {
                break;
            };
            // Tags have a sign of their own; none of those below has one.
            let Ok(tag) = i64::try_from(tag) else { continue };
            match object::elf::DynamicTag(tag) {
                DT_NULL => break,
                DT_NEEDED => needed.push(value),
                DT_STRTAB => table = Some(value),
                DT_SONAME => soname = Some(value),
                DT_RPATH => rpath = Some(value),
                DT_RUNPATH => runpath = Some(value),
                DT_VERNEED => versions = Some(value),
                DT_TEXTREL => self.has_text_relocations = true,
                DT_FLAGS => self.has_text_relocations |= value & DF_TEXTREL.0 != 0,
                _ => {}
            }
            if needed.len() > MOST_NAMES {
                return Err(format!("it asks for more than {MOST_NAMES} libraries"));
            }
        }
        let is_named = !needed.is_empty() || versions.is_some() || soname.or(rpath).or(runpath).is_some();
        if !is_named {
            return Ok(());
        }
        let table = table.and_then(|address| image.region(address));
        let table = table.ok_or("its table of names lies in nothing that is loaded")?;
        let mut taken = 0;
        for place in needed {
            let name = image.name(table, place)?;
            taken += name.len();
            if taken > MOST_TEXT {
                return Err(format!("its names have more than {MOST_TEXT} bytes"));
            }
            self.needed.push(name);
        }
        self.soname = soname.map(|place| image.name(table, place)).transpose()?;
        for (place, elements) in [(rpath, &mut self.rpath), (runpath, &mut self.runpath)] {
            let Some(place) = place else { continue };
            let text = image.text(table, place, MOST_SEARCH)?;
            // An empty one is none to the loader; an empty element of one is the working directory.
            if !text.is_empty() {
                elements.extend(text.split(':').take(MOST_ELEMENTS + 1).map(str::to_owned));
            }
            if elements.len() > MOST_ELEMENTS {
                return Err(format!("it looks for libraries in more than {MOST_ELEMENTS} folders"));
            }
        }
        match versions {
            Some(address) => self.read_versions(image, table, address),
            None => Ok(()),
        }
    }

    /// Reads the versions that it asks for: a record a library, a row of records behind it a version each.
    fn read_versions<'data, E: FileHeader<Endian = Endianness>, R: ReadRef<'data>>(
        &mut self,
        image: &Image<'data, E, R>,
        table: Region,
        address: u64,
    ) -> Result<(), String> {
        let region = image.region(address).ok_or("its table of versions lies in nothing that is loaded")?;
        let bytes = image.bytes(region, MOST_TABLE)?;
        let number = |at: usize, size| {
            image.number(bytes, at, size).map(|value| value as usize).ok_or("its table of versions is cut short")
        };
        let (mut at, mut seen, mut taken) = (0, 0, 0);
        loop {
            let library = image.name(table, number(at + 4, 4)? as u64)?;
            let mut version = at + number(at + 8, 4)?;
            for _ in 0..number(at + 2, 2)? {
                seen += 1;
                if seen > MOST_NAMES {
                    return Err(format!("it has more than {MOST_NAMES} symbol versions"));
                }
                taken += library.len();
                let name = image.name(table, number(version + 8, 4)? as u64)?;
                taken += name.len();
                if taken > MOST_TEXT {
                    return Err(format!("its names have more than {MOST_TEXT} bytes"));
                }
                self.note(&library, &name);
                version += match number(version + 12, 4)? {
                    0 => break,
                    next => next,
                };
            }
            seen += 1;
            match number(at + 12, 4)? {
                0 => return Ok(()),
                _ if seen > MOST_NAMES => return Err(format!("it has more than {MOST_NAMES} symbol versions")),
                next => at += next,
            }
        }
    }

    fn note(&mut self, library: &str, version: &str) {
        match version {
            "GLIBC_PRIVATE" => self.private_symbols = true,
            // Relative relocations packed into DT_RELR: the loader of 2.36 is the first that has it.
            "GLIBC_ABI_DT_RELR" => self.glibc = self.glibc.max(Some((2, 36))),
            name => {
                let mut numbers =
                    name.strip_prefix("GLIBC_").into_iter().flat_map(|rest| rest.split('.')).map(str::parse);
                if let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) {
                    self.glibc = self.glibc.max(Some((major, minor)));
                }
            }
        }
        self.versions.insert((library.to_owned(), version.to_owned()));
    }
}
