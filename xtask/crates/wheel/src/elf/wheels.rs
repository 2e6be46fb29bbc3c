//! The ELF files of wheels, and what they need of the box, less what the wheels bring.

use crate::elf::{ElfFacts, ElfNeed, ElfReader, SearchPlace, highest, is_for_others};
use crate::{Archive, Contents, Inflater, Scheme};
use anyhow::{Context as _, bail};
use memchr::memmem::find;
use rawzip::ReaderAt;
use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_boxes::Target;

/// An ELF file of a wheel.
#[derive(Debug)]
pub struct ElfFile {
    /// below `/opt/NAME`: `lib/numpy.libs/libgfortran.so.5`
    pub path: String,
    /// what it is, or why it cannot be read
    pub facts: Result<ElfFacts, String>,
}

/// The ELF files of a wheel.
#[derive(Debug, Default)]
pub struct OfWheel {
    /// in the order of the archive
    pub files: Vec<ElfFile>,
    /// whether the wheel is for any platform
    pub is_any: bool,
    /// the size of those that are for graphics processors, in bytes
    pub for_graphics: u64,
}

impl OfWheel {
    /// Unpacks every ELF file of a wheel, and of others the first piece; memory stays flat, whatever their size.
    pub fn read<R: ReaderAt>(archive: &Archive<R>, contents: &Contents) -> anyhow::Result<Self> {
        let mut inflater = Inflater::default();
        let mut files = Vec::new();
        let mut for_graphics = 0;
        for placed in &contents.files {
            let size = archive.members()[placed.place].size;
            let mut reader = ElfReader::new(size);
            let mut kernels = Kernels::expected(size);
            let unpacked = archive.unpack(placed.place, &mut inflater, &mut |piece| {
                kernels.look_at(piece);
                reader.take(piece).context("failed to keep it in a temporary file")?;
                if reader.is_none() {
                    bail!("it is no ELF file");
                }
                Ok(())
            });
            if reader.is_none() {
                continue;
            }
            unpacked?;
            let Some(facts) = reader.finish()? else { continue };
            let is_for_graphics = kernels.found || facts.as_ref().is_ok_and(is_of_graphics);
            for_graphics += if is_for_graphics { size } else { 0 };
            let folder = match placed.scheme {
                Scheme::Library => "lib/",
                Scheme::Scripts => "bin/",
                Scheme::Data => "",
                Scheme::Headers => "include/",
            };
            files.push(ElfFile { path: format!("{folder}{}", placed.path), facts });
        }
        Ok(Self { files, is_any: contents.wheel_file.is_any(), for_graphics })
    }

    /// Takes out the files that nothing on a box loads, since they are for another ([`is_for_others`]); gives them.
    pub fn set_aside(&mut self, target: &Target) -> Vec<ElfFile> {
        let is_any = self.is_any;
        self.files.extract_if(.., |file| is_for_others(&file.path, &file.facts, target, is_any)).collect()
    }

    /// The libraries that others can ask for: names of files, and what they call themselves.
    pub fn names(&self) -> BTreeSet<&str> {
        self.loaded().flat_map(|(path, facts)| names_of(path, facts)).collect()
    }

    /// The files that are loaded, with what they say.
    fn loaded(&self) -> impl Iterator<Item = (&str, &ElfFacts)> {
        let facts = |file: &'_ ElfFile| file.facts.as_ref().is_ok_and(|facts| facts.is_loaded() && facts.is_64);
        self.files
            .iter()
            .filter(move |file| facts(file))
            .filter_map(|file| file.facts.as_ref().ok().map(|facts| (file.path.as_str(), facts)))
    }
}

/// Whether a library is one of those that compute on graphics processors, by its name.
fn is_of_graphics(facts: &ElfFacts) -> bool {
    const STARTS: [&str; 12] = [
        "libcublas",
        "libcudart",
        "libcudnn",
        "libcufft",
        "libcusolver",
        "libcusparse",
        "libMIOpen",
        "libnccl",
        "libnvrtc",
        "librccl",
        "librocblas",
        "libtorch_cuda",
    ];
    facts.soname.as_ref().is_some_and(|name| STARTS.iter().any(|start| name.starts_with(start)))
}

/// Looks for code of graphics processors in a large file: the sections that compilers put it into.
struct Kernels {
    found: bool,
    /// the end of the piece before, which a mark may begin in; none where nothing is looked for
    end: Option<Vec<u8>>,
}

impl Kernels {
    const MARKS: [&[u8]; 2] = [b".nv_fatbin\0", b".hip_fatbin\0"];
    /// Smaller ones are not worth the search, in bytes.
    const LEAST: u64 = 32 << 20;

    fn expected(size: u64) -> Self {
        Self { found: false, end: (size >= Self::LEAST).then(Vec::new) }
    }

