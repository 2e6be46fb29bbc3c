//! What a package says of itself, held against the tools that others read it with: rpm's generator of requirements,
//! the standard's schema, and `packaging`'s reader of licence expressions.

use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use checkout::command::run;
use checkout::unpack::unpack;
use checkout::{Checkout, repository, tool_in};
use fs_err as fs;
use installers::shapes::open_wheel;
use installers::{Tools, wheels_in};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use wheelhaul_licenses::Spdx;
use wheelhaul_package::layout::license_texts;
use wheelhaul_wheel::elf::{ElfNeed, OfWheel, highest, needs_of};
use wheelhaul_wheel::{Contents, WheelName};

#[allow(dead_code, reason = "each test that checks the sample out uses a part of it")]
mod checkout;
#[allow(dead_code, reason = "the wheels are what is used of it here")]
mod installers;

const ELFDEPS: &str = "/usr/lib/rpm/elfdeps";
const RPM: &str = "dist/out/quality_report-0.0.1-1.el9.x86_64.rpm";

/// The wheels of `installers/wheels.txt`, fetched once.
fn wheels() -> anyhow::Result<Vec<Utf8PathBuf>> {
    static FETCHED: LazyLock<Result<Utf8PathBuf, String>> =
        LazyLock::new(|| Tools::prepare().and_then(|tools| tools.fetch_wheels()).map_err(|error| format!("{error:#}")));
    wheels_in(FETCHED.as_ref().map_err(|error| anyhow::anyhow!("{error}"))?)
}

/// What rpm's own generator says of files, without duplicates.
fn elfdeps(flag: &str, files: &[Utf8PathBuf]) -> anyhow::Result<BTreeSet<String>> {
    let mut command = Command::new(ELFDEPS);
    command.arg(flag).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("`{ELFDEPS}` is needed: `cargo xtask ci` installs it"))?;
    let names: String = files.iter().map(|file| format!("{file}\n")).collect();
    let mut input = child.stdin.take().context("standard input is piped")?;
    let writer = std::thread::spawn(move || input.write_all(names.as_bytes()));
    let output = child.wait_with_output()?;
    writer.join().expect("it does not panic")?;
    ensure!(output.status.success(), "`{ELFDEPS}` ended with {}", output.status);
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
}

/// Unpacks the ELF files of a wheel, executable, since of others rpm's generator says nothing.
fn unpack_elf(wheel: &Utf8Path, into: &Utf8Path) -> anyhow::Result<Vec<Utf8PathBuf>> {
    let archive = open_wheel(wheel)?;
    let mut files = Vec::new();
    for (place, member) in archive.members().iter().enumerate() {
        if member.size > 60 << 20
            || !(member.path.contains(".so") || member.path.contains("/bin/") || member.path.contains("/scripts/"))
        {
            continue;
        }
        let bytes = archive.read(place)?;
        if bytes.starts_with(b"\x7fELF") {
            let path = into.join(&member.path);
            fs::create_dir_all(path.parent().context("a file is in a folder")?)?;
            fs::write(&path, bytes)?;
            fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
            files.push(path);
        }
    }
    Ok(files)
}

/// The highest version of each library and family, by a reading of its own: what follows the last letter.
fn reduced(needs: &BTreeSet<String>) -> BTreeSet<String> {
    let mut families: BTreeMap<(&str, &str), (Vec<u32>, &String)> = BTreeMap::new();
    for need in needs {
        let (library, rest) = need.split_once('(').unwrap_or((need, ""));
        let version = rest.split(')').next().unwrap_or_default();
        let (family, numbers) = version.rsplit_once('_').unwrap_or((version, ""));
        let parsed: Result<Vec<u32>, _> = numbers.split('.').map(str::parse).collect();
        let (family, numbers) = parsed.map_or((version, Vec::new()), |numbers| (family, numbers));
        let best = families.entry((library, family)).or_insert((numbers.clone(), need));
        if numbers > best.0 {
            *best = (numbers, need);
        }
    }
    let versioned: BTreeSet<&str> = families.keys().filter(|(_, family)| !family.is_empty()).map(|(l, _)| *l).collect();
    families
        .iter()
        .filter(|((library, family), _)| !family.is_empty() || !versioned.contains(library))
        .map(|(_, (_, need))| (*need).clone())
        .collect()
}

