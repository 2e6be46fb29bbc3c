//! `[[accept]]` and `verify --policy`: what somebody has judged holds where it was judged, is shown everywhere else, and
//! covers nothing that cannot be accepted. The index is a folder.

#[allow(dead_code, reason = "the tests of `init` use more of it")]
mod applications;
#[allow(dead_code, reason = "the hostile tests use the rest of it")]
#[path = "hostile/boxes.rs"]
mod boxes;
#[allow(dead_code, reason = "each test that runs the tool uses a part of it")]
mod checkout;
#[allow(dead_code, reason = "the tests of ELF files use more of it")]
#[path = "forge/elf.rs"]
mod forge;
#[allow(dead_code, reason = "the tests of `lock` use more of it")]
#[path = "locking/index.rs"]
mod index;
#[allow(dead_code, reason = "the hostile tests use more of it")]
#[path = "hostile/zip.rs"]
mod zip;

use anyhow::{Context as _, ensure};
use applications::Application;
use boxes::{Draft, pack_otherwise};
use camino::Utf8PathBuf;
use checkout::command::{Finished, run};
use checkout::tool_in;
use forge::Elf;
use fs_err as fs;
use serde_json::Value;
use wheelhaul_package::tree::{BoxPath, TreeEntry};

const CONFIG: &str = "[package]\nname = \"shop\"\nlicense = \"MIT\"\nbyte-code = false\n[app]\npath = \".\"\n\
    modules = [\"app.py\"]\nversion = \"1.2.0\"\nlock = \"requirements.txt\"\n[[target]]\nname = \"el9-x86_64\"\npython = \"3.11\"\n\
    [service]\ncommand = [\"gunicorn\", \"app:app\"]\nport = 8000\ntls = \"off\"\n";
const MODULE: &str = "native/_x.cpython-311-x86_64-linux-gnu.so";

/// An application with a module that is too new for the box and has an executable stack.
fn application() -> anyhow::Result<Application> {
    let app = Application::new(&[
        (".gitignore", "/dist/out/\n/dist/wheels/\n/target/\n"),
        ("app.py", "app = 1\n"),
        ("requirements.txt", "gunicorn==3.0\npackaging==3.0\nnative==1.0\n"),
        ("dist/package.toml", CONFIG),
    ])?;
    let mut elf = Elf::library().asking("libc.so.6", "GLIBC_2.99");
    elf.stack = Some(7);
    let tag = "cp311-cp311-manylinux_2_17_x86_64";
    let lines = ["License-Expression: MIT", "Requires-Dist: packaging>=4"];
    index::write_wheel_with(&app.index()?, &format!("native-1.0-{tag}.whl"), &lines, &[(MODULE, elf.write())])?;
    Ok(app)
}

fn accept(check: &str, path: &str, until: &str) -> String {
    format!("[[accept]]\ncheck = \"{check}\"\npath = \"{path}\"\nwhy = \"{check} was looked at\"\n{until}")
}

/// All that is wrong with the application.
fn all(until: &str) -> String {
    let metadata = accept("requires", "lib/native-1.0.dist-info/METADATA", until);
    metadata + &accept("hardening", "lib/native/*.so", until) + &accept("symbols", "/opt/shop/lib/native/**", until)
}

fn dist(app: &Application, accepted: &str) -> anyhow::Result<Finished> {
    app.write("dist/package.toml", &format!("{CONFIG}{accepted}"))?;
    app.commit()?;
    app.run(&["dist"])
}

