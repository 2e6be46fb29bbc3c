//! What the machines get to install: three releases of the sample and two of a neighbour, built by the tool
//! for every machine.

use std::sync::OnceLock;

use anyhow::{Context, anyhow, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::suites::{SUITES, Suite};
use crate::checkout::command::run;
use crate::checkout::{Checkout, list, repository, tool_in};

/// File, text in release 1, text in release 2.
///
/// - The default configuration changes, so that an edited one meets a changed default.
/// - The code changes without a change of size, and both commits have the same time: byte-code of
///   release 1 would pass for that of release 2.
#[rustfmt::skip]
const SECOND: [(&str, &str, &str); 4] = [
    ("dist/package.toml",                    "release = \"1\"",            "release = \"2\""),
    ("python-app/config.yaml",               "app_name:",                  "colour: \"blue\"\napp_name:"),
    ("python-app/src/app.py",                "\"no backend configured\"",  "\"no backend yet chosen\""),
    ("python-app/src/templates/report.html", "</body>",                    "<p>Second release</p></body>"),
];
/// The same for release 3.
#[rustfmt::skip]
const THIRD: [(&str, &str, &str); 2] = [
    ("dist/package.toml",                    "release = \"2\"",            "release = \"3\""),
    ("python-app/config.yaml",               "colour: \"blue\"",           "colour: \"green\""),
];

/// What only the page of release 2 says: the changed code and the changed template.
pub const NEW_ON_THE_PAGE: [&str; 2] = ["no backend yet chosen", "Second release"];

/// A second application, below another prefix: no more than a server, one that tells systemd nothing, and one function.
const NEIGHBOUR_PROJECT: &str = "[build-system]\nrequires = [\"setuptools==80.9.0\"]\nbuild-backend = \"setuptools.build_meta\"\n\
    [project]\nname = \"neighbour\"\nversion = \"1.0\"\ndescription = \"Another application\"\nlicense = \"MIT\"\n\
    requires-python = \">=3.9\"\ndependencies = [\"waitress>=3.0\"]\n\
    [tool.setuptools]\npackages = [\"neighbour\"]\n";
const NEIGHBOUR_CODE: &str = "def app(environ, start_response):\n    \
    start_response(\"200 OK\", [(\"Content-Type\", \"text/plain\")])\n    return [b\"neighbour, release 1\"]\n";
const NEIGHBOUR_PACKAGE: &str = "[package]\nname = \"neighbour\"\nrelease = \"1\"\nprefix = \"/srv/company\"\n\
    [app]\npath = \"python-app\"\nlock = \"python-app/requirements.txt\"\n\n[[target]]\n\
    [service]\ncommand = [\"waitress-serve\", \"neighbour:app\"]\nport = 9092\ntls = \"off\"\n";
const NEIGHBOUR_SECOND: [(&str, &str, &str); 2] = [
    ("dist/package.toml", "release = \"1\"", "release = \"2\""),
    ("python-app/neighbour/__init__.py", "release 1", "release 2"),
];

/// The RPMs, in a folder that machines see as /mnt.
#[derive(Debug)]
pub struct Releases {
    share: Utf8PathBuf,
}

impl Releases {
    /// Builds them, once for all the tests of this process.
    ///
    /// - Keeps: the RPMs below `target/xtask/test-releases` until the next run.
    /// - Network: uv asks the index for releases that fit every machine's Python; pip fetches what is not kept.
    pub fn build() -> anyhow::Result<&'static Self> {
        static BUILT: OnceLock<Result<Releases, String>> = OnceLock::new();
        BUILT
            .get_or_init(|| Self::build_all().map_err(|error| format!("{error:#}")))
            .as_ref()
            .map_err(|e| anyhow!("{e}"))
    }

    fn build_all() -> anyhow::Result<Self> {
        let folder = repository().canonicalize_utf8()?.join("target/xtask/test-releases");
        fs::create_dir_all(&folder)?;
        // machines of another run may see theirs; those of runs that ended go
        for name in list(&folder)? {
            let ended = name.strip_prefix("share-").is_some_and(|pid| !Utf8Path::new("/proc").join(pid).exists());
            if ended {
                fs::remove_dir_all(folder.join(name))?;
            }
        }
        let releases = Self { share: folder.join(format!("share-{}", std::process::id())) };
        fs::create_dir(&releases.share)?;

        let sample = Copy::new("sample-")?;
        for (release, changes) in [(1, &[][..]), (2, &SECOND), (3, &THIRD)] {
            sample.change(changes)?;
            sample.build(&releases, "quality_report", release)?;
        }
        let neighbour = Copy::neighbour()?;
        for (release, changes) in [(1, &[][..]), (2, &NEIGHBOUR_SECOND)] {
            neighbour.change(changes)?;
            neighbour.build(&releases, "neighbour", release)?;
        }
        Ok(releases)
    }

    /// The folder for [`super::Machine::boot`].
    pub fn share(&self) -> &Utf8Path {
        &self.share
    }

    /// Where a machine finds one.
    pub fn inside(name: &str, suite: &Suite, release: u32) -> String {
        format!("/mnt/{}", file_name(name, suite, release))
    }
}

