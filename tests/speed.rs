//! What filtering a large lock costs, as the tool is built for its users: the dev profile; and what is left to do
//! where nothing changed.

use anyhow::ensure;
use camino::Utf8Path;
use checkout::command::run;
use checkout::repository;
use fs_err as fs;
use index::write_wheel;
use locking::Repository;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::process::Command;
use std::time::Instant;
use wheelhaul_base::hex::hex;
use wheelhaul_lockfiles::LockFormat;

#[allow(dead_code, reason = "each test that runs the tool uses a part of it")]
mod checkout;
#[path = "locking/index.rs"]
#[allow(dead_code, reason = "shared with the tests of locks")]
mod index;
#[path = "locking/repository.rs"]
#[allow(dead_code, reason = "shared with the tests of locks")]
mod locking;
#[path = "hostile/zip.rs"]
#[allow(dead_code, reason = "the hostile tests use more of it")]
mod zip;

const PACKAGES: usize = 10_000;
/// Files of each package, with a hash each.
const FILES: usize = 3;
/// CPU time of the whole process, in that of `gzip` on the lock that is `requirements.txt`, which is measured beside it:
/// machines differ. Where gzip takes 0.07 s, this is 0.3 s.
const MOST: f64 = 4.3;
/// Wall time of `lock --check` of a small lock, in milliseconds; it takes a fifth of that.
const MOST_WALL: u128 = 50;

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

/// The least CPU time of several runs, in seconds.
fn cpu_of(code: &str, command: &[&str]) -> anyhow::Result<f64> {
    let script = repository().join("tests/python/cpu_of.py");
    let mut timed = Command::new("python3");
    timed.arg("-B").arg(script).args(["5", code]).args(command);
    Ok(run(&mut timed)?.text()?.parse()?)
}

#[test]
fn a_lock_of_ten_thousand_packages_is_filtered_in_the_time_of_four_gzips() -> anyhow::Result<()> {
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
    ensure!(LockFormat::all().iter().all(|format| formats.iter().any(|(lock, ..)| *lock == format.name)));
    let reference = tempfile::NamedTempFile::new()?;
    let mut text = String::new();
    (0..PACKAGES).try_for_each(|package| requirements(&mut text, package))?;
    fs::write(reference.path(), text)?;
    let reference = Utf8Path::from_path(reference.path()).expect("a temporary file is UTF-8");
    let mut slow = Vec::new();
    for (lock, head, entry) in formats {
        let folder = tempfile::tempdir()?;
        let folder = Utf8Path::from_path(folder.path()).expect("a temporary folder is UTF-8");
        fs::create_dir_all(folder.join("dist"))?;
        fs::create_dir_all(folder.join("app"))?;
        let package = format!(
            "[package]\nname = \"big\"\nrelease = \"1\"\n[app]\npath = \"app\"\nlock = \"app/{lock}\"\n[[target]]\n\
             name = \"el9-x86_64\"\npython = \"3.11\"\n[service]\ncommand = [\"package-0\", \"{{address}}:{{port}}\"]\nport = 9091\ntls = \"off\"\n"
        );
        fs::write(folder.join("dist/package.toml"), package)?;
        fs::write(folder.join("app/pyproject.toml"), "[project]\nname = \"big\"\nversion = \"1\"\n")?;
        let mut text = head.to_owned();
        (0..PACKAGES).try_for_each(|package| entry(&mut text, package))?;
        fs::write(folder.join("app").join(lock), &text)?;
        let gzip = cpu_of("0", &["gzip", "-6", "-c", reference.as_str()])?;
        // Exit code 1: our lock is not there yet, which is told once all is filtered.
        let seconds = cpu_of("1", &[env!("CARGO_BIN_EXE_started"), "-C", folder.as_str(), "lock", "--check"])?;
        let times = seconds / gzip;
        println!("{lock}: {seconds:.3} s of CPU for {} MB, {times:.1} times gzip", text.len() / 1_000_000);
        if times > MOST {
            slow.push(format!("{lock}: {times:.1} times, {seconds} s"));
        }
    }
    ensure!(slow.is_empty(), "more than {MOST} times gzip: {}", slow.join(", "));
    Ok(())
}

/// What a process asks of the system to see, and no more; of `openat` that it is for reading.
const LOOKING: [&str; 17] = [
    "access",
    "execve",
    "exit",
    "exit_group",
    "faccessat",
    "faccessat2",
    "fstat",
    "getcwd",
    "lstat",
    "newfstatat",
    "open",
    "openat",
    "readlink",
    "readlinkat",
    "stat",
    "statfs",
    "statx",
];

/// What of a trace is more than looking; the first `execve` is the tool's own start.
fn deeds(trace: &str) -> Vec<&str> {
    let is_deed = |(number, line): &(usize, &str)| {
        let call = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
        // `+++ exited with 0 +++` is none.
        let Some((name, words)) = call.split_once('(') else { return false };
        match name {
            "execve" => *number > 0,
            "open" | "openat" => !words.contains("O_RDONLY") || words.contains("O_CREAT") || words.contains("O_TRUNC"),
            _ => !LOOKING.contains(&name),
        }
    };
    trace.lines().enumerate().filter(is_deed).map(|(_, line)| line).collect()
}

