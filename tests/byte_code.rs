//! Byte-code in the package: the same bytes whatever made them, and what runs is the byte-code.

use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use checkout::command::{Finished, run};
use checkout::unpack::unpack;
use checkout::{Checkout, list, repository, tool_in};
use fs_err as fs;
use installers::Tools;
use std::process::Command;
use std::time::{Duration, Instant};
use wheelhaul_engine::tools::interpreter::candidates;

#[allow(dead_code, reason = "each test that checks the sample out uses a part of it")]
mod checkout;
#[allow(dead_code, reason = "the comparing tests use more of it")]
mod installers;

/// The sample for a box like this host, locked.
struct Sample {
    checkout: Checkout,
    folder: Utf8PathBuf,
}

impl Sample {
    fn new(byte_code: &str) -> anyhow::Result<Self> {
        let tools = Tools::prepare()?;
        let checkout = Checkout::new("byte-code-")?;
        let folder = checkout.dir()?;
        tools.describe_host(&folder)?;
        let sample = Self { checkout, folder };
        sample.set(byte_code)?;
        let locked = run(tools.first_on_path(&mut tool_in(&sample.folder, &["lock"])))?;
        ensure!(locked.succeeded(), "{locked}");
        sample.checkout.commit("locked")?;
        Ok(sample)
    }

    /// Puts a line into `[package]`, in place of what was put there before.
    fn set(&self, line: &str) -> anyhow::Result<()> {
        let path = self.folder.join("dist/package.toml");
        let text = fs::read_to_string(&path)?;
        let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with("byte-code")).collect();
        fs::write(&path, kept.join("\n").replacen("[package]\n", &format!("[package]\n{line}\n"), 1) + "\n")?;
        self.checkout.commit(line).or(Ok(()))
    }

    fn run(&self, words: &[&str]) -> anyhow::Result<Finished> {
        run(&mut tool_in(&self.folder, words))
    }

    /// The RPM that `words` make.
    fn made(&self, words: &[&str]) -> anyhow::Result<(Finished, Vec<u8>)> {
        let finished = self.run(words)?;
        ensure!(finished.succeeded(), "{finished}");
        Ok((finished, fs::read(self.rpm()?)?))
    }

    fn rpm(&self) -> anyhow::Result<Utf8PathBuf> {
        let out = self.folder.join("dist/out");
        let name = list(&out)?.into_iter().find(|name| name.ends_with(".rpm")).context("no RPM")?;
        Ok(out.join(name))
    }
}

fn files_below(folder: &Utf8Path) -> anyhow::Result<Vec<Utf8PathBuf>> {
    let found = run(Command::new("find").args([folder.as_str(), "-type", "f"]))?.text()?;
    Ok(found.lines().map(Utf8PathBuf::from).collect())
}

#[test]
fn the_sample_runs_from_byte_code_alone() -> anyhow::Result<()> {
    let sample = Sample::new("byte-code = true")?;
    let (finished, _) = sample.made(&["dist", "--locked", "--offline"])?;
    ensure!(finished.stderr.contains("byte-code compiled by CPython 3."), "{finished}");
    ensure!(finished.stdout.contains("  ok        byte-code    "), "{finished}");
    let root = sample.folder.join("target/unpacked");
    unpack(&sample.rpm()?, &root)?;
    let root = root.join("opt/quality_report");
    let files = files_below(&root)?;
    let (mut compiled, mut modules) = (0, 0);
    for path in files.iter().filter(|path| path.extension() == Some("py") && path.parent() != Some(&root.join("bin"))) {
        modules += 1;
        let (folder, stem) = (path.parent().context("a file is in a folder")?, path.file_stem().context("a name")?);
        let cached = list(&folder.join("__pycache__")).unwrap_or_default();
        if cached.iter().any(|name| name.starts_with(&format!("{stem}.cpython-"))) {
            compiled += 1;
            // Whoever reads this instead of the byte-code does not get far.
            fs::write(path, "this is no Python: it was read\n")?;
        }
    }
    ensure!(compiled > 400 && modules - compiled < 10, "{compiled} of {modules} modules are compiled");
    let script = repository().join("tests/python/from_byte_code.py").canonicalize_utf8()?;
    let said = run(Command::new("python3").args(["-ISB", script.as_str(), root.as_str()]))?.text()?;
    println!("{compiled} of {modules} modules compiled; {said}");
    Ok(())
}

/// Modules that are hard on a compiler; whether there is byte-code of them afterwards.
#[test]
fn odd_modules_are_compiled_or_left_out_and_never_stop_a_build() -> anyhow::Result<()> {
    let sample = Sample::new("byte-code = true")?;
    let nested: String = (0..60).map(|depth| format!("{}def f():\n", " ".repeat(depth))).collect();
    #[rustfmt::skip]
    let modules = [
        ("nan",    "NAN = 1e400 - 1e400\nALSO = {NAN, (1e400 - 1e400) * 1j}\n".to_owned(), true),
        ("nested", format!("{nested}{}pass\n", " ".repeat(60)),                            true),
        ("deep",   format!("x = {}1\n", "-".repeat(100_000)),                              false),
        ("two",    "print 'of Python 2'\n".to_owned(),                                     false),
        ("zero",   "x = '\0'\n".to_owned(),                                                false),
    ];
    for (name, text, _) in &modules {
        fs::write(sample.folder.join(format!("python-app/src/{name}.py")), text)?;
    }
    sample.checkout.commit("odd modules")?;
    let start = Instant::now();
    let made = sample.run(&["rpm", "--offline"])?;
    ensure!(made.succeeded(), "{made}");
    ensure!(start.elapsed() < Duration::from_secs(60), "it took {:?}", start.elapsed());
    let listed = run(Command::new("rpm").args(["-qpl", sample.rpm()?.as_str()]))?.text()?;
    for (name, _, is_compiled) in modules {
        let found = listed.lines().any(|line| line.contains(&format!("/src/__pycache__/{name}.cpython-")));
        ensure!(found == is_compiled, "{name}: {found}");
    }
    Ok(())
}