    fn look_at(&mut self, piece: &[u8]) {
        const MOST: usize = 11;
        let Some(end) = self.end.as_mut().filter(|_| !self.found) else { return };
        end.extend_from_slice(&piece[..piece.len().min(MOST)]);
        let has = |bytes: &[u8]| Self::MARKS.iter().any(|mark| find(bytes, mark).is_some());
        self.found = has(end) || has(piece);
        *end = piece[piece.len().saturating_sub(MOST)..].to_vec();
    }
}

/// What a file can be asked for by.
fn names_of<'a>(path: &'a str, facts: &'a ElfFacts) -> impl Iterator<Item = &'a str> {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    [Some(name), facts.soname.as_deref()].into_iter().flatten()
}

/// Who brings a library: the wheels, and the folders of it.
#[derive(Default)]
struct Owners<'a> {
    wheels: BTreeSet<usize>,
    folders: BTreeSet<&'a str>,
}

/// What a file asks of the box.
#[derive(Debug, PartialEq, Eq)]
pub struct Asking<'a> {
    /// the place of its wheel
    pub wheel: usize,
    /// below `/opt/NAME`
    pub path: &'a str,
    /// library and version of its symbols, `("libc.so.6", "GLIBC_2.17")`; without a version for the library as such
    pub libraries: Vec<(&'a str, &'a str)>,
}

/// What each file asks of the box.
///
/// A library is brought by a file of its name or its `DT_SONAME` in the wheel itself, in a wheel that the asking
/// one requires (which is loaded before it), or in a folder that `DT_RPATH` or `DT_RUNPATH` leads to. One in any
/// other wheel is that wheel's own affair: the box has to bring it. Python's own library comes with the interpreter.
///
/// - Takes: `wheels` of one box; `requires`, for each of them the places of the wheels that it requires, however
///   indirectly.
/// - Gives: those files that are loaded, in their order.
pub fn asked_of_box<'a>(wheels: &'a [OfWheel], requires: &[BTreeSet<usize>]) -> Vec<Asking<'a>> {
    let mut owners: BTreeMap<&str, Owners<'_>> = BTreeMap::new();
    for (place, wheel) in wheels.iter().enumerate() {
        for (path, facts) in wheel.loaded() {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            for name in names_of(path, facts).collect::<BTreeSet<_>>() {
                let of = owners.entry(name).or_default();
                of.wheels.insert(place);
                of.folders.insert(folder);
            }
        }
    }
    let none = BTreeSet::new();
    let mut asking = Vec::new();
    for (place, wheel) in wheels.iter().enumerate() {
        let required = requires.get(place).unwrap_or(&none);
        for (path, facts) in wheel.loaded() {
            let folders = search_of(path, facts);
            let brought = |library: &str| {
                library.starts_with("libpython")
                    || owners.get(library).is_some_and(|owners| {
                        owners.wheels.contains(&place)
                            || !owners.wheels.is_disjoint(required)
                            || folders.iter().any(|folder| owners.folders.contains(folder.as_str()))
                    })
            };
            let plain = facts.needed.iter().map(|library| (library.as_str(), ""));
            let versions = facts.versions.iter().map(|(library, version)| (library.as_str(), version.as_str()));
            let libraries = plain.chain(versions).filter(|(library, _)| !brought(library)).collect();
            asking.push(Asking { wheel: place, path, libraries });
        }
    }
    asking
}

/// What each wheel needs of the box, as [`asked_of_box`] finds it.
///
/// - Gives: one list a wheel, reduced to the [`highest`]; without what no library of a distribution is called.
pub fn needs_of(wheels: &[OfWheel], requires: &[BTreeSet<usize>]) -> Vec<Vec<ElfNeed>> {
    let mut needs: Vec<Vec<ElfNeed>> = wheels.iter().map(|_| Vec::new()).collect();
    for asking in asked_of_box(wheels, requires) {
        needs[asking.wheel].extend(asking.libraries.into_iter().filter_map(|(library, of)| ElfNeed::new(library, of)));
    }
    needs.into_iter().map(highest).collect()
}

/// The needs that not each box has.
pub fn foreign(needs: &[ElfNeed]) -> impl Iterator<Item = &ElfNeed> {
    needs.iter().filter(|need| !need.is_everywhere())
}

