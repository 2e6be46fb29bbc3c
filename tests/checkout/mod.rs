//! A copy of the sample in a repository of its own, and the tool that is run in it.

pub mod command;
#[allow(dead_code, reason = "for the tests that make a Debian root")]
pub mod debian;
pub mod home;
#[allow(dead_code, reason = "for the tests that look into an RPM's files")]
pub mod unpack;

use std::process::Command;
use std::sync::Mutex;

use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};
use command::run;
use fs_err as fs;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use wheelhaul_base::hex::hex;

/// Left out when the sample is copied: a developer's own files.
const NOT_COPIED: [&str; 4] = ["__pycache__", "build", "out", "wheels"];

/// Time of every commit, in seconds since 1970; the tool takes its timestamps from the commit.
const COMMIT_TIME: &str = "@1700000000 +0000";

/// The repository that these tests stand in.
pub fn repository() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The tool, to be run in a folder, at home where the tests are, with the time of the commit and not of the caller's
/// environment.
pub fn tool_in(folder: &Utf8Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_started"));
    command.args(words).current_dir(folder).env_remove("SOURCE_DATE_EPOCH");
    home::in_test_home(&mut command);
    command
}

/// A copy of the sample, committed, with the wheels that are there already.
#[derive(Debug)]
pub struct Checkout {
    folder: TempDir,
}

/// The sample's own box, and one that the machines of the tests come near to: Debian 12 has CPython 3.11.
const BOXES: [(&str, &str); 2] = [
    (
        "name = \"el10-x86_64\"         # its own Python, 3.12, lives as long as the box does\n",
        "pylock.el10-x86_64.toml",
    ),
    ("name = \"el9-x86_64\"\npython = \"3.11\"              # default: the box's own\n", "pylock.el9-x86_64.toml"),
];

impl Checkout {
    /// The sample as a package for el9 with Python 3.11, in a new folder whose name starts with `name`, committed.
    pub fn new(name: &str) -> anyhow::Result<Self> {
        let checkout = Self::copied(name)?;
        let dist = checkout.dir()?.join("dist");
        let [(own, own_lock), (debian, lock)] = BOXES;
        let text = fs::read_to_string(dist.join("package.toml"))?;
        anyhow::ensure!(text.contains(own), "the sample's box is another one: {text}");
        fs::write(dist.join("package.toml"), text.replace(own, debian))?;
        fs::remove_file(dist.join(own_lock))?;
        fs::copy(repository().join("tests/checkout").join(lock), dist.join(lock))?;
        checkout.commit("release 1")?;
        checkout.take_kept_wheels()?;
        Ok(checkout)
    }

    /// Copies the wheels that an earlier test has fetched; the first one fetches them for all.
    fn take_kept_wheels(&self) -> anyhow::Result<()> {
        static FETCHING: Mutex<()> = Mutex::new(());
        let _fetching = FETCHING.lock().expect("no test panics here");
        let lock = fs::read_to_string(repository().join("tests/checkout").join(BOXES[1].1))?;
        let digest = hex(&Sha256::digest(lock));
        let kept = repository().join("target/xtask").join(format!("test-wheels-{}", &digest[..12]));
        let wheels = self.dir()?.join("dist/wheels");
        if !kept.is_dir() {
            run(&mut tool_in(&self.dir()?, &["rpm", "--quiet"]))?.text()?;
            let part = tempfile::tempdir_in(kept.parent().expect("it is in a folder"))?;
            let whole = Utf8Path::from_path(part.path()).context("the build folder is UTF-8")?.join("wheels");
            copy_tree(&wheels, &whole)?;
            // Another program of tests may have been faster.
            let _ = fs::rename(&whole, &kept);
            for made in ["dist/out", "target"] {
                let _ = fs::remove_dir_all(self.dir()?.join(made));
            }
            return borrow_tools(&self.dir()?);
        }
        copy_tree(&kept, &wheels)
    }

    /// The sample as it is.
    #[allow(dead_code, reason = "for the tests of the sample itself")]
    pub fn of_sample(name: &str) -> anyhow::Result<Self> {
        let checkout = Self::copied(name)?;
        checkout.commit("release 1")?;
        Ok(checkout)
    }

