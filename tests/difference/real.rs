//! The same questions to the real rpm, rpmbuild and rpmdiff.

use crate::checkout::command::run;
use crate::checkout::repository;
use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// rpmdiff of PyPI's rpmlint, in the environment that the test of rpmlint uses.
pub fn rpmdiff() -> anyhow::Result<Utf8PathBuf> {
    let script = repository().join("tests/python/tools.py");
    let folder = repository().join("target/xtask/test-rpmlint");
    let python = run(Command::new("/usr/bin/python3").arg("-B").arg(script).arg(folder).args(["backends", "rpmlint"]))?
        .text()?;
    Ok(Utf8Path::new(&python).with_file_name("rpmdiff"))
}

fn rpm(words: &[&str]) -> anyhow::Result<String> {
    run(Command::new("rpm").args(words)).context("`rpm` is needed: `cargo xtask ci` installs it")?.text()
}

/// Path → `added`, `removed`, or which of content, mode, owner and flags differ.
///
/// rpmdiff's letters: S size, M mode, 5 digest, D device, N links, L state, V checks, U user, G group, F flags, T time.
pub fn files_by_rpmdiff(
    rpmdiff: &Utf8Path,
    old: &Utf8Path,
    new: &Utf8Path,
) -> anyhow::Result<BTreeMap<String, String>> {
    let said = run(Command::new(rpmdiff).args(["--ignore", "T", "--", old.as_str(), new.as_str()]))?;
    ensure!(said.stderr.is_empty() && said.code.is_some_and(|code| code < 2), "{said}");
    let rows = said.stdout.lines().filter_map(|line| {
        let (what, path) = line.split_once(' ')?;
        let path = path.trim_start();
        let letters = |set: &str| what.contains(|c: char| set.contains(c));
        let words = [("content", "5"), ("mode", "M"), ("owner", "UG"), ("flags", "F")];
        let aspects: Vec<&str> = words.iter().filter(|(_, set)| letters(set)).map(|(word, _)| *word).collect();
        let said = if matches!(what, "added" | "removed") { what.to_owned() } else { aspects.join(" ") };
        path.starts_with('/').then(|| (path.to_owned(), said))
    });
    Ok(rows.collect())
}

/// The same of the tool's JSON; a link alone is `link OLD NEW`.
pub fn files_of(difference: &Value) -> BTreeMap<String, String> {
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|path| path.as_str().map(str::to_owned)).collect()
    };
    let mut files = BTreeMap::new();
    for group in difference["files"]["groups"].as_array().into_iter().flatten() {
        files.extend(texts(&group["added"]).into_iter().map(|path| (path, "added".to_owned())));
        files.extend(texts(&group["removed"]).into_iter().map(|path| (path, "removed".to_owned())));
        for file in group["changed"].as_array().into_iter().flatten() {
            let mut words: Vec<String> = Vec::new();
            for change in file["changes"].as_array().into_iter().flatten() {
                let text = |key: &str| change[key].as_str().unwrap_or_default().to_owned();
                match text("what").as_str() {
                    "link" => words.push(format!("link {} {}", text("old"), text("new"))),
                    // One value of the header for both.
                    "kind" | "mode" if words.iter().any(|word| word == "mode") => {}
                    "kind" => words.push("mode".to_owned()),
                    what => words.push(what.to_owned()),
                }
            }
            words.sort_by_key(|word| ["content", "mode", "owner", "flags"].iter().position(|other| other == word));
            files.insert(file["path"].as_str().unwrap_or_default().to_owned(), words.join(" "));
        }
    }
    files
}

/// `upgrade`, `same` or `downgrade`, by rpm's own comparison of epoch, version and release.
pub fn version_order(old: &Utf8Path, new: &Utf8Path) -> anyhow::Result<&'static str> {
    let label = |path: &Utf8Path| rpm(&["-qp", "--qf", "%{EPOCHNUM} %{VERSION} %{RELEASE}", path.as_str()]);
    let (old, new) = (label(old)?, label(new)?);
    for (old, new) in old.split(' ').zip(new.split(' ')) {
        match rpm(&["--eval", &format!("%{{lua: print(rpm.vercmp('{new}', '{old}'))}}")])?.as_str() {
            "0" => {}
            "1" => return Ok("upgrade"),
            _ => return Ok("downgrade"),
        }
    }
    Ok("same")
}

/// Added and removed names, by `rpm -qp --requires` or `--provides` of both.
pub fn names_by_rpm(list: &str, old: &Utf8Path, new: &Utf8Path) -> anyhow::Result<[Vec<String>; 2]> {
    let names = |path: &Utf8Path| -> anyhow::Result<BTreeSet<String>> {
        let said = rpm(&["-qp", &format!("--{list}"), path.as_str()])?;
        Ok(said.lines().map(|line| line.trim().to_owned()).collect())
    };
    let (old, new) = (names(old)?, names(new)?);
    let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect();
    Ok([only(&new, &old), only(&old, &new)])
}

/// The same of the tool's JSON.
pub fn names_of(names: &Value) -> [Vec<String>; 2] {
    ["added", "removed"].map(|key| {
        names[key].as_array().into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect()
    })
}

/// An RPM of the real rpmbuild with the files `a`, `b` and `c` in /opt/odd.
pub fn build(folder: &Utf8Path, name: &str, version: &str, install: &str, files: &str) -> anyhow::Result<Utf8PathBuf> {
    let spec = folder.join(format!("{name}-{version}.spec"));
    let text = format!(
        "Name: {name}\nVersion: {version}\nRelease: 1\nSummary: x\nLicense: MIT\nBuildArch: noarch\n\
         %description\nx\n%install\nmkdir -p %{{buildroot}}/opt/odd\n\
         for f in a b c; do echo $f > %{{buildroot}}/opt/odd/$f; done\n{install}%files\n{files}"
    );
    fs::write(&spec, text)?;
    let top = folder.join("top");
    let define = [
        format!("_topdir {top}"),
        "_source_filedigest_algorithm 8".to_owned(),
        "_binary_filedigest_algorithm 8".to_owned(),
        "_binary_payload w9.gzdio".to_owned(),
        "_unpackaged_files_terminate_build 0".to_owned(),
    ];
    let words = define.iter().flat_map(|define| ["--define", define.as_str()]);
    run(Command::new("rpmbuild").args(words).args(["--quiet", "-bb", spec.as_str()]))
        .context("`rpmbuild` is needed: `cargo xtask ci` installs it")?
        .text()?;
    Ok(top.join(format!("RPMS/noarch/{name}-{version}-1.noarch.rpm")))
}
