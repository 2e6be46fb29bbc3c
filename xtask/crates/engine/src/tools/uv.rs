//! uv: the client of the index, and the builder of the application's wheel.

mod offers;

use crate::templates::BUILD_REQUIRES;
use crate::tools::backend_wheels::Kept;
use crate::tools::client_hints;
use crate::tools::python;
use crate::tools::uv::offers::read_offers;
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use pep440_rs::Version;
use std::str::FromStr;
use wheelhaul_base::problem::{Problem, ProgramFailure};
use wheelhaul_boxes::Target;
use wheelhaul_config::Build;
use wheelhaul_host::{Program, Stop, Sys, on_path};
use wheelhaul_lockfiles::{Pin, Selection};
use wheelhaul_select::decide::Question;
use wheelhaul_select::{Candidate, Offers};

/// The first uv whose `pip compile` writes `pylock.toml` with sizes and digests as it is read here.
const LEAST: (u32, u32) = (0, 9);

/// Files that uv reads in the folder where it is started, and in those above.
const SETTINGS: [&str; 4] = ["uv.toml", "pyproject.toml", ".python-version", ".python-versions"];

/// What is resolved.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sources<'a> {
    /// `pyproject.toml`, or a requirements file
    pub input: &'a Utf8Path,
    /// extras and groups of a `pyproject.toml`
    pub selection: &'a Selection,
    /// the packages of which an sdist will do
    pub build: &'a Build,
}

/// Where files are looked for.
#[derive(Debug)]
pub(crate) struct Index<'a> {
    /// the lowest version of the targets
    pub python: &'a str,
    /// whose uv configuration (an index, for one) is used
    pub folder: &'a Utf8Path,
    /// folders to look in as well
    pub links: Vec<Utf8PathBuf>,
    /// whether only those are looked in
    pub no_index: bool,
}

/// A found uv.
#[derive(Debug)]
pub struct Uv<'a> {
    sys: &'a Sys,
    program: Utf8PathBuf,
}

impl<'a> Uv<'a> {
    /// Takes uv from the PATH if it is new enough, else from the private environment.
    pub fn find(sys: &'a Sys) -> anyhow::Result<Self> {
        if let Some(program) = Self::of_host(sys)? {
            return Ok(Self { sys, program });
        }
        Ok(Self { sys, program: python::private_environment(sys, &python::UV)?.join("uv") })
    }

    /// Refuses what [`Self::find`] could not have without a network.
    pub(crate) fn require(sys: &Sys) -> anyhow::Result<()> {
        match Self::of_host(sys)? {
            Some(_) => Ok(()),
            None => python::require(sys, &python::UV).map_err(|error| {
                Problem::around(
                    error,
                    "there is no uv, which builds the application's wheel",
                    "or put uv 0.9 or newer on the PATH",
                )
            }),
        }
    }

    fn of_host(sys: &Sys) -> anyhow::Result<Option<Utf8PathBuf>> {
        let Some(program) = on_path("uv") else { return Ok(None) };
        let printed = sys.run(&Program::new(&program).args(["--version"]))?.out;
        if python::is_at_least(&printed, LEAST) {
            return Ok(Some(program));
        }
        sys.detail(format!("`{program}` is too old ({}): a private one is used", printed.trim()));
        Ok(None)
    }

    /// Starts uv, or what starts it, in a folder whose settings it takes.
    ///
    /// A missing Python is never fetched: this tool needs none of a particular version, and not that of the environment
    /// which is active.
    fn command(&self, program: Program, folder: &Utf8Path) -> anyhow::Result<Program> {
        check_settings(self.sys, folder)?;
        let program = program.env("UV_PYTHON_DOWNLOADS", "never").without("VIRTUAL_ENV").without("CONDA_PREFIX");
        Ok(program.in_folder(folder))
    }

    /// Where it is.
    pub fn program(&self) -> &Utf8Path {
        &self.program
    }

