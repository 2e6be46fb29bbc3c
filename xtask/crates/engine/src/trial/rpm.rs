//! The machine's own rpm: what it is asked, and what its answers say.

use anyhow::{bail, ensure};
use wheelhaul_base::problem::Problem;
use wheelhaul_trial::Machine;

/// Installs or upgrades; a scriptlet that warns has failed.
pub(super) fn upgrade(machine: &Machine, options: &[&str], files: &[&str]) -> anyhow::Result<()> {
    let words = [&["rpm", "-U"], options, files].concat();
    let ended = machine.run(&words)?;
    // rpm tells of a failed scriptlet, of a `.rpmnew` and of an unknown user by a warning; the second is as it ought to be
    let is_told = |line: &&str| line.contains(" created as ") || line.contains(" saved as ") || line.contains("NOKEY");
    let warned = ended.stderr.lines().any(|line| line.contains("warning:") && !is_told(&line));
    ensure!(ended.succeeded() && !warned, "{ended}");
    Ok(())
}

/// Whether its digests are right, and all that it requires is there.
pub(super) fn takes(machine: &Machine, file: &str) -> anyhow::Result<()> {
    // unsigned is fine here; a signature whose key this root lacks is as well
    machine.text(&["rpm", "-K", "--nosignature", file])?;
    let ended = machine.run(&["rpm", "-U", "--test", file])?;
    let missing = missing_of(&ended.stderr);
    if !missing.is_empty() {
        return Err(Problem::with_hint(format!("the root lacks {}", missing.join(", ")), cure_of(&missing)));
    }
    ensure!(ended.succeeded(), "{ended}");
    Ok(())
}

/// What rpm says that a package needs, `python(abi) = 3.11`.
fn missing_of(said: &str) -> Vec<String> {
    let needs = said.lines().filter_map(|line| line.trim().split_once(" is needed by "));
    let mut missing: Vec<String> = needs.map(|(what, _)| format!("`{what}`")).collect();
    missing.sort();
    missing.dedup();
    missing
}

/// What every root of a box has, as far as its rpm knows.
const IN_EVERY_ROOT: [&str; 5] = ["/bin/sh", "/usr/bin/sh", "/bin/bash", "libc.so.6", "rtld(GNU_HASH)"];

/// - Takes: `missing`, each in backticks.
fn cure_of(missing: &[String]) -> &'static str {
    let is_basic = |what: &String| {
        let what = what.trim_matches('`');
        IN_EVERY_ROOT
            .iter()
            .any(|name| what.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('(')))
    };
    match missing.iter().any(is_basic) {
        true => {
            "it is no root of a Red Hat system, or its rpm database is empty: use a root of the box's distribution \
             (`podman:IMAGE` of its UBI, or what `dnf --installroot=DIR --releasever=9 install …` makes, packed as tar), \
             or give an RPM that provides these names by `--also FILE`"
        }
        false => "install it in the root, or give its RPMs with `--also FILE`; the box will need them as well",
    }
}

/// Whether what is installed is what the package has, but for the files at `edited`.
pub(super) fn verifies(machine: &Machine, name: &str, edited: &[&str]) -> anyhow::Result<()> {
    let ended = machine.run(&["rpm", "-V", name])?;
    let is_edit = |line: &str| edited.iter().any(|path| line.ends_with(&format!(" c {path}")));
    let faults: Vec<&str> =
        ended.stdout.lines().chain(ended.stderr.lines()).filter(|line| !line.is_empty() && !is_edit(line)).collect();
    if !faults.is_empty() || (!ended.succeeded() && edited.is_empty()) {
        bail!("`rpm -V {name}` says\n{}", faults.join("\n"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let said = "error: Failed dependencies:\n\tpython(abi) = 3.11 is needed by a-1-1.x86_64\n\
                    \tpython3.11 is needed by a-1-1.x86_64\n\tpython3.11 is needed by a-1-1.x86_64\n";
        assert_eq!(missing_of(said), ["`python(abi) = 3.11`", "`python3.11`"]);
        assert!(missing_of("warning: a\n").is_empty());
    }

    #[test]
    fn a_root_without_the_basics_has_a_cure_of_its_own() {
        #[rustfmt::skip]
        let cases = [ // what is missing                                 no root of the box
            (&["`python(abi) = 3.11`", "`python3.11`"][..],              false),
            (&["`/bin/sh`"],                                             true),
            (&["`python3.11`", "`libc.so.6(GLIBC_2.14)(64bit)`"],        true),
            (&["`/bin/shred`", "`libc.so.60`"],                          false),
        ];
        for (missing, no_root) in cases {
            let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
            assert_eq!(cure_of(&missing).contains("rpm database"), no_root, "{missing:?}");
        }
    }
}
