//! ELF files: processor and the versions of glibc's symbols that they ask for.

use crate::verify::{Evidence, Finding, Outcome, count, no_target};

/// The check.
pub fn judge(evidence: &Evidence) -> Outcome {
    let Some(target) = &evidence.target else { return no_target() };
    let cure = format!("lock a wheel for {}", target.in_words());
    let mut findings = Vec::new();
    for (path, facts) in &evidence.elf {
        let facts = match facts {
            Ok(facts) => facts,
            Err(reason) => {
                findings.push(Finding::error(
                    path,
                    format!("it cannot be read: {reason}"),
                    "an ELF file of 64 bits",
                    &cure,
                ));
                continue;
            }
        };
        let fits = format!("what fits {}", target.in_words());
        findings.extend(
            facts
                .misfits(target, &|_| false)
                .iter()
                .map(|what| Finding::error(path, format!("it {what}"), &fits, &cure)),
        );
    }
    let highest = evidence.elf.values().flatten().filter_map(|facts| facts.glibc).max();
    let highest = highest.map(|(major, minor)| format!(", GLIBC_{major}.{minor} at most")).unwrap_or_default();
    Outcome::Made { looked_at: format!("{}{highest}", count(evidence.elf.len(), "ELF file")), findings }
}
