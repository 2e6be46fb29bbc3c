//! Whether a box can load an ELF file: its processor, its C library, and the symbols of both and of gcc's libraries.

use crate::elf::needs::family_of;
use crate::elf::{ElfFacts, ElfKind};
use object::elf::{EM_386, EM_AARCH64, EM_ARM, EM_PPC64, EM_RISCV, EM_S390, EM_X86_64};
use wheelhaul_boxes::{Target, runtimes};

/// gcc's libraries, whose symbols have versions of the families that [`runtimes`] knows.
const OF_GCC: [&str; 2] = ["libgcc_s.so.1", "libstdc++.so.6"];

impl ElfFacts {
    /// Whether it is for the processor of a box.
    pub fn is_for(&self, target: &Target) -> bool {
        self.is_64 && self.machine == machine_of(target)
    }

    /// Why the box cannot load it, each as the end of a sentence; empty where it can.
    ///
    /// - Takes: `brought`, whether the file's own wheel brings a library of that name; then the box's own is not
    ///   asked for the symbols.
    pub fn misfits(&self, target: &Target, brought: &dyn Fn(&str) -> bool) -> Vec<String> {
        let mut misfits = self.of_another_kind(target);
        misfits.extend(self.too_new(target, brought));
        misfits
    }

    /// Why it is for another kind of box, and would not be started by its loader.
    pub fn of_another_kind(&self, target: &Target) -> Vec<String> {
        let mut misfits = self.of_another_box(target);
        misfits.extend(self.odd_loader(target).filter(|_| self.soname.is_none()));
        misfits
    }

    /// Why it is for another kind of box: processor, size of addresses, C library.
    pub fn of_another_box(&self, target: &Target) -> Vec<String> {
        let mut misfits = Vec::new();
        match self.kind {
            ElfKind::Data => return misfits,
            ElfKind::Core => return vec!["is what a program left behind that crashed".to_owned()],
            ElfKind::Loaded => {}
        }
        let machine = machine_of(target);
        if self.machine != machine {
            misfits.push(format!("is for {}, and the target is {}", machine_name(self.machine), target.arch));
        } else if !self.is_64 {
            misfits.push("is of 32 bits, and the target's programs are of 64".to_owned());
        }
        if let Some(library) = self.needed.iter().find(|library| is_of_musl(library)) {
            misfits.push(format!("asks for `{library}`, which is musl's, and the target has glibc"));
        }
        misfits
    }

    /// That it would be started by a loader which the box lacks. Of a library nothing reads this.
    pub fn odd_loader(&self, target: &Target) -> Option<String> {
        let loader = loader_of(target);
        let asked = self.interpreter.as_ref().filter(|asked| self.is_loaded() && *asked != loader)?;
        let asked = wheelhaul_base::problem::shortened(asked);
        Some(format!("is started by `{}`, and the target has `{loader}`", asked.escape_debug()))
    }

    /// What it asks for that the box is too old for.
    pub fn too_new(&self, target: &Target, brought: &dyn Fn(&str) -> bool) -> Vec<String> {
        let mut misfits = Vec::new();
        let most = target.distribution.glibc;
        if !self.is_loaded() {
            return misfits;
        }
        if let Some((major, minor)) = self.glibc.filter(|asked| *asked > most) {
            misfits.push(format!("asks for GLIBC_{major}.{minor}, and the target has {}.{}", most.0, most.1));
        }
        if self.private_symbols {
            misfits.push("asks for GLIBC_PRIVATE, which fits one build of glibc only".to_owned());
        }
        let Some(has) = runtimes(target) else { return misfits };
        for (family, most) in has.families {
            let of_family = self.of_gcc(brought).filter(|(of, numbers)| *of == family && numbers.as_slice() > most);
            if let Some((_, highest)) = of_family.max_by(|a, b| a.1.cmp(&b.1)) {
                misfits.push(format!(
                    "asks for {family}_{}, and the target has {family}_{}",
                    dotted(&highest),
                    dotted(most)
                ));
            }
        }
        if self.x86_level > has.x86_level {
            misfits.push(format!(
                "needs {}, and the target asks for {}",
                level_name(self.x86_level),
                level_name(has.x86_level)
            ));
        }
        misfits
    }

