//! What filtering a large lock costs, as the tool is built for its users: the dev profile.

use anyhow::ensure;
use camino::Utf8Path;
use checkout::command::run;
use checkout::repository;
use fs_err as fs;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::process::Command;
use xtask::hex::hex;

#[allow(dead_code, reason = "each test that runs the tool uses a part of it")]
mod checkout;

const PACKAGES: usize = 10_000;
/// Files of each package, with a hash each.
const FILES: usize = 3;
/// CPU time in seconds, of the whole process.
const MOST: f64 = 0.5;

const MARKERS: [&str; 5] = [
    "",
    "sys_platform == 'win32'",
    "python_version < '3.10' and platform_machine == 'x86_64'",
    "python_full_version >= '3.9.1' and (os_name == 'posix' or sys_platform == 'darwin')",
    "python_version >= '3.8'",
];

fn version(package: usize) -> String {
    format!("{}.{}", package % 7, package % 11)
}

fn hash(package: usize, file: usize) -> String {
    hex(&Sha256::digest(format!("{package} {file}")))
}

fn file(package: usize, file: usize) -> String {
    format!("package_{package}-{}-cp3{file}-cp3{file}-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", version(package))
}

fn requirements(text: &mut String, package: usize) -> std::fmt::Result {
    write!(text, "package-{package}=={}", version(package))?;
    let marker = MARKERS[package % 5];
    if !marker.is_empty() {
        write!(text, " ; {marker}")?;
    }
    (0..FILES).try_for_each(|file| write!(text, " \\\n    --hash=sha256:{}", hash(package, file)))?;
    writeln!(text, "\n    # via something")
}

fn pipfile_lock(text: &mut String, package: usize) -> std::fmt::Result {
    let hashes: Vec<String> = (0..FILES).map(|file| format!("\"sha256:{}\"", hash(package, file))).collect();
    let marker = match MARKERS[package % 5] {
        "" => String::new(),
        marker => format!(", \"markers\": \"{marker}\""),
    };
    let comma = if package + 1 < PACKAGES { "," } else { "}, \"develop\": {}}" };
    let (version, hashes) = (version(package), hashes.join(", "));
    writeln!(text, "\"package-{package}\": {{\"version\": \"=={version}\", \"hashes\": [{hashes}]{marker}}}{comma}")
}

fn pylock(text: &mut String, package: usize) -> std::fmt::Result {
    write!(text, "[[packages]]\nname = \"package-{package}\"\nversion = \"{}\"\n", version(package))?;
    if !MARKERS[package % 5].is_empty() {
        writeln!(text, "marker = \"{}\"", MARKERS[package % 5])?;
    }
    writeln!(text, "wheels = [")?;
    for number in 0..FILES {
        let (file, hash) = (file(package, number), hash(package, number));
        writeln!(
            text,
            "    {{ url = \"https://index.example/packages/{file}\", upload-time = 2024-01-01T00:00:00Z, size = 12345, hashes = {{ sha256 = \"{hash}\" }} }},"
        )?;
    }
    writeln!(text, "]\n")
}

/// Chains of ten, whose heads the application needs.
fn uv_lock(text: &mut String, package: usize) -> std::fmt::Result {
    write!(text, "[[package]]\nname = \"package-{package}\"\nversion = \"{}\"\n", version(package))?;
    writeln!(text, "source = {{ registry = \"https://index.example/simple\" }}")?;
    if package % 10 != 9 {
        writeln!(
            text,
            "dependencies = [\n    {{ name = \"package-{}\", marker = \"{}\" }},\n]",
            package + 1,
            MARKERS[4]
        )?;
    }
    writeln!(text, "wheels = [")?;
    for number in 0..FILES {
        let (file, hash) = (file(package, number), hash(package, number));
        writeln!(
            text,
            "    {{ url = \"https://index.example/packages/{file}\", hash = \"sha256:{hash}\", size = 12345, upload-time = \"2024-01-01T00:00:00Z\" }},"
        )?;
    }
    writeln!(text, "]\n")
}

fn poetry_lock(text: &mut String, package: usize) -> std::fmt::Result {
    write!(text, "[[package]]\nname = \"package-{package}\"\nversion = \"{}\"\n", version(package))?;
    writeln!(text, "description = \"x\"\noptional = false\npython-versions = \">=3.7\"\ngroups = [\"main\"]")?;
    if !MARKERS[package % 5].is_empty() {
        writeln!(text, "markers = \"{}\"", MARKERS[package % 5])?;
    }
    writeln!(text, "files = [")?;
    for number in 0..FILES {
        let (file, hash) = (file(package, number), hash(package, number));
        writeln!(text, "    {{file = \"{file}\", hash = \"sha256:{hash}\"}},")?;
    }
    writeln!(text, "]\n")
}

