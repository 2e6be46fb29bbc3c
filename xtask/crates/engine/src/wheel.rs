//! `cargo xtask wheel`: the application's own wheel, the same bytes on every host.

use crate::lacks::Lacks;
use crate::own_wheel;
use crate::own_wheel::OwnWheel;
use crate::report::MadeFile;
use crate::tools::backend::BuildSystem;
use crate::tools::client_hints::NO_SOLUTION;
use crate::tools::git;
use crate::tools::git::Tracked;
use crate::tools::uv::Uv;
use crate::wheelhouse::{only_wheel, open_wheel};
use crate::{Project, early, inputs};
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::io::{BufWriter, Write as _};
use std::str::FromStr as _;
use wheelhaul_base::hex::hex;
use wheelhaul_base::problem::{Problem, ProgramFailure, all_of};
use wheelhaul_host::{Bounds, Cache, Stop, sha256_of};
use wheelhaul_wheel::{Executables, WheelName, rewrite};

/// What `wheel` is asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Start no program that reaches the network: the build backend must be in `dist/wheels/tools`
    pub offline: bool,
}

/// The wheel that was built, or was up to date.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// the file
    pub wheel: MadeFile,
    /// what git tracks and the wheel lacks; relative to the application's folder
    pub lacks: Vec<String>,
}

/// What is drawn while it is built.
pub(crate) const BUILDING: &str = "building the application's wheel";

/// Stands for how a wheel is made here: a wheel on disk that was made otherwise is made again.
const RULES: &str = "2";

/// The application's wheel on disk.
#[derive(Debug, Clone)]
pub(crate) struct AppWheel {
    /// where it is
    pub path: Utf8PathBuf,
    /// its parsed name
    pub name: WheelName,
    /// lower-case hex
    pub sha256: String,
    /// the time of the commit, in seconds since 1970
    pub epoch: u32,
    /// what it lacks of the files that git tracks, as people are told of it
    pub lacks: Lacks,
    /// whether it was built now
    is_new: bool,
    /// why a build without a network could not make it
    trouble: Option<String>,
}

impl AppWheel {
    /// Says that it was built, where it was, and what a build without a network would lack.
    pub(crate) fn say(&self, project: &Project) {
        if self.is_new {
            project.sys.say(format!("built {}", project.shown(&self.path)));
        }
        self.lacks.warn(&project.sys);
        if let Some(trouble) = &self.trouble {
            project.sys.say(trouble);
        }
    }
}

/// The wheel that was made from some inputs.
#[derive(Serialize, Deserialize)]
struct Made {
    file: String,
    sha256: String,
}

/// The task.
pub(crate) fn run(project: &Project, _: &Options) -> anyhow::Result<Report> {
    inputs::refuse_incomplete(project)?;
    early::refuse(project, false)?;
    let epoch = git::epoch(git::head(&project.sys)?.as_ref())?;
    all_of("things are missing for a run without a network", missing(project, epoch)?)?;
    let spinner = project.sys.spinner(BUILDING);
    let wheel = build(project, epoch, &Stop::default())?;
    spinner.finish_and_clear();
    wheel.say(project);
    let size = fs_err::metadata(&wheel.path)?.len();
    let lacks = wheel.lacks.paths().into_iter().map(str::to_owned).collect();
    Ok(Report { wheel: MadeFile { path: project.shown(&wheel.path), size, sha256: wheel.sha256 }, lacks })
}

/// What a build without a network lacks; nothing where the wheel on disk is the right one, or `--offline` is not given.
pub(crate) fn missing(project: &Project, epoch: u32) -> anyhow::Result<Vec<anyhow::Error>> {
    let sys = &project.sys;
    // Without a build backend nothing is asked of anybody.
    let is_own = project.config.app.modules().is_some();
    if !sys.offline || is_own || Sources::read(project)?.built(project, epoch)?.is_some() {
        return Ok(Vec::new());
    }
    let backend = BuildSystem::of(sys, &project.app())?;
    let mut faults = Vec::from_iter(Uv::require(sys).err());
    if backend.kept(sys)?.is_none() {
        faults.push(Problem::with_hint(
            format!("`dist/wheels/tools` lacks the build backend of the application: {}", backend.in_words()),
            "run `cargo xtask wheel` where there is a network, and carry `dist/wheels` here",
        ));
    }
    Ok(faults)
}

