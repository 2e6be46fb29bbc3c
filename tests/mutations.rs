//! Does `verify` find what it ought to? Each row puts one fault into a good RPM, whose digests agree with the fault, and
//! names the check that has to find it. And on good RPMs there is nothing to find.

use anyhow::{Context, ensure};
use camino::Utf8Path;
use forge::Forge;
use fs_err as fs;
use project::{Application, Verdict, prepared};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use wheelhaul_verify::{CHECKS, When};

#[allow(dead_code, reason = "each test that checks the sample out uses a part of it")]
mod checkout;
#[allow(dead_code, reason = "the tests of ELF files use the rest of it")]
mod forge;
#[allow(dead_code, reason = "the comparing tests use more of it")]
mod installers;

#[path = "mutations/code.rs"]
mod code;
#[path = "mutations/dists.rs"]
mod dists;
#[path = "mutations/elf.rs"]
mod elf;
#[path = "mutations/files.rs"]
mod files;
#[path = "mutations/good.rs"]
mod good;
#[path = "mutations/project.rs"]
mod project;
#[path = "mutations/security.rs"]
mod security;
#[path = "mutations/texts.rs"]
mod texts;

/// The good RPM that a row starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Base {
    /// compiled wheels for el9's Python 3.11
    Compiled,
    /// pure ones for a box like this host, whose Python can compile its modules
    LikeHost,
    /// numpy, which brings libraries of its own
    Large,
}

/// A fault and who finds it.
struct Row {
    /// `digests`; `readable` for what can be read by no check
    check: &'static str,
    /// what is wrong
    what: &'static str,
    /// a part of what the check says
    says: &'static str,
    base: Base,
    /// flags of `verify`, with `{folder}` for where the data of `security` is
    flags: &'static [&'static str],
    fault: fn(&mut Forge),
}

fn row(check: &'static str, what: &'static str, says: &'static str, fault: fn(&mut Forge)) -> Row {
    Row { check, what, says, base: Base::Compiled, flags: &[], fault }
}

impl Row {
    fn on(self, base: Base) -> Self {
        Self { base, ..self }
    }

    fn with(self, flags: &'static [&'static str]) -> Self {
        Self { flags, ..self }
    }
}

