//! The main job on the sample, with the real index, and its result under the eyes of the real rpm.

#[allow(dead_code, reason = "each test that runs the tool uses a part of it")]
mod checkout;

use std::process::Command;

use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use checkout::command::run;
use checkout::{Checkout, list, tool_in};
use fs_err as fs;

const RPM: &str = "dist/out/quality_report-0.0.1-1.el10.x86_64.rpm";
const BUNDLE: &str = "quality_report-dist-0.0.1";
const LOCK: &str = "dist/pylock.el10-x86_64.toml";

/// What a program prints, which must end with 0.
fn said(program: &str, words: &[&str]) -> anyhow::Result<String> {
    run(Command::new(program).args(words))
        .with_context(|| format!("`{program}` is needed: `cargo xtask ci` installs it"))?
        .text()
}

#[test]
fn dist_makes_an_rpm_and_a_bundle_that_others_accept() -> anyhow::Result<()> {
    let sample = Checkout::of_sample("dist-")?;
    // Whether this host has a Python of the target's minor must not show; with byte-code: `tests/byte_code.rs`.
    sample.without_byte_code()?;
    let told = run(&mut tool_in(&sample.dir()?, &["dist", "--locked", "--format", "json"]))?.text()?;
    let told: serde_json::Value = serde_json::from_str(&told)?;
    assert_eq!(told["outcome"], "fine", "{told:#}");
    let rpm = sample.dir()?.join(RPM);
    let rpm = rpm.as_str();

    assert!(said("rpm", &["-K", rpm])?.ends_with("digests OK"), "rpm -K");
    let digests = said("rpm", &["-Kv", rpm])?;
    assert!(digests.contains("Header SHA256 digest: OK") && digests.contains("Payload SHA256 digest: OK"), "{digests}");
    assert!(!digests.contains("MD5"), "{digests}");
    let files = said("rpm", &["-qpl", rpm])?;
    for path in [
        "config.yaml",
        "lib",
        "src",
        "src/app.py",
        "src/templates/report.html",
        "bin/gunicorn",
        "lib/flask/__init__.py",
    ] {
        let path = format!("/opt/quality_report/{path}");
        assert!(files.lines().any(|line| line == path), "{path} is not in\n{files}");
    }
    let dump = said("rpm", &["-qp", "--dump", rpm])?;
    let config =
        dump.lines().find(|line| line.starts_with("/opt/quality_report/config.yaml ")).context("no config.yaml")?;
    assert!(config.contains(" 0100640 root quality_report 1 0 "), "{config}");
    insta::assert_snapshot!("requires", said("rpm", &["-qp", "--requires", rpm])?);
    insta::assert_snapshot!("provides", said("rpm", &["-qp", "--provides", rpm])?);
    insta::assert_snapshot!("scripts", said("rpm", &["-qp", "--scripts", rpm])?);
    insta::assert_snapshot!("information", information(rpm)?);
    insta::assert_snapshot!("dump", dump_without_libraries(&dump));

    let folder = sample.dir()?.join("unpacked");
    fs::create_dir(&folder)?;
    let unpack = format!("cd '{folder}' && rpm2cpio '{rpm}' | cpio -idm --quiet");
    said("bash", &["-o", "pipefail", "-c", &unpack])?;
    insta::assert_snapshot!("unit", fs::read_to_string(folder.join("usr/lib/systemd/system/quality_report.service"))?);
    insta::assert_snapshot!("notes", fs::read_to_string(folder.join("usr/share/doc/quality_report/INSTALL.md"))?);
    let shown = tree_without_libraries(&folder)?;
    insta::assert_snapshot!("files", shown);

    let bundle = sample.dir()?.join(format!("dist/out/{BUNDLE}.tar.gz"));
    said("tar", &["-C", folder.as_str(), "-xzf", bundle.as_str()])?;
    let bundle = folder.join(BUNDLE);
    insta::assert_snapshot!("bundle", list(&bundle)?.join("\n"));
    said("bash", &["-c", &format!("cd '{bundle}' && sha256sum -c --quiet SHA256SUMS")])?;
    assert_eq!(fs::read(bundle.join("quality_report-0.0.1-1.el10.x86_64.rpm"))?, fs::read(rpm)?);

    let repository = sample.dir()?.join("repository");
    fs::create_dir(&repository)?;
    fs::copy(rpm, repository.join("quality_report.rpm"))?;
    said("createrepo_c", &["--quiet", repository.as_str()])?;
    Ok(())
}