/// Builds the wheel, unless the one on disk was made from the same files.
///
/// Draws and says nothing: it may run beside other work.
///
/// - Takes: `epoch`, the time of the commit, in seconds since 1970.
/// - Fails: soon after it is to `stop` as well.
pub(crate) fn build(project: &Project, epoch: u32, stop: &Stop) -> anyhow::Result<AppWheel> {
    let sys = &project.sys;
    let sources = Sources::read(project)?;
    let built = sources.built(project, epoch)?;
    if let Some(own) = &sources.own {
        return match built {
            Some(wheel) => {
                sys.detail(format!("`{}` is up to date", project.shown(&wheel.path)));
                Ok(wheel)
            }
            None => {
                let name = own.name()?;
                let path = project.out().join(name.to_string());
                sys.create(&path, |file| {
                    own.write(sys, &sources.app, epoch, BufWriter::new(file))?.flush().map_err(Into::into)
                })?;
                sources.made(project, epoch, name, path, None)
            }
        };
    }
    let backend = BuildSystem::of(sys, &sources.app)?;
    let kept = backend.kept(sys)?;
    if let Some(wheel) = built.as_ref().filter(|_| kept.is_some() || sys.offline) {
        sys.detail(format!("`{}` is up to date", project.shown(&wheel.path)));
        return Ok(wheel.clone());
    }
    let (_keep, scratch) = sys.scratch()?;
    let (source, into) = (scratch.join("source"), scratch.join("built"));
    sources.stage(&source)?;
    let (kept, trouble) = match kept {
        Some(kept) => (Some(kept), None),
        None => match backend.keep(sys, &source, &sources.app, stop) {
            Ok(kept) => (Some(kept), None),
            Err(error) => (None, Some(not_kept(&error))),
        },
    };
    if let Some(wheel) = built {
        return Ok(AppWheel { trouble, ..wheel });
    }
    Uv::find(sys)?.build_wheel(&source, &into, epoch, kept.as_ref(), stop).map_err(|error| {
        // What uv says where a package is in no folder that it was given.
        let lacks = kept.is_some() && ProgramFailure::says(&error, &[NO_SOLUTION]);
        let cure = if lacks {
            "the build backend asks for more than before: delete `dist/wheels/tools`, and run it again with a network"
        } else {
            ""
        };
        Problem::around(error, "failed to build the application's wheel", cure)
    })?;
    let name = only_wheel(&into)?;
    refuse_host_wheel(&name)?;
    let (fresh, _) = open_wheel(&into.join(name.to_string()), &name)?;
    let path = project.out().join(name.to_string());
    let executables = executables(&source, &sources.files)?;
    sys.create(&path, |file| rewrite(&fresh, epoch, &executables, BufWriter::new(file))?.flush().map_err(Into::into))?;
    sources.made(project, epoch, name, path, trouble)
}

/// Keeps the wheels of the build backend beside those of the lock, for a build without a network; what stands in the way
/// is said, and no reason to fail.
pub(crate) fn keep_backend(project: &Project) {
    let keep = || -> anyhow::Result<()> {
        let sys = &project.sys;
        let backend = BuildSystem::of(sys, &project.app())?;
        if backend.kept(sys)?.is_none() {
            let sources = Sources::read(project)?;
            let (_keep, scratch) = sys.scratch()?;
            sources.stage(&scratch.join("source"))?;
            backend.keep(sys, &scratch.join("source"), &sources.app, &Stop::default())?;
        }
        Ok(())
    };
    if project.config.app.modules().is_none()
        && own_wheel::check(&project.sys, &project.config.app).is_ok()
        && let Err(error) = keep()
    {
        project.sys.say(not_kept(&error));
    }
}

fn not_kept(error: &anyhow::Error) -> String {
    format!(
        "warning: `dist/wheels/tools` lacks the build backend, so that `--offline` cannot build the application: {error:#}"
    )
}

/// Which wheel was made from which inputs.
fn made_before(project: &Project) -> Cache {
    project.sys.repository_cache("app-wheels", Bounds::USUAL)
}

/// What the wheel is built from.
struct Sources {
    app: Utf8PathBuf,
    files: Vec<Tracked>,
    /// where no build backend builds it
    own: Option<OwnWheel>,
}

impl Sources {
    fn read(project: &Project) -> anyhow::Result<Self> {
        let app = project.app();
        project.sys.inside(&app)?;
        own_wheel::check(&project.sys, &project.config.app)?;
        let own = project.config.app.modules().map(|modules| OwnWheel::gather(project, &modules)).transpose()?;
        let files = match &own {
            Some(own) => own.files(),
            None => {
                let files = git::files(&project.sys, &app, inputs::skipped(project))?;
                ensure_known_project_file(&files, &project.config.app.path)?;
                files
            }
        };
        Ok(Self { app, files, own })
    }