#[test]
fn what_wheels_need_of_the_box_is_what_rpm_finds() -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("elf-").tempdir()?;
    let folder = Utf8Path::from_path(folder.path()).context("the temporary folder is not UTF-8")?;
    let (mut compared, mut files, mut faults) = (BTreeSet::new(), 0, Vec::new());
    let mut all: BTreeSet<String> = BTreeSet::new();
    for wheel in wheels()? {
        let file_name = wheel.file_name().context("a wheel has a name")?.to_owned();
        let name: WheelName = file_name.parse()?;
        let archive = open_wheel(&wheel)?;
        let ours = OfWheel::read(&archive, &Contents::read(&archive, &name)?)?;
        let into = folder.join(&file_name);
        let unpacked = unpack_elf(&wheel, &into)?;
        ensure!(unpacked.len() == ours.files.len(), "`{file_name}`: {} and {}", unpacked.len(), ours.files.len());
        if unpacked.is_empty() {
            continue;
        }
        let readable: Vec<_> = unpacked.into_iter().filter(|path| is_64_bit(path)).collect();
        files += readable.len();
        let provided = elfdeps("--provides", &readable)?;
        let mut brought: BTreeSet<&str> = provided.iter().filter_map(|text| text.split('(').next()).collect();
        brought.extend(readable.iter().filter_map(|path| path.file_name()));
        let theirs = elfdeps("--requires", &readable)?;
        // Each loader of the boxes knows this hash: glibc 2.5.
        let is_of_box = |need: &String| {
            let library = need.split('(').next().unwrap_or_default();
            need != "rtld(GNU_HASH)" && !brought.contains(library) && !library.starts_with("libpython")
        };
        let theirs = reduced(&theirs.into_iter().filter(is_of_box).collect());
        let ours: BTreeSet<String> = needs_of(&[ours], &[]).concat().iter().map(ToString::to_string).collect();
        if ours != theirs {
            faults.push(format!("`{file_name}`:\n  {ours:?} instead of\n  {theirs:?}"));
        }
        fs::remove_dir_all(&into)?;
        all.extend(ours);
        compared.insert(name.name.to_string());
    }
    println!("{files} ELF files of {} wheels", compared.len());
    ensure!(faults.is_empty(), "{} wheels differ:\n{}", faults.len(), faults.join("\n"));
    for name in ["cryptography", "grpcio", "lxml", "numpy", "pillow", "psycopg2-binary"] {
        ensure!(compared.contains(name), "`{name}` was not compared");
    }
    // No library of a wheel's own leaks, and what the whole RPM requires is short.
    let needs = all.iter().map(|text| text.parse()).collect::<anyhow::Result<Vec<ElfNeed>>>()?;
    let whole: Vec<String> = highest(needs).iter().map(ToString::to_string).collect();
    insta::assert_snapshot!("needs", whole.join("\n"));
    ensure!(!whole.iter().any(|need| need.contains("openblas") || need.contains("gfortran")), "{whole:?}");
    Ok(())
}

fn is_64_bit(path: &Utf8Path) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes.get(4) == Some(&2))
}

/// The licences of the wheels: which are known, and that no expression is one to `packaging` that is none here.
#[test]
fn licences_are_known_or_listed() -> anyhow::Result<()> {
    let (mut known, mut unknown) = (0, Vec::new());
    let mut expressions = BTreeSet::from(["MIT AND".to_owned(), "mit or apache-2.0".to_owned(), "BSD".to_owned()]);
    let mut all = Vec::new();
    for wheel in wheels()? {
        let name: WheelName = wheel.file_name().context("a wheel has a name")?.parse()?;
        let archive = open_wheel(&wheel)?;
        let contents = Contents::read(&archive, &name)?;
        let said = &contents.metadata.license;
        expressions.extend([&said.expression, &said.license].into_iter().flatten().filter(|e| e.len() < 200).cloned());
        let texts = license_texts(&archive, &contents)?;
        match said.judge(&texts) {
            Ok(license) => {
                known += 1;
                all.push(license);
            }
            Err(why) => unknown.push(format!("{}: {why}", name.name)),
        }
    }
    println!("{known} licences are known, {} are not", unknown.len());
    ensure!(known + unknown.len() > 250, "{known} and {}", unknown.len());
    let expressions: Vec<String> = expressions.into_iter().collect();
    let theirs: Vec<Option<String>> =
        serde_json::from_value(ask("licenses_say.py", ("test-tools", "comparing"), &expressions)?)?;
    let spelt = |text: &String| text.parse::<Spdx>().ok().map(|spdx| spdx.to_string());
    let mut valid = 0;
    for (text, theirs) in expressions.iter().zip(theirs) {
        let ours = spelt(text);
        valid += usize::from(ours.is_some());
        ensure!(ours == theirs.as_ref().and_then(spelt), "`{text}`: {ours:?}, and packaging says {theirs:?}");
    }
    println!("{valid} of {} texts are expressions", expressions.len());
    ensure!(valid >= 20, "only {valid} expressions were compared");
    insta::assert_snapshot!("licenses", format!("{}\n\n{}", Spdx::all_of(&all), unknown.join("\n")));
    Ok(())
}

