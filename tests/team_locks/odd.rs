//! Wheels that are not quite as the format says, and an application that builds without an index.

use crate::checkout::command::run;
use crate::repository::Repository;
use crate::zip::{Entry, Zip};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use camino::Utf8Path;
use fs_err as fs;
use sha2::{Digest as _, Sha256};
use std::process::Command;

/// What is odd about a wheel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    /// folders whose modes have no type
    FoldersWithoutType,
    /// METADATA says 1.0.0 where the file's name says 1.0
    LongVersion,
    /// METADATA says 2.0
    OtherVersion,
    /// WHEEL lists no tag
    NoTag,
    /// RECORD does not list a file
    Unlisted,
    /// RECORD has the digest of other bytes
    OtherDigest,
    /// a compiled module is none
    NotElf,
}

/// Writes `NAME-1.0-py3-none-any.whl`.
pub fn write(folder: &Utf8Path, name: &str, oddity: Oddity) -> anyhow::Result<()> {
    let is = |other: Oddity| oddity == other;
    let version = match oddity {
        Oddity::LongVersion => "1.0.0",
        Oddity::OtherVersion => "2.0",
        _ => "1.0",
    };
    let info = format!("{name}-1.0.dist-info");
    let tag = if is(Oddity::NoTag) { "Tag: \nTag: -linux_x86_64\n" } else { "Tag: py3-none-any\n" };
    let mut files = vec![
        (format!("{name}/__init__.py"), "NAME = 1\n".to_owned()),
        (
            format!("{info}/METADATA"),
            format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nLicense: MIT\n"),
        ),
        (format!("{info}/WHEEL"), format!("Wheel-Version: 1.0\nRoot-Is-Purelib: true\n{tag}")),
    ];
    if is(Oddity::NotElf) {
        files.push((format!("{name}/fast.cpython-311-x86_64-linux-gnu.so"), "no ELF file\n".to_owned()));
    }
    let mut entries = Vec::new();
    if is(Oddity::FoldersWithoutType) {
        for (path, mode) in
            [(format!("{name}/"), 0o755), (format!("{name}/empty/"), 0o600), (format!("{info}/"), 0o100_644)]
        {
            entries.push(Entry { mode, ..Entry::stored(&path, b"") });
        }
    }
    let mut record = String::new();
    for (place, (path, content)) in files.iter().enumerate() {
        entries.push(Entry::deflated(path, content.as_bytes()));
        let listed = if is(Oddity::OtherDigest) && place == 0 { "NAME = 2\n" } else { content };
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(listed));
        if !(is(Oddity::Unlisted) && place == 0) {
            record.push_str(&format!("{path},sha256={digest},{}\n", content.len()));
        }
    }
    record.push_str(&format!("{info}/RECORD,,\n"));
    entries.push(Entry::deflated(&format!("{info}/RECORD"), record.as_bytes()));
    Ok(fs::write(folder.join(format!("{name}-1.0-py3-none-any.whl")), Zip::of(entries).bytes())?)
}

/// A build backend in the application's folder.
const BACKEND: &str = r#"
import base64, hashlib, zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    info = "small-1.dist-info"
    files = {
        "small.py": "def main():\n    pass\n",
        "web.py": "app = None\n",
        info + "/METADATA": "Metadata-Version: 2.1\nName: small\nVersion: 1\nLicense: MIT\n",
        info + "/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        info + "/entry_points.txt": "[console_scripts]\nweb = small:main\n",
    }
    record = ""
    with zipfile.ZipFile(folder + "/small-1-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
            record += f"{path},sha256={digest},{len(text)}\n"
        archive.writestr(info + "/RECORD", record + info + "/RECORD,,\n")
    return "small-1-py3-none-any.whl"
"#;

/// Makes the application one that is built without an index.
pub fn write_application(repository: &Repository) -> anyhow::Result<()> {
    let project = "[project]\nname = \"small\"\nversion = \"1\"\nlicense = \"MIT\"\n\
                   [build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n";
    repository.write("app/pyproject.toml", project)?;
    repository.write("app/backend.py", BACKEND)
}

impl Repository {
    /// Commits all of it.
    pub fn commit(&self) -> anyhow::Result<()> {
        let git = |words: &[&str]| {
            let who = ["-c", "user.name=Test", "-c", "user.email=test@corp.example"];
            run(Command::new("git").args(who).args(words).current_dir(&self.folder))?.text()
        };
        git(&["init", "--quiet"])?;
        fs::write(self.folder.join(".git/info/exclude"), "/dist/wheels/\n/dist/out/\n/target/\n/index/\n")?;
        git(&["add", "--all"])?;
        git(&["commit", "--quiet", "--message", "one"])?;
        Ok(())
    }
}
