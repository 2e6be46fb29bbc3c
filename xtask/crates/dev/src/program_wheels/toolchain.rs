//! Rust as it is installed here, and the standard library for platforms that it was not installed for.

use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use wheelhaul_base::problem::Problem;
use wheelhaul_host::{Program, Sys, on_path};

/// Where a toolchain has the standard library's sources.
const SOURCES: &str = "lib/rustlib/src/rust/library";
/// The suite of Debian that has `rust-src` of many releases; the host itself may be another.
const SUITE: &str = "trixie-backports";

/// A toolchain of Rust.
#[derive(Debug, Clone)]
pub(super) struct Toolchain {
    /// rustc's `sysroot`
    pub folder: Utf8PathBuf,
    /// `1.95.0`
    release: String,
}

impl Toolchain {
    /// The one that cargo uses in this repository.
    pub(super) fn find(sys: &Sys) -> anyhow::Result<Self> {
        let said = |word: &[&str]| -> anyhow::Result<String> {
            let rustc = Program::new("rustc").args(word.iter().copied());
            Ok(sys.run(&rustc).context("failed to ask rustc what it is")?.out)
        };
        let version = said(&["--version", "--verbose"])?;
        let release = version.lines().find_map(|line| line.strip_prefix("release: "));
        let release = release.context("`rustc --version --verbose` names no release")?.to_owned();
        Ok(Self { folder: Utf8PathBuf::from(said(&["--print", "sysroot"])?.trim()), release })
    }

    /// One of its programs.
    pub(super) fn program(&self, name: &str) -> Utf8PathBuf {
        self.folder.join("bin").join(name)
    }

    /// Whether it has the standard library for a platform, compiled.
    pub(super) fn has(&self, triple: &str) -> bool {
        self.folder.join("lib/rustlib").join(triple).join("lib").is_dir()
    }

    /// Whether it has the standard library's sources.
    fn has_sources(&self) -> bool {
        self.folder.join(SOURCES).join("Cargo.lock").is_file()
    }

    /// Whether the standard library's sources are there, or can be had.
    ///
    /// # Errors
    /// Says how to get the compiled library for `triple`, which is better.
    pub(super) fn check_sources(&self, triple: &str) -> anyhow::Result<()> {
        if self.has_sources() || ["apt-get", "apt-cache", "dpkg-deb", "tar"].iter().all(|name| on_path(name).is_some())
        {
            return Ok(());
        }
        Err(Problem::with_hint(
            format!("Rust {} has no standard library for `{triple}`, and no sources of it", self.release),
            format!("`rustup target add {triple}`, or `rustup component add rust-src`"),
        ))
    }

    /// A toolchain of the same release with the standard library's sources.
    ///
    /// Where this one has none, a copy of it by hard links below `target/xtask` gets those that Debian ships.
    pub(super) fn with_sources(&self, sys: &Sys) -> anyhow::Result<Self> {
        if self.has_sources() {
            return Ok(self.clone());
        }
        let copy = Self { folder: sys.workspace().join(format!("wheels/rust-{}", self.release)), ..self.clone() };
        if copy.has_sources() {
            return Ok(copy);
        }
        sys.say(format!("fetching the sources of Rust's standard library {} from Debian's {SUITE}", self.release));
        let (_keep, scratch) = sys.scratch()?;
        let sources = self.sources_of_debian(sys, &scratch).map_err(|error| {
            let hint = "with rustup they are one command away: `rustup component add rust-src`";
            Problem::around(error, "failed to get the sources of Rust's standard library", hint)
        })?;
        let fresh = scratch.join("toolchain");
        for folder in ["bin", "lib", "libexec", "share/doc/rust/licenses"] {
            link_tree(&self.folder.join(folder), &fresh.join(folder))?;
        }
        for file in LICENSES_OF_RUST {
            link_tree(&self.folder.join(file), &fresh.join(file))?;
        }
        let place = fresh.join(SOURCES);
        fs_err::create_dir_all(place.parent().context("it is in a folder")?)?;
        fs_err::rename(sources, place)?;
        fs_err::create_dir_all(copy.folder.parent().context("it is in a folder")?)?;
        fs_err::rename(&fresh, &copy.folder)?;
        Ok(copy)
    }

