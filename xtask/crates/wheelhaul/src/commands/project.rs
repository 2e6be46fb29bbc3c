//! The repository with its checked configuration: what every task but `ci` starts from.

use crate::commands::early::Around;
use crate::commands::steps::Steps;
use crate::commands::{required, unknown_target};
use wheelhaul_boxes::Target;
use wheelhaul_config::{App, Config, Mistakes, Probes};
use wheelhaul_pylock::Lock;

use crate::wheelhouse::Wheelhouse;
use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use std::io::Read as _;
use std::sync::OnceLock;
use wheelhaul_base::problem::Problem;
use wheelhaul_host::{Sys, with_lf};
use wheelhaul_lockfiles::{Application, LockFormat, LockSource, LockTexts, Pins, Selection, parse, texts_of};

/// A loaded repository.
#[derive(Debug)]
pub struct Project {
    /// the door
    pub sys: Sys,
    /// `dist/package.toml`
    pub config: Config,
    /// the targets that were chosen, in the order of the file
    pub targets: Vec<Target>,
    /// all targets of the file: one lock of the team serves them all
    pub every_target: Vec<Target>,
    /// whether the result is printed as JSON
    pub wants_json: bool,
    /// whether the digests of what is made are wanted; reading a large RPM once more takes a while
    pub wants_digests: bool,
    /// where the time goes
    pub steps: Steps,
    /// where what is made goes
    out: Utf8PathBuf,
    /// the team's lock
    pub(super) team_lock: TeamLock,
}

/// The team's lock, which is read once: a large one takes longer than all else that `lock --check` does.
#[derive(Debug, Default)]
pub struct TeamLock(OnceLock<(LockTexts, Pins)>);

impl TeamLock {
    /// Its texts, and the pins in it.
    pub fn read(&self, sys: &Sys, app: &App) -> anyhow::Result<&(LockTexts, Pins)> {
        match self.0.get() {
            Some(read) => Ok(read),
            None => {
                let read = pins_of(sys, app)?;
                Ok(self.0.get_or_init(|| read))
            }
        }
    }
}

impl Project {
    /// Reads `dist/package.toml`, and keeps the targets named in `wanted`; all, if it is empty.
    pub fn load(sys: &Sys, wanted: &[String], wants_json: bool) -> anyhow::Result<Self> {
        required::hold(&sys.root)?;
        let steps = Steps::new();
        let path = sys.root.join("dist/package.toml");
        let config = Config::read(&sys.read_text(&path)?).map_err(|mistakes| told(sys, *mistakes))?;
        let mut probes = Probes::new();
        for path in config.probes() {
            let text = sys.read_text(&sys.root.join(path)).map_err(|error| {
                Problem::around(
                    error,
                    format!("the probe `{path}` of `dist/package.toml` cannot be read"),
                    "`cargo xtask target --help` shows how it is made on the box",
                )
            })?;
            probes.insert(path.to_owned(), text);
        }
        let every_target = config.targets(&probes).context("failed to read `dist/package.toml`")?;
        let known: Vec<String> = every_target.iter().map(|target| target.name.clone()).collect();
        if let Some(name) = wanted.iter().find(|name| !known.contains(name)) {
            return Err(unknown_target(name, &known));
        }
        let is_wanted = |target: &&Target| wanted.is_empty() || wanted.contains(&target.name);
        let targets = every_target.iter().filter(is_wanted).cloned().collect();
        let out = sys.root.join("dist/out");
        Ok(Self {
            sys: sys.clone(),
            config,
            targets,
            every_target,
            wants_json,
            wants_digests: wants_json,
            steps,
            out,
            team_lock: TeamLock::default(),
        })
    }

    /// A repository whose `dist/package.toml` is not written yet; its targets are known boxes.
    pub fn of_text(sys: &Sys, text: &str) -> anyhow::Result<Self> {
        let config = Config::parse(text)?;
        let targets = config.targets(&Probes::new())?;
        let (every_target, out) = (targets.clone(), sys.root.join("dist/out"));
        let (sys, steps, team_lock) = (sys.clone(), Steps::new(), TeamLock::default());
        Ok(Self { sys, config, targets, every_target, wants_json: false, wants_digests: false, steps, out, team_lock })
    }

    /// `dist`
    pub fn dist(&self) -> Utf8PathBuf {
        self.sys.root.join("dist")
    }

    /// `dist/out`, or what was put in its place.
    pub fn out(&self) -> Utf8PathBuf {
        self.out.clone()
    }

    /// The same, but what is made goes into `folder`.
    pub fn making_into(self, folder: &Utf8Path) -> Self {
        Self { out: folder.to_owned(), ..self }
    }

    /// The same, with digests of what is made.
    pub fn with_digests(self) -> Self {
        Self { wants_digests: true, ..self }
    }

    /// Whether what is made goes elsewhere than into `dist/out`.
    pub fn makes_elsewhere(&self) -> bool {
        self.out != self.dist().join("out")
    }

    /// The application's folder.
    pub fn app(&self) -> Utf8PathBuf {
        self.sys.root.join(&self.config.app.path)
    }

    /// The wheelhouse beside the locks.
    pub fn wheelhouse(&self) -> Wheelhouse {
        Wheelhouse::beside(&self.dist())
    }

