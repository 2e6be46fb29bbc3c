//! What a root is, read from its files before anything of it runs. Nothing here follows a link out of it.

use camino::{Utf8Path, Utf8PathBuf};
use std::io::Read as _;
use wheelhaul_base::problem::Problem;

/// More of a text than it has where it is what it ought to be.
const MOST_TEXT: u64 = 64 << 10;

/// What a root is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootFacts {
    /// as rpm calls the processor: `x86_64`; none where no program tells
    pub arch: Option<String>,
    /// `Red Hat Enterprise Linux 9.4 (Plow)`
    pub title: String,
    /// `rhel` and `9.4`; empty where it does not say
    pub id: (String, String),
    /// whether it has a systemd that can be process 1
    pub has_systemd: bool,
}

impl RootFacts {
    /// Reads them.
    ///
    /// - Fails: for a folder that is no root file system with an rpm in it.
    pub fn read(root: &Utf8Path) -> anyhow::Result<Self> {
        let has = |path: &str| inside(root, path).is_some_and(|path| path.is_file());
        if !has("usr/bin/rpm") && !has("bin/rpm") {
            return Err(Problem::with_hint(
                format!("`{root}` is no root file system with an rpm: it has no `usr/bin/rpm`"),
                "give the folder that has `usr` and `etc` in it, a tar of such a one, or `podman:IMAGE`; \
                 images called `micro` have no rpm",
            ));
        }
        let release = ["usr/lib/os-release", "etc/os-release"].iter().find_map(|path| text(root, path));
        let release = release.unwrap_or_default();
        let field = |name: &str| field_of(&release, name).unwrap_or_default();
        let programs = ["usr/bin/rpm", "bin/rpm"];
        Ok(Self {
            arch: programs.iter().find_map(|path| arch_of(&head(&inside(root, path)?)?)).map(str::to_owned),
            title: field("PRETTY_NAME"),
            id: (field("ID"), field("VERSION_ID")),
            has_systemd: has("usr/lib/systemd/systemd") || has("lib/systemd/systemd"),
        })
    }
}

/// A path below a root whose links all stay there; none where there is no such file.
fn inside(root: &Utf8Path, path: &str) -> Option<Utf8PathBuf> {
    let root = root.canonicalize_utf8().ok()?;
    let found = root.join(path).canonicalize_utf8().ok()?;
    found.starts_with(&root).then_some(found)
}

fn text(root: &Utf8Path, path: &str) -> Option<String> {
    let mut bytes = Vec::new();
    fs_err::File::open(inside(root, path)?).ok()?.take(MOST_TEXT).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn head(path: &Utf8Path) -> Option<[u8; 20]> {
    let mut head = [0; 20];
    fs_err::File::open(path).ok()?.read_exact(&mut head).ok()?;
    Some(head)
}

/// The processor of an ELF file's first bytes (`e_machine`), as rpm calls it.
fn arch_of(head: &[u8; 20]) -> Option<&'static str> {
    if head[..4] != *b"\x7fELF" {
        return None;
    }
    let machine = [head[18], head[19]];
    let machine = if head[5] == 2 { u16::from_be_bytes(machine) } else { u16::from_le_bytes(machine) };
    match machine {
        62 => Some("x86_64"),
        183 => Some("aarch64"),
        21 => Some(if head[5] == 2 { "ppc64" } else { "ppc64le" }),
        22 => Some("s390x"),
        3 => Some("i686"),
        _ => None,
    }
}

/// A field of os-release(5).
fn field_of(text: &str, name: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?.trim();
    Some(value.trim_matches(['"', '\'']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn os_release_is_read() {
        let text = "NAME=\"Red Hat\"\nID='rhel'\nVERSION_ID=\"9.4\"\nPRETTY_NAME=\"Red Hat 9.4 (Plow)\"\nEMPTY=\n";
        let cases = [
            ("ID", Some("rhel")),
            ("VERSION_ID", Some("9.4")),
            ("PRETTY_NAME", Some("Red Hat 9.4 (Plow)")),
            ("EMPTY", Some("")),
            ("VERSION", None),
        ];
        for (name, value) in cases {
            assert_eq!(field_of(text, name).as_deref(), value, "{name}");
        }
    }

    #[test]
    fn the_processor_is_read_from_a_program() {
        let elf = |data: u8, machine: [u8; 2]| {
            let mut head = *b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\0\0";
            head[5] = data;
            [head[18], head[19]] = machine;
            head
        };
        let cases = [
            (elf(1, [62, 0]), Some("x86_64")),
            (elf(1, [183, 0]), Some("aarch64")),
            (elf(2, [0, 22]), Some("s390x")),
            (elf(1, [255, 255]), None),
            (*b"#!/bin/sh\n##########", None),
        ];
        for (head, arch) in cases {
            assert_eq!(arch_of(&head), arch);
        }
    }

    #[test]
    fn what_is_no_root_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        assert!(RootFacts::read(root).is_err());
        std::fs::create_dir_all(root.join("usr/bin")).unwrap();
        std::os::unix::fs::symlink("/bin/sh", root.join("usr/bin/rpm")).unwrap();
        assert!(RootFacts::read(root).is_err(), "a link out of it");
        std::fs::remove_file(root.join("usr/bin/rpm")).unwrap();
        std::fs::write(root.join("usr/bin/rpm"), b"\x7fELF").unwrap();
        assert_eq!(RootFacts::read(root).unwrap().arch, None);
    }
}
