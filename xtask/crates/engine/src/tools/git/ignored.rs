//! Which inputs git ignores, and the lines that end it: `git add --all` passes over an ignored file without a word, and
//! the next clone lacks it.

use super::differing::{repository_of, slashed};
use super::git;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_host::Sys;

/// Inputs that git ignores.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ignored {
    /// relative to the root of the project, sorted
    pub paths: Vec<String>,
    /// what to add at the end of which ignore file, the outermost first; files are relative to the root of the project
    /// where they are below it
    pub cure: Vec<(Utf8PathBuf, Vec<String>)>,
}

impl std::fmt::Display for Ignored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let paths: Vec<String> = self.paths.iter().map(|path| format!("`{path}`")).collect();
        write!(f, "git ignores {}: a clone of the repository would not have them", paths.join(", "))?;
        for (file, lines) in &self.cure {
            write!(f, "\nadd these lines at the end of `{file}`:")?;
            lines.iter().try_for_each(|line| write!(f, "\n  {line}"))?;
        }
        write!(f, "\nthen run `git add` on them, and commit")
    }
}

/// Which of `paths`, relative to the root of the project, git ignores and does not know; none where it ignores none, and
/// where there is no git or no repository.
///
/// - Takes: `app`, the application's folder: where git ignores all of it, that is told and not one file of it. A package
///   of Python in it that git ignores is told as well, such as one that is called `lib`.
pub(crate) fn ignored(sys: &Sys, app: &Utf8Path, paths: &[Utf8PathBuf]) -> Option<Ignored> {
    let mut repositories: BTreeMap<Utf8PathBuf, Vec<&Utf8Path>> = BTreeMap::new();
    let of_app = repository_of(&sys.root, app);
    repositories.entry(of_app.clone()).or_default();
    for path in paths {
        repositories.entry(repository_of(&sys.root, path)).or_default().push(path);
    }
    let mut found = Ignored { paths: Vec::new(), cure: Vec::new() };
    for (repository, paths) in repositories {
        let start = sys.root.join(&repository);
        // Nothing is started where no repository is.
        let Some(top) = start.ancestors().find(|folder| folder.join(".git").exists()) else { continue };
        let below: Vec<String> =
            paths.iter().filter_map(|path| sys.root.join(path).strip_prefix(top).ok().map(slashed)).collect();
        let list = |more: &[&str], paths: &[String]| {
            let words = ["--literal-pathspecs", "ls-files", "-z", "--others", "--ignored", "--exclude-standard"];
            let words = git(&words).args(more.iter().copied()).args(["--"]).args(paths).in_folder(top);
            let said = sys.run(&words).map(|said| said.out).unwrap_or_default();
            said.split_terminator('\0').map(str::to_owned).collect::<BTreeSet<String>>()
        };
        // Without a path it would list all that is ignored.
        let mut of_top = if below.is_empty() { BTreeSet::new() } else { list(&[], &below) };
        let is_ignored = |folder: &str| {
            // Asked without the index: a file that git knows does not open its folder for others.
            let words = ["check-ignore", "--quiet", "--no-index", "--", folder];
            sys.end(&git(&words).in_folder(top)).is_ok_and(|ended| ended.succeeded())
        };
        let app = if app == "." { sys.root.clone() } else { sys.root.join(app) };
        let app = app.strip_prefix(top).map(|app| format!("{}/", slashed(app))).unwrap_or_default();
        if repository == of_app {
            // A folder of build litter has no such file at its top, and neither has a virtual environment.
            let is_package = |path: &String| path.ends_with('/') && top.join(path).join("__init__.py").is_file();
            let place = if app == "/" { ".".to_owned() } else { app.clone() };
            of_top.extend(list(&["--directory"], &[place]).into_iter().filter(is_package));
        }
        if app != "/" && of_top.iter().any(|path| path.starts_with(&app)) && is_ignored(&app) {
            of_top.retain(|path| !path.starts_with(&app));
            of_top.insert(app);
        }
        let shown = |path: &str| slashed(top.join(path).strip_prefix(&sys.root).unwrap_or(&top.join(path)));
        found.paths.extend(of_top.iter().map(|path| shown(path)));
        let has_own = |folder: &str| top.join(folder).join(".gitignore").is_file();
        let cure = cure(of_top.iter().map(String::as_str), &is_ignored, &has_own);
        found
            .cure
            .extend(cure.into_iter().map(|(folder, lines)| (shown(&format!("{folder}.gitignore")).into(), lines)));
    }
    found.paths.sort();
    (!found.paths.is_empty()).then_some(found)
}

