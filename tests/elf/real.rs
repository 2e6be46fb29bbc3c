//! Real wheels in an RPM: no finding where they fit, and findings where they are for another box.

use crate::boxes::{Draft, pack};
use crate::checkout::command::run;
use crate::checkout::repository;
use crate::installers::shapes::open_wheel;
use crate::installers::{Tools, hashed, wheels_in};
use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use rawzip::FileReader;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::process::Command;
use std::sync::{LazyLock, Mutex};
use wheelhaul_boxes::Target;
use wheelhaul_verify::{Evidence, Outcome, judge};
use wheelhaul_wheel::Archive;

/// What wheels are fetched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Box {
    /// el9 with Python 3.11 on x86_64
    Fitting,
    /// the same on aarch64
    Aarch64,
    /// Alpine
    Musl,
}

impl Box {
    /// Wheels of C, C++, Rust and Fortran; with libraries of their own, and with programs.
    fn pins(self) -> &'static [&'static str] {
        match self {
            Self::Fitting => &[
                "contourpy==1.3.3",
                "cryptography==50.0.2",
                "grpcio==1.85.1",
                "h5py==3.16.0",
                "kiwisolver==1.5.1",
                "lxml==6.1.3",
                "matplotlib==3.11.2",
                "numpy==2.4.6",
                "orjson==3.13.0",
                "pandas==3.1.1",
                "pillow==13.0.0",
                "psycopg2-binary==2.9.13",
                "pydantic-core==2.50.4",
                "ruff==0.17.6",
                "scikit-learn==1.9.1",
                "scipy==1.17.1",
                "shapely==2.2.0",
                "uvloop==0.23.0",
                "zstandard==0.25.0",
            ],
            Self::Aarch64 => &["lxml==6.1.3", "markupsafe==3.0.4", "psycopg2-binary==2.9.13"],
            Self::Musl => &["markupsafe==3.0.4", "pillow==13.0.0", "psycopg2-binary==2.9.13"],
        }
    }

    fn platforms(self) -> Vec<String> {
        match self {
            Self::Fitting => Target::find("el9-x86_64", Some("3.11"), None).map(|target| target.platforms()),
            Self::Aarch64 => Target::find("el9-aarch64", Some("3.11"), None).map(|target| target.platforms()),
            Self::Musl => Ok(vec!["musllinux_1_2_x86_64".to_owned(), "musllinux_1_1_x86_64".to_owned()]),
        }
        .unwrap_or_default()
    }
}

/// Downloads the wheels of a box, once.
pub fn fetch(of: Box) -> anyhow::Result<Vec<Utf8PathBuf>> {
    static ONE_AT_A_TIME: LazyLock<Mutex<()>> = LazyLock::new(Mutex::default);
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    Tools::prepare()?;
    let folder = repository().join("target/xtask").join(format!("test-elf-{of:?}").to_lowercase());
    fs::create_dir_all(&folder)?;
    let (complete, wanted) = (folder.join("complete"), hashed(of.pins())?);
    if fs::read_to_string(&complete).unwrap_or_default() != wanted {
        for wheel in wheels_in(&folder)? {
            fs::remove_file(wheel)?;
        }
        let mut pip = Command::new(repository().join("target/xtask/test-tools/bin/python"));
        pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"]);
        pip.args(["--only-binary", ":all:", "--implementation", "cp", "--python-version", "3.11.13"]);
        pip.args(["--abi", "cp311", "--abi", "abi3", "--abi", "none", "--dest", folder.as_str()]);
        for platform in of.platforms() {
            pip.args(["--platform", &platform]);
        }
        let list = folder.join("wanted.txt");
        fs::write(&list, &wanted)?;
        run(pip.args(["--require-hashes", "--requirement", list.as_str()]))?.text()?;
        fs::write(&complete, wanted)?;
    }
    wheels_in(&folder)
}

