//! `cargo xtask init`: sets this tool up in a repository, from what is there.

mod plan;
mod seen;

pub use crate::discover::Note;
use crate::discover::{Draft, Way, allowed, drafts, package_toml};
use crate::foreign::refuse_foreign;
use crate::tools::client_hints::NEWER_PYTHON;
use crate::tools::{git, git_repository};
use crate::{Project, fetch};
use anyhow::Context as _;
use camino::Utf8Path;
use plan::{Plan, What};
use serde::Serialize;
use wheelhaul_base::problem::{Problem, ProgramFailure};
use wheelhaul_boxes::Target;
use wheelhaul_config::{Build, Config};
use wheelhaul_host::{Sys, Verbosity, ask, can_ask, tell_lines, typed_name};
use wheelhaul_lockfiles::filter;
use wheelhaul_select::decide::decide;

/// What `init` is asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Ask nothing: take what was found
    pub yes: bool,
    /// Ask no index for the Python
    pub offline: bool,
    /// Write a `.pre-commit-config.yaml` where there is none
    pub hook: bool,
    /// Write this pipeline, where the repository has none yet
    pub ci: Option<CiService>,
    /// Write `xtask/` of a few lines and its alias, for `cargo xtask`
    pub cargo: bool,
    /// What that depends on: the folder of this tool's library, or `URL#TAG` of its git repository
    pub from: Option<String>,
}

/// Who runs pipelines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CiService {
    /// GitHub Actions
    Github,
    /// GitLab CI
    Gitlab,
}

/// What was written, and what is to be done next.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// files, each with what was done to it
    pub written: Vec<String>,
    /// files that are there already
    pub left: Vec<LeftFile>,
    /// what will go wrong otherwise
    pub notes: Vec<Note>,
    /// commands, in their order; none where the user did not want the files
    pub next: Vec<String>,
}

/// A file that was left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftFile {
    /// relative to the repository
    pub path: String,
    /// what to add to it; may be empty
    pub lines: String,
}

/// The task; `here` is the folder that it was started in, and `targets` are names of boxes.
pub(crate) fn run(
    here: &Utf8Path,
    verbosity: Verbosity,
    targets: &[String],
    options: &Options,
) -> anyhow::Result<Report> {
    let (sys, below) = place(here, verbosity, options.offline)?;
    refuse_foreign(&sys)?;
    let asks = !options.yes && can_ask();
    let typed = typed_name();
    let mut targets = if targets.is_empty() { vec!["el9-x86_64".to_owned()] } else { targets.to_vec() };
    if asks && targets == ["el9-x86_64"] {
        targets = vec![asked(&format!("which box is it for? `{typed} target` shows all"), &targets[0])?];
    }
    for target in &targets {
        Target::find(target, None, None)?;
    }
    let seen = seen::look(&sys, &below)?;
    let all = drafts(&seen);
    let mut draft = choose(&all, &sys, asks)?;
    if asks && !draft.is_served {
        let command = asked(
            "what is served? MODULE:OBJECT, such as shop.web:app",
            draft.command.last().map_or("", String::as_str),
        )?;
        draft.command = vec![draft.command[0].clone(), command];
        draft.notes.retain(|note| !note.what.starts_with("what is served"));
    }
    let python = python(&sys, &mut draft, &targets, options.offline)?;
    let text = package_toml(&draft, &targets, python.as_ref().map(|(version, why)| (version.as_str(), why.as_str())));
    Config::parse(&text).context("what was found makes no valid `dist/package.toml`")?;
    let way = if options.cargo || sys.root.join("xtask/Cargo.toml").is_file() { Way::Cargo } else { Way::Program };
    let plan = Plan::make(&sys, text, way, &What::of(options))?;
    if !options.yes {
        tell_lines(&plan.shown());
        if !asks {
            return Err(Problem::with_hint(
                "nothing was written: there is no terminal to ask on",
                "`--yes` writes what is shown",
            ));
        }
        if !asked("write these files?", "yes")?.to_lowercase().starts_with('y') {
            return Ok(Report::default());
        }
    }
    let done = plan.write(&sys)?;
    Ok(report(&sys, &draft, done))
}

/// The repository, and the folder in it that is asked about.
fn place(here: &Utf8Path, verbosity: Verbosity, offline: bool) -> anyhow::Result<(Sys, String)> {
    let here = here.canonicalize_utf8().with_context(|| format!("there is no folder `{here}`"))?;
    let sys = Sys { root: here.clone(), verbosity, offline };
    let top = git_repository::top(&sys).and_then(|top| top.canonicalize_utf8().ok()).unwrap_or_else(|| here.clone());
    // A second application of a repository has a configuration of its own, in its own folder.
    let is_taken = top != here && top.join("dist/package.toml").is_file();
    let root = if is_taken { here.clone() } else { top };
    let below = here.strip_prefix(&root).map(|below| below.as_str().replace('\\', "/")).unwrap_or_default();
    let below = if below.is_empty() { below } else { format!("{below}/") };
    Ok((Sys { root, verbosity, offline }, below))
}