    /// Asks the index, in one call, for every file of every pin.
    ///
    /// - Fails: where the index lacks a pin, with uv's words.
    pub(crate) fn offers(&self, questions: &[Question], index: &Index<'_>) -> anyhow::Result<Offers> {
        let (_keep, scratch) = self.sys.scratch()?;
        let input = scratch.join("pins.txt");
        let lines: String = questions
            .iter()
            .map(|question| {
                let marker = if question.marker.is_empty() { String::new() } else { format!(" ; {}", question.marker) };
                // `==2.0` would take `2.0+cpu` too, and uv then tells of that alone.
                let operator = if question.takes_local { "==" } else { "===" };
                format!("{}{operator}{}{marker}\n", question.name, question.version)
            })
            .collect();
        self.sys.write(&input, lines.as_bytes())?;
        let spinner = self.sys.spinner("asking the index");
        let words = ["pip", "compile", "--quiet", "--universal", "--no-deps", "--no-header", "--format", "pylock.toml"];
        let command = self
            .command(Program::new(&self.program), index.folder)?
            .args(words)
            .args(["--python-version", index.python, input.as_str()])
            .args(index.links.iter().flat_map(|folder| ["--find-links", folder.as_str()]))
            .args(index.no_index.then_some("--no-index"));
        let said = self.sys.run(&command).map_err(|error| {
            let hint = client_hints::for_uv(ProgramFailure::of(&error).map_or("", |failure| &failure.said));
            Problem::around(error, "uv could not get the files of the pins from the index", hint)
        })?;
        spinner.finish_and_clear();
        let offers = read_offers(&said.out).context("failed to read what uv wrote")?;
        let answer = |q: &Question| offers.range((q.name.clone(), q.version.clone())..).next().map(|(key, _)| key);
        let is_answered = |q: &Question, version: &Version| {
            *version == q.version || q.takes_local && version.clone().without_local() == q.version
        };
        let is_left_out =
            |q: &&Question| !answer(q).is_some_and(|(name, version)| *name == q.name && is_answered(q, version));
        let left_out: Vec<String> =
            questions.iter().filter(is_left_out).map(|q| format!("`{}=={}`", q.name, q.version)).collect();
        if !left_out.is_empty() {
            return Err(Problem::with_hint(
                format!("uv was asked for {} and did not answer", left_out.join(", ")),
                "does its configuration (uv.toml, `[tool.uv]`, UV_…) override, exclude or not emit them? only that of the index is wanted here",
            ));
        }
        Ok(offers)
    }

    /// Resolves requirements for one target, with wheels that fit it.
    ///
    /// - Gives: pinned requirements with hashes.
    /// - Fails: with uv's words where there is no solution.
    pub(crate) fn resolve(&self, sources: &Sources<'_>, target: &Target, folder: &Utf8Path) -> anyhow::Result<String> {
        let platform =
            platform_of(target).with_context(|| format!("uv knows no platform like {}", target.in_words()))?;
        let words =
            ["pip", "compile", "--quiet", "--no-header", "--no-annotate", "--generate-hashes", "--python-version"];
        let mut command = self.command(Program::new(&self.program), folder)?.args(words).args([
            &target.python_full.to_string(),
            "--python-platform",
            &platform,
        ]);
        match sources.build {
            Build::All => {}
            Build::None => command = command.args(["--only-binary", ":all:"]),
            Build::Only(names) => {
                let sources = names.iter().flat_map(|name| ["--no-binary".to_owned(), name.to_string()]);
                command = command.args(["--only-binary", ":all:"]).args(sources);
            }
        }
        if sources.input.file_name() == Some("pyproject.toml") {
            command = command
                .args(sources.selection.extras.iter().flat_map(|extra| ["--extra".to_owned(), extra.to_string()]));
            let groups = sources.selection.groups.iter();
            command =
                command.args(groups.flat_map(|group| ["--group".to_owned(), format!("{}:{group}", sources.input)]));
        }
        let _spinner = self.sys.spinner(&format!("resolving for {}", target.name));
        let said = self.sys.run(&command.args([sources.input.as_str()])).map_err(|error| {
            Problem::around(
                error,
                format!("uv found no set of releases with wheels for {}", target.in_words()),
                "loosen what is required; or let an sdist be built: `[sdist] build = [\"NAME\"]` in `dist/package.toml`",
            )
        })?;
        Ok(said.out)
    }