    /// Where a target's lock is.
    pub fn lock_path(&self, target: &Target) -> Utf8PathBuf {
        self.dist().join(Lock::file_name(&target.name))
    }

    /// A path as messages show it: relative to the repository, with `/`.
    pub fn shown(&self, path: &Utf8Path) -> String {
        path.strip_prefix(&self.sys.root).unwrap_or(path).as_str().replace('\\', "/")
    }

    /// What of the team's project goes on the box.
    pub fn selection(&self) -> Selection {
        Selection::of(&self.config.app)
    }

    /// The texts of the team's lock, and the pins in it.
    pub fn pins(&self) -> anyhow::Result<&(LockTexts, Pins)> {
        self.team_lock.read(&self.sys, &self.config.app)
    }
}

/// The mistakes of a `package.toml`, and what is wrong around it as far as it could be read.
fn told(sys: &Sys, mistakes: Mistakes) -> anyhow::Error {
    let probes = Probes::new();
    let targets: Vec<Target> = mistakes.targets.iter().filter_map(|table| table.target(&probes).ok()).collect();
    let around = Around {
        sys,
        app: mistakes.app.as_ref(),
        name: "",
        targets: &targets,
        service: mistakes.service.as_ref(),
        team_lock: &TeamLock::default(),
        lock_to_come: false,
    };
    let around = around.faults();
    let mut all = mistakes;
    all.faults.extend(around);
    anyhow::Error::from(all).context("failed to read `dist/package.toml`")
}

/// The texts of the team's lock, and the pins in it.
pub fn pins_of(sys: &Sys, app: &App) -> anyhow::Result<(LockTexts, Pins)> {
    let lock = &app.lock;
    LockFormat::of(lock).context("key `app.lock` of `dist/package.toml`")?;
    let texts = texts_of(lock, |path| text_of(sys, path, path == lock))?;
    let selection = Selection::of(app);
    let source = LockSource {
        lock,
        app: application(sys, app),
        texts: &texts,
        selection: &selection,
        variable: &|name| std::env::var(name).ok(),
    };
    let pins = parse(&source).with_context(|| format!("failed to read the lock `{lock}`"))?;
    Ok((texts, pins))
}

/// The application as entries of the team's lock can name it.
fn application<'a>(sys: &Sys, app: &'a App) -> Application<'a> {
    let read = |name: &str| sys.read_text(&sys.root.join(&app.path).join(name)).ok();
    let name = read("pyproject.toml").and_then(|text| Application::name_in_pyproject(&text));
    let name = name.or_else(|| Application::name_in_setup(&read("setup.cfg")?));
    let canonical = sys.root.canonicalize_utf8().ok();
    let checkouts = [Some(sys.root.clone()), canonical].into_iter().flatten().collect();
    Application { folder: &app.path, name, checkouts }
}

/// A text of the repository; none for a file that is not there and does not have to be.
fn text_of(sys: &Sys, path: &Utf8Path, must: bool) -> anyhow::Result<Option<String>> {
    let whole = sys.root.join(path);
    let read = || {
        let mut bytes = Vec::new();
        let opened = if must { Some(sys.open(&whole)?) } else { sys.open_if_there(&whole)? };
        let Some(mut file) = opened else { return Ok(None) };
        file.read_to_end(&mut bytes)?;
        // Line ends are the work tree's and not the lock's.
        decoded(bytes).map(with_lf).map(Some).with_context(|| format!("`{path}`"))
    };
    read().map_err(|error| {
        Problem::around(
            error,
            format!("the team's lock `{path}` cannot be read"),
            "lock the dependencies if it is not there; it is UTF-8 text, or UTF-16 with a byte order mark; or correct `app.lock` in `dist/package.toml`",
        )
    })
}

/// A text as locks are written: UTF-8, or UTF-16 with a byte order mark, as PowerShell's `>` writes it.
fn decoded(bytes: Vec<u8>) -> anyhow::Result<String> {
    let unit: fn([u8; 2]) -> u16 = match bytes.get(..2) {
        Some([0xff, 0xfe]) => u16::from_le_bytes,
        Some([0xfe, 0xff]) => u16::from_be_bytes,
        _ => return Ok(String::from_utf8(bytes)?),
    };
    ensure!(bytes.len().is_multiple_of(2), "it is UTF-16 that was cut short");
    let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    Ok(String::from_utf16(&units)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_decoded_by_their_mark() {
        let units: Vec<u16> = "a==1 # é\r\n".encode_utf16().collect();
        let little: Vec<u8> =
            [0xff, 0xfe].into_iter().chain(units.iter().flat_map(|unit| unit.to_le_bytes())).collect();
        let big: Vec<u8> = [0xfe, 0xff].into_iter().chain(units.iter().flat_map(|unit| unit.to_be_bytes())).collect();
        for bytes in [little.clone(), big, "a==1 # é\r\n".as_bytes().to_vec()] {
            assert_eq!(decoded(bytes).unwrap(), "a==1 # é\r\n");
        }
        assert!(decoded(little[..5].to_vec()).is_err());
        assert!(decoded(vec![0xff, 0xfe, 0, 0xd8]).is_err());
        assert!(decoded(vec![b'a', 0xe9]).is_err());
    }
}