#[test]
fn what_is_accepted_lets_dist_go_on_and_is_a_warning_elsewhere() -> anyhow::Result<()> {
    let app = application()?;
    let wheels = app.refused(&["lock"])?;
    ensure!(["hardening", "symbols"].iter().all(|check| wheels.contains(&format!("(check `{check}`)"))), "{wheels}");
    ensure!(wheels.contains("`[[accept]]` with `check = \"symbols\"`, `path = \"lib/native/"), "{wheels}");
    let files = accept("hardening", "lib/native/*.so", "") + &accept("symbols", "lib/native/**", "");
    let refused = dist(&app, &files)?;
    ensure!(refused.code == Some(2) && refused.stderr.contains("`native` requires `packaging>=4`"), "{refused}");
    // The commit is of later days, and it was to be looked at again.
    let late = dist(&app, &all("until = \"2020-01-01\"\n"))?;
    ensure!(late.code == Some(2) && late.stderr.contains("(check `symbols`)"), "{late}");

    // The commit is of 2023, and it was to be looked at again in 2024.
    let made = dist(&app, &all("until = \"2024-01-01\"\n"))?;
    ensure!(made.succeeded(), "{made}");
    for check in ["requires", "hardening", "symbols"] {
        ensure!(made.stdout.contains(&format!("accepted by the builder: {check} was looked at\n")), "{made}");
    }
    for check in ["requires", "hardening", "symbols"] {
        ensure!(made.stderr.contains(&format!("; accepted by the builder: {check} was looked at")), "{made}");
    }
    let rpm = app.folder.join("dist/out/shop-1.2.0-1.el9.x86_64.rpm");
    let elsewhere = tempfile::tempdir()?;
    let elsewhere = Utf8PathBuf::try_from(elsewhere.path().to_owned())?;
    let verify = |words: &[&str]| run(&mut tool_in(&elsewhere, &[&["verify", rpm.as_str()], words].concat()));
    let late = verify(&[])?;
    ensure!(late.code == Some(1) && late.stdout.contains("for `lib/native/*.so` held until 2024-01-01"), "{late}");

    let made = dist(&app, &all(""))?;
    ensure!(made.succeeded(), "{made}");
    let shown = verify(&[])?;
    ensure!(shown.code == Some(0) && !shown.stdout.contains("FAILED"), "{shown}");
    ensure!(shown.stdout.contains("accepted by the builder: hardening was looked at"), "{shown}");
    ensure!(shown.stdout.contains("accepted     3 entries of the builder; 3 findings"), "{shown}");
    ensure!(verify(&["--strict"])?.code == Some(1));
    let json: Value = serde_json::from_str(&verify(&["--format", "json"])?.stdout)?;
    let checks = json["rpms"][0]["checks"].as_array().context("checks")?;
    let hardening = checks.iter().find(|check| check["name"] == "hardening").context("hardening")?;
    let finding = &hardening["findings"][0];
    ensure!(finding["severity"] == "warning" && finding["accepted"]["by"] == "builder", "{hardening:#}");
    verify(&["--report", "page.html"])?.text()?;
    ensure!(
        fs::read_to_string(elsewhere.join("page.html"))?.contains("accepted by the builder: symbols was looked at")
    );

    // What the site itself has judged counts for nothing; the rest does.
    fs::write(elsewhere.join("site.toml"), all("").replace("lib/native/*.so", "/opt/*/lib/native/*.so"))?;
    let judged = verify(&["--strict", "--policy", "site.toml"])?;
    ensure!(judged.code == Some(0), "{judged}");
    ensure!(judged.stdout.contains("accepted by this site's policy: hardening was looked at"), "{judged}");
    ensure!(judged.stdout.contains("3 entries of `site.toml` (sha256 "), "{judged}");
    fs::write(elsewhere.join("site.toml"), accept("symbols", "/**", ""))?;
    ensure!(verify(&["--strict", "--policy", "site.toml"])?.code == Some(1));
    fs::write(elsewhere.join("site.toml"), accept("digests", "/**", ""))?;
    let refused = verify(&["--policy", "site.toml"])?;
    ensure!(refused.code == Some(2) && refused.stderr.contains("line 2: key `accept.check`"), "{refused}");
    ensure!(refused.stderr.contains("failed to read the policy `site.toml`"), "{refused}");
    ensure!(verify(&["--policy", "none.toml"])?.code == Some(2));

    let unused = dist(&app, &(all("") + &accept("elf", "lib/gone/**", "")))?;
    ensure!(unused.succeeded(), "{unused}");
    ensure!(unused.stdout.contains("`[[accept]]` of `elf` for `lib/gone/**` is for no finding"), "{unused}");
    Ok(())
}

/// What a package says of itself is what a forger wrote.
#[test]
fn a_package_accepts_nothing_that_cannot_be_accepted() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = Utf8PathBuf::try_from(folder.path().to_owned())?;
    let key = format!("-----BEGIN {}-----\n{}\n", "PRIVATE KEY", "0123456789abcdef".repeat(4));
    let wheels = [Draft::of("demo"), Draft::app().with("demoapp/deploy.pem", &key)];
    let wheels = wheels.iter().map(Draft::open).collect::<anyhow::Result<Vec<_>>>()?;
    let deep = format!("a = {}", "[".repeat(100_000));
    #[rustfmt::skip]
    let cases = [ // the file                                     what is said of it
        (accept("secrets", "**", ""),                             "`[[accept]]` of `secrets` for `**`: what this check finds cannot be accepted"),
        (accept("no-such-check", "**", ""),                       "cannot be accepted"),
        (accept("elf", "**", "more = 1\n"),                       "`[[accept]]` of `elf` for `**` is for no finding"),
        ("[[accept]]\ncheck = 1\n".to_owned(),                    "accepted.toml: it cannot be read"),
        (deep,                                                    "accepted.toml: it cannot be read"),
    ];
    for (text, says) in cases {
        let claim = |tree: &mut wheelhaul_package::tree::Tree| {
            let path = BoxPath::new("/usr/share/doc/demo/accepted.toml").unwrap();
            tree.claim(path, TreeEntry::made(text.clone(), 1_700_000_000, "a forger")).unwrap();
        };
        let (_, bytes) = pack_otherwise(&wheels, |_, _| (), claim)?;
        fs::write(folder.join("x.rpm"), bytes)?;
        let judged = run(&mut tool_in(&folder, &["verify", "x.rpm"]))?;
        ensure!(judged.code == Some(1) && judged.stdout.contains("FAILED    secrets"), "{judged}");
        ensure!(judged.stdout.contains(says), "{says}: {judged}");
        ensure!(!judged.stdout.contains("accepted by"), "{judged}");
    }
    Ok(())
}
