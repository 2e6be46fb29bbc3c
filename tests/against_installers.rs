//! What lands in `/opt/NAME`, held file by file against what pip and uv install from the same wheels.

use anyhow::{Context, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use checkout::command::run;
use checkout::unpack::unpack;
use checkout::{Checkout, list, repository, tool_in};
use fs_err as fs;
use installers::shapes::{must_have_every_shape, open_wheel};
use installers::{Installer, Tools, pins, wheels_in};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use wheelhaul_base::hex::hex;
use wheelhaul_pylock::Lock;
use wheelhaul_wheel::WheelRecord;

#[allow(dead_code, reason = "each test that checks the sample out uses a part of it")]
mod checkout;
mod installers;

#[test]
fn sample_is_laid_out_as_installers_do() -> anyhow::Result<()> {
    let tools = Tools::prepare()?;
    let checkout = Checkout::new("installers-")?;
    let copy = checkout.dir()?;
    run(tools.first_on_path(&mut tool_in(&copy, &["dist", "--locked"])))?.text()?;
    let rpm = copy.join("dist/out/quality_report-0.0.1-1.el9.x86_64.rpm");
    let ours = Packed::unpack(&rpm, "quality_report", &copy.join("target/unpacked"))?;
    let wheels = wheels_in(&copy.join("dist/wheels"))?;

    let by_pip = copy.join("target/by-pip");
    tools.pip_install(&by_pip, &wheels)?;
    ours.must_equal("pip", &by_pip, &wheels)?;

    // Nothing but the lock and its wheels, as they stand in a repository or a bundle.
    let bare = copy.join("target/bare");
    fs::create_dir_all(&bare)?;
    let lock = "pylock.el9-x86_64.toml";
    fs::copy(copy.join("dist").join(lock), bare.join(lock))?;
    std::os::unix::fs::symlink(copy.join("dist/wheels"), bare.join("wheels"))?;
    let by_uv = copy.join("target/by-uv");
    tools.uv_install(&bare, lock, &by_uv)?;
    ours.must_equal("uv", &by_uv, &wheels)?;

    let bundle = copy.join("dist/out/quality_report-dist-0.0.1.tar.gz");
    run(Command::new("tar").args(["--extract", "--strip-components=1", "--file", bundle.as_str()]).current_dir(&bare))?
        .text()?;
    let by_requirements = copy.join("target/by-requirements");
    tools.pip_install_requirements(&bare, "requirements.el9-x86_64.txt", &by_requirements)?;
    ours.must_equal("pip with hashes", &by_requirements, &wheels)
}

/// pip judges a lock by its own interpreter and by nothing else, so the box is one like this host.
#[test]
fn pip_and_uv_install_from_a_lock_and_its_wheels_alone() -> anyhow::Result<()> {
    let tools = Tools::prepare()?;
    let checkout = Checkout::new("like-host-")?;
    let copy = checkout.dir()?;
    let lock = tools.describe_host(&copy)?;
    checkout.commit("for a box like this host")?;
    run(tools.first_on_path(&mut tool_in(&copy, &["dist"])))?.text()?;
    let rpm = list(&copy.join("dist/out"))?.into_iter().find(|name| name.ends_with(".rpm")).context("no RPM")?;
    let ours = Packed::unpack(&copy.join("dist/out").join(rpm), "quality_report", &copy.join("target/unpacked"))?;
    let wheels = wheels_in(&copy.join("dist/wheels"))?;
    let locked = fs::read_to_string(copy.join("dist").join(&lock))?.matches("[[packages]]").count();

    let bare = copy.join("target/bare");
    fs::create_dir_all(bare.join("wheels"))?;
    fs::copy(copy.join("dist").join(&lock), bare.join(&lock))?;
    for wheel in &wheels {
        fs::copy(wheel, bare.join("wheels").join(wheel.file_name().context("a wheel has a name")?))?;
    }
    for installer in [Installer::Pip, Installer::Uv] {
        let into = copy.join(format!("target/by-{installer:?}"));
        tools.install_lock(installer, &bare, &lock, &into, &[])?.text()?;
        let infos = list(&into)?.into_iter().filter(|name| name.ends_with(".dist-info")).count();
        ensure!(infos == locked && locked > 10, "{installer:?}: {infos} of {locked} packages were installed");
        ours.must_equal(&format!("{installer:?}"), &into, &wheels)?;
    }
    // For another box than its own pip takes no lock; `requirements.*.txt` of the bundle is for that.
    let refused = tools.install_lock(
        Installer::Pip,
        &bare,
        &lock,
        &copy.join("target/elsewhere"),
        &["--python-version", "3.11", "--only-binary", ":all:"],
    )?;
    ensure!(refused.stderr.contains("are not supported when selecting requirements from"), "{refused}");
    // A whole wheel that is not the locked one: only the digest tells.
    let text = fs::read_to_string(bare.join(&lock))?;
    let (before, digest) = text.split_once("sha256 = \"").context("a digest")?;
    fs::write(bare.join(&lock), format!("{before}sha256 = \"{}{}", "0".repeat(64), &digest[64..]))?;
    for installer in [Installer::Pip, Installer::Uv] {
        let refused = tools.install_lock(installer, &bare, &lock, &copy.join("target/other"), &[])?;
        let said = refused.to_string().to_lowercase();
        ensure!(
            !refused.succeeded() && said.contains("hash"),
            "{installer:?} took a wheel that is not the locked one: {refused}"
        );
    }
    Ok(())
}

#[test]
fn wheels_of_every_shape_are_laid_out_as_pip_does() -> anyhow::Result<()> {
    let tools = Tools::prepare()?;
    let folder = tempfile::Builder::new().prefix("wheels-").tempdir()?;
    let copy = Utf8Path::from_path(folder.path()).context("the temporary folder is not UTF-8")?;
    let cache = tools.fetch_wheels()?;
    write_wide_application(copy, &cache)?;
    let wheelhouse = copy.join("dist/wheels");
    fs::create_dir_all(&wheelhouse)?;
    for wheel in wheels_in(&cache)? {
        fs::copy(&wheel, wheelhouse.join(wheel.file_name().context("a wheel has a name")?))?;
    }
    for words in [&["lock"][..], &["rpm", "--offline", "--level", "1"]] {
        run(tools.first_on_path(&mut tool_in(copy, words)))?.text()?;
    }
    let wheels = wheels_in(&wheelhouse)?;
    ensure!(wheels.len() == pins().len() + 1 && wheels.len() >= 150, "{} wheels were packed", wheels.len());
    must_have_every_shape(&wheels)?;
    let ours =
        Packed::unpack(&copy.join("dist/out/wide-1.0.0-1.el9.x86_64.rpm"), "wide", &copy.join("target/unpacked"))?;
    let by_pip = copy.join("target/by-pip");
    tools.pip_install(&by_pip, &wheels)?;
    ours.must_equal("pip", &by_pip, &wheels)?;
    contents_must_be_those_of(&by_pip, &fs::read_to_string(copy.join("dist/pylock.el9-x86_64.toml"))?)?;
    let verified = run(&mut tool_in(copy, &["verify"]))?;
    ensure!(verified.succeeded() && verified.stdout.contains("  ok        lock "), "{verified}");
    Ok(())
}

/// Holds each `contents` of a lock against a digest of what an installer made of the same wheel.
fn contents_must_be_those_of(installed: &Utf8Path, lock: &str) -> anyhow::Result<()> {
    let script = repository().join("tests/python/contents_of.py").canonicalize_utf8()?;
    let said = run(Command::new("python3").args(["-B", script.as_str(), installed.as_str()]))?.text()?;
    let said: BTreeMap<&str, &str> = said.lines().filter_map(|line| line.split_once(' ')).collect();
    let lock = Lock::parse(lock)?;
    let mut faults = Vec::new();
    for package in &lock.packages {
        let name = package.name.as_ref();
        let found = said.get(name).copied();
        // A host that adds its own certificate to the file has other contents.
        if package.contents.as_deref() != found && name != "certifi" {
            faults.push(format!("{name}: {found:?} instead of {:?}", package.contents));
        }
    }
    println!("{} digests of contents compared, {} differ", lock.packages.len(), faults.len());
    ensure!(faults.is_empty() && lock.packages.len() >= 150, "{}", faults.join("\n"));
    Ok(())
}

/// An application that depends on all of [`pins`], in a repository of its own; its index is `cache`.
fn write_wide_application(copy: &Utf8Path, cache: &Utf8Path) -> anyhow::Result<()> {
    let pins = pins();
    let setuptools = pins.iter().find(|pin| pin.starts_with("setuptools==")).context("setuptools is one of them")?;
    let package = "[package]\nname = \"wide\"\nrelease = \"1\"\n\
        [app]\npath = \"app\"\nlock = \"app/requirements.txt\"\n\
        [[target]]\nname = \"el9-x86_64\"\npython = \"3.11\"\n\
        [service]\ncommand = [\"uvicorn\", \"wide:app\"]\nport = 8000\n";
    let project = format!(
        "[build-system]\nrequires = [\"{setuptools}\"]\nbuild-backend = \"setuptools.build_meta\"\n\
        [project]\nname = \"wide\"\nversion = \"1\"\n[tool.setuptools]\npackages = [\"wide\"]\n"
    );
    let files = [
        ("dist/package.toml", package.to_owned()),
        ("app/pyproject.toml", project),
        ("app/wide/__init__.py", "app = None\n".to_owned()),
        ("app/requirements.txt", format!("{}\nodd-wheel==1.0\n", pins.join("\n"))),
        ("app/uv.toml", format!("no-index = true\nfind-links = [\"{cache}\"]\n")),
        (".gitignore", "/dist/out/\n/dist/wheels/\n/target/\n".to_owned()),
    ];
    for (path, text) in files {
        let path = copy.join(path);
        fs::create_dir_all(path.parent().context("a file is in a folder")?)?;
        fs::write(path, text)?;
    }
    for words in [&["init", "--quiet"][..], &["add", "--all"], &["commit", "--quiet", "--no-verify", "--message", "x"]]
    {
        let mut git = Command::new("git");
        git.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        for who in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{who}_NAME"), "Test").env(format!("GIT_{who}_EMAIL"), "test@localhost");
            git.env(format!("GIT_{who}_DATE"), "@1700000000 +0000");
        }
        run(git.args(words).current_dir(copy))?.text()?;
    }
    Ok(())
}