fn pdm_lock(text: &mut String, package: usize) -> std::fmt::Result {
    write!(text, "[[package]]\nname = \"package-{package}\"\nversion = \"{}\"\n", version(package))?;
    writeln!(text, "requires_python = \">=3.7\"\nsummary = \"x\"\ngroups = [\"default\"]")?;
    if !MARKERS[package % 5].is_empty() {
        writeln!(text, "marker = \"{}\"", MARKERS[package % 5])?;
    }
    writeln!(text, "files = [")?;
    for number in 0..FILES {
        let (file, hash) = (file(package, number), hash(package, number));
        writeln!(text, "    {{file = \"{file}\", hash = \"sha256:{hash}\"}},")?;
    }
    writeln!(text, "]\n")
}

type Entry = fn(&mut String, usize) -> std::fmt::Result;

#[test]
fn a_lock_of_ten_thousand_packages_is_filtered_in_half_a_second() -> anyhow::Result<()> {
    let roots: Vec<String> =
        (0..PACKAGES).step_by(10).map(|package| format!("{{ name = \"package-{package}\" }}")).collect();
    let uv = format!(
        "version = 1\nrevision = 3\nrequires-python = '>=3.8'\n[[package]]\nname = \"shop\"\nversion = \"1\"\n\
         source = {{ editable = \".\" }}\ndependencies = [{}]\n\n",
        roots.join(",\n")
    );
    let pipfile = "{\"_meta\": {\"hash\": {\"sha256\": \"x\"}, \"pipfile-spec\": 6, \"sources\": []}, \"default\": {\n";
    let poetry = "[metadata]\nlock-version = \"2.1\"\npython-versions = \">=3.8\"\ncontent-hash = \"x\"\n";
    let pdm = "[metadata]\ngroups = [\"default\"]\nstrategy = [\"inherit_metadata\"]\nlock_version = \"4.5.0\"\ncontent_hash = \"sha256:x\"\n\n";
    let formats: [(&str, &str, Entry); 6] = [
        ("requirements.txt", "", requirements),
        ("Pipfile.lock", pipfile, pipfile_lock),
        ("pylock.toml", "lock-version = \"1.0\"\ncreated-by = \"x\"\n", pylock),
        ("uv.lock", &uv, uv_lock),
        ("poetry.lock", poetry, poetry_lock),
        ("pdm.lock", pdm, pdm_lock),
    ];
    let mut slow = Vec::new();
    for (lock, head, entry) in formats {
        let folder = tempfile::tempdir()?;
        let folder = Utf8Path::from_path(folder.path()).expect("a temporary folder is UTF-8");
        fs::create_dir_all(folder.join("dist"))?;
        fs::create_dir_all(folder.join("app"))?;
        let package = format!(
            "[package]\nname = \"big\"\nrelease = \"1\"\n[app]\npath = \"app\"\nlock = \"app/{lock}\"\n[[target]]\n\
             name = \"el9-x86_64\"\npython = \"3.11\"\n[service]\ncommand = [\"gunicorn\", \"x:y\"]\nport = 9091\ntls = \"off\"\n"
        );
        fs::write(folder.join("dist/package.toml"), package)?;
        let mut text = head.to_owned();
        (0..PACKAGES).try_for_each(|package| entry(&mut text, package))?;
        fs::write(folder.join("app").join(lock), &text)?;
        let script = repository().join("tests/python/cpu_of.py");
        // Exit code 1: our lock is not there yet, which is told once all is filtered.
        let mut timed = Command::new("python3");
        timed.arg("-B").arg(script).args([
            "5",
            "1",
            env!("CARGO_BIN_EXE_xtask"),
            "-C",
            folder.as_str(),
            "lock",
            "--check",
        ]);
        let seconds: f64 = run(&mut timed)?.text()?.parse()?;
        println!("{lock}: {seconds:.2} s of CPU for {} MB", text.len() / 1_000_000);
        if seconds > MOST {
            slow.push(format!("{lock}: {seconds} s"));
        }
    }
    ensure!(slow.is_empty(), "more than {MOST} s: {}", slow.join(", "));
    Ok(())
}
