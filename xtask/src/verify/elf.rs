//! ELF files: processor and the versions of glibc's symbols that they ask for.

use crate::target::Target;
use crate::verify::{Evidence, Finding, Outcome, count, no_target};
use object::elf::{DT_NEEDED, DT_NULL, EM_AARCH64, EM_X86_64, FileHeader64};
use object::read::elf::{Dyn as _, FileHeader as _, SectionHeader as _, SectionTable};
use object::{Endianness, ReadCache, ReadRef};
use std::fs::File;

/// How an ELF file starts.
pub const MAGIC: &[u8] = b"\x7fELF";

/// What is judged of an ELF file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElfFacts {
    /// `e_machine`
    pub machine: u16,
    /// the highest `GLIBC_X.Y` that it asks for
    pub glibc: Option<(u16, u16)>,
    /// whether it asks for symbols that glibc keeps to itself
    pub private_symbols: bool,
    /// the libraries that it asks for, `DT_NEEDED`
    pub needed: Vec<String>,
}

/// Reads an ELF file that is in memory.
pub fn read_bytes(bytes: &[u8]) -> Result<ElfFacts, String> {
    read(bytes)
}

/// Reads an ELF file from disk, as much of it as is needed.
pub fn read_file(file: File) -> Result<ElfFacts, String> {
    read(&ReadCache::new(file))
}

/// More versions than any library asks for; a file whose tables refer to themselves has no end of them.
const MOST_VERSIONS: usize = 100_000;

fn read<'data, R: ReadRef<'data>>(data: R) -> Result<ElfFacts, String> {
    let text = |error: object::Error| error.to_string();
    if data.read_bytes_at(4, 1).map(|class| class[0]) != Ok(2) {
        return Err("it is no 64-bit ELF file".to_owned());
    }
    let header = FileHeader64::<Endianness>::parse(data).map_err(text)?;
    let endian = header.endian().map_err(text)?;
    let mut facts =
        ElfFacts { machine: header.e_machine(endian).0, glibc: None, private_symbols: false, needed: Vec::new() };
    let sections = header.sections(endian, data).map_err(text)?;
    facts.read_needed(data, endian, &sections)?;
    let mut seen = 0;
    for section in sections.iter() {
        let Some((mut needs, link)) = section.gnu_verneed(endian, data).map_err(text)? else { continue };
        let strings = sections.strings(endian, data, link).map_err(text)?;
        while let Some((_, mut versions)) = needs.next().map_err(text)? {
            seen += 1;
            while let Some(version) = versions.next().map_err(text)? {
                seen += 1;
                if seen > MOST_VERSIONS {
                    return Err(format!("it has more than {MOST_VERSIONS} symbol versions"));
                }
                let name = version.name(endian, strings).map_err(text)?;
                facts.note(&String::from_utf8_lossy(name));
            }
        }
    }
    Ok(facts)
}

impl ElfFacts {
    /// Reads `DT_NEEDED`; a file without a dynamic section has none.
    fn read_needed<'data, R: ReadRef<'data>>(
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
                if entry.tag(endian) == DT_NEEDED {
                    let name = entry.string(endian, strings).map_err(text)?;
                    self.needed.push(String::from_utf8_lossy(name).into_owned());
                }
            }
        }
        Ok(())
    }

    fn note(&mut self, version: &str) {
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
    }
}

impl ElfFacts {
    /// Why the box cannot load it, each as the end of a sentence; empty where it can.
    pub fn misfits(&self, target: &Target) -> Vec<String> {
        let machine = match target.arch.as_str() {
            "aarch64" => EM_AARCH64.0,
            _ => EM_X86_64.0,
        };
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

/// The check.
pub fn judge(evidence: &Evidence) -> Outcome {
    let Some(target) = &evidence.target else { return no_target() };
    let cure = format!("lock a wheel for {}", target.in_words());
    let mut findings = Vec::new();
    for (path, facts) in &evidence.elf {
        let facts = match facts {
            Ok(facts) => facts,
            Err(reason) => {
                findings.push(Finding::error(path, format!("it cannot be read as a 64-bit ELF file: {reason}"), &cure));
                continue;
            }
        };
        findings.extend(facts.misfits(target).iter().map(|what| Finding::error(path, format!("it {what}"), &cure)));
    }
    let highest = evidence.elf.values().flatten().filter_map(|facts| facts.glibc).max();
    let highest = highest.map(|(major, minor)| format!(", GLIBC_{major}.{minor} at most")).unwrap_or_default();
    Outcome::Made { looked_at: format!("{}{highest}", count(evidence.elf.len(), "ELF file")), findings }
}