/// Asks a script of `tests/python` a question, in an environment of `target/xtask` from the lock of this name.
fn ask(script: &str, (folder, lock): (&str, &str), question: &impl serde::Serialize) -> anyhow::Result<Value> {
    let tools = repository().join("tests/python/tools.py");
    let mut python = Command::new("python3");
    python.arg("-B").arg(tools).arg(repository().join("target/xtask").join(folder)).arg(lock);
    let python = run(&mut python).context("hint: `apt-get install python3 python3-venv`")?.text()?;
    let folder = tempfile::Builder::new().prefix("question-").tempdir()?;
    let path = Utf8Path::from_path(folder.path()).context("the temporary folder is not UTF-8")?.join("question");
    fs::write(&path, serde_json::to_string(question)?)?;
    let said =
        run(Command::new(python).arg("-B").arg(repository().join("tests/python").join(script)).arg(path))?.text()?;
    Ok(serde_json::from_str(&said)?)
}

#[test]
fn the_sbom_is_one_and_says_what_is_in_the_package() -> anyhow::Result<()> {
    let sample = Checkout::new("sbom-")?;
    let copy = sample.dir()?;
    run(&mut tool_in(&copy, &["dist", "--locked"]))?.text()?;
    let root = copy.join("unpacked");
    unpack(&copy.join(RPM), &root)?;
    let text = fs::read_to_string(root.join("usr/share/doc/quality_report/sbom.cdx.json"))?;
    // One that is a fault must be found, or the proof is none.
    let faulty = text.replacen("\"library\"", "\"libary\"", 1);
    let said: Vec<Option<String>> =
        serde_json::from_value(ask("sbom_says.py", ("test-sbom", "sbom"), &[&text, &faulty])?)?;
    ensure!(said[0].is_none(), "{said:?}");
    ensure!(said[1].is_some(), "a component of no type passes for one");
    let sbom: Value = serde_json::from_str(&text)?;
    let components = sbom["components"].as_array().context("components")?;
    let provides = run(Command::new("rpm").args(["-qp", "--provides", copy.join(RPM).as_str()]))?.text()?;
    let mut seen = 0;
    for component in components {
        let (name, version) =
            (component["name"].as_str().context("a name")?, component["version"].as_str().context("a version")?);
        ensure!(provides.contains(&format!("bundled(python3dist({name})) = ")), "`{name}` is not in\n{provides}");
        ensure!(component["purl"] == format!("pkg:pypi/{name}@{version}"), "{component}");
        // What a wheel says of itself is there, where it is told to be.
        for own in component["externalReferences"].as_array().into_iter().flatten() {
            let path = own["url"].as_str().context("a path")?;
            ensure!(root.join(path.trim_start_matches('/')).is_file(), "`{path}` is not there");
            seen += 1;
        }
    }
    ensure!(seen > 0, "no wheel of the sample brings an SBOM");
    ensure!(components.len() == provides.matches("bundled(python3dist(").count(), "{provides}");
    let dependencies = sbom["dependencies"].as_array().context("dependencies")?;
    ensure!(dependencies.len() == components.len() + 1, "{} of {}", dependencies.len(), components.len());
    let flask =
        dependencies.iter().find(|row| row["ref"].as_str().is_some_and(|name| name.starts_with("pkg:pypi/flask@")));
    let on: Vec<&str> =
        flask.context("flask")?["dependsOn"].as_array().context("a list")?.iter().filter_map(Value::as_str).collect();
    ensure!(on.iter().any(|name| name.starts_with("pkg:pypi/werkzeug@")), "{on:?}");
    insta::assert_snapshot!("provides", provides);
    Ok(())
}
