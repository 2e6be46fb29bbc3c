//! Checks of ELF files: what they are for, what they ask of the box, where they look for it, what they ask of the
//! kernel; and whether Python imports a module of that name.

mod extensions;
mod libraries;
mod owners;
mod symbols;

pub(crate) use extensions::judge as extensions;
pub(crate) use libraries::judge as libraries;
pub(crate) use symbols::judge as symbols;

use crate::{Evidence, Finding, Outcome, count, no_target};
use owners::Owned;
use wheelhaul_boxes::Target;
use wheelhaul_wheel::elf::{ElfFacts, Stack};

/// `elf`
pub(crate) fn elf(evidence: &Evidence) -> Outcome {
    let Some(target) = &evidence.target else { return no_target() };
    let cure = format!("lock a wheel for {}", target.in_words());
    let fits = format!("what fits {}", target.in_words());
    let aside = Owned::of(evidence, target).aside;
    let mut findings = Vec::new();
    for (path, facts) in &evidence.elf {
        let found: Vec<Finding> = match facts {
            Ok(facts) => {
                let misfits = facts.of_another_box(target);
                let misfits = misfits.iter().map(|what| Finding::error(path, format!("it {what}"), &fits, &cure));
                let loader =
                    facts.odd_loader(target).map(|what| Finding::error(path, format!("it {what}"), &fits, &cure));
                let is_library =
                    facts.soname.is_some() || path.rsplit('/').next().is_some_and(|name| name.contains(".so"));
                let loader = loader.map(|finding| if is_library { finding.warning() } else { finding });
                misfits.chain(loader).collect()
            }
            Err(reason) => {
                let found = format!("it cannot be read: {reason}");
                vec![Finding::error(path, found, "an ELF file that is whole", &cure)]
            }
        };
        if !aside.contains(path) {
            findings.extend(found);
            continue;
        }
        let cure = "nothing, where the package brings files for several boxes, and takes the right one itself";
        findings.extend(found.into_iter().map(|finding| Finding { cure: cure.to_owned(), ..finding.warning() }));
    }
    Outcome::Made { looked_at: count(evidence.elf.len(), "ELF file"), findings }
}

/// `hardening`
pub(crate) fn hardening(evidence: &Evidence) -> Outcome {
    let Some(target) = &evidence.target else { return no_target() };
    let mut findings = Vec::new();
    let mut looked_at = 0;
    for (path, facts) in fitting(evidence, target) {
        looked_at += 1;
        if facts.has_text_relocations {
            let cure = "let its publisher compile it with `-fPIC`; lock another release";
            let found = "its code is changed where it is loaded (text relocations)";
            findings.push(Finding::error(path, found, "code that is loaded as it is, which SELinux demands", cure));
        }
        if facts.has_writable_code {
            let cure = "let its publisher link it without `-N` and without segments of mode RWX; lock another release";
            let found = "what is executed of it can be written as well";
            findings.push(Finding::error(path, found, "segments that can be written or executed, not both", cure));
        }
        let cure = "let its publisher link it with `-z noexecstack`; lock another release";
        let plain = "a stack that nobody executes";
        match facts.stack {
            Stack::Plain => {}
            Stack::Executable => {
                let found = "it makes the stack of the whole process executable";
                findings.push(Finding::error(path, found, plain, cure));
            }
            // glibc's `DEFAULT_STACK_PERMS`: executable on x86-64, and not on aarch64.
            Stack::Unsaid if target.arch == "x86_64" => {
                let found = "it says nothing of the stack, which the loader then makes executable";
                findings.push(Finding::error(path, found, plain, cure).warning());
            }
            Stack::Unsaid => {}
        }
    }
    Outcome::Made { looked_at: count(looked_at, "ELF file"), findings }
}

/// The files that the box loads; of all others `elf` says why not.
fn fitting<'a>(evidence: &'a Evidence, target: &'a Target) -> impl Iterator<Item = (&'a str, &'a ElfFacts)> {
    let readable = evidence.elf.iter().filter_map(|(path, facts)| Some((path.as_str(), facts.as_ref().ok()?)));
    readable.filter(|(_, facts)| facts.is_loaded() && facts.of_another_box(target).is_empty())
}