fn file_name(name: &str, suite: &Suite, release: u32) -> String {
    let version = if name == "neighbour" { "1.0.0" } else { "0.0.1" };
    format!("{name}-{version}-{release}.{}.x86_64.rpm", suite.tag)
}

/// A copy of the sample, or of what stands in for it, locked for every machine.
struct Copy(Checkout);

impl Copy {
    fn new(prefix: &str) -> anyhow::Result<Self> {
        let copy = Self(Checkout::new(prefix)?);
        let dir = copy.0.dir()?;
        fs::remove_file(dir.join("python-app/Pipfile.lock"))?;
        let config = fs::read_to_string(dir.join("dist/package.toml"))?;
        copy.lock(&config.replace("Pipfile.lock", "requirements.txt"))?;
        Ok(copy)
    }

    fn neighbour() -> anyhow::Result<Self> {
        let copy = Self(Checkout::new("neighbour-")?);
        let app = copy.0.dir()?.join("python-app");
        fs::remove_dir_all(&app)?;
        fs::create_dir_all(app.join("neighbour"))?;
        fs::write(app.join("pyproject.toml"), NEIGHBOUR_PROJECT)?;
        fs::write(app.join("neighbour/__init__.py"), NEIGHBOUR_CODE)?;
        copy.lock(NEIGHBOUR_PACKAGE)?;
        Ok(copy)
    }

    /// Puts the machines in the place of the targets of `config`, and lets the tool lock for them.
    fn lock(&self, config: &str) -> anyhow::Result<()> {
        let dir = self.0.dir()?;
        let (before, rest) = config.split_once("[[target]]").context("the configuration names no target")?;
        let (_, after) = rest.split_once("[service]").context("the configuration has no service after its targets")?;
        fs::write(dir.join("dist/package.toml"), format!("{before}{}[service]{after}", Suite::targets()))?;
        for entry in fs::read_dir(dir.join("dist"))? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with("pylock.") {
                fs::remove_file(entry.path())?;
            }
        }
        fs::write(dir.join(".git/info/exclude"), "/dist/wheels\n/dist/out/\n/target/\n")?;
        run(&mut tool_in(&dir, &["lock", "--upgrade"]))?.text()?;
        self.0.commit("locked for every machine")
    }

    /// Turns the copy into the next release and commits that.
    fn change(&self, changes: &[(&str, &str, &str)]) -> anyhow::Result<()> {
        for (path, old, new) in changes {
            let path = self.0.dir()?.join(path);
            let text = fs::read_to_string(&path)?;
            if text.matches(old).count() != 1 {
                bail!(
                    "`{path}` does not hold `{old}` once\nhint: the sample changed; so must the changes in this test"
                );
            }
            fs::write(&path, text.replace(old, new))?;
        }
        if changes.is_empty() { Ok(()) } else { self.0.commit("next release") }
    }

    /// Builds the RPMs of what is committed into the folder that machines see.
    fn build(&self, releases: &Releases, name: &str, release: u32) -> anyhow::Result<()> {
        let dir = self.0.dir()?;
        let said = run(&mut tool_in(&dir, &["rpm"]))?;
        let warned = said.stderr.contains("warning:");
        ensure!(said.succeeded() && !warned, "{said}");
        for suite in &SUITES {
            let file = file_name(name, suite, release);
            fs::copy(dir.join("dist/out").join(&file), releases.share.join(&file))?;
        }
        Ok(())
    }
}