fn choose(all: &[Draft], sys: &Sys, asks: bool) -> anyhow::Result<Draft> {
    let Some(first) = all.first() else {
        return Err(Problem::with_hint(
            format!("there is no Python application in `{}`", sys.root),
            "it is told by a module such as `app.py` with `app = Flask(…)`, a `pyproject.toml`, a `Pipfile`, a `manage.py` or a lock; \
             is this the right folder? `-C DIR` names another",
        ));
    };
    if all.len() == 1 {
        return Ok(first.clone());
    }
    let names: Vec<String> = all.iter().map(|draft| format!("`{}`", draft.path)).collect();
    let mut chosen = first.clone();
    if asks {
        let path = asked(&format!("there are several applications: {}; which one?", names.join(", ")), &first.path)?;
        let found = all.iter().find(|draft| draft.path == path.trim_end_matches('/'));
        chosen = found.with_context(|| format!("`{path}` is none of {}", names.join(", ")))?.clone();
    }
    let others: Vec<String> = names.into_iter().filter(|name| *name != format!("`{}`", chosen.path)).collect();
    chosen.notes.push(Note {
        what: format!("there are other applications: {}", others.join(", ")),
        cure: "each gets a configuration of its own: run `init` in its folder".to_owned(),
    });
    Ok(chosen)
}

/// The Python for the boxes, and why.
fn python(sys: &Sys, draft: &mut Draft, targets: &[String], offline: bool) -> anyhow::Result<Option<(String, String)>> {
    let typed = typed_name();
    let on_all = |version: &str| targets.iter().all(|target| Target::find(target, Some(version), None).is_ok());
    let candidates: Vec<Target> =
        allowed(&targets[0], &draft.pythons).into_iter().filter(|target| on_all(&target.python())).collect();
    if let Some(said) = &draft.python {
        let version = format!("{}.{}", said.version.0, said.version.1);
        if on_all(&version) {
            return Ok(Some((version, format!("{} names it", said.place))));
        }
        draft.notes.push(Note {
            what: format!("{} names Python {version}, which `{}` does not have", said.place, targets.join("`, `")),
            cure: "lock for the Python that `dist/package.toml` names, or choose another box".to_owned(),
        });
    }
    let Some(newest) = candidates.first() else {
        draft.notes.push(Note {
            what: format!("no Python of `{}` is one that the project and its lock allow", targets.join("`, `")),
            cure: format!("choose another box by `--target`, or lock for one of its Pythons (`{typed} target`)"),
        });
        return Ok(None);
    };
    if offline || !draft.lock.is_locked || candidates.len() == 1 {
        return Ok(Some((
            newest.python(),
            "the newest that the box has, and that the project and its lock allow".to_owned(),
        )));
    }
    match newest_with_files(sys, draft, &candidates) {
        Ok(Some(python)) => {
            Ok(Some((python, "the newest of the box that every locked package has a file for".to_owned())))
        }
        Ok(None) => {
            draft.notes.push(Note {
                what: "for no Python of the box every locked package has a file".to_owned(),
                cure: format!("`{typed} lock` names the packages, and the ways on"),
            });
            Ok(Some((newest.python(), "the newest that the box has".to_owned())))
        }
        Err(error) => {
            sys.detail(format!("{error:#}"));
            draft.notes.push(Note {
                what: "the index was not asked which Python every locked package has a file for".to_owned(),
                cure: format!(
                    "if `{typed} lock` finds none for {}, take an older `python` of the box",
                    newest.python()
                ),
            });
            Ok(Some((
                newest.python(),
                "the newest that the box has, and that the project and its lock allow".to_owned(),
            )))
        }
    }
}

/// Asks the index, for the newest Python first.
fn newest_with_files(sys: &Sys, draft: &Draft, candidates: &[Target]) -> anyhow::Result<Option<String>> {
    for target in candidates {
        let python = target.python();
        let text = package_toml(draft, std::slice::from_ref(&target.name), Some((&python, "")));
        let project = Project::of_text(sys, &text)?;
        let (_, pins) = project.pins()?;
        let spinner = sys.spinner(&format!("asking the index for Python {python}"));
        let filtered = filter(pins, target)?;
        let asked = fetch::ask(&project, pins, &[(target, filtered.kept.iter().map(|kept| kept.pin).collect())]);
        spinner.finish_and_clear();
        let offers = match asked {
            // A release that this Python is too old for; an older one will not do either.
            Err(error) if ProgramFailure::says(&error, &[NEWER_PYTHON]) => return Ok(None),
            other => other?,
        };
        if decide(&filtered, &offers, target, &Build::None).unfit.is_empty() {
            return Ok(Some(python));
        }
    }
    Ok(None)
}

/// Asks on the terminal; an empty answer is the one that is offered.
fn asked(question: &str, offered: &str) -> anyhow::Result<String> {
    let answer = ask(&format!("{question} [{offered}]")).context("failed to read the answer")?;
    Ok(if answer.is_empty() { offered.to_owned() } else { answer })
}

fn report(sys: &Sys, draft: &Draft, done: plan::Done) -> Report {
    let typed = typed_name();
    let mut notes: Vec<Note> = draft.notes.clone();
    let is_committed = git::head(sys).is_ok_and(|head| head.is_some());
    let mut next = Vec::new();
    if git_repository::top(sys).is_none() {
        next.push("git init".to_owned());
    }
    if !draft.lock.is_locked && draft.lock.fault.is_none() {
        next.push(format!("{typed} lock --upgrade"));
    }
    next.extend([
        "git add -A && git commit -m \"Pack as an RPM\"".to_owned(),
        format!("{typed} dist   # and commit `dist/pylock.*.toml`, which it writes"),
    ]);
    if !is_committed {
        notes.push(Note {
            what: "nothing is committed yet, and what is packed is what git knows".to_owned(),
            cure: format!("commit before `{typed} dist`"),
        });
    }
    Report { written: done.written, left: done.left, notes, next }
}