/// The ELF files of a wheel.
pub fn elf_files(archive: &Archive<FileReader>) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for (place, member) in archive.members().iter().enumerate() {
        let is_likely = [".so", "/bin/", "/scripts/", ".o"].iter().any(|part| member.path.contains(part));
        if member.size < 60 << 20 && is_likely {
            let bytes = archive.read(place)?;
            if bytes.starts_with(b"\x7fELF") {
                files.push((member.path.clone(), bytes));
            }
        }
    }
    Ok(files)
}

/// Packs the ELF files of a wheel with its metadata, and reads the package back; what its tags say, which packing
/// would refuse, is taken out of it.
fn evidence_of(wheel: &Utf8Path) -> anyhow::Result<(Evidence, usize)> {
    let archive = open_wheel(wheel)?;
    let mut files = elf_files(&archive)?;
    let count = files.len();
    let metadata = archive.members().iter().position(|member| member.path.ends_with(".dist-info/METADATA"));
    let metadata = metadata.context("a wheel has metadata")?;
    let dist_info = archive.members()[metadata].path.trim_end_matches("/METADATA").to_owned();
    files.push((format!("{dist_info}/METADATA"), archive.read(metadata)?));
    let text = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
    files.push((format!("{dist_info}/WHEEL"), text.as_bytes().to_vec()));
    let mut parts = wheel.file_name().context("a wheel has a name")?.split('-');
    let (name, version) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let file_name = format!("{name}-{version}-py3-none-any.whl");
    let draft = Draft { file_name, dist_info, files, record: None };
    let (_, bytes) = pack(&[draft, Draft::app()])?;
    Ok((Evidence::gather(Cursor::new(bytes))?, count))
}

/// Findings by the name of their check.
fn findings(evidence: &Evidence) -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut all: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for judged in judge(evidence) {
        match judged.outcome {
            Outcome::Made { findings, .. } => {
                let lines = findings.into_iter().map(|found| format!("{}: {}", found.path, found.found));
                all.entry(judged.check.name).or_default().extend(lines);
            }
            Outcome::NotMade { why, .. } => drop(all.entry(judged.check.name).or_default().insert(why)),
        }
    }
    all
}

#[test]
fn real_wheels_that_fit_have_no_finding() -> anyhow::Result<()> {
    let el7 = Target::find("el7-x86_64", None, None)?;
    let (mut files, mut faults) = (0, Vec::new());
    let (mut older, mut newer) = (0, 0);
    let wheels = fetch(Box::Fitting)?;
    for wheel in &wheels {
        let (mut evidence, count) = evidence_of(wheel)?;
        files += count;
        let found = findings(&evidence);
        for check in ["elf", "libraries", "symbols", "hardening", "extensions"] {
            let lines = &found[check];
            faults
                .extend(lines.iter().map(|line| format!("{}: {check}: {line}", wheel.file_name().unwrap_or_default())));
        }
        // And it is too new for el7, or not, by what its name promises.
        evidence.target = Some(el7.clone());
        let found = findings(&evidence)["symbols"].len();
        let is_for_el7 = wheel.as_str().contains("manylinux_2_17") || wheel.as_str().contains("manylinux2014");
        ensure!(!is_for_el7 || found == 0, "`{wheel}` says that it fits: {found} findings");
        older += usize::from(is_for_el7);
        newer += usize::from(found > 0);
    }
    println!("{files} ELF files of {} wheels; {older} for el7, {newer} too new for it", wheels.len());
    ensure!(faults.is_empty(), "{} findings:\n{}", faults.len(), faults.join("\n"));
    ensure!(files > 250, "only {files} files were judged");
    ensure!(older > 3 && newer > 3, "{older} wheels are for el7, {newer} too new for it");
    Ok(())
}

#[test]
fn wheels_for_other_boxes_are_found() -> anyhow::Result<()> {
    for (of, checks) in [(Box::Aarch64, ["elf", "extensions"]), (Box::Musl, ["elf", "extensions"])] {
        for wheel in fetch(of)? {
            let (evidence, count) = evidence_of(&wheel)?;
            let found = findings(&evidence);
            for check in checks {
                ensure!(count > 0 && !found[check].is_empty(), "`{wheel}`: `{check}` has no finding in {count} files");
            }
        }
    }
    Ok(())
}