    /// The folder `library` of Debian's `rust-src` of this release, below `scratch`.
    fn sources_of_debian(&self, sys: &Sys, scratch: &Utf8Path) -> anyhow::Result<Utf8PathBuf> {
        // A configuration of its own: the host's lists of packages stay as they are.
        let list = scratch.join("sources.list");
        for folder in ["lists/partial", "cache/archives/partial"] {
            fs_err::create_dir_all(scratch.join(folder))?;
        }
        let apt = |program: &str, words: &[&str]| {
            let own = [
                format!("Dir::Etc::SourceList={list}"),
                "Dir::Etc::SourceParts=/dev/null".to_owned(),
                format!("Dir::State::Lists={scratch}/lists"),
                format!("Dir::Cache={scratch}/cache"),
                // The folder is private, and apt's own user is not let in.
                "APT::Sandbox::User=root".to_owned(),
            ];
            let own = own.iter().flat_map(|option| ["--option", option.as_str()]);
            sys.run(&Program::new(program).args(own.chain(words.iter().copied())).in_folder(scratch))
        };
        let archive = sys.run(&Program::new("apt-get").args([
            "indextargets",
            "--format",
            "$(REPO_URI)",
            "Origin: Debian",
            "Label: Debian",
        ]))?;
        let archive = archive.out.lines().next().context("apt on this machine names no Debian archive")?.to_owned();
        fs_err::write(&list, format!("deb {archive} {SUITE} main\n"))?;
        apt("apt-get", &["--quiet", "update"])?;
        let offered = apt("apt-cache", &["madison", "rust-src"])?.out;
        let version = newest_of(&offered, &self.release)
            .with_context(|| format!("{SUITE} has no `rust-src` of {}, only\n{}", self.release, offered.trim_end()))?;
        apt("apt-get", &["--quiet", "download", &format!("rust-src={version}")])?;
        // Of 46,000 files, 4,000 are wanted.
        let script = "dpkg-deb --fsys-tarfile rust-src_*.deb | tar -x \"./usr/src/rustc-$0/library\"";
        sys.run(&Program::new("sh").args(["-c", script, &self.release]).in_folder(scratch))?;
        let library = scratch.join(format!("usr/src/rustc-{}/library", self.release));
        ensure!(library.join("Cargo.lock").is_file(), "`rust-src` {version} has no `library/Cargo.lock`");
        Ok(library)
    }
}

/// Texts for what the standard library is made of, in a toolchain.
pub(super) const LICENSES_OF_RUST: [&str; 1] = ["share/doc/rust/COPYRIGHT-library.html"];

/// The version of a release among the lines of `apt-cache madison`, which are newest first.
fn newest_of(madison: &str, release: &str) -> Option<String> {
    madison
        .lines()
        .filter_map(|line| line.split('|').nth(1).map(str::trim))
        .find(|version| version.split(['+', '~', '-']).next() == Some(release))
        .map(str::to_owned)
}

/// Copies a file or folder by hard links, or byte for byte to another file system; what is not there is left out.
fn link_tree(from: &Utf8Path, to: &Utf8Path) -> anyhow::Result<()> {
    let Ok(there) = from.symlink_metadata() else { return Ok(()) };
    let parent = to.parent().context("a copy is in a folder")?;
    fs_err::create_dir_all(parent)?;
    if there.is_dir() {
        fs_err::create_dir_all(to)?;
        for entry in from.read_dir_utf8().with_context(|| format!("failed to list `{from}`"))? {
            let entry = entry?;
            link_tree(entry.path(), &to.join(entry.file_name()))?;
        }
    } else if fs_err::hard_link(from, to).is_err() {
        fs_err::copy(from, to)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sources_are_those_of_the_release() {
        let madison = " rust-src | 1.97.1+dfsg1-1~bpo13+1 | a main\n rust-src | 1.95.0+dfsg1-2~bpo13+1 | a main\n\
            rust-src | 1.95.0+dfsg1-1~bpo13+1 | a main\n";
        assert_eq!(newest_of(madison, "1.95.0").as_deref(), Some("1.95.0+dfsg1-2~bpo13+1"));
        assert_eq!(newest_of(madison, "1.9.0"), None);
        assert_eq!(newest_of("", "1.95.0"), None);
    }

    #[test]
    fn a_tree_is_copied_with_its_folders() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        fs_err::create_dir_all(folder.join("a/b")).unwrap();
        fs_err::write(folder.join("a/b/c"), "c").unwrap();
        link_tree(&folder.join("a"), &folder.join("z/a")).unwrap();
        assert_eq!(fs_err::read(folder.join("z/a/b/c")).unwrap(), b"c");
        link_tree(&folder.join("none"), &folder.join("z/none")).unwrap();
        assert!(!folder.join("z/none").exists());
    }
}