/// What the bases have in common.
fn small(requirements: &[&'static str]) -> Application {
    Application {
        name: "small",
        requirements: requirements.to_vec(),
        code: "def app(environ, start_response):\n    return []\n",
        // Byte-code of rows is made by hand, whichever Pythons this host has.
        package: "byte-code = false",
        target: "[[target]]\nname = \"el9-x86_64\"\npython = \"3.11\"".to_owned(),
        service: "command = [\"gunicorn\", \"small:app\"]\nport = 8000\ntls = \"self-signed\"".to_owned(),
        config: vec![
            ("config.yaml", "a: 1\nb:\n  - c\n"),
            ("settings.json", "{\"a\": 1}\n"),
            ("settings.toml", "[a]\nb = 1\n"),
        ],
    }
}

fn every_row() -> Vec<Row> {
    [files::rows(), dists::rows(), code::rows(), elf::rows(), texts::rows(), security::rows()]
        .into_iter()
        .flatten()
        .collect()
}

/// The bases, taken into parts.
fn bases() -> anyhow::Result<BTreeMap<Base, Forge>> {
    let (tools, wheels) = prepared()?;
    let wheels = [wheels.to_owned()];
    let compiled = small(&["greenlet==3.5.6", "gunicorn==27.0.1", "markupsafe==3.0.4", "packaging==26.3"]);
    let compiled = compiled.build(tools, &wheels, |_| Ok(()))?;
    let pure = small(&["gunicorn==27.0.1", "packaging==26.3"]);
    let like_host = pure.build(tools, &wheels, |folder| tools.describe_host(folder).map(drop))?;
    let large = small(&["gunicorn==27.0.1", "numpy==2.4.6", "packaging==26.3"]);
    let large = large.build(tools, &wheels, |_| Ok(()))?;
    let mut bases = BTreeMap::new();
    for (base, built) in [(Base::Compiled, compiled), (Base::LikeHost, like_host), (Base::Large, large)] {
        let found = Verdict::of(&built.rpm, &[])?.findings();
        ensure!(found.is_empty(), "{base:?} is no good base: {found:#?}");
        let forge = Forge::open(&fs::read(&built.rpm)?);
        // What the forge itself does is no fault.
        let again = built.folder.join("again.rpm");
        fs::write(&again, forge.write())?;
        let found = Verdict::of(&again, &[])?.findings();
        ensure!(found.is_empty(), "{base:?} is no good base once it is forged: {found:#?}");
        bases.insert(base, forge);
    }
    Ok(bases)
}

/// What is wrong with a row: nothing where the check finds the fault.
fn judged(row: &Row, base: &Forge, rpm: &Utf8Path) -> anyhow::Result<()> {
    let mut forge = base.clone();
    let bytes = catch_unwind(AssertUnwindSafe(|| {
        (row.fault)(&mut forge);
        forge.write()
    }));
    fs::write(rpm, bytes.ok().context("the row itself cannot be made")?)?;
    let folder = rpm.parent().context("it is in a folder")?;
    let flags: Vec<String> = row.flags.iter().map(|flag| flag.replace("{folder}", folder.as_str())).collect();
    let verdict = Verdict::of(rpm, &flags.iter().map(String::as_str).collect::<Vec<_>>())?;
    let found = verdict.findings();
    ensure!(matches!(verdict.code, Some(0 | 1)), "exit code {:?}: {}", verdict.code, verdict.stderr);
    let is_it = |(check, text): &&(String, String)| check == row.check && text.contains(row.says);
    let hit = found.iter().find(is_it);
    let shown: Vec<String> = found.iter().take(12).map(|(check, text)| format!("    {check}: {text}")).collect();
    let shown = if shown.is_empty() { "    nothing".to_owned() } else { shown.join("\n") };
    let (_, text) = hit.with_context(|| format!("nothing with `{}`, but\n{shown}", row.says))?;
    ensure!(text.ends_with("[warning]") || verdict.code == Some(1), "an error, and the exit code is 0");
    Ok(())
}

#[test]
fn every_fault_is_found_by_the_check_that_ought_to() -> anyhow::Result<()> {
    let bases = bases()?;
    let rows = every_row();
    let folder = tempfile::Builder::new().prefix("faults-").tempdir()?;
    let folder = Utf8Path::from_path(folder.path()).context("the temporary folder is not UTF-8")?;
    security::write_data(folder)?;
    let next = AtomicUsize::new(0);
    let missed = Mutex::new(BTreeMap::new());
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (rows, bases, next, missed) = (&rows, &bases, &next, &missed);
            scope.spawn(move || {
                let rpm = folder.join(format!("faulty-{worker}.rpm"));
                while let Some((index, row)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    rows.get(index).map(|row| (index, row))
                } {
                    if let Err(fault) = judged(row, &bases[&row.base], &rpm) {
                        let text = format!("{}: {}: {fault:#}", row.check, row.what);
                        missed.lock().expect("no worker panicked").insert(index, text);
                    }
                }
            });
        }
    });
    let missed: Vec<String> = missed.into_inner()?.into_values().collect();
    println!("{} faults", rows.len());
    ensure!(rows.len() >= 200, "there are {} rows", rows.len());
    ensure!(missed.is_empty(), "{} of {} faults were missed:\n{}", missed.len(), rows.len(), missed.join("\n"));
    Ok(())
}

#[test]
fn every_check_has_a_fault_to_find() {
    // What a box says has its faults in its document: `verify/on_box/tests.rs` tries each of those checks.
    let of_rpm = CHECKS.iter().filter(|check| check.when != When::OnBox);
    let known: BTreeSet<&str> = of_rpm.map(|check| check.name).collect();
    let tried: BTreeSet<&str> = every_row().iter().map(|row| row.check).filter(|check| *check != "readable").collect();
    let untried: Vec<_> = known.difference(&tried).collect();
    assert!(untried.is_empty(), "checks that no row tries: {untried:?}");
    let unknown: Vec<_> = tried.iter().filter(|check| !known.contains(*check)).collect();
    assert!(unknown.is_empty(), "rows for checks that are not there: {unknown:?}");
    let rows = every_row();
    let names: BTreeSet<_> = rows.iter().map(|row| (row.check, row.what)).collect();
    assert_eq!(names.len(), rows.len(), "two rows have one name");
}
