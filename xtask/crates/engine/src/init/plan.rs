//! What `init` writes: new files, lines that are added, and files that are left as they are.

use crate::discover::{Way, cargo_files, ignore_lines, pipelines, taken_back, with_hook};
use crate::init::{CiService, LeftFile, Options};
use crate::tools::git_repository;
use wheelhaul_host::Sys;

/// What is asked for beside the configuration.
pub(super) struct What {
    hook: bool,
    service: Option<CiService>,
    /// whether the small `xtask` is, and where it takes this tool from
    cargo: Option<Option<String>>,
}

impl What {
    pub(super) fn of(options: &Options) -> Self {
        Self { hook: options.hook, service: options.ci, cargo: options.cargo.then(|| options.from.clone()) }
    }
}

/// A file that is written.
struct Planned {
    path: String,
    text: String,
    /// the lines that a file gets which is there; empty for a new one
    added: String,
}

/// All that is written.
pub(super) struct Plan {
    files: Vec<Planned>,
    /// files that are left, with the lines to add
    left: Vec<LeftFile>,
}

/// What was written.
pub(super) struct Done {
    pub written: Vec<String>,
    pub left: Vec<LeftFile>,
}

impl Plan {
    /// Plans; reads what is there, and writes nothing.
    pub(super) fn make(sys: &Sys, package_toml: String, way: Way, what: &What) -> anyhow::Result<Self> {
        let mut plan = Self { files: Vec::new(), left: Vec::new() };
        plan.add_new(sys, "dist/package.toml", package_toml, |_| String::new());
        plan.add_ignore_lines(sys)?;
        plan.add_hook(sys, way, what.hook)?;
        let is_github = sys.root.join(".github/workflows").is_dir();
        let is_gitlab = sys.root.join(".gitlab-ci.yml").is_file();
        let services = [(CiService::Github, is_github), (CiService::Gitlab, is_gitlab)];
        for ((path, text), (service, is_used)) in pipelines(way).into_iter().zip(services) {
            if what.service.map_or(is_used, |asked| asked == service) {
                plan.add_new(sys, path, text, str::to_owned);
            }
        }
        if let Some(from) = &what.cargo {
            for (path, text) in cargo_files(from.as_deref()) {
                plan.add_new(sys, path, text, |text| match path {
                    "Cargo.toml" => "members = [\"xtask\"]   # under [workspace]".to_owned(),
                    _ => text.to_owned(),
                });
            }
        }
        Ok(plan)
    }

    /// A new file, or one that is left with the lines to add.
    fn add_new(&mut self, sys: &Sys, path: &str, text: String, lines: impl Fn(&str) -> String) {
        match sys.root.join(path).symlink_metadata() {
            Err(_) => self.files.push(Planned { path: path.to_owned(), text, added: String::new() }),
            Ok(_) if sys.read_text(&sys.root.join(path)).is_ok_and(|there| there == text) => {}
            Ok(_) => self.leave(path, lines(&text)),
        }
    }

    fn leave(&mut self, path: &str, lines: String) {
        self.left.push(LeftFile { path: path.to_owned(), lines });
    }

    fn add_ignore_lines(&mut self, sys: &Sys) -> anyhow::Result<()> {
        let path = sys.root.join(".gitignore");
        let lines = ignore_lines();
        if path.is_symlink() {
            self.leave(".gitignore", lines.to_owned());
            return Ok(());
        }
        let there = if path.is_file() { sys.read_text(&path)? } else { String::new() };
        if there.contains("!/dist/pylock.*.toml") {
            return Ok(());
        }
        let end = if there.is_empty() || there.ends_with('\n') { "" } else { "\n" };
        let gap = if there.is_empty() { "" } else { "\n" };
        let added = if there.is_empty() { String::new() } else { lines.to_owned() };
        self.files.push(Planned { path: ".gitignore".to_owned(), text: format!("{there}{end}{gap}{lines}"), added });
        Ok(())
    }

    fn add_hook(&mut self, sys: &Sys, way: Way, is_asked: bool) -> anyhow::Result<()> {
        const PATH: &str = ".pre-commit-config.yaml";
        let path = sys.root.join(PATH);
        if !path.is_file() && !is_asked {
            return Ok(());
        }
        let there = if path.is_file() { Some(sys.read_text(&path)?) } else { None };
        // A rename would put a file in the place of a link.
        let planned = if path.is_symlink() {
            Err(with_hook(None, way).unwrap_or_default())
        } else {
            with_hook(there.as_deref(), way)
        };
        match planned {
            Ok(text) if Some(&text) == there.as_ref() => {}
            Ok(text) => {
                let added = there.map(|there| {
                    let known: Vec<&str> = there.lines().collect();
                    text.lines().filter(|line| !known.contains(line)).map(|line| format!("{line}\n")).collect()
                });
                self.files.push(Planned { path: PATH.to_owned(), text, added: added.unwrap_or_default() });
            }
            Err(lines) => self.leave(PATH, lines),
        }
        Ok(())
    }

    /// The plan, for the person who is asked.
    pub(super) fn shown(&self) -> String {
        let shown = |file: &Planned| {
            let (what, text) = if file.added.is_empty() { ("", &file.text) } else { (" (added)", &file.added) };
            format!("── {}{what}\n{text}", file.path)
        };
        let left = self.left.iter().map(|left| format!("── {} is left as it is\n", left.path));
        self.files.iter().map(shown).chain(left).collect()
    }

    /// Writes it, and takes back what git would still ignore.
    pub(super) fn write(self, sys: &Sys) -> anyhow::Result<Done> {
        let mut written = Vec::new();
        for file in &self.files {
            sys.write(&sys.root.join(&file.path), file.text.as_bytes())?;
            written.push(if file.added.is_empty() {
                file.path.clone()
            } else {
                format!("{} (lines added)", file.path)
            });
        }
        let ignored =
            self.files.iter().filter(|file| git_repository::ignored_by(sys, &sys.root.join(&file.path)).is_some());
        let lines: Vec<String> = ignored.flat_map(|file| taken_back(&file.path)).collect();
        let path = sys.root.join(".gitignore");
        if !lines.is_empty() && !path.is_symlink() {
            let text = format!("{}{}\n", sys.read_text(&path)?, lines.join("\n"));
            sys.write(&path, text.as_bytes())?;
        }
        Ok(Done { written, left: self.left })
    }
}