/// The lines for each ignore file that let git see files again; `""` and `dist/` are folders of such files.
///
/// Git looks at nothing below an ignored folder: so each of them is let in, and all in it kept out, before what is wanted
/// is let in (gitignore(5): "It is not possible to re-include a file if a parent directory of that file is excluded").
/// An ignore file further in decides before those further out, so each on the way gets lines.
///
/// - Takes: `paths` with `/`, relative to the top of the repository, of files, or of folders with `/` at the end, which
///   are let in as a whole; `is_ignored`, whether git ignores a folder, and
///   `has_own`, whether it has an ignore file.
fn cure<'a>(
    paths: impl Iterator<Item = &'a str>,
    is_ignored: &dyn Fn(&str) -> bool,
    has_own: &dyn Fn(&str) -> bool,
) -> Vec<(String, Vec<String>)> {
    let mut cures: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut known: BTreeMap<String, bool> = BTreeMap::new();
    for path in paths {
        let ends = path.match_indices('/').map(|(at, _)| at + 1);
        let folders: Vec<&str> = ends.filter(|end| *end < path.len()).map(|end| &path[..end]).collect();
        for home in std::iter::once("").chain(folders.iter().copied().filter(|folder| has_own(folder))) {
            let lines = cures.entry(home.to_owned()).or_default();
            let mut add = |line: String| {
                if !lines.contains(&line) {
                    lines.push(line);
                }
            };
            for folder in folders.iter().filter(|folder| folder.len() > home.len()) {
                if *known.entry((*folder).to_owned()).or_insert_with(|| is_ignored(folder)) {
                    let folder = escaped(&folder[home.len()..]);
                    add(format!("!/{folder}"));
                    add(format!("/{folder}*"));
                }
            }
            add(format!("!/{}", any_lock(&escaped(&path[home.len()..]))));
        }
    }
    cures.into_iter().collect()
}

/// The line for the lock of one target is one for those of all: there may be more of them tomorrow.
fn any_lock(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    match name.starts_with("pylock.") && name.ends_with(".toml") && name != "pylock.toml" {
        true => format!("{folder}{}pylock.*.toml", if folder.is_empty() { "" } else { "/" }),
        false => path.to_owned(),
    }
}

/// A path as a pattern that matches nothing else (gitignore(5), "PATTERN FORMAT").
fn escaped(path: &str) -> String {
    let is_special = |c: char| matches!(c, '*' | '?' | '[' | '\\');
    let mut pattern = String::new();
    for c in path.chars() {
        pattern.extend(is_special(c).then_some('\\'));
        pattern.push(c);
    }
    // Git drops blanks at the end of a line.
    match pattern.strip_suffix(' ') {
        Some(front) => format!("{front}\\ "),
        None => pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ignored_folder_is_opened_before_what_is_in_it() {
        let ignored = ["dist/", "dist/probes/", "a/b/", "lib/", "lib/app/"];
        let is_ignored = |folder: &str| ignored.contains(&folder);
        let has_own = |folder: &str| folder == "dist/";
        let paths = [
            "a/b/c*.txt",
            "dist/package.toml",
            "dist/probes/x.json",
            "dist/pylock.el9-x86_64.toml",
            "lib/app/",
            "pylock.toml",
        ];
        let cures = cure(paths.into_iter(), &is_ignored, &has_own);
        let outer = [
            "!/a/b/",
            "/a/b/*",
            "!/a/b/c\\*.txt",
            "!/dist/",
            "/dist/*",
            "!/dist/package.toml",
            "!/dist/probes/",
            "/dist/probes/*",
            "!/dist/probes/x.json",
            "!/dist/pylock.*.toml",
            "!/lib/",
            "/lib/*",
            "!/lib/app/",
            "!/pylock.toml",
        ];
        let inner = ["!/package.toml", "!/probes/", "/probes/*", "!/probes/x.json", "!/pylock.*.toml"];
        let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        assert_eq!(cures, [(String::new(), lines(&outer)), ("dist/".to_owned(), lines(&inner))]);
    }
}
