//! Which tracked files of an application it needs when it runs, and which of those its wheel lacks.

mod backend;
mod needed;

pub(crate) use backend::{Backend, cure, not_a_package};
pub(crate) use needed::{is_config_file, is_needed, modules_of};

use std::collections::{BTreeMap, BTreeSet};

/// Files that a wheel lacks: one, or all below a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lacking {
    /// as git has it, relative to the application's folder; a folder ends in `/`
    pub path: String,
    /// how many files they are
    pub files: usize,
    /// whether one of them is a Python module
    pub has_modules: bool,
}

impl std::fmt::Display for Lacking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.path.ends_with('/'), self.files) {
            (false, _) => write!(f, "`{}`", self.path),
            (true, 1) => write!(f, "`{}` (1 file)", self.path),
            (true, files) => write!(f, "`{}` ({files} files)", self.path),
        }
    }
}

/// The needed files that are in no place of the wheel, by the outermost folder of which it has nothing.
///
/// - Takes: `tracked`, the files that git tracks below the application's folder; `packed`, the paths in the wheel;
///   `is_elsewhere`, which tells whether the wheel has the same bytes under the same file name at another path, as a
///   build backend puts them that was told to move files.
pub(crate) fn lacking(tracked: &[&str], packed: &BTreeSet<&str>, is_elsewhere: &dyn Fn(&str) -> bool) -> Vec<Lacking> {
    let all: BTreeSet<&str> = tracked.iter().copied().collect();
    let roots = roots(&all, packed);
    let place = |path: &'_ str| {
        roots.iter().any(|root| path.strip_prefix(root.as_str()).is_some_and(|rest| packed.contains(rest)))
    };
    let is_missing = |path: &str| is_needed(path, &all) && !place(path) && !is_elsewhere(path);
    let missing: Vec<&str> = all.iter().copied().filter(|path| is_missing(path)).collect();
    // Folders of which something is packed.
    let mut present: BTreeSet<&str> = BTreeSet::new();
    for path in all.iter().filter(|path| place(path)) {
        present.extend(path.match_indices('/').map(|(at, _)| &path[..=at]));
    }
    let mut groups: BTreeMap<&str, Lacking> = BTreeMap::new();
    for path in missing {
        // The folder of a `src` layout is the sources' and not the application's.
        let folders = path.match_indices('/').map(|(at, _)| &path[..=at]).filter(|folder| *folder != "src/");
        let folder = folders.into_iter().find(|folder| !present.contains(folder));
        let key = folder.unwrap_or(path);
        let group = groups.entry(key).or_insert(Lacking { path: key.to_owned(), files: 0, has_modules: false });
        group.files += 1;
        group.has_modules |= path.ends_with(".py");
    }
    groups.into_values().collect()
}

/// The folders that the wheel's paths are relative to: `""`, `"src/"`, or what else the packed modules tell.
fn roots(tracked: &BTreeSet<&str>, packed: &BTreeSet<&str>) -> BTreeSet<String> {
    let mut roots = BTreeSet::from([String::new()]);
    for module in packed.iter().filter(|path| path.ends_with(".py") && !tracked.contains(*path)) {
        let end = format!("/{module}");
        roots.extend(tracked.iter().filter_map(|path| path.strip_suffix(&end)).map(|root| format!("{root}/")));
    }
    roots
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(tracked: &[&str], packed: &[&str], elsewhere: &[&str]) -> String {
        let packed = packed.iter().copied().collect();
        let found = lacking(tracked, &packed, &|path| elsewhere.contains(&path));
        found.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    /// What git tracks, what is packed, what is packed elsewhere, and what is told.
    type Case<'c> = (&'c [&'c str], &'c [&'c str], &'c [&'c str], &'c str);

    #[test]
    fn what_a_wheel_lacks_is_told_by_folders_and_what_it_need_not_have_is_not() {
        let flat =
            ["app.py", "templates/a.html", "templates/mail/b.txt", "static/app.css", "requirements.txt", "README.md"];
        let package =
            ["pyproject.toml", "shop/__init__.py", "shop/templates/a.html", "shop/tests/test_a.py", "tests/b.html"];
        let src = [
            "src/shop/__init__.py",
            "src/shop/api/__init__.py",
            "src/shop/data/a.json",
            "src/shop/data/b.json",
            "docs/a.py",
        ];
        #[rustfmt::skip]
        let cases: [Case<'_>; 11] = [
            // tracked                           packed                                       elsewhere    told
            (&flat,                              &["app.py"],                                 &[],         "`static/` (1 file), `templates/` (2 files)"),
            (&flat,                              &["app.py", "templates/a.html"],             &[],         "`static/` (1 file), `templates/mail/` (1 file)"),
            (&flat,                              &["app.py"],                                 &["static/app.css", "templates/a.html", "templates/mail/b.txt"], ""),
            (&package,                           &["shop/__init__.py"],                       &[],         "`shop/templates/` (1 file)"),
            (&package,                           &["shop/__init__.py", "shop/templates/a.html"], &[],      ""),
            (&src,                               &["shop/__init__.py"],                       &[],         "`src/shop/api/` (1 file), `src/shop/data/` (2 files)"),
            (&src,                               &["shop/__init__.py", "shop/api/__init__.py", "shop/data/a.json"], &[], "`src/shop/data/b.json`"),
            (&["a/x.html", "b/x.html", "a/__init__.py"], &["a/__init__.py", "x.html"],        &[],         "`a/x.html`, `b/` (1 file)"),
            (&["manage.py", "site/__init__.py"], &["site/__init__.py"],                       &[],         "`manage.py`"),
            (&["src/app.py", "src/web/a.py"],    &[],                                         &[],         "`src/app.py`, `src/web/` (1 file)"),
            (&[],                                &["app.py"],                                 &[],         ""),
        ];
        for (tracked, packed, elsewhere, expected) in cases {
            assert_eq!(told(tracked, packed, elsewhere), expected, "{tracked:?} {packed:?}");
        }
    }
}
