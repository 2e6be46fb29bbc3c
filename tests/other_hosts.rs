//! Checkouts as git makes them on other hosts, Windows above all: what is shipped is what the commit has.

use anyhow::{Context, ensure};
use camino::Utf8Path;
use checkout::command::run;
use checkout::unpack::unpack;
use checkout::{Checkout, list, tool_in};
use fs_err as fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

mod checkout;

const RPM: &str = "dist/out/quality_report-0.0.1-1.el9.x86_64.rpm";
/// Read on the way to the RPM, shipped, or both.
const TEXTS: [&str; 6] = [
    "python-app/src/app.py",
    "python-app/config.yaml",
    "python-app/LICENSE",
    "python-app/Pipfile.lock",
    "dist/package.toml",
    "dist/pylock.el9-x86_64.toml",
];
/// Files that keep their CRLF: one looks binary, the other was committed with it.
const KEPT: [(&str, &[u8]); 2] = [
    ("src/static/images/binary.svg", b"\x89PNG\r\n\x1a\n\0\0\r\n"),
    ("src/static/css/of-old.css", b"body {\r\n    color: red;\r\n}\r\n"),
];
const PROGRAM: &str = "src/static/javascript/program.js";
/// Every way to order an end of line, and none for what is committed with CRLF.
const ATTRIBUTES: &str = "*.py text\n*.toml text eol=crlf\n*.css text=auto\n*.html text=auto eol=crlf\n*.svg -text\n";

/// The sample with files of every kind.
fn sample() -> anyhow::Result<Checkout> {
    let sample = Checkout::new("commit-")?;
    let app = sample.dir()?.join("python-app");
    for (path, bytes) in KEPT {
        fs::write(app.join(path), bytes)?;
    }
    fs::write(app.join(PROGRAM), "#!/usr/bin/env node\n")?;
    fs::set_permissions(app.join(PROGRAM), std::fs::Permissions::from_mode(0o755))?;
    sample.commit("files of every kind")?;
    Ok(sample)
}

/// Gives each file of the application a mode that no commit can have.
fn with_odd_modes(app: &Utf8Path) -> anyhow::Result<()> {
    run(Command::new("chmod").args(["--recursive", "u=rwX,go=rw", app.as_str()]))?.text()?;
    run(Command::new("chmod").args(["a-x", app.join(PROGRAM).as_str()]))?.text().map(drop)
}

fn has_crlf(path: &Utf8Path) -> anyhow::Result<bool> {
    Ok(fs::read(path)?.windows(2).any(|pair| pair == b"\r\n"))
}

#[test]
fn every_checkout_of_a_commit_makes_the_same_bytes() -> anyhow::Result<()> {
    let sample = sample()?;
    let linux = sample.cloned("linux-", &["core.autocrlf=false"])?;
    let windows = sample.cloned("windows-", &["core.autocrlf=true", "core.fileMode=false", "core.symlinks=false"])?;
    with_odd_modes(&windows.dir()?.join("python-app"))?;
    fs::write(sample.dir()?.join(".gitattributes"), ATTRIBUTES)?;
    sample.commit("attributes")?;
    let by_attributes = sample.cloned("attributes-", &["core.eol=crlf"])?;
    let to_lf_alone = sample.cloned("input-", &["core.autocrlf=input"])?;
    for text in TEXTS {
        ensure!(!has_crlf(&linux.dir()?.join(text))?, "`{text}` of the base has CRLF: nothing would be shown");
        ensure!(has_crlf(&windows.dir()?.join(text))?, "`{text}` has no CRLF: nothing would be shown");
    }
    ensure!(
        has_crlf(&by_attributes.dir()?.join(TEXTS[0]))? && has_crlf(&by_attributes.dir()?.join("dist/package.toml"))?
    );

    let build = |checkout: &Checkout| {
        let finished = run(&mut tool_in(&checkout.dir()?, &["dist", "--locked"]))?;
        ensure!(finished.succeeded() && !finished.stderr.contains("not committed"), "{finished}");
        Ok(())
    };
    let mut differing = Vec::new();
    // The RPM says which commit it was built from, so each pair is of one.
    for (name, with_lf, other) in [("windows", &linux, &windows), ("attributes", &to_lf_alone, &by_attributes)] {
        build(with_lf)?;
        build(other)?;
        let out = with_lf.dir()?.join("dist/out");
        for file in list(&out)? {
            if fs::read(out.join(&file))? != fs::read(other.dir()?.join("dist/out").join(&file))? {
                differing.push(format!("{name}: {file}"));
            }
        }
    }
    ensure!(differing.is_empty(), "these differ from an LF checkout's: {}", differing.join(", "));
    ships_what_the_commit_has(&linux)
}

