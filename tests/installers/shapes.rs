//! What a wheel can hold beside modules, and whether some wheel of a list does.

use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use rawzip::FileReader;
use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_wheel::Archive;

/// Opens a wheel as the tool does.
pub fn open_wheel(path: &Utf8Path) -> anyhow::Result<Archive<FileReader>> {
    let file = fs::File::open(path)?;
    let size = file.metadata()?.len();
    Archive::open(FileReader::from(file.into_parts().0), size).with_context(|| format!("`{path}`"))
}

/// Every shape that the comparison is for; without one of them it would prove less than it says.
pub fn must_have_every_shape(wheels: &[Utf8PathBuf]) -> anyhow::Result<()> {
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut namespaces: BTreeMap<String, &str> = BTreeMap::new();
    for wheel in wheels {
        let name = wheel.file_name().context("a wheel has a name")?;
        let archive = open_wheel(wheel)?;
        let mut shapes = BTreeSet::new();
        if archive.members().len() > 1000 {
            shapes.insert("thousands of files");
        }
        for member in archive.members() {
            shapes.extend(shapes_of(&member.path));
            let package = member.path.split_once('/').map(|(folder, _)| folder);
            // The first folder of two wheels is a namespace, unless it is metadata or data.
            if let Some(folder) = package.filter(|folder| !folder.contains('.'))
                && *namespaces.entry(folder.to_owned()).or_insert(name) != name
            {
                shapes.insert("a namespace");
            }
        }
        if let Some(place) = archive.members().iter().position(|member| member.path.ends_with("/entry_points.txt")) {
            let text = archive.read_text(place)?;
            shapes.extend(["[console_scripts]", "[gui_scripts]"].into_iter().filter(|group| text.contains(group)));
        }
        for shape in shapes {
            found.entry(shape).or_default().insert(name);
        }
    }
    let all = [
        "thousands of files",
        "a namespace",
        "[console_scripts]",
        "[gui_scripts]",
        "purelib",
        "platlib",
        "scripts",
        "data",
        "headers",
        "a path configuration",
        "a name that is not ASCII",
        "a name with spaces",
        "a library",
    ];
    for shape in all {
        let wheels = found.get(shape).map_or(0, BTreeSet::len);
        println!("{wheels:>4} wheels have: {shape}");
        ensure!(wheels > 0, "no wheel has: {shape}");
    }
    Ok(())
}

fn shapes_of(path: &str) -> Vec<&'static str> {
    let mut shapes = Vec::new();
    if let Some((_, rest)) = path.split_once(".data/") {
        let schemes = ["purelib", "platlib", "scripts", "data", "headers"];
        shapes.extend(schemes.into_iter().filter(|scheme| rest.starts_with(&format!("{scheme}/"))));
    }
    if path.ends_with(".pth") && !path.contains('/') {
        shapes.push("a path configuration");
    }
    if !path.is_ascii() {
        shapes.push("a name that is not ASCII");
    }
    if path.contains(' ') {
        shapes.push("a name with spaces");
    }
    if path.ends_with(".so") {
        shapes.push("a library");
    }
    shapes
}
