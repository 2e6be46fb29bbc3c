//! Package and tree → the spec that rpmbuild makes the same package from (rpm's docs, "Spec file format").
//!
//! It holds to what rpm 4.11 reads; macros of younger ones, which an older one takes for names of its own
//! that nobody asks for, may stand there too.

use crate::rpm::header::SCRIPTS;
use crate::rpm::package::{Dependency, RpmPackage, Sense};
use crate::rpm::spec_files;
use crate::templates::templates;
use crate::tree::Tree;
use anyhow::Context as _;
use minijinja::context;
use std::collections::BTreeSet;
use wheelhaul_boxes::{Compression, Target};

/// The names of the files that the spec is built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceNames {
    /// the application, what this tool makes, and all folders
    pub app: String,
    /// the files of the dependencies' wheels, if there are any
    pub dependencies: Option<String>,
    /// the lock
    pub lock: String,
}

/// Folders that have a macro, which rpmlint asks for.
const FOLDERS: [(&str, &str); 3] = [
    ("_unitdir", "/usr/lib/systemd/system"),
    ("_sysusersdir", "/usr/lib/sysusers.d"),
    ("_tmpfilesdir", "/usr/lib/tmpfiles.d"),
];

/// The spec.
///
/// # Errors
/// For a file that `%files` cannot name.
pub fn spec(package: &RpmPackage, tree: &Tree, target: &Target, sources: &SourceNames) -> anyhow::Result<String> {
    let line = |text: &str| escape(text).replace(char::is_control, " ").trim().to_owned();
    let optional = |text: &str| Some(line(text)).filter(|text| !text.is_empty());
    let payload = match package.compression {
        Compression::Gzip => "gzdio",
        Compression::Zstd => "zstdio",
    };
    let scripts: Vec<_> = SCRIPTS
        .iter()
        .filter_map(|script| Some((script, (script.body)(&package.scriptlets)?)))
        .map(|(script, body)| context! { section => format!("%{}", script.section), body => text(body) })
        .collect();
    let change = &package.change;
    let (files, folders) = with_macros(&spec_files::lines(tree)?);
    let rendered = templates().get_template("spec.txt")?.render(context! {
        title => line(&target.distribution.title),
        arch => &package.arch,
        name => &package.name,
        epoch => package.epoch,
        version => line(&package.version),
        release => line(&package.release),
        // rpmbuild refuses a tag without a value.
        summary => optional(&package.summary).unwrap_or_else(|| package.name.clone()),
        license => optional(&package.license).unwrap_or_else(|| "LicenseRef-Unknown".to_owned()),
        url => package.url.as_deref().and_then(optional),
        vendor => package.vendor.as_deref().and_then(optional),
        description => text(&package.description),
        payload => format!("w{}.{payload}", package.level),
        app => line(&sources.app),
        dependencies => sources.dependencies.as_deref().map(line),
        lock => line(&sources.lock),
        requires => dependencies("Requires", &package.requires, package),
        provides => dependencies("Provides", &package.provides, package),
        suggests => dependencies("Suggests", &package.suggests, package),
        recommends => dependencies("Recommends", &package.recommends, package),
        conflicts => dependencies("Conflicts", &package.conflicts, package),
        obsoletes => dependencies("Obsoletes", &package.obsoletes, package),
        scripts => scripts,
        folders => folders,
        files => files,
        date => change.date(),
        who => line(&change.name),
        change => line(&change.text),
    });
    rendered.context("failed to write the spec")
}

/// Writes paths below [`FOLDERS`] by their macros, and gives a definition of each for where there is none.
fn with_macros(files: &str) -> (String, Vec<String>) {
    let mut text = String::new();
    let mut used = BTreeSet::new();
    for line in files.lines() {
        // What stands in front of a path ends with a space, and a path has none.
        let (words, path) = line.split_at(line.rfind(' ').map_or(0, |at| at + 1));
        let known = FOLDERS.iter().find_map(|(name, folder)| Some((name, folder, path.strip_prefix(folder)?)));
        match known.filter(|(_, _, rest)| rest.starts_with('/')) {
            Some((name, folder, rest)) => {
                used.insert(format!("%{{!?{name}:%global {name} {}}}", folder.replacen("/usr", "%{_usr}", 1)));
                text.push_str(&format!("{words}%{{{name}}}{rest}\n"));
            }
            None => text.push_str(&format!("{line}\n")),
        }
    }
    (text, used.into_iter().collect())
}