fn ships_what_the_commit_has(built: &Checkout) -> anyhow::Result<()> {
    let folder = built.dir()?.join("target/unpacked");
    unpack(&built.dir()?.join(RPM), &folder)?;
    let home = folder.join("opt/quality_report");
    for (path, bytes) in KEPT {
        ensure!(fs::read(home.join(path))? == bytes, "`{path}` was changed");
    }
    let own = ["src", "config.yaml", "bin", "quality_report-0.0.1.dist-info"].map(|path| home.join(path));
    let others = ["usr/lib", "usr/share"].map(|path| folder.join(path));
    let listed = run(Command::new("grep").args(["-rlI", "\r$"]).args(own).args(others))?;
    let kept = |line: &&str| KEPT.iter().any(|(path, _)| line.ends_with(path));
    let with_cr: Vec<&str> = listed.stdout.lines().filter(|line| !kept(line)).collect();
    // Licences of others are as they published them.
    let ours: Vec<&&str> = with_cr.iter().filter(|line| !line.contains("/usr/share/licenses/")).collect();
    ensure!(listed.stdout.contains(KEPT[1].0) && ours.is_empty(), "with CRLF: {ours:?} of {listed}");
    let mode = fs::metadata(home.join(PROGRAM))?.permissions().mode() & 0o777;
    ensure!(mode == 0o755, "`{PROGRAM}` has the mode {mode:o}");
    Ok(())
}

#[test]
fn a_link_is_refused_where_the_host_has_none() -> anyhow::Result<()> {
    let sample = Checkout::new("link-")?;
    symlink("app.py", sample.dir()?.join("python-app/src/linked.py"))?;
    sample.commit("a link")?;
    let windows = sample.cloned("windows-", &["core.symlinks=false"])?;
    let linked = windows.dir()?.join("python-app/src/linked.py");
    ensure!(linked.symlink_metadata()?.is_file(), "git made a link: nothing would be shown");
    let refused = run(&mut tool_in(&windows.dir()?, &["wheel"]))?;
    ensure!(refused.code == Some(2) && refused.stderr.contains("symbolic link"), "{refused}");
    Ok(())
}

/// What nobody committed is packed as git would store it, were it added on a host that makes CRLF.
#[test]
fn what_is_not_committed_has_lf_too() -> anyhow::Result<()> {
    let sample = Checkout::new("uncommitted-")?;
    let wheel = || -> anyhow::Result<Vec<u8>> {
        run(&mut tool_in(&sample.dir()?, &["wheel"]))?.text()?;
        let out = sample.dir()?.join("dist/out");
        let name = list(&out)?.into_iter().find(|name| name.ends_with(".whl")).context("no wheel")?;
        Ok(fs::read(out.join(name))?)
    };
    let page = sample.dir()?.join("python-app/src/templates/new.html");
    fs::write(&page, "<p>\n</p>\n")?;
    let with_lf = wheel()?;
    fs::write(&page, "<p>\r\n</p>\r\n")?;
    ensure!(with_lf == wheel()?, "CRLF of an uncommitted file is in the wheel");
    fs::write(&page, "<p>\r\n</p>\r\n\0")?;
    ensure!(with_lf != wheel()?, "a binary file was changed");
    Ok(())
}