/// What Poetry 2.5 and PDM 2.29 write for the project file of [`Repository`].
const POETRY: &str = "115cf985d932e9bf5f540555bbdd75decbb62cac81e399375fc19f6277f8c1d8";
const PDM: &str = "ece479d1fc26bbc1091a4114e084312c6b77c8f8fc20195e68cc6393ef0b33d9";

#[test]
fn with_nothing_changed_no_process_is_started_and_nothing_written() -> anyhow::Result<()> {
    let target = "[[target]]\nname = \"el9-x86_64\"\npython = \"3.11\"";
    for lock in LockFormat::all().iter().map(|format| format.name) {
        let made = Repository::new(target, "")?;
        let sha256 = write_wheel(&made.index, "alpha-1.0-py3-none-any.whl", &[])?;
        let (file, hash) = ("alpha-1.0-py3-none-any.whl", format!("sha256:{sha256}"));
        let entry = "name = \"alpha\"\nversion = \"1.0\"\n";
        let text = match lock {
            "requirements.txt" => format!("alpha==1.0 --hash={hash}\n"),
            "Pipfile.lock" => format!(
                "{{\"_meta\": {{\"hash\": {{\"sha256\": \"x\"}}, \"pipfile-spec\": 6, \"sources\": []}}, \
                 \"default\": {{\"alpha\": {{\"version\": \"==1.0\", \"hashes\": [\"{hash}\"]}}}}, \"develop\": {{}}}}"
            ),
            "pylock.toml" => format!(
                "lock-version = \"1.0\"\ncreated-by = \"x\"\n[[packages]]\n{entry}\
                 wheels = [{{ url = \"https://index.example/{file}\", hashes = {{ sha256 = \"{sha256}\" }} }}]\n"
            ),
            "uv.lock" => format!(
                "version = 1\nrevision = 3\nrequires-python = '>=3.8'\n[[package]]\nname = \"shop\"\nversion = \"1\"\n\
                 source = {{ editable = \".\" }}\ndependencies = [{{ name = \"alpha\" }}]\n[[package]]\n{entry}\
                 source = {{ registry = \"https://index.example/simple\" }}\n\
                 wheels = [{{ url = \"https://index.example/{file}\", hash = \"{hash}\" }}]\n"
            ),
            "poetry.lock" => format!(
                "[[package]]\n{entry}optional = false\npython-versions = \">=3.7\"\ngroups = [\"main\"]\n\
                 files = [{{file = \"{file}\", hash = \"{hash}\"}}]\n\
                 [metadata]\nlock-version = \"2.1\"\npython-versions = \">=3.8\"\ncontent-hash = \"{POETRY}\"\n"
            ),
            _ => format!(
                "[metadata]\ngroups = [\"default\"]\nstrategy = [\"inherit_metadata\"]\nlock_version = \"4.5.0\"\n\
                 content_hash = \"sha256:{PDM}\"\n[[package]]\n{entry}requires_python = \">=3.7\"\ngroups = [\"default\"]\n\
                 files = [{{file = \"{file}\", hash = \"{hash}\"}}]\n"
            ),
        };
        made.write(&format!("app/{lock}"), &text)?;
        let package = made.read("dist/package.toml")?;
        made.write("dist/package.toml", &package.replace("requirements.txt", lock))?;
        let first = made.run(&["lock", "-q"])?;
        ensure!(first.succeeded(), "{lock}: {first}");
        let traced = |words: &[&str]| -> anyhow::Result<String> {
            let trace = made.folder.join("trace");
            let mut command = Command::new("strace");
            command.args(["-f", "-e", "trace=%process,%network,%file", "-o", trace.as_str()]);
            command.arg(env!("CARGO_BIN_EXE_started")).args(words).current_dir(&made.folder);
            let finished = run(&mut command)?;
            ensure!(finished.succeeded(), "{lock}: {finished}");
            Ok(fs::read_to_string(trace)?)
        };
        for words in [&["lock"][..], &["lock", "--check"], &["lock", "--check", "--quiet"], &["lock", "--offline"]] {
            let trace = traced(words)?;
            ensure!(trace.contains("app/") && trace.contains("execve("), "{lock}: nothing was traced: {trace}");
            let deeds = deeds(&trace);
            ensure!(deeds.is_empty(), "{lock}, {words:?}: {}", deeds.join("\n"));
        }
        // What does more is seen.
        if lock == LockFormat::all()[0].name {
            let trace = traced(&["lock", "--refresh", "--quiet"])?;
            let deeds = deeds(&trace);
            for deed in ["execve(", "O_CREAT", "rename"] {
                ensure!(deeds.iter().any(|line| line.contains(deed)), "`{deed}` is not seen: {trace}");
            }
        }
        let mut least = u128::MAX;
        for _ in 0..20 {
            let started = Instant::now();
            let finished = made.run(&["lock", "--check", "--quiet"])?;
            least = least.min(started.elapsed().as_millis());
            ensure!(finished.succeeded(), "{lock}: {finished}");
        }
        println!("{lock}: {least} ms");
        ensure!(least <= MOST_WALL, "{lock}: `lock --check` took {least} ms, and may take {MOST_WALL}");
    }
    Ok(())
}