/// The `/opt/NAME` of an unpacked RPM.
struct Packed {
    name: &'static str,
    root: Utf8PathBuf,
    /// path on the box to sha256, as the RPM's header has it
    digests: BTreeMap<String, String>,
}

impl Packed {
    fn unpack(rpm: &Utf8Path, name: &'static str, into: &Utf8Path) -> anyhow::Result<Self> {
        unpack(rpm, into)?;
        let query = "[%{FILENAMES}\\t%{FILEDIGESTS}\\n]";
        let listed = run(Command::new("rpm").args(["--query", "--queryformat", query, "--package", rpm.as_str()]))
            .context("hint: `apt-get install rpm`")?
            .text()?;
        let digests = listed
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .map(|(path, digest)| (path.to_owned(), digest.to_owned()))
            .collect();
        Ok(Self { name, root: into.join("opt").join(name), digests })
    }

    /// Holds every file against an installer's `--target` folder.
    ///
    /// - Fails: once, naming every difference but those on purpose, each of which has its branch here.
    fn must_equal(&self, installer: &str, theirs: &Utf8Path, wheels: &[Utf8PathBuf]) -> anyhow::Result<()> {
        let mut expected: BTreeMap<Utf8PathBuf, Utf8PathBuf> = BTreeMap::new();
        for path in files_below(theirs)? {
            if file_of_metadata(&path).is_some_and(|name| NOT_PACKED.iter().any(|(file, _)| *file == name)) {
                continue;
            }
            // uv guards the folder against another uv; what others compiled is not packed.
            if path == ".lock" || is_byte_code(&path) {
                continue;
            }
            if let Some(before) = expected.insert(place_on_box(&path), path.clone()) {
                bail!("`{before}` and `{path}` have one place on the box");
            }
        }
        let mut faults = Vec::new();
        for (place, path) in &expected {
            if let Err(fault) = self.compare(place, &theirs.join(path), wheels) {
                faults.push(format!("`{place}`: {fault:#}"));
            }
        }
        for place in files_below(&self.root)? {
            if !expected.contains_key(&place) && !self.is_of_this_tool(&place) {
                faults.push(format!("`{place}`: {installer} does not install it"));
            }
        }
        println!("{}: {} files as {installer} installs them, {} faults", self.name, expected.len(), faults.len());
        ensure!(faults.is_empty(), "{} differences from {installer}:\n{}", faults.len(), faults.join("\n"));
        Ok(())
    }

