//! The formats of locks: a row of [`FORMATS`] each, and a folder that reads it.

pub(crate) mod pdm;
pub(crate) mod pipenv;
pub(crate) mod poetry;
mod pylock;
pub(crate) mod requirements;
mod uv;

use crate::application::Application;
use crate::paths::beside;
use crate::pins::Pins;
use crate::selection::Selection;
use crate::source::{LockSource, LockTexts};
use camino::{Utf8Path, Utf8PathBuf};
use wheelhaul_base::problem::Problem;

/// A format of locks.
#[derive(Debug)]
pub struct LockFormat {
    /// the usual name of the file
    pub name: &'static str,
    /// which names the file may have, for people; empty: only the usual one
    names: &'static str,
    is_name: fn(&str) -> bool,
    /// the file beside the lock that says what the project asks for, where the format has one
    pub project_file: Option<&'static str>,
    /// the table of the project file that tells that the team uses the tool; empty: the file itself tells it
    pub table: &'static str,
    /// whether the project file says what is asked for in the tool's own words, and not in those of the standard
    pub has_own_words: bool,
    wanted: fn(&Utf8Path, &LockTexts) -> Vec<Utf8PathBuf>,
    parse: fn(&LockSource<'_>) -> anyhow::Result<Pins>,
    /// how it is made anew
    pub upgrade: LockUpgrade,
}

/// How a lock is made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockUpgrade {
    /// by the tool that it belongs to
    Tool(LockTool),
    /// uv resolves it for every target
    Resolve,
    /// several tools write it, and it does not say which one did
    Unknown,
}

/// A tool that teams lock with; none of them decides what is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockTool {
    /// the program
    pub program: &'static str,
    /// the arguments that make the whole lock anew
    pub upgrade: &'static [&'static str],
    /// the argument that adds a package to the project: `install`
    pub add: &'static str,
    /// variables that keep it to the project, and quiet
    pub environment: &'static [(&'static str, &'static str)],
}

/// Every format; where a folder has several locks, the earlier is the likelier one.
static FORMATS: &[LockFormat] = &[
    LockFormat {
        name: "uv.lock",
        names: "",
        is_name: |name| name == "uv.lock",
        project_file: Some("pyproject.toml"),
        table: "tool.uv",
        has_own_words: false,
        wanted: |lock, _| vec![beside(lock, "pyproject.toml")],
        parse: uv::parse,
        upgrade: LockUpgrade::Tool(LockTool {
            program: "uv",
            upgrade: &["lock", "--upgrade"],
            add: "add",
            environment: &[("UV_PYTHON_DOWNLOADS", "never")],
        }),
    },
    LockFormat {
        name: "poetry.lock",
        names: "",
        is_name: |name| name == "poetry.lock",
        project_file: Some("pyproject.toml"),
        table: "tool.poetry",
        has_own_words: true,
        wanted: |lock, _| vec![beside(lock, "pyproject.toml")],
        parse: poetry::parse,
        upgrade: LockUpgrade::Tool(LockTool {
            program: "poetry",
            upgrade: &["update", "--lock", "--no-interaction"],
            add: "add",
            environment: &[],
        }),
    },
    LockFormat {
        name: "pdm.lock",
        names: "",
        is_name: |name| name == "pdm.lock",
        project_file: Some("pyproject.toml"),
        table: "tool.pdm",
        has_own_words: false,
        wanted: |lock, _| vec![beside(lock, "pyproject.toml")],
        parse: pdm::parse,
        upgrade: LockUpgrade::Tool(LockTool {
            program: "pdm",
            upgrade: &["lock"],
            add: "add",
            // PDM may resolve by uv.
            environment: &[("UV_PYTHON_DOWNLOADS", "never")],
        }),
    },
    LockFormat {
        name: "Pipfile.lock",
        names: "",
        is_name: |name| name == "Pipfile.lock",
        project_file: Some("Pipfile"),
        table: "",
        has_own_words: true,
        wanted: |lock, _| vec![beside(lock, "Pipfile")],
        parse: pipenv::parse,
        upgrade: LockUpgrade::Tool(LockTool {
            program: "pipenv",
            upgrade: &["lock"],
            add: "install",
            // pipenv takes an active environment for the project's.
            environment: &[("PIPENV_IGNORE_VIRTUALENVS", "1"), ("PIPENV_NOSPIN", "1")],
        }),
    },
    LockFormat {
        name: "pylock.toml",
        names: "also as `pylock.NAME.toml`",
        is_name: pylock::is_name,
        project_file: None,
        table: "",
        has_own_words: false,
        wanted: |_, _| Vec::new(),
        parse: pylock::parse,
        upgrade: LockUpgrade::Unknown,
    },
    LockFormat {
        name: "requirements.txt",
        names: "with exact pins, also under other names that end in `.txt`",
        is_name: |name| Utf8Path::new(name).extension() == Some("txt"),
        project_file: None,
        table: "",
        has_own_words: false,
        wanted: requirements::wanted,
        parse: requirements::parse,
        upgrade: LockUpgrade::Resolve,
    },
];