    /// The release nearest to a pin, newer ones first, of which some wheel may fit the target; asked for errors
    /// only, so whatever goes wrong is no answer.
    pub(crate) fn nearest_release(&self, pin: &Pin, target: &Target, folder: &Utf8Path) -> Option<Version> {
        let platform = platform_of(target)?;
        let (_keep, scratch) = self.sys.scratch().ok()?;
        let input = scratch.join("pin.txt");
        for (sign, order) in [('>', "lowest"), ('<', "highest")] {
            self.sys.write(&input, format!("{}{sign}{}\n", pin.name, pin.version).as_bytes()).ok()?;
            let words =
                ["pip", "compile", "--quiet", "--no-deps", "--no-header", "--no-annotate", "--only-binary", ":all:"];
            let command = self
                .command(Program::new(&self.program), folder)
                .ok()?
                .args(words)
                .args(["--resolution", order, "--python-platform", &platform])
                .args(["--python-version", &target.python_full.to_string(), input.as_str()]);
            let found = self.sys.run(&command).ok().and_then(|said| {
                let (_, version) = said.out.lines().find_map(|line| line.split_once("=="))?;
                Version::from_str(version.split([' ', ';']).next()?).ok()
            });
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// The interpreter that uv builds a project with.
    pub(crate) fn python(&self, source: &Utf8Path) -> anyhow::Result<String> {
        let ask = |words: &[&str]| {
            let command = self.command(Program::new(&self.program), source)?.args(["python", "find"]);
            let said = self.sys.run(&command.args(words.iter().copied()))?;
            anyhow::Ok(said.out.trim().to_owned())
        };
        // uv takes the first that the project allows: where an old one's environment is active, one without a current
        // build backend.
        let version = ask(&["--show-version"])?;
        match python::is_at_least(&format!("python {version}"), (3, 8)) {
            true => ask(&[]),
            false => Ok(python::newest(self.sys)?.into_string()),
        }
    }

    /// Resolves requirements of this host, and gives a wheel for each package: one for every host, where there is one.
    ///
    /// - Takes: `folder`, whose uv configuration is used.
    pub(crate) fn wheels_for(
        &self,
        requires: &[String],
        python: &str,
        folder: &Utf8Path,
    ) -> anyhow::Result<Vec<Candidate>> {
        if requires.is_empty() {
            return Ok(Vec::new());
        }
        let (_keep, scratch) = self.sys.scratch()?;
        let input = scratch.join("requires.txt");
        self.sys.write(&input, (requires.join("\n") + "\n").as_bytes())?;
        let words = ["pip", "compile", "--quiet", "--no-header", "--only-binary", ":all:", "--format", "pylock.toml"];
        let command =
            self.command(Program::new(&self.program), folder)?.args(words).args(["--python", python, input.as_str()]);
        let said = self.sys.run(&command).context("uv could not resolve the build backend to wheels")?;
        let mut files = Vec::new();
        for ((name, _), offer) in read_offers(&said.out).context("failed to read what uv wrote")? {
            let is_for_all = |file: &&Candidate| file.name.tags().any(|tag| tag.platform == "any");
            let chosen = offer.wheels.iter().find(is_for_all).or(offer.wheels.first());
            files.push(chosen.with_context(|| format!("`{name}` comes from no index"))?.clone());
        }
        Ok(files)
    }

    /// What a build backend asks for beside its own requirements.
    ///
    /// - Takes: `system`, its table as JSON; `kept`, its wheels.
    pub(crate) fn asks_for(
        &self,
        system: &str,
        source: &Utf8Path,
        kept: &Kept,
        python: &str,
        stop: &Stop,
    ) -> anyhow::Result<Vec<String>> {
        let (_keep, scratch) = self.sys.scratch()?;
        let (script, into) = (scratch.join("build_requires.py"), scratch.join("requires.json"));
        self.sys.write(&script, BUILD_REQUIRES.as_bytes())?;
        let command = self
            .command(Program::new(&self.program), source)?
            .args(["run", "--quiet", "--isolated", "--no-project", "--offline", "--no-index", "--python", python])
            .args(["--find-links", &kept.url(), "--with-requirements", &kept.list_beside(source)?])
            .args(["python", "-B", script.as_str(), system, into.as_str()]);
        self.sys.run(&command.until(stop)).context("the build backend does not say what it needs")?;
        Ok(serde_json::from_slice(&fs_err::read(&into)?)?)
    }

    /// Builds a wheel from a source tree, under a umask that every host can have.
    ///
    /// Build backends record the permissions of files that they write, and so the caller's umask.
    ///
    /// - Takes: `kept`, the wheels of the build backend; without, uv asks the index for them.
    /// - Fails: soon after it is to `stop` as well.
    pub(crate) fn build_wheel(
        &self,
        source: &Utf8Path,
        into: &Utf8Path,
        epoch: u32,
        kept: Option<&Kept>,
        stop: &Stop,
    ) -> anyhow::Result<()> {
        // Not quiet: uv would keep what the build backend says of its failure to itself.
        let mut words = ["build", "--wheel", "--out-dir", into.as_str(), source.as_str()].map(str::to_owned).to_vec();
        words.extend(["--python".to_owned(), self.python(source)?]);
        if let Some(kept) = kept {
            words.extend(["--offline", "--no-index", "--require-hashes"].map(str::to_owned));
            words.extend(["--find-links".to_owned(), kept.url()]);
            words.extend(["--build-constraints".to_owned(), kept.list_beside(source)?]);
        }
        let command = if cfg!(unix) {
            Program::new("sh").args(["-c", "umask 022 && exec \"$@\"", "sh", self.program.as_str()])
        } else {
            Program::new(&self.program)
        };
        let command = self.command(command, source)?.args(words).env("SOURCE_DATE_EPOCH", epoch.to_string());
        self.sys.run(&command.until(stop))?;
        Ok(())
    }
}

/// The platform of a target in uv's words: of the glibcs that it knows, the newest that the box has.
pub(crate) fn platform_of(target: &Target) -> Option<String> {
    const KNOWN: [u16; 12] = [17, 28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40];
    let (major, minor) = target.distribution.glibc;
    let known = KNOWN.iter().rev().find(|known| major == 2 && **known <= minor)?;
    Some(format!("{}-manylinux_2_{known}", target.arch))
}

/// Refuses files of the repository that uv would read by itself, and hang on or show a line of.
fn check_settings(sys: &Sys, folder: &Utf8Path) -> anyhow::Result<()> {
    for folder in folder.ancestors().take_while(|folder| folder.starts_with(&sys.root)) {
        for name in SETTINGS.iter().filter(|name| folder.join(name).exists()) {
            sys.open(&folder.join(name)).with_context(|| format!("uv would read `{name}`"))?;
        }
    }
    Ok(())
}