#[test]
fn what_was_compiled_is_kept_and_made_anew_where_it_was_damaged() -> anyhow::Result<()> {
    let sample = Sample::new("byte-code = true")?;
    let (first, good) = sample.made(&["rpm", "--offline"])?;
    ensure!(first.stderr.contains(" wheels anew"), "{first}");
    let (second, same) = sample.made(&["rpm", "--offline"])?;
    ensure!(!second.stderr.contains(" anew"), "{second}");
    ensure!(good == same, "a second run made other bytes");

    let cache = sample.folder.join("target/xtask/kept/byte-code");
    let mut archives: Vec<Utf8PathBuf> = list(&cache)?.iter().map(|name| cache.join(name)).collect();
    archives.retain(|path| path.metadata().is_ok_and(|data| data.len() > 1000));
    let mut bytes = fs::read(&archives[0])?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&archives[0], bytes)?;
    fs::write(&archives[1], "cut")?;
    fs::remove_file(&archives[2])?;
    let (third, same) = sample.made(&["rpm", "--offline"])?;
    ensure!(third.stderr.contains(", 3 wheels anew"), "{third}");
    ensure!(good == same, "what was compiled anew made other bytes");

    // A single process, from nothing.
    fs::remove_dir_all(&cache)?;
    let tool = tool_in(&sample.folder, &["rpm", "--offline"]);
    let mut alone = Command::new("taskset");
    alone.args(["--cpu-list", "0"]).arg(tool.get_program()).args(tool.get_args()).current_dir(&sample.folder);
    let alone = run(alone.env_remove("SOURCE_DATE_EPOCH").env("PYTHONHASHSEED", "7").env("TZ", "Asia/Kathmandu"))?;
    ensure!(alone.stderr.contains(" wheels anew"), "{alone}");
    ensure!(good == fs::read(sample.rpm()?)?, "one process made other bytes than one a core");
    Ok(())
}

#[test]
fn byte_code_is_left_out_where_nobody_can_or_wants_to_compile_it() -> anyhow::Result<()> {
    let sample = Sample::new("byte-code = false")?;
    let has_byte_code = || -> anyhow::Result<bool> {
        Ok(run(Command::new("rpm").args(["-qpl", sample.rpm()?.as_str()]))?.text()?.contains("__pycache__"))
    };
    sample.made(&["rpm", "--offline"])?;
    ensure!(!has_byte_code()?, "there is byte-code that was not wanted");
    // Git alone: no Python of any minor.
    let programs = sample.folder.join("target/programs");
    fs::create_dir_all(&programs)?;
    let git = run(Command::new("sh").args(["-c", "command -v git"]))?.text()?;
    fs::os::unix::fs::symlink(git, programs.join("git"))?;
    let bare = |words: &[&str]| {
        let mut tool = tool_in(&sample.folder, words);
        run(tool.env("PATH", &programs).env("HOME", &programs).env_remove("PYENV_ROOT"))
    };
    sample.set("")?;
    let without = bare(&["rpm", "--offline"])?;
    ensure!(without.succeeded(), "{without}");
    for part in ["no byte-code: no CPython 3.", "compiles its modules at each start", "pyenv"] {
        ensure!(without.stderr.contains(part), "`{part}` is not said: {without}");
    }
    ensure!(!has_byte_code()?, "there is byte-code that nobody compiled");
    sample.set("byte-code = true")?;
    let refused = bare(&["rpm", "--offline"])?;
    ensure!(refused.code == Some(2) && refused.stderr.contains("`package.byte-code` is true"), "{refused}");
    ensure!(refused.stderr.contains("hint: ") && refused.stderr.contains("on the PATH"), "{refused}");
    // With one again: what was not found before is looked for again.
    sample.set("")?;
    sample.made(&["rpm", "--offline"])?;
    ensure!(has_byte_code()?, "there is no byte-code, and an interpreter is there");
    Ok(())
}

/// Each CPython writes byte-code in its own way: all that are here are tried, and this host's always.
#[test]
fn every_python_of_this_host_compiles_the_same_each_time_and_runs_it() -> anyhow::Result<()> {
    let path = |name: &str| repository().join(name).canonicalize_utf8();
    let (script, compile) =
        (path("tests/python/byte_code_holds.py")?, path("xtask/crates/engine/src/templates/compile.py")?);
    const MINOR: &str = "import sys; print('%d.%d' % sys.version_info[:2])";
    let host = run(Command::new("python3").args(["-c", MINOR]))?.text()?;
    let mut ran = Vec::new();
    for minor in (6..=14).map(|minor| format!("3.{minor}")) {
        let is_it = |python: &&Utf8PathBuf| {
            let said = run(Command::new(python).args(["-c", MINOR])).ok().and_then(|said| said.text().ok());
            said.is_some_and(|said| said == minor)
        };
        let candidates = candidates(&minor);
        let Some(python) = candidates.iter().find(is_it) else {
            println!("NOT RUN  CPython {minor}: none on this host");
            continue;
        };
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(python);
        command.arg("-B").arg(&script).arg(&compile).arg(folder.path());
        println!("CPython {minor}: {}", run(&mut command)?.text()?);
        ran.push(minor);
    }
    ensure!(ran.contains(&host), "this host's own CPython {host} was not tried");
    Ok(())
}
