//! The licences of what is linked into the program: every crate, Rust's standard library, zig's runtime.

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use wheelhaul_base::problem::{Problem, all_of};

/// A crate that ships no text of its licence: its name, the standard text that stands in for it (a file of the
/// toolchain's `share/doc/rust/licenses`), and why that text is the right one.
type Exception = (&'static str, &'static str, &'static str);
const WITHOUT_TEXT: &[Exception] =
    &[("r-efi", "MIT", "its README offers MIT as one of three, and its archive has none of them")];

/// How the names of files with licences begin, in lower case.
const BEGINNINGS: [&str; 6] = ["license", "licence", "copying", "copyright", "notice", "unlicense"];

/// A crate that is linked into the program.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Linked {
    name: String,
    version: String,
    /// an SPDX expression
    license: String,
    repository: String,
    folder: Utf8PathBuf,
}

/// Which crates are linked into `program`, by what `cargo metadata` says for one platform, sorted.
///
/// Those that only run while it is compiled (procedural macros, build scripts) are not.
pub(super) fn linked(metadata: &Value, program: &str) -> anyhow::Result<Vec<Linked>> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let packages: HashMap<String, Value> =
        list(&metadata["packages"]).into_iter().map(|package| (text(&package["id"]), package)).collect();
    let nodes: HashMap<String, Value> =
        list(&metadata["resolve"]["nodes"]).into_iter().map(|node| (text(&node["id"]), node)).collect();
    let is_macro = |package: &Value| {
        list(&package["targets"]).iter().any(|target| list(&target["kind"]).contains(&Value::from("proc-macro")))
    };
    let root = packages.values().find(|package| package["name"] == program).context("the program is a package")?;
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut waiting = vec![text(&root["id"])];
    while let Some(id) = waiting.pop() {
        let package = packages.get(&id).with_context(|| format!("cargo does not describe `{id}`"))?;
        if is_macro(package) || !seen.insert(id.clone()) {
            continue;
        }
        let manifest = Utf8PathBuf::from(text(&package["manifest_path"]));
        found.insert(Linked {
            name: text(&package["name"]),
            version: text(&package["version"]),
            license: text(&package["license"]),
            repository: text(&package["repository"]),
            folder: manifest.parent().context("a manifest is in a folder")?.to_owned(),
        });
        for dependency in list(&nodes[&id]["deps"]) {
            if list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null()) {
                waiting.push(text(&dependency["pkg"]));
            }
        }
    }
    Ok(found.into_iter().filter(|linked| linked.name != program).collect())
}

/// The page of all crates: a list of them, then each text once, with the crates that it is of.
///
/// `standard` gives a standard text by its SPDX name.
///
/// # Errors
/// Names every crate that has no text and is not in [`WITHOUT_TEXT`].
pub(super) fn page(crates: &[Linked], standard: &dyn Fn(&str) -> anyhow::Result<String>) -> anyhow::Result<String> {
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut faults = Vec::new();
    let mut page =
        "The program `wheelhaul` has these crates of Rust in it. Their texts follow, each once.\n\n".to_owned();
    for linked in crates {
        let Linked { name, version, license, repository, folder } = linked;
        let mut own = texts_in(folder)?;
        let exception = WITHOUT_TEXT.iter().find(|(known, _, _)| known == name);
        match (own.is_empty(), exception) {
            (false, None) => {}
            (true, Some((_, text, _))) => own.push(standard(text)?),
            (true, None) => faults.push(Problem::with_hint(
                format!("the crate `{name}` {version} ({license}) has no text of its licence in `{folder}`"),
                "say in `WITHOUT_TEXT` of `xtask/crates/dev/src/program_wheels/licenses.rs` which standard text it is, and why",
            )),
            (false, Some(_)) => faults.push(Problem::with_hint(
                format!("the crate `{name}` {version} has a text of its licence now"),
                "remove it from `WITHOUT_TEXT` of `xtask/crates/dev/src/program_wheels/licenses.rs`",
            )),
        }
        writeln!(page, "- {name} {version}: {license} <{repository}>")?;
        for text in own {
            texts.entry(text).or_default().push(format!("{name} {version}"));
        }
    }
    all_of("crates cannot be put into a wheel", faults)?;
    for (text, of) in texts {
        write!(page, "\n{}\nThis is the text of {}:\n\n{text}\n", "=".repeat(100), of.join(", "))?;
    }
    Ok(page)
}

