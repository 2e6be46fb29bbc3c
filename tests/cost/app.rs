//! A made-up application with as many files as are asked for; nothing of it comes from an index.

use crate::checkout::command::run;
use crate::checkout::git;
use crate::index::write_wheel_with;
use crate::repository::Repository;
use fs_err as fs;
use sha2::{Digest as _, Sha256};
use std::process::Command;
use wheelhaul_base::hex::hex;

/// Two boxes with one Python, which take the same wheels.
const TARGETS: &str =
    "[[target]]\nname = \"el9-x86_64\"\npython = \"3.12\"\n[[target]]\nname = \"el10-x86_64\"\npython = \"3.12\"";
/// The backend is part of the application: nothing has to be fetched to build its wheel.
const PROJECT: &str = "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n";
const BACKEND: &str = r#"
import base64, hashlib, os, zipfile


def build_wheel(folder, config_settings=None, metadata_directory=None):
    name, record, rows = "small-1.0-py3-none-any.whl", "small-1.0.dist-info/RECORD", ""
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        for path in ["web.py", *("small-1.0.dist-info/" + name for name in ("METADATA", "WHEEL", "entry_points.txt"))]:
            with open(os.path.basename(path), "rb") as file:
                data = file.read()
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
            rows += "%s,sha256=%s,%d\n" % (path, digest, len(data))
            archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), data)
        archive.writestr(zipfile.ZipInfo(record, (2020, 1, 1, 0, 0, 0)), rows + record + ",,\n")
    return name
"#;

/// How many wheels there are, whatever the number of files.
const WHEELS: usize = 4;

/// The repository, committed, locked and with the application's wheel built: all that is left is to write RPMs.
///
/// - Takes: `files`, how many modules the wheels have in all; `size`, of each in bytes.
pub fn ready(files: usize, size: usize) -> anyhow::Result<Repository> {
    let names: Vec<String> = (0..WHEELS).map(|wheel| format!("wheel{wheel}")).collect();
    let pins: String = names.iter().map(|name| format!("{name}==1.0\n")).collect();
    let repository = Repository::new(TARGETS, &pins)?;
    for (wheel, name) in names.iter().enumerate() {
        let modules: Vec<(String, Vec<u8>)> = (wheel..files)
            .step_by(WHEELS)
            .map(|file| (format!("{name}_data/f{file}.py"), module(file, size)))
            .collect();
        let modules: Vec<(&str, Vec<u8>)> = modules.iter().map(|(path, text)| (path.as_str(), text.clone())).collect();
        let file = format!("{name}-1.0-py3-none-any.whl");
        write_wheel_with(&repository.index, &file, &["License-Expression: MIT"], &modules)?;
    }
    let requires: String = names.iter().map(|name| format!("Requires-Dist: {name}\n")).collect();
    let about = format!("Metadata-Version: 2.4\nName: small\nVersion: 1.0\nLicense-Expression: MIT\n{requires}");
    for (path, text) in [
        ("pyproject.toml", PROJECT),
        ("backend.py", BACKEND),
        ("METADATA", &about),
        ("WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
        ("entry_points.txt", "[console_scripts]\nsmall-server = web:main\n"),
    ] {
        repository.write(&format!("app/{path}"), text)?;
    }
    let package = repository.read("dist/package.toml")?;
    let command = "[\"small-server\", \"--listen\", \"{address}:{port}\"]";
    let package = package.replace("[\"web\", \"--bind\", \"{address}:{port}\", \"web:app\"]", command);
    repository.write("dist/package.toml", &package.replacen("[package]\n", "[package]\nbyte-code = false\n", 1))?;
    let ignored = "/target/\n/cache/\n/dist/out/\n/dist/wheels/\n/index/\n/app/uv.toml\n__pycache__/\n*.out\n";
    repository.write(".gitignore", ignored)?;
    fs::create_dir(repository.folder.join("cache"))?;
    git(&repository.folder, &["init", "--quiet"])?;
    release(&repository, "first")?;
    Ok(repository)
}

/// Changes one line of the application, commits, and builds its wheel.
pub fn release(repository: &Repository, what: &str) -> anyhow::Result<()> {
    let code = format!("def main():\n    print('{what}')\n");
    repository.write("app/web.py", &code)?;
    // Written once: from the second release on it is the committed one.
    run(&mut with_cache(repository, &["lock", "-q"]))?.text()?;
    git(&repository.folder, &["add", "--all"])?;
    git(&repository.folder, &["commit", "--quiet", "--message", what])?;
    run(&mut with_cache(repository, &["wheel", "-q"]))?.text().map(drop)
}

/// The tool, with a cache folder of its own.
pub fn with_cache(repository: &Repository, words: &[&str]) -> Command {
    let mut command = repository.command(words);
    command.env("XDG_CACHE_HOME", repository.folder.join("cache"));
    command
}

/// A module of `size` bytes that compresses about as code does, and differs from all others.
fn module(file: usize, size: usize) -> Vec<u8> {
    let mut text = String::new();
    for line in 0.. {
        if text.len() >= size {
            break;
        }
        let word = hex(&Sha256::digest(format!("{file} {line}")));
        text.push_str(&format!("VALUE_{line} = compute('{}', {})  # {}\n", &word[..6], line * 7, &word[6..16]));
    }
    text.into_bytes()
}