/// A text with every `%` taken literally.
fn escape(text: &str) -> String {
    text.replace('%', "%%")
}

/// Lines that no line of which rpm takes for the start of a section: it looks for those after expansion, so
/// that a `%` can be written but not at the start.
fn text(text: &str) -> String {
    let lines = text.trim_end().lines().map(|line| {
        let space = if line.starts_with('%') { " " } else { "" };
        format!("{space}{}", escape(line.trim_end()))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The lines of a tag, without what rpmbuild adds by itself: the package's own name, what a scriptlet is run
/// by, and what rpm must be able to read.
fn dependencies(tag: &str, list: &[Dependency], package: &RpmPackage) -> Vec<String> {
    let own = |dependency: &Dependency| {
        let rest = dependency.name.strip_prefix(&package.name);
        let is_name = rest.is_some_and(|rest| rest.is_empty() || (rest.starts_with('(') && rest.ends_with("-64)")));
        is_name && dependency.version == package.evr()
    };
    let is_written = |dependency: &&Dependency| {
        !dependency.sense.has(Sense::OF_RPM) && !dependency.sense.has(Sense::INTERPRETER) && !own(dependency)
    };
    list.iter().filter(is_written).map(|dependency| line_of(tag, dependency)).collect()
}

fn line_of(tag: &str, dependency: &Dependency) -> String {
    const WORDS: [&str; 6] = ["posttrans", "pre", "post", "preun", "postun", "verify"];
    let qualifiers: Vec<&str> = Sense::SCRIPTLETS
        .iter()
        .zip(WORDS)
        .filter(|(scriptlet, _)| dependency.sense.has(**scriptlet))
        .map(|(_, word)| word)
        .collect();
    let tag = match qualifiers.as_slice() {
        [] => format!("{tag}:"),
        some => format!("{tag}({}):", some.join(",")),
    };
    let version = match dependency.sense.comparison() {
        "" => String::new(),
        comparison => format!(" {comparison} {}", dependency.version),
    };
    escape(&format!("{tag:<15} {}{version}", dependency.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_taken_literally_and_start_no_section() {
        #[rustfmt::skip]
        let cases = [
            ("100% of %{name} %(id)\n",  "100%% of %%{name} %%(id)"),
            ("%files\nrm -rf /\n",       " %%files\nrm -rf /"),
            ("  %description\t \n\nx",   "  %%description\n\nx"),
            ("a \\\n    b\n\n",          "a \\\n    b"),
            ("",                         ""),
        ];
        for (given, written) in cases {
            assert_eq!(text(given), written, "{given:?}");
        }
    }

    #[test]
    fn dependencies_are_written_as_specs_have_them() {
        let scripts = Sense::POST.and(Sense::PREUN).and(Sense::VERIFY);
        #[rustfmt::skip]
        let cases = [
            ("openssl",                      Sense::ANY,           "",     "Requires:       openssl"),
            ("python(abi)",                  Sense::EQUAL,         "3.11", "Requires:       python(abi) = 3.11"),
            ("systemd",                      scripts,              "",     "Requires(post,preun,verify): systemd"),
            ("coreutils",                    Sense::PRE,           "8",    "Requires(pre):  coreutils"),
            ("libc.so.6(GLIBC_2.17)(64bit)", Sense::ANY,           "",     "Requires:       libc.so.6(GLIBC_2.17)(64bit)"),
            ("odd%name",                     Sense::EQUAL,         "1%2",  "Requires:       odd%%name = 1%%2"),
        ];
        for (name, sense, version, line) in cases {
            let dependency = Dependency { name: name.to_owned(), sense, version: version.to_owned() };
            assert_eq!(line_of("Requires", &dependency), line, "{name}");
        }
    }

    #[test]
    fn paths_below_known_folders_have_their_macro() {
        let files = "/usr/lib/sysusers.d/x.conf\n%attr(0600,root,root) /usr/lib/systemd/system/x.service\n/usr/lib/systemd/systemx\n";
        let (text, macros) = with_macros(files);
        assert_eq!(
            text,
            "%{_sysusersdir}/x.conf\n%attr(0600,root,root) %{_unitdir}/x.service\n/usr/lib/systemd/systemx\n"
        );
        let expected = [
            "%{!?_sysusersdir:%global _sysusersdir %{_usr}/lib/sysusers.d}",
            "%{!?_unitdir:%global _unitdir %{_usr}/lib/systemd/system}",
        ];
        assert_eq!(macros, expected);
    }
}