    fn compare(&self, place: &Utf8Path, theirs: &Utf8Path, wheels: &[Utf8PathBuf]) -> anyhow::Result<()> {
        let ours = self.root.join(place);
        ensure!(ours.is_file(), "it is missing");
        if place.strip_prefix("lib").is_ok_and(|path| file_of_metadata(path) == Some("RECORD")) {
            return self.check_record(&ours);
        }
        if place.ends_with("certifi/cacert.pem") {
            // A host that adds its own certificate to every such file changes both: the RPM's header cannot change.
            return self.is_member(place, "certifi-", "certifi/cacert.pem", wheels);
        }
        // "Unix installers may need to add the +x bit" to scripts, if the archive was made on Windows: pip does not.
        let expected = is_executable(theirs)? || place.starts_with("bin");
        ensure!(is_executable(&ours)? == expected, "executable: {} instead of {expected}", !expected);
        let (ours, theirs) = (fs::read(&ours)?, fs::read(theirs)?);
        if ours == theirs {
            return Ok(());
        }
        ensure!(place.starts_with("bin"), "{} other bytes instead of {}", ours.len(), theirs.len());
        self.compare_scripts(&String::from_utf8(ours)?, &String::from_utf8(theirs)?)
    }

    /// A script in Python starts with this package's Python, and calls what the installer's calls.
    fn compare_scripts(&self, ours: &str, theirs: &str) -> anyhow::Result<()> {
        let first = format!("#!/opt/{}/bin/python", self.name);
        let (our_first, our_rest) = ours.split_once('\n').unwrap_or((ours, ""));
        let (_, their_rest) = theirs.split_once('\n').unwrap_or((theirs, ""));
        ensure!(our_first.trim_end_matches('\r') == first, "it starts with `{our_first}` instead of `{first}`");
        if our_rest == their_rest {
            return Ok(());
        }
        let calls = |text: &str| -> Vec<String> {
            let call = |line: &&str| line.starts_with("from ") || line.starts_with("sys.exit(");
            text.lines().map(str::trim).filter(call).map(str::to_owned).collect()
        };
        ensure!(
            calls(our_rest) == calls(their_rest),
            "it calls {:?} instead of {:?}",
            calls(our_rest),
            calls(their_rest)
        );
        ensure!(calls(our_rest).len() == 2, "it is no script that calls a function:\n{our_rest}");
        Ok(())
    }