/// `package.prefix`: nothing of the RPM lies below /opt or names it.
#[test]
fn another_prefix_takes_everything_with_it() -> anyhow::Result<()> {
    let sample = Checkout::of_sample("prefix-")?;
    let path = sample.dir()?.join("dist/package.toml");
    let text = fs::read_to_string(&path)?;
    fs::write(&path, text.replacen("[package]\n", "[package]\nprefix = \"/srv/company/apps\"\n", 1))?;
    sample.commit("another prefix")?;
    run(&mut tool_in(&sample.dir()?, &["dist", "--locked"]))?.text()?;
    let rpm = sample.dir()?.join(RPM);
    let files = said("rpm", &["-qpl", rpm.as_str()])?;
    for path in ["/srv/company", "/srv/company/apps", "/srv/company/apps/quality_report/bin/python"] {
        assert!(files.lines().any(|line| line == path), "{path} is not in\n{files}");
    }
    assert!(!files.lines().any(|line| line == "/srv"), "/srv is the distribution's");
    let scripts = said("rpm", &["-qp", "--scripts", rpm.as_str()])?;
    assert!(!files.contains("/opt/") && !scripts.contains("/opt/"), "{files}\n{scripts}");
    let folder = sample.dir()?.join("unpacked");
    fs::create_dir(&folder)?;
    said("bash", &["-o", "pipefail", "-c", &format!("cd '{folder}' && rpm2cpio '{rpm}' | cpio -idm --quiet")])?;
    let named = run(Command::new("grep").args(["-rl", "/opt/quality_report", folder.as_str()]))?;
    assert_eq!(named.code, Some(1), "{named}");
    Ok(())
}

/// `rpm -qip` without sizes, which change with every word of the sample, and the changelog without the commit's name.
fn information(rpm: &str) -> anyhow::Result<String> {
    let words = ["LC_ALL=C", "TZ=UTC", "rpm", "-qip", "--changelog", rpm];
    let text = said("env", &words)?;
    let lines = text.lines().filter(|line| !line.starts_with("Size "));
    let unnamed = |line: &str| match line.strip_prefix("- Built from commit ") {
        Some(commit) => format!("- Built from commit [{} digits]", commit.len()),
        None => line.to_owned(),
    };
    Ok(lines.map(unnamed).collect::<Vec<_>>().join("\n"))
}

/// `rpm -qp --dump` of what lies outside of the dependencies' folders: path, time, mode, owner, group, whether it is
/// configuration, whether it is documentation, device, link.
fn dump_without_libraries(dump: &str) -> String {
    let rows = dump.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let is_shown = |row: &Vec<&str>| !row[0].contains("/opt/quality_report/lib/") && !row[0].contains("/licenses/");
    let shown = |row: Vec<&str>| [&row[..1], &row[2..3], &row[4..]].concat().join(" ");
    rows.filter(is_shown).map(shown).collect::<Vec<_>>().join("\n")
}

/// What lies outside of the dependencies' folders: mode and path of each file.
fn tree_without_libraries(folder: &Utf8Path) -> anyhow::Result<String> {
    let listed = said("find", &[folder.as_str(), "-type", "f", "-printf", "%m /%P\n"])?;
    let mut lines: Vec<&str> = listed
        .lines()
        .filter(|line| !line.contains("/opt/quality_report/lib/") && !line.contains("/usr/share/licenses/"))
        .collect();
    lines.sort_unstable_by_key(|line| line.split_once(' ').map(|(_, path)| path));
    Ok(lines.join("\n"))
}