    /// The versions of gcc's libraries that it asks of the box: `("GLIBCXX", [3, 4, 29])`.
    pub fn of_gcc<'a>(&'a self, brought: &'a dyn Fn(&str) -> bool) -> impl Iterator<Item = (&'a str, Vec<u64>)> {
        let is_of_box = |library: &str| OF_GCC.contains(&library) && !brought(library);
        let asked = self.versions.iter().filter(move |(library, _)| is_of_box(library));
        asked.map(|(_, version)| {
            let (family, numbers) = family_of(version);
            (family.trim_end_matches('_'), numbers)
        })
    }
}

/// Whether nothing on the box loads a file that does not fit it: one in a wheel for any platform, which brings files for
/// several and takes the right one itself; or one whose path says for what else it is, `attach_linux_x86.so`. Commands
/// are not among them.
///
/// - Takes: `path` below `/opt/NAME`; `is_any`, whether its wheel is for any platform.
pub fn is_for_others(path: &str, facts: &Result<ElfFacts, String>, target: &Target, is_any: bool) -> bool {
    if path.starts_with("bin/") {
        return false;
    }
    match facts {
        Ok(facts) if facts.of_another_box(target).is_empty() => false,
        Ok(facts) => is_any || (facts.kind != ElfKind::Core && facts.is_named_by(path)),
        Err(_) => is_any,
    }
}

impl ElfFacts {
    /// Whether a path names the processor or the C library of this file.
    fn is_named_by(&self, path: &str) -> bool {
        #[rustfmt::skip]
        const SPELLINGS: [(object::elf::Machine, &[&str]); 7] = [
            (EM_X86_64,  &["x86_64", "x86-64", "amd64", "x64"]),
            (EM_AARCH64, &["aarch64", "arm64"]),
            (EM_386,     &["i386", "i486", "i586", "i686", "ia32", "x86", "32bit", "linux32"]),
            (EM_ARM,     &["arm", "armhf", "armel", "armv5", "armv6", "armv6l", "armv7", "armv7l", "armeabi"]),
            (EM_PPC64,   &["ppc64", "ppc64le", "powerpc64", "powerpc64le"]),
            (EM_RISCV,   &["riscv", "riscv32", "riscv64"]),
            (EM_S390,    &["s390", "s390x"]),
        ];
        let path = path.to_ascii_lowercase();
        let has = |word: &&str| {
            path.match_indices(*word).any(|(at, _)| {
                let (before, behind) = (&path[..at], &path[at + word.len()..]);
                let is_longer = behind.starts_with("_64") || behind.starts_with("-64");
                let is_letter = |c: char| c.is_ascii_alphanumeric();
                !before.ends_with(is_letter) && !behind.starts_with(is_letter) && !is_longer
            })
        };
        let words =
            SPELLINGS.iter().find(|(machine, _)| machine.0 == self.machine).map_or(&[][..], |(_, words)| *words);
        match self.needed.iter().any(|library| is_of_musl(library)) {
            true => ["musl", "musllinux", "alpine"].iter().any(has),
            // Programs of 32 bits on a processor of 64, the x32 ABI.
            false if !self.is_64 && self.machine == EM_X86_64.0 => has(&"x32"),
            false => words.iter().any(has),
        }
    }
}

/// Whether a library is musl's own.
fn is_of_musl(name: &str) -> bool {
    name.starts_with("libc.musl-") || name.starts_with("ld-musl-") || name == "libc.so"
}

fn dotted(numbers: &[u64]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(".")
}

/// What people call a level: `x86-64-v3`.
pub fn level_name(level: u8) -> String {
    match level {
        0 | 1 => "x86-64".to_owned(),
        level => format!("x86-64-v{level}"),
    }
}

/// `e_machine` of a box.
fn machine_of(target: &Target) -> u16 {
    match target.arch.as_str() {
        "aarch64" => EM_AARCH64.0,
        _ => EM_X86_64.0,
    }
}

/// glibc's loader of a box, as its ABI names it.
fn loader_of(target: &Target) -> &'static str {
    match target.arch.as_str() {
        "aarch64" => "/lib/ld-linux-aarch64.so.1",
        _ => "/lib64/ld-linux-x86-64.so.2",
    }
}

/// What people call a processor.
fn machine_name(machine: u16) -> String {
    let known = [
        (EM_X86_64, "x86_64"),
        (EM_AARCH64, "aarch64"),
        (EM_386, "i386"),
        (EM_ARM, "arm"),
        (EM_PPC64, "ppc64"),
        (EM_RISCV, "riscv"),
        (EM_S390, "s390x"),
    ];
    let found = known.iter().find(|(of, _)| of.0 == machine);
    found.map_or_else(|| format!("the processor {machine}"), |(_, name)| (*name).to_owned())
}