    /// RECORD is written anew for where the files are: every row is true, and no file of the package is left out.
    fn check_record(&self, path: &Utf8Path) -> anyhow::Result<()> {
        let record = WheelRecord::parse(&fs::read_to_string(path)?)?;
        let base = path.parent().and_then(Utf8Path::parent).context("RECORD is in a folder of `lib`")?;
        let mut rows = BTreeSet::new();
        for (relative, row) in &record.rows {
            let file = normal(&base.join(relative));
            ensure!(file.starts_with(&self.root), "RECORD lists `{relative}`, outside of the package");
            let box_path = file.as_str().replacen(self.root.as_str(), &format!("/opt/{}", self.name), 1);
            match &row.digest {
                None => ensure!(file == *path, "RECORD has no digest of `{relative}`"),
                Some(digest) => {
                    ensure!(
                        self.digests.get(&box_path) == Some(&hex(digest.bytes())),
                        "RECORD has another digest of `{relative}`"
                    );
                    ensure!(
                        row.size == Some(fs::metadata(&file)?.len()) || relative == "certifi/cacert.pem",
                        "RECORD has another size of `{relative}`"
                    );
                }
            }
            rows.insert(file);
        }
        let info = path.parent().context("RECORD is in a folder")?;
        for file in files_below(info)? {
            ensure!(rows.contains(&info.join(&file)), "RECORD does not list `{file}` beside it");
        }
        Ok(())
    }