/// Everything that may differ between two hosts, and must not show in the bytes.
#[test]
fn two_builds_of_one_commit_are_equal() -> anyhow::Result<()> {
    let here = Checkout::of_sample("here-")?;
    run(&mut tool_in(&here.dir()?, &["dist", "--locked"]))?.text()?;
    let there = Checkout::of_sample("a much longer name, with spaces and ümläuts - ")?;
    let tool = tool_in(&there.dir()?, &["dist", "--locked"]);
    // A user namespace gives the process another user; the shell gives it another umask.
    let mut other = Command::new("unshare");
    other.args(["--user", "--map-user=1234", "--map-group=1234", "bash", "-c", "umask 077; exec \"$@\"", "-"]);
    other.arg(tool.get_program()).args(tool.get_args()).current_dir(there.dir()?);
    other.env("TZ", "Asia/Kathmandu").env("LC_ALL", "C").env("HOSTNAME", "elsewhere").env("USER", "somebody");
    other.env_remove("SOURCE_DATE_EPOCH").env("GIT_CONFIG_COUNT", "1");
    other.env("GIT_CONFIG_KEY_0", "safe.directory").env("GIT_CONFIG_VALUE_0", "*");
    run(&mut other)?.text()?;
    for name in list(&here.dir()?.join("dist/out"))? {
        let (a, b) =
            (fs::read(here.dir()?.join("dist/out").join(&name))?, fs::read(there.dir()?.join("dist/out").join(&name))?);
        assert!(a == b, "`{name}` differs between two builds of one commit");
    }
    // With nothing changed the same comes out once more.
    let before = fs::read(here.dir()?.join(RPM))?;
    run(&mut tool_in(&here.dir()?, &["dist", "--locked", "--offline"]))?.text()?;
    assert!(before == fs::read(here.dir()?.join(RPM))?, "a second run made other bytes");
    Ok(())
}

#[test]
fn the_lock_is_the_same_when_made_again_and_stale_when_the_team_changes_theirs() -> anyhow::Result<()> {
    let sample = Checkout::of_sample("lock-")?;
    let lock = sample.dir()?.join(LOCK);
    let before = fs::read_to_string(&lock)?;
    run(&mut tool_in(&sample.dir()?, &["lock", "--refresh"]))?.text()?;
    assert_eq!(before, fs::read_to_string(&lock)?, "made again, the lock differs from the committed one");
    assert!(!before.contains("://"), "the lock names a URL");
    assert_eq!(run(&mut tool_in(&sample.dir()?, &["lock", "--check"]))?.code, Some(0));

    let team = sample.dir()?.join("python-app/Pipfile.lock");
    let mut json: serde_json::Value = serde_json::from_str(&fs::read_to_string(&team)?)?;
    let entries = json["default"].as_object_mut().context("no `default`")?;
    entries.remove("blinker").context("no blinker")?;
    entries["click"]["markers"] = "sys_platform == 'win32'".into();
    fs::write(&team, serde_json::to_string_pretty(&json)?)?;
    let check = run(&mut tool_in(&sample.dir()?, &["lock", "--check", "--format", "json"]))?;
    assert_eq!(check.code, Some(1), "{check}");
    let told: serde_json::Value = serde_json::from_str(&check.stdout)?;
    assert_eq!(told["targets"][0]["status"], "stale");
    assert_eq!(told["targets"][0]["dropped"][0]["name"], "click");
    assert_eq!(told["targets"][0]["dropped"][0]["marker"], "sys_platform == 'win32'");
    assert_eq!(before, fs::read_to_string(&lock)?, "--check wrote");
    let refused = run(&mut tool_in(&sample.dir()?, &["rpm"]))?;
    assert_eq!(refused.code, Some(2), "{refused}");
    ensure!(refused.stderr.contains("is stale"), "{refused}");
    Ok(())
}

#[test]
fn a_damaged_wheel_is_refused_offline_and_fetched_again_otherwise() -> anyhow::Result<()> {
    let sample = Checkout::of_sample("damaged-")?;
    run(&mut tool_in(&sample.dir()?, &["rpm"]))?.text()?;
    let good = fs::read(sample.dir()?.join(RPM))?;
    let wheels = sample.dir()?.join("dist/wheels");
    let name = list(&wheels)?.into_iter().find(|name| name.starts_with("flask-")).context("no wheel of flask")?;
    let path: Utf8PathBuf = wheels.join(&name);
    let mut bytes = fs::read(&path)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes)?;
    let refused = run(&mut tool_in(&sample.dir()?, &["rpm", "--offline"]))?;
    assert_eq!(refused.code, Some(2), "{refused}");
    assert!(refused.stderr.contains(&name), "{refused}");
    run(&mut tool_in(&sample.dir()?, &["rpm"]))?.text()?;
    assert!(good == fs::read(sample.dir()?.join(RPM))?, "fetched again, the wheel made another RPM");
    Ok(())
}
