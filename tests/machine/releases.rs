//! What the machine gets to install: two releases of the sample, built by the tool.

use std::process::Command;

use anyhow::{Context, bail};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use tempfile::TempDir;

use super::command::run;

const RPM: &str = "quality_report-0.0.1-{release}.el9.x86_64.rpm";

/// File, text in release 1, text in release 2.
///
/// - The default configuration changes, so that an edited one meets a changed default.
/// - The code changes without a change of size, and both commits have the same time: byte-code of
///   release 1 would pass for that of release 2.
#[rustfmt::skip]
const CHANGES: [(&str, &str, &str); 4] = [
    ("dist/package.toml",                    "release = \"1\"",            "release = \"2\""),
    ("python-app/config.yaml",               "app_name:",                  "colour: \"blue\"\napp_name:"),
    ("python-app/src/app.py",                "\"no backend configured\"",  "\"no backend yet chosen\""),
    ("python-app/src/templates/report.html", "</body>",                    "<p>Second release</p></body>"),
];

/// What only the page of release 2 says: the changed code and the changed template.
pub const NEW_ON_THE_PAGE: [&str; 2] = ["no backend yet chosen", "Second release"];

/// Left out when the sample is copied: a developer's own files.
const NOT_COPIED: [&str; 4] = ["__pycache__", "build", "out", "wheels"];

/// Time of both commits, in seconds since 1970; the tool takes its timestamps from the commit.
const COMMIT_TIME: &str = "@1700000000 +0000";

/// A repository of its own with a copy of the sample.
#[derive(Debug)]
pub struct Releases {
    folder: TempDir,
}

impl Releases {
    /// Copies the sample (with the wheels that are there already) and commits it as release 1.
    pub fn check_out() -> anyhow::Result<Self> {
        let repository = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let releases = Self { folder: tempfile::Builder::new().prefix("releases-").tempdir()? };
        let copy = releases.dir()?;
        copy_tree(&repository.join("python-app"), &copy.join("python-app"))?;
        copy_tree(&repository.join("dist"), &copy.join("dist"))?;
        let wheels = repository.join("dist/wheels");
        if wheels.is_dir() {
            copy_tree(&wheels, &copy.join("dist/wheels"))?;
        }
        releases.git(&["init", "--quiet"])?;
        fs::write(copy.join(".git/info/exclude"), "/dist/wheels/\n/dist/out/\n/target/\n")?;
        releases.commit("release 1")?;
        Ok(releases)
    }

    /// Turns the copy into release 2 and commits that.
    pub fn change(&self) -> anyhow::Result<()> {
        for (path, old, new) in CHANGES {
            let path = self.dir()?.join(path);
            let text = fs::read_to_string(&path)?;
            if text.matches(old).count() != 1 {
                bail!("`{path}` does not hold `{old}` once\nhint: the sample changed; so must `CHANGES` in this test");
            }
            fs::write(&path, text.replace(old, new))?;
        }
        self.commit("release 2")
    }

    /// Builds the RPM of what is committed, and copies it to the folder `into`.
    pub fn build(&self, release: u32, into: &Utf8Path) -> anyhow::Result<Utf8PathBuf> {
        let tool = env!("CARGO_BIN_EXE_xtask");
        let copy = self.dir()?;
        run(Command::new(tool).arg("-C").arg(&copy).arg("rpm").current_dir(&copy))?.text()?;
        let name = RPM.replace("{release}", &release.to_string());
        let built = copy.join("dist/out").join(&name);
        if !built.is_file() {
            let found: Vec<_> = list(&copy.join("dist/out"))?;
            bail!("the tool wrote no `dist/out/{name}` but: {}", found.join(", "));
        }
        fs::create_dir_all(into)?;
        fs::copy(&built, into.join(&name))?;
        Ok(into.join(name))
    }

    fn dir(&self) -> anyhow::Result<Utf8PathBuf> {
        Utf8PathBuf::from_path_buf(self.folder.path().to_owned())
            .map_err(|path| anyhow::anyhow!("the temporary folder `{}` is not UTF-8", path.display()))
    }

    fn commit(&self, message: &str) -> anyhow::Result<()> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--no-verify", "--message", message])
    }

    /// Runs git as somebody, at a fixed time, and without this workstation's settings.
    fn git(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let mut command = Command::new("git");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "Install Test");
            command.env(format!("GIT_{who}_EMAIL"), "install-test@localhost");
            command.env(format!("GIT_{who}_DATE"), COMMIT_TIME);
        }
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        command.arg("-C").arg(self.dir()?).args(arguments);
        run(&mut command)?.text().map(drop)
    }
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
fn list(folder: &Utf8Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in folder.read_dir_utf8().with_context(|| format!("failed to list `{folder}`"))? {
        names.push(entry?.file_name().to_owned());
    }
    names.sort_unstable();
    Ok(names)
}