/// The folders below `/opt/NAME` that a file's libraries are looked for in.
fn search_of(path: &str, facts: &ElfFacts) -> BTreeSet<String> {
    let origin = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut folders = BTreeSet::new();
    for entry in facts.search() {
        if let SearchPlace::Folder(folder) = SearchPlace::of(entry, origin) {
            folders.insert(folder);
        }
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf::ElfKind;

    fn file(path: &str, soname: &str, needed: &[&str], versions: &[(&str, &str)], search: &[&str]) -> ElfFile {
        let all = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        ElfFile {
            path: path.to_owned(),
            facts: Ok(ElfFacts {
                machine: 62,
                is_64: true,
                soname: Some(soname.to_owned()).filter(|name| !name.is_empty()),
                needed: all(needed),
                versions: versions.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
                runpath: all(search),
                ..ElfFacts::default()
            }),
        }
    }

    #[test]
    fn what_the_wheels_bring_is_not_asked_of_the_box() {
        let fortran = [("libgfortran-1.so.5", "GFORTRAN_8"), ("libc.so.6", "GLIBC_2.17")];
        let owner = OfWheel {
            files: vec![
                file("lib/a/x.so", "", &["libgfortran-1.so.5", "libc.so.6"], &fortran, &["$ORIGIN/../a.libs"]),
                file("lib/a.libs/libgfortran-1.so.5", "", &["libm.so.6"], &[], &[]),
                file("lib/a.libs/renamed.so", "libz.so.1", &["libz.so.1"], &[], &[]),
            ],
            is_any: false,
            for_graphics: 0,
        };
        let asking = |search: &[&str]| OfWheel {
            files: vec![file("lib/b/y.so", "", &["libz.so.1", "libpython3.11.so.1.0", "_own.so"], &[], search)],
            is_any: false,
            for_graphics: 0,
        };
        #[rustfmt::skip]
        let cases: [(&[&str], &[usize], &[&str]); 6] = [ // where it looks       requires  needs
            (&[],                                    &[],      &["libz.so.1()(64bit)"]),
            (&[],                                    &[0],     &[]),
            (&["$ORIGIN/../a.libs"],                 &[],      &[]),
            (&["/x", "${ORIGIN}/.././/a.libs/"],     &[],      &[]),
            (&["$ORIGINAL/../a.libs", "a.libs"],     &[],      &["libz.so.1()(64bit)"]),
            (&["$ORIGIN/../../../../lib/a.libs"],    &[],      &["libz.so.1()(64bit)"]),
        ];
        for (search, required, expected) in cases {
            let wheels = [
                OfWheel {
                    files: owner
                        .files
                        .iter()
                        .map(|f| ElfFile { path: f.path.clone(), facts: f.facts.clone() })
                        .collect(),
                    is_any: false,
                    for_graphics: 0,
                },
                asking(search),
            ];
            let requires = [BTreeSet::new(), required.iter().copied().collect()];
            let needs = needs_of(&wheels, &requires);
            let texts: Vec<String> = needs[1].iter().map(ToString::to_string).collect();
            assert_eq!(texts, expected, "{search:?} {required:?}");
            let texts: Vec<String> = needs[0].iter().map(ToString::to_string).collect();
            assert_eq!(texts, ["libc.so.6(GLIBC_2.17)(64bit)", "libm.so.6()(64bit)"]);
        }
    }

    #[test]
    fn objects_and_what_cannot_be_read_ask_for_nothing() {
        let mut object = file("lib/a/x.o", "", &["libz.so.1"], &[], &[]);
        if let Ok(facts) = &mut object.facts {
            facts.kind = ElfKind::Data;
        }
        let broken = ElfFile { path: "lib/a/y.so".to_owned(), facts: Err("broken".to_owned()) };
        assert_eq!(
            needs_of(&[OfWheel { files: vec![object, broken], is_any: false, ..OfWheel::default() }], &[]),
            [vec![]]
        );
    }

    #[test]
    fn what_is_for_others_is_no_concern_of_the_box() {
        let of = |machine: u16, is_64: bool| ElfFacts { machine, is_64, ..ElfFacts::default() };
        let (x86_64, aarch64, i386) = (of(62, true), of(183, true), of(3, false));
        let musl = ElfFacts { needed: vec!["libc.musl-x86_64.so.1".to_owned()], ..x86_64.clone() };
        let broken = Err("broken".to_owned());
        #[rustfmt::skip]
        let cases = [ // path                                      facts             any    plain
            ("lib/selenium/linux/selenium-manager",                Ok(&aarch64),     true,  false),
            ("lib/debugpy/attach_linux_x86.so",                    Ok(&i386),        true,  true),
            ("lib/debugpy/attach_linux_amd64.so",                  Ok(&x86_64),      false, false),
            ("lib/tool/linux-arm64/tool",                          Ok(&aarch64),     true,  true),
            ("lib/tool/charm/tool",                                Ok(&aarch64),     true,  false),
            ("lib/a/_x.cpython-311-x86_64-linux-gnu.so",           Ok(&aarch64),     true,  false),
            ("lib/a/_x.cpython-311-x86_64-linux-gnu.so",           Ok(&i386),        true,  false),
            ("lib/a/musl/_x.so",                                   Ok(&musl),        true,  true),
            ("lib/a/_x.so",                                        Ok(&musl),        true,  false),
            ("lib/a/_x.so",                                        Err(&broken),     true,  false),
            ("bin/tool-arm64",                                     Ok(&aarch64),     false, false),
        ];
        let target = Target::find("el9-x86_64", None, None).unwrap();
        for (path, facts, of_any, of_platform) in cases {
            let facts = facts.cloned().map_err(|error: &Result<ElfFacts, String>| error.clone().unwrap_err());
            let judged = [true, false].map(|is_any| is_for_others(path, &facts, &target, is_any));
            assert_eq!(judged, [of_any, of_platform], "{path}");
        }
    }
}
