//! What has to hold for every wheel that is built.

use crate::program_wheels::platform::Platform;
use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use memchr::memmem;
use wheelhaul_host::sha256_of;
use wheelhaul_wheel::elf::ElfFacts;
use wheelhaul_wheel::{Archive, Inflater};

/// A wheel that is as it should be.
#[derive(Debug)]
pub(super) struct Built {
    /// where it is
    pub path: Utf8PathBuf,
    /// in bytes
    pub size: u64,
    /// in lower-case hex
    pub sha256: String,
    /// the newest glibc whose symbols the program needs; none on Windows
    pub glibc: Option<(u16, u16)>,
}

impl Built {
    /// Looks into a wheel.
    ///
    /// # Errors
    /// Where a file in it names one of `folders`, or where the program, its licence or its crates' licences are not in it.
    pub(super) fn check(platform: &Platform, path: &Utf8Path, folders: &[Utf8PathBuf]) -> anyhow::Result<Self> {
        let wheel = fs_err::read(path)?;
        let size = wheel.len() as u64;
        let archive = Archive::open(wheel.as_slice(), size).with_context(|| format!("`{path}` is not a wheel"))?;
        let mut program = None;
        let mut licenses = 0;
        for (place, member) in archive.members().iter().enumerate() {
            let mut bytes = Vec::new();
            archive.unpack(place, &mut Inflater::default(), &mut |piece| {
                bytes.extend_from_slice(piece);
                Ok(())
            })?;
            for folder in folders {
                ensure!(
                    memmem::find(&bytes, folder.as_str().as_bytes()).is_none(),
                    "`{path}`: `{}` names the folder `{folder}` of this machine",
                    member.path
                );
            }
            let folder_and_name = member.path.rsplit_once('/').unwrap_or_default();
            match folder_and_name {
                (folder, "wheelhaul" | "wheelhaul.exe") if folder.ends_with(".data/scripts") => program = Some(bytes),
                (folder, "LICENSE") if folder.ends_with(".dist-info/licenses") => licenses += 1,
                (folder, "crates.txt" | "rust-COPYRIGHT-library.html")
                    if folder.ends_with(".dist-info/licenses/licenses-of-crates") =>
                {
                    licenses += 1;
                }
                _ => {}
            }
        }
        ensure!(
            licenses == 3,
            "`{path}` has {licenses} of three texts that it should have: LICENSE, and those of crates and Rust"
        );
        let program = program.with_context(|| format!("`{path}` has no program in it"))?;
        let glibc = match platform.compatibility {
            Some(_) => {
                let facts =
                    ElfFacts::read_bytes(&program).map_err(|why| anyhow::anyhow!("`{path}`: the program: {why}"))?;
                facts.glibc
            }
            None => {
                let is_for_windows = platform.triple.contains("windows");
                ensure!(
                    program.starts_with(b"MZ") == is_for_windows,
                    "`{path}`: the program is not for {}",
                    platform.name
                );
                None
            }
        };
        Ok(Self { path: path.to_owned(), size, sha256: sha256_of(path)?, glibc })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program_wheels::platform::PLATFORMS;
    use wheelhaul_host::{Program, Sys, Verbosity};

    /// Makes a wheel with these files, by Python's zipfile.
    fn wheel(folder: &Utf8Path, files: &[(&str, &str)]) -> Utf8PathBuf {
        let path = folder.join("wheelhaul-1-py3-none-win_amd64.whl");
        let script = "import sys, zipfile; zip = zipfile.ZipFile(sys.argv[1], 'w'); \
            [zip.writestr(sys.argv[n], sys.argv[n + 1]) for n in range(2, len(sys.argv), 2)]; zip.close()";
        let words = files.iter().flat_map(|(name, text)| [*name, *text]);
        let python = Program::new("python3").args(["-c", script, path.as_str()]).args(words);
        Sys { root: folder.to_owned(), verbosity: Verbosity::Quiet, offline: true }.run(&python).unwrap();
        path
    }

    #[test]
    fn what_is_not_fit_to_be_given_away_is_refused() {
        const PROGRAM: (&str, &str) = ("wheelhaul-1.data/scripts/wheelhaul.exe", "MZ /crates/a-1/lib.rs");
        const LICENSE: (&str, &str) = ("wheelhaul-1.dist-info/licenses/LICENSE", "MIT");
        const CRATES: (&str, &str) = ("wheelhaul-1.dist-info/licenses/licenses-of-crates/crates.txt", "a");
        const RUST: (&str, &str) =
            ("wheelhaul-1.dist-info/licenses/licenses-of-crates/rust-COPYRIGHT-library.html", "b");
        const LEAK: (&str, &str) = (PROGRAM.0, "MZ /home/me/.cargo/registry/src/a-1/lib.rs");
        #[rustfmt::skip]
        let cases: [(&[(&str, &str)], &str); 6] = [
            (&[PROGRAM, LICENSE, CRATES, RUST],              ""),
            (&[LEAK, LICENSE, CRATES, RUST],                 "names the folder `/home/me/.cargo` of this machine"),
            (&[PROGRAM, CRATES, RUST],                       "has 2 of three texts"),
            (&[PROGRAM, LICENSE, RUST],                      "has 2 of three texts"),
            (&[LICENSE, CRATES, RUST],                       "has no program in it"),
            (&[(PROGRAM.0, "\x7fELF"), LICENSE, CRATES, RUST], "the program is not for windows-x86_64"),
        ];
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let platform = PLATFORMS.iter().find(|platform| platform.tag == "win_amd64").unwrap();
        for (files, expected) in cases {
            let path = wheel(folder, files);
            let error = Built::check(platform, &path, &["/home/me/.cargo".into()])
                .map_or_else(|e| e.to_string(), |_| String::new());
            assert!(error.contains(expected) && error.is_empty() == expected.is_empty(), "{files:?}: {error}");
        }
    }
}
