//! Small applications in repositories of their own, packed by the tool itself from wheels that were fetched once.

use crate::checkout::command::run;
use crate::checkout::{list, repository, tool_in};
use crate::installers::Tools;
use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use std::process::Command;
use std::sync::LazyLock;
use tempfile::TempDir;

/// What an application is made of.
#[derive(Debug, Clone)]
pub struct Application {
    /// of the package, and of its one Python package
    pub name: &'static str,
    /// its lock: pins
    pub requirements: Vec<&'static str>,
    /// `__init__.py`
    pub code: &'static str,
    /// lines of `[package]` beside the name
    pub package: &'static str,
    /// `[[target]]` and what belongs to it
    pub target: String,
    /// lines of `[service]`
    pub service: String,
    /// path below the application, content
    pub config: Vec<(&'static str, &'static str)>,
}

/// A repository with an RPM; it goes when it is dropped.
pub struct Built {
    _keep: TempDir,
    pub folder: Utf8PathBuf,
    pub rpm: Utf8PathBuf,
}

impl Application {
    /// Locks and packs it.
    ///
    /// - Takes: `wheels`, the folders that are its index; `adapt`, which may change the repository before.
    pub fn build(
        &self,
        tools: &Tools,
        wheels: &[Utf8PathBuf],
        adapt: impl FnOnce(&Utf8Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<Built> {
        let keep = tempfile::Builder::new().prefix("mutations-").tempdir()?;
        let folder = Utf8PathBuf::try_from(keep.path().canonicalize()?)?;
        self.write(&folder, wheels)?;
        adapt(&folder)?;
        for words in
            [&["init", "--quiet"][..], &["add", "--all"], &["commit", "--quiet", "--no-verify", "--message", "x"]]
        {
            let mut git = Command::new("git");
            git.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
            for who in ["AUTHOR", "COMMITTER"] {
                git.env(format!("GIT_{who}_NAME"), "Test").env(format!("GIT_{who}_EMAIL"), "test@localhost");
                git.env(format!("GIT_{who}_DATE"), "@1700000000 +0000");
            }
            run(git.args(words).current_dir(&folder))?.text()?;
        }
        for words in [&["lock"][..], &["rpm", "--offline", "--level", "1"]] {
            run(tools.first_on_path(&mut tool_in(&folder, words)))
                .and_then(|finished| finished.text())
                .with_context(|| format!("`{}`", self.name))?;
        }
        let out = folder.join("dist/out");
        let rpm = list(&out)?.into_iter().find(|name| name.ends_with(".rpm")).context("no RPM")?;
        Ok(Built { _keep: keep, rpm: out.join(rpm), folder })
    }

    fn write(&self, folder: &Utf8Path, wheels: &[Utf8PathBuf]) -> anyhow::Result<()> {
        let Self { name, package, target, service, .. } = self;
        let names: Vec<String> = wheels.iter().map(|folder| list(folder)).collect::<anyhow::Result<Vec<_>>>()?.concat();
        let setuptools = names
            .iter()
            .find_map(|name| Some(name.strip_prefix("setuptools-")?.split_once('-')?.0.to_owned()))
            .context("the build backend is among the wheels")?;
        let config: Vec<String> = self.config.iter().map(|(path, _)| format!("\"{path}\"")).collect();
        let config = config.join(", ");
        let toml = format!(
            "[package]\nname = \"{name}\"\nrelease = \"1\"\nlicense = \"MIT\"\n{package}\n\
             [app]\npath = \"app\"\nlock = \"app/requirements.txt\"\nconfig = [{config}]\n{target}\n[service]\n{service}\n"
        );
        let project = format!(
            "[build-system]\nrequires = [\"setuptools=={setuptools}\"]\nbuild-backend = \"setuptools.build_meta\"\n\
             [project]\nname = \"{name}\"\nversion = \"1\"\n[tool.setuptools]\npackages = [\"{name}\"]\n"
        );
        let mut files = vec![
            ("dist/package.toml".to_owned(), toml),
            ("app/pyproject.toml".to_owned(), project),
            (format!("app/{name}/__init__.py"), self.code.to_owned()),
            ("app/requirements.txt".to_owned(), self.requirements.join("\n") + "\n"),
            ("app/uv.toml".to_owned(), format!("no-index = true\nfind-links = {wheels:?}\n")),
            (".gitignore".to_owned(), "/dist/out/\n/dist/wheels/\n/target/\n".to_owned()),
        ];
        files.extend(self.config.iter().map(|(path, text)| (format!("app/{path}"), (*text).to_owned())));
        for (path, text) in files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().context("a file is in a folder")?)?;
            fs::write(path, text)?;
        }
        Ok(())
    }
}

/// The installers, and the folder of the wheels that all tests share; made ready once.
pub fn prepared() -> anyhow::Result<(&'static Tools, &'static Utf8Path)> {
    static PREPARED: LazyLock<Result<(Tools, Utf8PathBuf), String>> = LazyLock::new(|| {
        let prepare = || -> anyhow::Result<_> {
            let tools = Tools::prepare()?;
            let wheels = tools.fetch_wheels()?;
            Ok((tools, wheels))
        };
        prepare().map_err(|error| format!("{error:#}"))
    });
    let (tools, wheels) = PREPARED.as_ref().map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok((tools, wheels))
}

/// What `verify --format json` says of one RPM.
pub struct Verdict {
    /// `None` where a signal ended it
    pub code: Option<i32>,
    pub rpm: serde_json::Value,
    pub stderr: String,
}

impl Verdict {
    pub fn of(rpm: &Utf8Path, flags: &[&str]) -> anyhow::Result<Self> {
        let mut words = vec!["verify", "--format", "json"];
        words.extend(flags);
        words.push(rpm.as_str());
        let finished = run(&mut tool_in(&repository(), &words))?;
        let told: serde_json::Value =
            serde_json::from_str(&finished.stdout).with_context(|| format!("no JSON: {finished}"))?;
        ensure!(told["rpms"].as_array().is_some_and(|rpms| rpms.len() == 1), "it judged no RPM: {finished}");
        Ok(Self { code: finished.code, rpm: told["rpms"][0].clone(), stderr: finished.stderr })
    }

    /// Every finding, as the check's name and what it says; a check that was not made says why, and an RPM that
    /// cannot be read is found by `readable`.
    pub fn findings(&self) -> Vec<(String, String)> {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let mut found = Vec::new();
        if !self.rpm["unreadable"].is_null() {
            found.push(("readable".to_owned(), text(&self.rpm["unreadable"])));
        }
        for check in self.rpm["checks"].as_array().into_iter().flatten() {
            let name = text(&check["name"]);
            if check["result"] == "not made" {
                found.push((name.clone(), format!("not made: {}", text(&check["looked_at"]))));
            }
            for finding in check["findings"].as_array().into_iter().flatten() {
                let place = text(&finding["path"]);
                found.push((
                    name.clone(),
                    format!("{place}: {} [{}]", text(&finding["found"]), text(&finding["severity"])),
                ));
            }
        }
        found
    }
}