/// The texts of licences at the top of a crate, in the order of their names, with LF and without white space around.
fn texts_in(folder: &Utf8Path) -> anyhow::Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in folder.read_dir_utf8().with_context(|| format!("failed to list `{folder}`"))? {
        let entry = entry?;
        let name = entry.file_name().to_ascii_lowercase();
        if entry.file_type()?.is_file() && BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)) {
            files.push(entry.into_path());
        }
    }
    files.sort();
    let read = |path: &Utf8PathBuf| -> anyhow::Result<String> {
        let text = String::from_utf8_lossy(&fs_err::read(path)?).replace("\r\n", "\n");
        Ok(text.trim_matches(['\n', '\u{feff}']).trim_end().to_owned())
    };
    files.iter().map(read).filter(|text| text.as_ref().map_or(true, |text| !text.is_empty())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn crate_in(folder: &Utf8Path, name: &str, files: &[(&str, &str)]) -> Linked {
        let folder = folder.join(name);
        fs_err::create_dir(&folder).unwrap();
        for (file, text) in files {
            fs_err::write(folder.join(file), text).unwrap();
        }
        let [version, license, repository] = ["1.0", "MIT", "r"].map(str::to_owned);
        Linked { name: name.to_owned(), version, license, repository, folder }
    }

    #[test]
    fn what_only_runs_while_compiling_is_not_linked() {
        let package = |name: &str, kind: &str| {
            json!({"id": name, "name": name, "version": "1", "license": "MIT",
            "manifest_path": format!("/{name}/Cargo.toml"), "targets": [{"kind": [kind]}]})
        };
        let needs = |name: &str, kind: Value| json!({"pkg": name, "dep_kinds": [{"kind": kind}]});
        let metadata = json!({
            "packages": [package("program", "bin"), package("library", "lib"), package("derive", "proc-macro"),
                package("quote", "lib"), package("cc", "lib"), package("sys", "lib"), package("insta", "lib")],
            "resolve": {"nodes": [
                {"id": "program", "deps": [needs("library", Value::Null), needs("derive", Value::Null), needs("insta", json!("dev"))]},
                {"id": "library", "deps": [needs("sys", Value::Null)]},
                {"id": "derive", "deps": [needs("quote", Value::Null)]},
                {"id": "sys", "deps": [needs("cc", json!("build")), needs("library", Value::Null)]},
                {"id": "quote", "deps": []}, {"id": "cc", "deps": []}, {"id": "insta", "deps": []},
            ]},
        });
        let names: Vec<String> = linked(&metadata, "program").unwrap().into_iter().map(|linked| linked.name).collect();
        assert_eq!(names, ["library", "sys"]);
    }

    #[test]
    fn every_crate_has_its_text_and_each_text_stands_once() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let standard = |name: &str| Ok(format!("the standard text of {name}"));
        let mut crates = vec![
            crate_in(folder, "a", &[("LICENSE-MIT", "one\r\ntwo\r\n"), ("NOTICE", "by a"), ("lib.rs", "no licence")]),
            crate_in(folder, "b", &[("license.txt", "one\ntwo")]),
            crate_in(folder, "r-efi", &[("README.md", "MIT")]),
        ];
        let line = "=".repeat(100);
        let head = "The program `wheelhaul` has these crates of Rust in it. Their texts follow, each once.\n\n\
            - a 1.0: MIT <r>\n- b 1.0: MIT <r>\n- r-efi 1.0: MIT <r>\n";
        let texts = format!(
            "\n{line}\nThis is the text of a 1.0:\n\nby a\n\n{line}\nThis is the text of a 1.0, b 1.0:\n\none\ntwo\n\n{line}\n\
            This is the text of r-efi 1.0:\n\nthe standard text of MIT\n"
        );
        assert_eq!(page(&crates, &standard).unwrap(), format!("{head}{texts}"));
        crates.push(crate_in(folder, "c", &[("lib.rs", ""), ("LICENSE", "\n")]));
        crates.push(crate_in(folder, "d", &[]));
        let error = page(&crates, &standard).unwrap_err().to_string();
        assert!(error.starts_with("2 crates") && error.contains("`c` 1.0 (MIT)") && error.contains("`d`"), "{error}");
        let mended = crate_in(&folder.join("a"), "r-efi", &[("LICENSE", "MIT")]);
        let error = page(&[mended], &standard).unwrap_err().to_string();
        assert!(error.contains("`r-efi` 1.0 has a text"), "{error}");
    }
}