    /// Whether the digest in the RPM's header is that of a file in a wheel.
    fn is_member(&self, place: &Utf8Path, wheel: &str, member: &str, wheels: &[Utf8PathBuf]) -> anyhow::Result<()> {
        let wheel = wheels
            .iter()
            .find(|path| path.file_name().is_some_and(|name| name.starts_with(wheel)))
            .with_context(|| format!("there is no wheel `{wheel}…`"))?;
        let archive = open_wheel(wheel)?;
        let at = archive.find(member).with_context(|| format!("`{wheel}` has no `{member}`"))?;
        let inside = hex(&Sha256::digest(archive.read(at)?));
        let on_box = format!("/opt/{}/{place}", self.name);
        ensure!(self.digests.get(&on_box) == Some(&inside), "it is not the file in `{wheel}`");
        Ok(())
    }

    /// What the application and this tool bring, beside the dependencies.
    fn is_of_this_tool(&self, place: &Utf8Path) -> bool {
        if is_byte_code(place) {
            // Where the module is, and RECORD has every file.
            return place.parent().and_then(Utf8Path::parent).is_some_and(|folder| self.root.join(folder).is_dir());
        }
        let launchers = ["bin/python", "bin/self-signed-certificate", "bin/wait-until-ready", "config.yaml"];
        let application = ["src", "wide"].iter().any(|package| place.starts_with(package));
        launchers.contains(&place.as_str()) || application || file_of_metadata(place).is_some()
    }
}

/// Where a path of a `--target` folder is below `/opt/NAME`.
fn place_on_box(path: &Utf8Path) -> Utf8PathBuf {
    // The scheme of pip's own environment has Python's name in the folder of headers: here is but one Python.
    let parts: Vec<&str> = path.components().map(|part| part.as_str()).collect();
    if let ["include", "site", _, header @ ..] = parts.as_slice() {
        return Utf8Path::new("include").join(header.join("/"));
    }
    match parts.first() {
        Some(&("bin" | "etc" | "share")) => path.to_owned(),
        _ => Utf8Path::new("lib").join(path),
    }
}

/// Files of a `*.dist-info` that installers write or copy and this tool leaves out, and why.
const NOT_PACKED: [(&str, &str); 6] = [
    ("INSTALLER", "rpm installed it, and whoever reads this file may try to change it with what it names"),
    ("REQUESTED", "the lock travels in the RPM, and says what was asked for"),
    ("direct_url.json", "the wheels came from a lock with digests, and their paths were those of another host"),
    ("uv_cache.json", "it is uv's own"),
    ("RECORD.jws", "it signs the wheel's RECORD, and RECORD is written anew"),
    ("RECORD.p7s", "it signs the wheel's RECORD, and RECORD is written anew"),
];

/// The path below a `*.dist-info` that stands in no other folder.
fn file_of_metadata(path: &Utf8Path) -> Option<&str> {
    path.as_str().split_once(".dist-info/").filter(|(folder, _)| !folder.contains('/')).map(|(_, file)| file)
}

fn is_byte_code(path: &Utf8Path) -> bool {
    path.extension() == Some("pyc") && path.parent().and_then(Utf8Path::file_name) == Some("__pycache__")
}

fn is_executable(path: &Utf8Path) -> anyhow::Result<bool> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o111 != 0)
}

/// Without `..`, which a path of RECORD may have.
fn normal(path: &Utf8Path) -> Utf8PathBuf {
    let mut out = Utf8PathBuf::new();
    for part in path.components() {
        match part.as_str() {
            ".." => drop(out.pop()),
            part => out.push(part),
        }
    }
    out
}

/// Every file below a folder, relative to it.
fn files_below(folder: &Utf8Path) -> anyhow::Result<Vec<Utf8PathBuf>> {
    let mut files = Vec::new();
    for name in list(folder)? {
        let path = folder.join(&name);
        if path.is_dir() {
            files.extend(files_below(&path)?.into_iter().map(|file| Utf8Path::new(&name).join(file)));
        } else {
            files.push(name.into());
        }
    }
    Ok(files)
}
