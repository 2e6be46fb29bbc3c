//! What an ELF file says of itself: processor, libraries and the versions of their symbols (System V
//! gABI, "Dynamic Linking"; "Symbol Versioning" of the Linux Standard Base).

use crate::target::Target;
use object::elf::{
    DT_NEEDED, DT_NULL, DT_RPATH, DT_RUNPATH, DT_SONAME, EM_AARCH64, EM_X86_64, ET_DYN, ET_EXEC, FileHeader64,
    SHT_DYNAMIC, SHT_GNU_VERNEED,
};
use object::read::elf::{Dyn as _, FileHeader as _, SectionHeader as _, SectionTable};
use object::{Endianness, ReadCache, ReadRef};
use std::collections::BTreeSet;
use std::fs::File;

/// What is judged of an ELF file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElfFacts {
    /// `e_machine`
    pub machine: u16,
    /// whether it is a program or a library, and no object that a linker takes
    pub is_loaded: bool,
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
    /// where its libraries are looked for, `DT_RPATH` and `DT_RUNPATH`: `$ORIGIN/../x.libs`
    pub search: Vec<String>,
}

/// More versions than any library asks for; a file whose tables refer to themselves has no end of them.
const MOST_VERSIONS: usize = 100_000;
/// Far more bytes than a table of versions or of libraries has.
const MOST_TABLE: u64 = 16 << 20;

impl ElfFacts {
    /// Reads an ELF file that is in memory.
    pub fn read_bytes(bytes: &[u8]) -> Result<Self, String> {
        read(bytes)
    }

    /// Reads an ELF file from disk, as much of it as is needed.
    pub fn read_file(file: File) -> Result<Self, String> {
        read(&ReadCache::new(file))
    }
}

fn read<'data, R: ReadRef<'data>>(data: R) -> Result<ElfFacts, String> {
    let text = |error: object::Error| error.to_string();
    if data.read_bytes_at(4, 1).map(|class| class[0]) != Ok(2) {
        return Err("it is no 64-bit ELF file".to_owned());
    }
    let header = FileHeader64::<Endianness>::parse(data).map_err(text)?;
    let endian = header.endian().map_err(text)?;
    let mut facts = ElfFacts {
        machine: header.e_machine(endian).0,
        is_loaded: [ET_DYN, ET_EXEC].contains(&header.e_type(endian)),
        glibc: None,
        private_symbols: false,
        soname: None,
        needed: Vec::new(),
        versions: BTreeSet::new(),
        search: Vec::new(),
    };
    let sections = header.sections(endian, data).map_err(text)?;
    let tables = sections.iter().filter(|section| {
        let kind = section.sh_type(endian);
        kind == SHT_DYNAMIC || kind == SHT_GNU_VERNEED
    });
    if tables.map(|section| section.sh_size(endian)).any(|size| size > MOST_TABLE) {
        return Err(format!("it has a table of more than {MOST_TABLE} bytes"));
    }
    facts.read_dynamic(data, endian, &sections)?;
    let mut seen = 0;
    for section in sections.iter() {
        let Some((mut needs, link)) = section.gnu_verneed(endian, data).map_err(text)? else { continue };
        let strings = sections.strings(endian, data, link).map_err(text)?;
        while let Some((need, mut versions)) = needs.next().map_err(text)? {
            seen += 1;
            let library = String::from_utf8_lossy(need.file(endian, strings).map_err(text)?).into_owned();
            while let Some(version) = versions.next().map_err(text)? {
                seen += 1;
                if seen > MOST_VERSIONS {
                    return Err(format!("it has more than {MOST_VERSIONS} symbol versions"));
                }
                let name = version.name(endian, strings).map_err(text)?;
                facts.note(&library, &String::from_utf8_lossy(name));
            }
        }
    }
    Ok(facts)
}

impl ElfFacts {
    /// Reads the dynamic section; a file without one has no libraries.
    fn read_dynamic<'data, R: ReadRef<'data>>(
        &mut self,
        data: R,
        endian: Endianness,
        sections: &SectionTable<'data, FileHeader64<Endianness>, R>,
    ) -> Result<(), String> {
        let text = |error: object::Error| error.to_string();
        for section in sections.iter() {
            let Some((entries, link)) = section.dynamic(endian, data).map_err(text)? else { continue };
            let strings = sections.strings(endian, data, link).map_err(text)?;
            for entry in entries.iter().take_while(|entry| entry.tag(endian) != DT_NULL).take(MOST_VERSIONS) {
                let tag = entry.tag(endian);
                if ![DT_NEEDED, DT_SONAME, DT_RPATH, DT_RUNPATH].contains(&tag) {
                    continue;
                }
                let value = String::from_utf8_lossy(entry.string(endian, strings).map_err(text)?).into_owned();
                match tag {
                    DT_NEEDED => self.needed.push(value),
                    DT_SONAME => self.soname = Some(value),
                    _ => self.search.extend(value.split(':').take(MOST_VERSIONS).map(str::to_owned)),
                }
            }
        }
        Ok(())
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

    /// Whether it is for the processor of a box.
    pub fn is_for(&self, target: &Target) -> bool {
        self.machine == machine_of(target)
    }

    /// Why the box cannot load it, each as the end of a sentence; empty where it can.
    pub fn misfits(&self, target: &Target) -> Vec<String> {
        let machine = machine_of(target);
        let most = target.distribution.glibc;
        let mut misfits = Vec::new();
        if self.machine != machine {
            misfits.push(format!("is for processor {} instead of {machine} ({})", self.machine, target.arch));
        }
        if let Some((major, minor)) = self.glibc.filter(|asked| *asked > most) {
            misfits.push(format!("asks for GLIBC_{major}.{minor}, and the target has {}.{}", most.0, most.1));
        }
        if self.private_symbols {
            misfits.push("asks for GLIBC_PRIVATE, which fits one build of glibc only".to_owned());
        }
        misfits
    }
}

/// `e_machine` of a box.
fn machine_of(target: &Target) -> u16 {
    match target.arch.as_str() {
        "aarch64" => EM_AARCH64.0,
        _ => EM_X86_64.0,
    }
}
