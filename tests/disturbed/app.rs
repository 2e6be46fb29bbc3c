//! A small application with wheels of its own index, quick to pack and with everything that a large one has.

use crate::checkout::git;
use crate::index::write_wheel_with;
use crate::repository::Repository;
use fs_err as fs;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use wheelhaul_base::hex::hex;

pub const RPM: &str = "dist/out/small-1.0.0-1.el9.x86_64.rpm";
pub const BUNDLE: &str = "dist/out/small-dist-1.0.0.tar.gz";
pub const LOCK: &str = "dist/pylock.el9-x86_64.toml";
const EL9: &str = "[[target]]\nname = \"el9-x86_64\"\npython = \"3.11\"";

/// The backend is part of the application: nothing has to be fetched to build its wheel.
const PROJECT: &str = "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n";
const BACKEND: &str = r#"
import base64, hashlib, os, zipfile

ABOUT = "Metadata-Version: 2.1\nName: small\nVersion: 1.0\nSummary: A small application\nLicense-Expression: MIT\n"
ABOUT += "".join("Requires-Dist: %s\n" % name for name in ("alpha", "beta", "gamma", "delta"))
FILES = {
    "small-1.0.dist-info/METADATA": ABOUT,
    "small-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "small-1.0.dist-info/entry_points.txt": "[console_scripts]\nsmall-server = web:main\n",
}


def build_wheel(folder, config_settings=None, metadata_directory=None):
    files = dict(FILES)
    with open("web/__init__.py") as code:
        files["web/__init__.py"] = code.read()
    rows = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        rows.append("%s,sha256=%s,%d\n" % (path, digest, len(text.encode())))
    files["small-1.0.dist-info/RECORD"] = "".join(rows) + "small-1.0.dist-info/RECORD,,\n"
    name = "small-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), text)
    return name
"#;

/// The wheels of its lock, and what they hold beside a module, in bytes that do not compress.
const WHEELS: [(&str, usize); 4] = [("alpha", 100), ("beta", 300_000), ("gamma", 2_000_000), ("delta", 5_000_000)];

/// The repository, committed; its index has every wheel, `dist` has nothing yet.
pub fn small() -> anyhow::Result<Repository> {
    let lines: String = WHEELS.iter().map(|(name, _)| format!("{name}==1.0\n")).collect();
    let repository = Repository::new(EL9, &lines)?;
    for (name, size) in WHEELS {
        let data = (0..size.div_ceil(32) as u64).flat_map(|block| Sha256::digest(block.to_le_bytes())).collect();
        let file = format!("{name}-1.0-py3-none-any.whl");
        write_wheel_with(&repository.index, &file, &["License-Expression: MIT"], &[(&format!("{name}.bin"), data)])?;
    }
    repository.write("app/pyproject.toml", PROJECT)?;
    repository.write("app/backend.py", BACKEND)?;
    repository.write("app/web/__init__.py", "def main():\n    pass\n\n\ndef app(environ, start):\n    pass\n")?;
    let package = repository.read("dist/package.toml")?;
    let command = "[\"small-server\", \"--listen\", \"{address}:{port}\"]";
    let package = package.replace("[\"web\", \"--bind\", \"{address}:{port}\", \"web:app\"]", command);
    repository.write("dist/package.toml", &package.replacen("[package]\n", "[package]\nbyte-code = false\n", 1))?;
    repository.write(".gitignore", "/target/\n/dist/out/\n/dist/wheels/\n/index/\n/app/uv.toml\n__pycache__/\n")?;
    git(&repository.folder, &["init", "--quiet"])?;
    git(&repository.folder, &["add", "--all"])?;
    git(&repository.folder, &["commit", "--quiet", "--message", "release"])?;
    Ok(repository)
}

/// sha256 of each thing that `dist` makes; of those that are there.
pub type Made = BTreeMap<String, String>;

/// What lies under the names that others read: locks, wheels, RPMs, bundles.
pub fn made(repository: &Repository) -> anyhow::Result<Made> {
    let mut made = Made::new();
    for folder in ["dist", "dist/wheels", "dist/out"] {
        let path = repository.folder.join(folder);
        if !path.is_dir() {
            continue;
        }
        for entry in path.read_dir_utf8()? {
            let entry = entry?;
            let name = entry.file_name();
            // What is being written has a name that nobody takes for the thing itself.
            if entry.path().is_file() && !name.starts_with('.') && name != "package.toml" {
                made.insert(format!("{folder}/{name}"), hex(&Sha256::digest(fs::read(entry.path())?)));
            }
        }
    }
    Ok(made)
}

/// What differs from `expected`, in words; what is missing does so only where `whole` is asked for.
pub fn differences(found: &Made, expected: &Made, whole: bool) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, digest) in found {
        match expected.get(path) {
            None => faults.push(format!("`{path}` is there, and an undisturbed run makes no such file")),
            Some(other) if other != digest => faults.push(format!("`{path}` has other bytes")),
            Some(_) => {}
        }
    }
    let missing = expected.keys().filter(|path| whole && !found.contains_key(*path));
    faults.extend(missing.map(|path| format!("`{path}` is not there")));
    faults
}
