//! The parts of `ci`: what each runs, and when.

/// When a part is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// for every change
    Change,
    /// before a release: the same behaviour on more machines, with larger inputs, on another platform
    Release,
}

/// One part, which can be run alone.
#[derive(Debug)]
pub(super) struct Part {
    /// what `--part` takes
    pub name: &'static str,
    pub size: Size,
    /// for the table in the documentation
    pub what: &'static str,
    /// what cargo is given
    pub cargo: &'static [&'static str],
    /// set for cargo and all that it starts
    pub variables: &'static [(&'static str, &'static str)],
    /// started a year ahead of the clock
    pub a_year_ahead: bool,
    /// root, systemd-nspawn and a Debian archive; run beside the parts that need none
    pub needs_a_machine: bool,
    /// over before any other starts: it says within a minute what would be wrong with all of them
    pub is_first: bool,
}

const PLAIN: Part = Part {
    name: "",
    size: Size::Change,
    what: "",
    cargo: &[],
    variables: &[],
    a_year_ahead: false,
    needs_a_machine: false,
    is_first: false,
};

macro_rules! test {
    ($name:literal, $($word:literal),*) => {
        &["test", "--workspace", "--locked", "--test", $name, "--", $($word),*]
    };
}

/// In the order in which they are run.
pub(super) const PARTS: &[Part] = &[
    Part { name: "format", what: "rustfmt", cargo: &["fmt", "--all", "--check"], is_first: true, ..PLAIN },
    Part {
        name: "clippy",
        what: "clippy, without a warning",
        cargo: &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
        is_first: true,
        ..PLAIN
    },
    Part {
        name: "tests",
        what: "every test that needs no machine",
        cargo: &["test", "--workspace", "--locked", "--no-fail-fast"],
        ..PLAIN
    },
    Part {
        name: "next-year",
        what: "the main job, signing and rebuilding with the date a year ahead",
        cargo: &["test", "--workspace", "--locked", "--test", "sample", "--test", "signing", "--test", "rebuild"],
        a_year_ahead: true,
        ..PLAIN
    },
    Part {
        name: "install",
        what: "install, upgrade, reboot and remove on a machine with rpm 4.18, through rpm and dnf",
        cargo: test!("install", "--ignored", "--nocapture", "bookworm"),
        needs_a_machine: true,
        ..PLAIN
    },
    Part {
        name: "service",
        what: "the service under a real systemd",
        cargo: test!("service", "--ignored", "--nocapture"),
        needs_a_machine: true,
        ..PLAIN
    },
    Part {
        name: "trial",
        what: "`trial` on a root with rpm 4.18, as folder, archive and image",
        cargo: test!("verify_install", "--ignored", "--nocapture", "--skip", "other_boxes"),
        needs_a_machine: true,
        ..PLAIN
    },
    Part {
        name: "gallery",
        what: "datasette and a Django site with celery and psycopg: packed for two boxes, verified, started, asked for pages",
        cargo: test!("gallery", "--ignored", "--nocapture", "--exact", "datasette", "django"),
        needs_a_machine: true,
        ..PLAIN
    },
    Part {
        name: OLD_LOCK,
        what: "a lock of 2020 on CPython 3.6",
        cargo: test!("old_lock", "--ignored", "--nocapture"),
        ..PLAIN
    },
    Part {
        name: "install-further",
        size: Size::Release,
        what: "`install` with rpm 4.16, 4.20 and 6.1",
        cargo: test!("install", "--ignored", "--nocapture", "--skip", "bookworm"),
        needs_a_machine: true,
        ..PLAIN
    },
    Part {
        name: "trial-further",
        size: Size::Release,
        what: "`trial` with rpm 4.16, 4.20 and 6.1",
        cargo: test!("verify_install", "--ignored", "--nocapture", "other_boxes"),
        needs_a_machine: true,
        ..PLAIN
    },
    Part {
        name: "gallery-further",
        size: Size::Release,
        what: "`gallery` with every published application of its table",
        cargo: test!("gallery", "--ignored", "--nocapture"),
        variables: &[("GALLERY_WRITES", "1")],
        needs_a_machine: true,
        ..PLAIN
    },
    Part {
        name: "fuzz-further",
        size: Size::Release,
        what: "twenty times as many faulty inputs for every parser",
        cargo: test!("fuzz", "--nocapture"),
        variables: &[("FUZZ_ROUNDS", "30000"), ("FUZZ_SEED", "2")],
        ..PLAIN
    },
    Part {
        name: "next-year-further",
        size: Size::Release,
        what: "`tests` with the date a year ahead",
        cargo: &["test", "--workspace", "--locked", "--no-fail-fast"],
        a_year_ahead: true,
        ..PLAIN
    },
    Part {
        name: "windows",
        size: Size::Release,
        what: "the Windows build under wine makes the same bytes",
        cargo: test!("windows", "--ignored", "--nocapture"),
        needs_a_machine: true,
        ..PLAIN
    },
];

/// The part that a host without CPython 3.6 cannot run.
pub(super) const OLD_LOCK: &str = "old-lock";

/// The parts of a run: those of a size and below, or the one with this name.
pub(super) fn chosen(release: bool, name: Option<&str>) -> Result<Vec<&'static Part>, String> {
    let Some(name) = name else {
        return Ok(PARTS.iter().filter(|part| release || part.size == Size::Change).collect());
    };
    match PARTS.iter().find(|part| part.name == name) {
        Some(part) => Ok(vec![part]),
        None => Err(PARTS.iter().map(|part| part.name).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_chosen_by_size_and_by_name() {
        let names =
            |release, name| -> Vec<&str> { chosen(release, name).unwrap().iter().map(|part| part.name).collect() };
        assert!(names(false, None).contains(&"tests") && !names(false, None).contains(&"windows"));
        assert!(names(true, None).contains(&"tests") && names(true, None).contains(&"windows"));
        assert_eq!(names(false, Some("windows")), ["windows"]);
        assert!(chosen(true, Some("window")).unwrap_err().contains("install-further, "));
    }

    #[test]
    fn every_part_has_a_name_of_its_own() {
        let mut names: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), PARTS.len());
    }
}