    /// Notes what the wheel was made from, and sees what it lacks.
    fn made(
        &self,
        project: &Project,
        epoch: u32,
        name: WheelName,
        path: Utf8PathBuf,
        trouble: Option<String>,
    ) -> anyhow::Result<AppWheel> {
        let sha256 = sha256_of(&path)?;
        let made = Made { file: name.to_string(), sha256: sha256.clone() };
        made_before(project).keep(&project.sys, &self.digest(epoch)?, &made);
        let lacks = Lacks::find(project, &path, &name)?;
        Ok(AppWheel { path, name, sha256, epoch, lacks, is_new: true, trouble })
    }

    /// The wheel on disk, if it was made from the same files.
    fn built(&self, project: &Project, epoch: u32) -> anyhow::Result<Option<AppWheel>> {
        let Some(stamp) = made_before(project).read::<Made>(&self.digest(epoch)?) else { return Ok(None) };
        let path = project.out().join(&stamp.file);
        if !path.is_file() || sha256_of(&path)? != stamp.sha256 {
            return Ok(None);
        }
        let name = WheelName::from_str(&stamp.file)?;
        let lacks = Lacks::find(project, &path, &name)?;
        Ok(Some(AppWheel { name, path, sha256: stamp.sha256, epoch, lacks, is_new: false, trouble: None }))
    }

    fn digest(&self, epoch: u32) -> anyhow::Result<String> {
        let mut hasher = Sha256::new();
        hasher.update(RULES);
        hasher.update(epoch.to_be_bytes());
        let described = self.own.as_ref().map(OwnWheel::described).unwrap_or_default();
        hasher.update((described.len() as u64).to_be_bytes());
        hasher.update(described);
        for file in &self.files {
            hasher.update(file.path.as_str());
            hasher.update([0, u8::from(file.executable)]);
            hasher.update(match file.to_lf {
                true => hex(&Sha256::digest(file.read(&self.app)?)),
                false => sha256_of(&self.app.join(&file.path))?,
            });
        }
        Ok(hex(&hasher.finalize()))
    }

    /// Copies the files with permissions and line ends by rule: what the wheel records must not depend on the umask or
    /// on how git checks out.
    fn stage(&self, into: &Utf8Path) -> anyhow::Result<()> {
        for file in &self.files {
            let to = into.join(&file.path);
            fs_err::create_dir_all(to.parent().context("a file is in a folder")?)?;
            match file.to_lf {
                true => fs_err::write(&to, file.read(&self.app)?)?,
                false => drop(fs_err::copy(self.app.join(&file.path), &to)?),
            }
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                let mode = if file.executable { 0o755 } else { 0o644 };
                fs_err::set_permissions(&to, std::fs::Permissions::from_mode(mode))?;
            }
        }
        Ok(())
    }
}

/// What git does not know is not built from.
fn ensure_known_project_file(files: &[Tracked], shown: &Utf8Path) -> anyhow::Result<()> {
    if files.iter().any(|file| matches!(file.path.as_str(), "pyproject.toml" | "setup.py")) {
        return Ok(());
    }
    Err(Problem::with_hint(
        format!("git ignores the `pyproject.toml` of `{shown}`, and the wheel is built from what git knows"),
        "`cargo xtask lock` shows the lines for `.gitignore` that let git see it",
    ))
}

/// What git says is executable; an empty file is none, whose bytes tell nothing.
fn executables(source: &Utf8Path, files: &[Tracked]) -> anyhow::Result<Executables> {
    let mut executables = Executables::new();
    for file in files.iter().filter(|file| file.executable) {
        let staged = source.join(&file.path);
        if staged.metadata()?.len() > 0 {
            executables.insert((file.path.file_name().unwrap_or_default().to_owned(), sha256_of(&staged)?));
        }
    }
    Ok(executables)
}

fn refuse_host_wheel(name: &WheelName) -> anyhow::Result<()> {
    if name.tags().all(|tag| tag.platform == "any" && tag.abi == "none") {
        return Ok(());
    }
    Err(Problem::with_hint(
        format!("`{name}` is tagged for this host (`{}`), and the box may be another", name.tag_text()),
        "move the compiled code into a package of its own, publish its wheels for the box to your index, and lock it as a dependency",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_wheel_for_every_box_is_taken() {
        #[rustfmt::skip]
        let cases = [
            ("app-1-py3-none-any.whl",                     true),
            ("app-1-py2.py3-none-any.whl",                 true),
            ("app-1-cp311-cp311-linux_x86_64.whl",         false),
            ("app-1-cp311-abi3-manylinux_2_17_x86_64.whl", false),
            ("app-1-py3-none-win_amd64.whl",               false),
        ];
        for (name, taken) in cases {
            assert_eq!(refuse_host_wheel(&name.parse().unwrap()).is_ok(), taken, "{name}");
        }
    }
}