impl LockFormat {
    /// Every format; where a folder has several locks, the earlier is the likelier one.
    pub fn all() -> &'static [Self] {
        FORMATS
    }

    /// The format that a lock's file name tells.
    ///
    /// # Errors
    /// If it tells none; the hint lists the known names.
    pub fn of(lock: &Utf8Path) -> anyhow::Result<&'static Self> {
        let name = lock.file_name().unwrap_or_default();
        let found = FORMATS.iter().find(|format| (format.is_name)(name));
        found.ok_or_else(|| {
            let known = FORMATS.iter().map(|format| match format.names {
                "" => format!("`{}`", format.name),
                names => format!("`{}` ({names})", format.name),
            });
            Problem::with_hint(
                format!("the format of the lock `{lock}` is not known"),
                format!("known locks: {}", known.collect::<Vec<_>>().join(", ")),
            )
        })
    }

    /// The tool that the format belongs to.
    pub fn tool(&self) -> Option<&LockTool> {
        match &self.upgrade {
            LockUpgrade::Tool(tool) => Some(tool),
            LockUpgrade::Resolve | LockUpgrade::Unknown => None,
        }
    }
}

/// The texts that reading a lock needs; `read` gives that of a file of the repository, or `None` if it is not there.
///
/// # Errors
/// If the lock's name tells no format, and what `read` fails with.
pub fn texts_of(
    lock: &Utf8Path,
    mut read: impl FnMut(&Utf8Path) -> anyhow::Result<Option<String>>,
) -> anyhow::Result<LockTexts> {
    let wanted = LockFormat::of(lock)?.wanted;
    all_texts(lock, wanted, &mut read)
}

/// The texts of a file in pip's requirements file format, whatever its name is, and of the files that it takes in.
///
/// # Errors
/// What `read` fails with.
pub fn texts_of_requirements(
    file: &Utf8Path,
    mut read: impl FnMut(&Utf8Path) -> anyhow::Result<Option<String>>,
) -> anyhow::Result<LockTexts> {
    all_texts(file, requirements::wanted, &mut read)
}

fn all_texts(
    lock: &Utf8Path,
    wanted_by: fn(&Utf8Path, &LockTexts) -> Vec<Utf8PathBuf>,
    read: &mut dyn FnMut(&Utf8Path) -> anyhow::Result<Option<String>>,
) -> anyhow::Result<LockTexts> {
    let mut texts = LockTexts::new();
    texts.insert(lock.to_owned(), read(lock)?);
    loop {
        // A file that was read may name others.
        let mut wanted = wanted_by(lock, &texts);
        wanted.retain(|path| !texts.contains_key(path));
        if wanted.is_empty() {
            return Ok(texts);
        }
        for path in wanted {
            let text = read(&path)?;
            texts.insert(path, text);
        }
    }
}

/// Reads a lock, by the format that its name tells.
///
/// # Errors
/// Names every entry that cannot be packed.
pub fn parse(source: &LockSource<'_>) -> anyhow::Result<Pins> {
    let mut pins = (LockFormat::of(source.lock)?.parse)(source)?;
    without_application(&mut pins, &source.app);
    pins.pins.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(pins)
}

/// Reads a lock that is one text, with the default selection; `lock` is its name.
///
/// # Errors
/// As [`parse`].
pub fn parse_text(lock: &str, text: &str) -> anyhow::Result<Pins> {
    let lock = Utf8Path::new(lock);
    let texts = LockTexts::from([(lock.to_owned(), Some(text.to_owned()))]);
    let selection = Selection::default();
    let app = Application::in_folder(Utf8Path::new("."));
    parse(&LockSource { lock, app, texts: &texts, selection: &selection, variable: &|_| None })
}

/// Takes out entries that are the application by their name, and what asks for it: it is packed anyway.
fn without_application(pins: &mut Pins, app: &Application<'_>) {
    let Pins { pins, roots, warnings, .. } = pins;
    pins.retain(|pin| {
        let is_own = app.is_named(&pin.name);
        // Of an index: `pip freeze` where a release of it was installed.
        if is_own && pin.obstacle.is_none() && pin.left_out.is_none() {
            warnings.push(format!(
                "{}: `{}=={}` is the application itself, which is built from its folder: this entry is passed over",
                pin.place, pin.name, pin.version
            ));
        }
        !is_own
    });
    roots.iter_mut().for_each(|roots| roots.retain(|need| !app.is_named(&need.name)));
    pins.iter_mut().for_each(|pin| pin.needs.retain(|need| !app.is_named(&need.name)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_lock_tells_its_format() {
        #[rustfmt::skip]
        let cases = [ // lock                  format
            ("app/uv.lock",                    "uv.lock"),
            ("poetry.lock",                    "poetry.lock"),
            ("pdm.lock",                       "pdm.lock"),
            ("Pipfile.lock",                   "Pipfile.lock"),
            ("pylock.toml",                    "pylock.toml"),
            ("pylock.shop.toml",               "pylock.toml"),
            ("pylock.a.b.toml",                ""),
            ("pylock..toml",                   ""),
            ("requirements/prod.txt",          "requirements.txt"),
            ("Pipfile",                        ""),
            ("my-uv.lock",                     ""),
        ];
        for (lock, format) in cases {
            let told = LockFormat::of(Utf8Path::new(lock)).map_or("", |format| format.name);
            assert_eq!(told, format, "{lock}");
        }
        for format in LockFormat::all() {
            assert_eq!(LockFormat::of(Utf8Path::new(format.name)).unwrap().name, format.name);
        }
    }
}