    /// Copies `python-app` and `dist` into a new repository.
    fn copied(name: &str) -> anyhow::Result<Self> {
        let checkout = Self { folder: tempfile::Builder::new().prefix(name).tempdir()? };
        let copy = checkout.dir()?;
        for folder in ["python-app", "dist"] {
            copy_tree(&repository().join(folder), &copy.join(folder))?;
        }
        let wheels = repository().join("dist/wheels");
        if wheels.is_dir() {
            copy_tree(&wheels, &copy.join("dist/wheels"))?;
        }
        borrow_tools(&copy)?;
        git(&checkout.dir()?, &["init", "--quiet"])?;
        fs::write(copy.join(".git/info/exclude"), "/dist/wheels/\n/dist/out/\n/dist/rpmbuild/\n/target/\n")?;
        Ok(checkout)
    }

    /// A clone of it, checked out by git with settings of its own, such as `core.autocrlf=true`.
    #[allow(dead_code, reason = "for the tests of other hosts")]
    pub fn cloned(&self, name: &str, settings: &[&str]) -> anyhow::Result<Self> {
        let clone = Self { folder: tempfile::Builder::new().prefix(name).tempdir()? };
        let mut words: Vec<String> = vec!["clone".to_owned(), "--quiet".to_owned()];
        words.extend(settings.iter().flat_map(|setting| ["--config".to_owned(), (*setting).to_owned()]));
        words.extend([".".to_owned(), clone.dir()?.into_string()]);
        git(&self.dir()?, &words.iter().map(String::as_str).collect::<Vec<_>>())?;
        fs::copy(self.dir()?.join(".git/info/exclude"), clone.dir()?.join(".git/info/exclude"))?;
        let wheels = self.dir()?.join("dist/wheels");
        if wheels.is_dir() {
            copy_tree(&wheels, &clone.dir()?.join("dist/wheels"))?;
        }
        borrow_tools(&clone.dir()?)?;
        Ok(clone)
    }

    /// The copy's folder.
    pub fn dir(&self) -> anyhow::Result<Utf8PathBuf> {
        Utf8PathBuf::from_path_buf(self.folder.path().to_owned())
            .map_err(|path| anyhow::anyhow!("the temporary folder `{}` is not UTF-8", path.display()))
    }

    /// Asks for an RPM that does not depend on which Pythons this host has, and commits that.
    #[allow(dead_code, reason = "for the tests that compare bytes or lists of files")]
    pub fn without_byte_code(&self) -> anyhow::Result<()> {
        let path = self.dir()?.join("dist/package.toml");
        let text = fs::read_to_string(&path)?;
        fs::write(&path, text.replacen("[package]\n", "[package]\nbyte-code = false\n", 1))?;
        self.commit("without byte-code")
    }

    /// Commits everything.
    pub fn commit(&self, message: &str) -> anyhow::Result<()> {
        git(&self.dir()?, &["add", "--all"])?;
        git(&self.dir()?, &["commit", "--quiet", "--no-verify", "--message", message])
    }
}

/// Lets a copy use the private uv and pip of the repository, where those were put already.
pub fn borrow_tools(copy: &Utf8Path) -> anyhow::Result<()> {
    let (from, to) = (repository().canonicalize_utf8()?.join("target/xtask"), copy.join("target/xtask"));
    fs::create_dir_all(&to)?;
    let names = if from.is_dir() { list(&from)? } else { Vec::new() };
    for name in names.iter().filter(|name| name.starts_with("tools-")) {
        fs::os::unix::fs::symlink(from.join(name), to.join(name))?;
    }
    Ok(())
}

/// Runs git in a folder as somebody, at a fixed time, and without this workstation's settings.
pub fn git(folder: &Utf8Path, arguments: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new("git");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "Sample Test");
        command.env(format!("GIT_{who}_EMAIL"), "sample-test@localhost");
        command.env(format!("GIT_{who}_DATE"), COMMIT_TIME);
    }
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    run(command.arg("-C").arg(folder).args(arguments))?.text().map(drop)
}

/// Copies a folder with its modes, without hidden files and [`NOT_COPIED`].
fn copy_tree(from: &Utf8Path, to: &Utf8Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for name in list(from)? {
        let (source, target) = (from.join(&name), to.join(&name));
        if name.starts_with('.') || NOT_COPIED.contains(&name.as_str()) {
            continue;
        } else if source.is_dir() {
            copy_tree(&source, &target)?;
        } else {
            fs::copy(&source, &target)?;
        }
    }
    Ok(())
}

/// The names in a folder, sorted.
pub fn list(folder: &Utf8Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in folder.read_dir_utf8().with_context(|| format!("failed to list `{folder}`"))? {
        names.push(entry?.file_name().to_owned());
    }
    names.sort_unstable();
    Ok(names)
}
