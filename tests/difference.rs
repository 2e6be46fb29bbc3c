//! What `diff` shows of releases of the sample, held against the real rpm and rpmlint's rpmdiff.

#[allow(dead_code, reason = "each test that checks the sample out uses a part of it")]
mod checkout;
#[path = "difference/real.rs"]
mod real;

use anyhow::{Context, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use checkout::command::run;
use checkout::{Checkout, tool_in};
use fs_err as fs;
use serde_json::Value;
use std::process::Command;

/// File, text before, text in the release.
type Edit = (&'static str, &'static str, &'static str);

/// The configuration, a module, the port, a secret, one distribution more and one without what it needed not.
const SECOND: &[Edit] = &[
    ("dist/package.toml", "release = \"1\"", "release = \"2\""),
    ("dist/package.toml", "port = 9091", "port = 9443"),
    ("dist/package.toml", "tls = \"self-signed\"", "secrets = [\"db-password\"]\ntls = \"self-signed\""),
    ("python-app/config.yaml", "app_name:", "colour: \"blue\"\napp_name:"),
    ("python-app/src/app.py", "\"no backend configured\"", "\"no backend yet chosen\""),
    ("python-app/Pipfile.lock", "\"default\": {", "\"default\": {\n        \"six\": {\"version\": \"==1.17.0\"},"),
];
/// Another Python, no socket (other scriptlets), no config file, an older distribution.
const THIRD: &[Edit] = &[
    ("dist/package.toml", "release = \"2\"", "release = \"10\""),
    ("dist/package.toml", "python = \"3.11\"", "python = \"3.12\""),
    ("dist/package.toml", "config = [\"config.yaml\"]", "config = []"),
    ("dist/package.toml", "tls = \"self-signed\"", "socket-activation = false\ntls = \"self-signed\""),
    ("python-app/Pipfile.lock", "\"==1.17.0\"", "\"==1.16.0\""),
];

/// A folder with the RPMs of three releases, `1.rpm` to `3.rpm`.
struct Releases {
    _keep: tempfile::TempDir,
    folder: Utf8PathBuf,
}

impl Releases {
    fn build() -> anyhow::Result<Self> {
        let keep = tempfile::Builder::new().prefix("releases-").tempdir()?;
        let folder = Utf8PathBuf::try_from(keep.path().to_owned())?;
        let sample = Checkout::new("difference-")?;
        sample.without_byte_code()?;
        let dir = sample.dir()?;
        for (number, edits) in [(1, &[][..]), (2, SECOND), (3, THIRD)] {
            for (path, old, new) in edits {
                let text = fs::read_to_string(dir.join(path))?;
                ensure!(text.contains(old), "`{path}` has no `{old}`: the sample changed, and so must this test");
                fs::write(dir.join(path), text.replacen(old, new, 1))?;
            }
            if number == 2 {
                // In git's index: a mode is the commit's.
                let report = dir.join("python-app/src/report.py");
                fs::set_permissions(report, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
            }
            if !edits.is_empty() {
                run(&mut tool_in(&dir, &["lock"]))?.text()?;
                sample.commit("next release")?;
            }
            let told = run(&mut tool_in(&dir, &["rpm", "--format", "json"]))?.text()?;
            let told: Value = serde_json::from_str(&told)?;
            let made = told["rpms"][0]["path"].as_str().context("no RPM was made")?;
            fs::copy(dir.join(made), folder.join(format!("{number}.rpm")))?;
        }
        Ok(Self { _keep: keep, folder })
    }
}

/// The text and the JSON of `diff`.
fn diff(folder: &Utf8Path, old: &str, new: &str) -> anyhow::Result<(String, Value)> {
    let text = run(&mut tool_in(folder, &["diff", old, new]))?.text()?;
    let json = run(&mut tool_in(folder, &["diff", "--format", "json", old, new]))?.text()?;
    let json: Value = serde_json::from_str(&json)?;
    assert_eq!(json["outcome"], "fine");
    Ok((text, json["difference"].clone()))
}

/// Without what the next commit of the sample, or the next version of a compressor, changes.
fn without_commits(text: &str) -> String {
    let is_commit = |word: &str| word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let of_line = |line: &str| -> String {
        if line.trim_start().starts_with("to carry ") {
            return "  to carry   …".to_owned();
        }
        if line.trim_start().starts_with("on the box ") {
            return "  on the box …".to_owned();
        }
        line.split(' ').map(|word| if is_commit(word) { "COMMIT" } else { word }).collect::<Vec<_>>().join(" ")
    };
    text.lines().map(|line| of_line(line) + "\n").collect()
}

fn looks(difference: &Value) -> Vec<String> {
    let of =
        |look: &Value| format!("{}: {}", look["section"].as_str().unwrap_or(""), look["what"].as_str().unwrap_or(""));
    difference["look_at"].as_array().into_iter().flatten().map(of).collect()
}

#[test]
fn releases_are_compared_as_rpm_and_rpmdiff_compare_them() -> anyhow::Result<()> {
    let releases = Releases::build()?;
    let folder = &releases.folder;
    let rpmdiff = real::rpmdiff()?;
    for (old, new, upgrade) in [
        ("1.rpm", "2.rpm", "upgrade"),
        ("2.rpm", "3.rpm", "upgrade"),
        ("1.rpm", "3.rpm", "upgrade"),
        ("3.rpm", "1.rpm", "downgrade"),
        ("2.rpm", "2.rpm", "same"),
    ] {
        let (_, difference) = diff(folder, old, new)?;
        let pair = format!("{old} {new}");
        assert_eq!(difference["upgrade"], upgrade, "{pair}");
        let (old, new) = (folder.join(old), folder.join(new));
        assert_eq!(real::version_order(&old, &new)?, upgrade, "{pair}");
        assert_eq!(real::files_of(&difference), real::files_by_rpmdiff(&rpmdiff, &old, &new)?, "{pair}");
        for list in ["requires", "provides"] {
            assert_eq!(real::names_of(&difference[list]), real::names_by_rpm(list, &old, &new)?, "{pair}: {list}");
        }
    }
    let (text, difference) = diff(folder, "1.rpm", "2.rpm")?;
    insta::assert_snapshot!("second", without_commits(&text));
    let changed = |difference: &Value| -> Vec<String> {
        let scripts = difference["scriptlets"].as_array().into_iter().flatten();
        scripts.filter_map(|script| script["name"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(changed(&difference), Vec::<String>::new());
    let (text, difference) = diff(folder, "2.rpm", "3.rpm")?;
    insta::assert_snapshot!("third", without_commits(&text));
    assert_eq!(changed(&difference), ["post", "posttrans", "postun", "preun", "verify"]);
    let (text, difference) = diff(folder, "3.rpm", "1.rpm")?;
    assert!(text.contains("a DOWNGRADE for rpm: 0.0.1-10.el9 → 0.0.1-1.el9"), "{text}");
    assert!(looks(&difference)[0].contains("is older than"), "{difference:#}");
    let (text, difference) = diff(folder, "2.rpm", "2.rpm")?;
    insta::assert_snapshot!("same", without_commits(&text));
    assert_eq!(looks(&difference).len(), 1, "{difference:#}");
    let other = real::build(folder, "other", "1", "", "/opt/odd/a\n/opt/odd/b\n/opt/odd/c\n")?;
    let (_, difference) = diff(folder, "1.rpm", other.as_str())?;
    for wanted in ["another package", "it is for noarch instead of x86_64", "an unknown target instead of el9-x86_64"] {
        assert!(looks(&difference).iter().any(|look| look.contains(wanted)), "{wanted}\n{difference:#}");
    }
    Ok(())
}

/// A unit of a package that systemd was never told of: name of the file, lines.
type Unit = (&'static str, &'static str);
/// Old units and scriptlets, new units and scriptlets, what is said.
type Case = (&'static [Unit], &'static str, &'static [Unit], &'static str, &'static [&'static str]);

#[test]
fn what_happens_to_the_service_is_said() -> anyhow::Result<()> {
    const RESTART: &str = "%postun\nsystemctl try-restart odd.service\n";
    const LATER: &str = "%posttrans\nsystemctl try-restart odd.service\n";
    const PLAIN: Unit = ("odd.service", "[Service]\nExecStart=/x --port 80\nUser=odd\n");
    #[rustfmt::skip]
    let cases: [Case; 9] = [
        (&[PLAIN], RESTART, &[PLAIN], RESTART,
            &["a service that runs is restarted", "requests during the restart are lost"]),
        (&[PLAIN], "", &[PLAIN], LATER,
            &["a service that runs is restarted", "requests during the restart are lost"]),
        (&[PLAIN], "", &[PLAIN], RESTART,
            &["nothing restarts the service", "requests during the restart are lost"]),
        (&[PLAIN], RESTART, &[("odd.service", "[Service]\nExecStart=/x --port 81\nUser=new\n")], RESTART,
            &["a service that runs is restarted", "port 81 instead of 80", "as `new` instead of `odd`"]),
        (&[PLAIN], RESTART, &[PLAIN, ("odd.socket", "[Socket]\nListenStream=80\n")], RESTART,
            &["a service that runs is restarted", "systemd listens now, at 80"]),
        (&[PLAIN, ("odd.socket", "[Socket]\nListenStream=80\n")], RESTART, &[PLAIN, ("odd.socket", "[Socket]\nListenStream=80\n# same\n")], RESTART,
            &["a service that runs is restarted", "none is lost"]),
        (&[PLAIN], RESTART, &[], RESTART, &["the service's unit goes"]),
        (&[], RESTART, &[PLAIN], RESTART, &["the service is new"]),
        (&[], RESTART, &[], RESTART, &["neither package has a service"]),
    ];
    for (row, (old, scripts, new, new_scripts, expected)) in cases.into_iter().enumerate() {
        let keep = tempfile::tempdir()?;
        let folder = Utf8PathBuf::try_from(keep.path().to_owned())?;
        let build = |version: &str, units: &[Unit], scripts: &str| {
            let place = "/usr/lib/systemd/system";
            let mut install = format!("mkdir -p %{{buildroot}}{place}\n");
            let mut files = "/opt/odd/a\n/opt/odd/b\n/opt/odd/c\n".to_owned();
            for (name, text) in units {
                install.push_str(&format!("cat > %{{buildroot}}{place}/{name} <<'END'\n{text}END\n"));
                files.push_str(&format!("{place}/{name}\n"));
            }
            real::build(&folder, "odd", version, &install, &(files + scripts))
        };
        let (old, new) = (build("1", old, scripts)?, build("2", new, new_scripts)?);
        let (_, difference) = diff(&folder, old.as_str(), new.as_str())?;
        let said: Vec<&str> =
            difference["service"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        assert_eq!(said.len(), expected.len(), "row {row}: {said:#?}");
        for (said, expected) in said.iter().zip(expected) {
            assert!(said.contains(expected), "row {row}: {expected}\n{said}");
        }
    }
    Ok(())
}

/// What a package says is text: it steers no terminal, and no amount of it takes long.
#[test]
fn packages_that_lie_are_compared_in_a_moment() -> anyhow::Result<()> {
    let keep = tempfile::tempdir()?;
    let folder = Utf8PathBuf::try_from(keep.path().to_owned())?;
    let unit = "%{buildroot}/usr/lib/systemd/system";
    let build = |version: &str, unit_lines: &str| {
        let install = format!(
            "mkdir -p {unit}\n(echo '[Unit]'; {unit_lines}) > {unit}/odd.service\nseq 9 200000 > %{{buildroot}}/opt/odd/a\n\
             echo {version} >> %{{buildroot}}/opt/odd/a\n"
        );
        let files = format!(
            "%config /opt/odd/a\n/opt/odd/b\n/opt/odd/c\n/usr/lib/systemd/system/odd.service\n\
             %post\n# \x1b[2J\x1b]0;{version}\x07\n"
        );
        real::build(&folder, "odd", version, &install, &files)
    };
    let old = build("1", "seq -f 'AssertPathExists=/%.0f' 1 8000")?;
    let new = build("2", "seq -f 'AssertPathExists=/%.0f' 8000 -1 1; echo '[Service]'; echo 'ExecStart=/a \\'")?;
    let start = std::time::Instant::now();
    let said = run(&mut tool_in(&folder, &["diff", old.as_str(), new.as_str()]))?.text()?;
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    assert!(!said.contains('\x1b') && said.contains("+# \\u{1b}[2J\\u{1b}]0;2\\u{7}"), "{said}");
    assert!(said.contains("too long to be shown line by line"), "{said}");
    assert!(said.contains("another order of its lines"), "{said}");
    Ok(())
}

/// Modes, owners, flags, links and kinds of files as no release of this tool has them.
#[test]
fn packages_of_rpmbuild_are_compared_as_rpmdiff_compares_them() -> anyhow::Result<()> {
    let keep = tempfile::tempdir()?;
    let folder = Utf8PathBuf::try_from(keep.path().to_owned())?;
    let old = real::build(
        &folder,
        "odd",
        "1",
        "ln -s a %{buildroot}/opt/odd/link\nmkdir %{buildroot}/opt/odd/kind\n",
        "%attr(0600,root,root) /opt/odd/a\n%attr(0644,root,root) /opt/odd/b\n/opt/odd/c\n/opt/odd/link\n%dir /opt/odd/kind\n",
    )?;
    let new = real::build(
        &folder,
        "odd",
        "1^2",
        "ln -s b %{buildroot}/opt/odd/link\necho x > %{buildroot}/opt/odd/kind\necho d > %{buildroot}/opt/odd/d\n",
        "%attr(0644,root,root) /opt/odd/a\n%attr(0644,nobody,daemon) /opt/odd/b\n%config(noreplace) /opt/odd/c\n\
         /opt/odd/link\n/opt/odd/kind\n/opt/odd/d\n",
    )?;
    let other = real::build(&folder, "other", "1", "", "/opt/odd/a\n/opt/odd/b\n/opt/odd/c\n")?;
    let rpmdiff = real::rpmdiff()?;
    let (_, difference) = diff(&folder, old.as_str(), new.as_str())?;
    // rpmdiff does not look where links lead.
    let mut ours = real::files_of(&difference);
    assert_eq!(ours.remove("/opt/odd/link").as_deref(), Some("link a b"));
    let mut theirs = real::files_by_rpmdiff(&rpmdiff, &old, &new)?;
    theirs.remove("/opt/odd/link");
    assert_eq!(ours, theirs);
    assert_eq!(difference["upgrade"], real::version_order(&old, &new)?);
    let (text, difference) = diff(&folder, new.as_str(), other.as_str())?;
    assert_eq!(difference["upgrade"], "other-package");
    assert!(text.contains("NO upgrade for rpm: `other` is another package than `odd`"), "{text}");
    Ok(())
}

/// rpm's own verdict on pairs of versions, beside the table in `rpm/compare.rs`.
#[test]
fn versions_are_compared_as_rpm_compares_them() -> anyhow::Result<()> {
    let parts = ["1", "01", "2", "10", "a", "b", "rc1", "~", "^", ".", "_", "+local", "post", "é", ""];
    let mut versions = Vec::new();
    for first in parts {
        for second in parts {
            versions.extend(["1", "1.0", "a"].map(|start| format!("{start}{first}{second}")));
        }
    }
    versions.sort();
    versions.dedup();
    let pairs: Vec<(&str, &str)> = (0..versions.len())
        .flat_map(|place| [1, 7, 31, 101].map(|step| (place, (place * 3 + step) % versions.len())))
        .map(|(a, b)| (versions[a].as_str(), versions[b].as_str()))
        .collect();
    ensure!(pairs.len() > 2000, "only {} pairs", pairs.len());
    for some in pairs.chunks(200) {
        let calls: Vec<String> = some.iter().map(|(a, b)| format!("t[#t+1] = rpm.vercmp(\"{a}\", \"{b}\")")).collect();
        let script = format!("%{{lua: local t = {{}}; {}; print(table.concat(t, \" \"))}}", calls.join("; "));
        let said = run(Command::new("rpm").args(["--eval", &script]))?.text()?;
        let said: Vec<i32> = said.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        ensure!(said.len() == some.len(), "rpm compared {} of {}", said.len(), some.len());
        for ((a, b), said) in some.iter().zip(said) {
            let ours = wheelhaul_rpmfile::compare_versions(a, b) as i32;
            assert_eq!(ours, said.signum(), "`{a}` `{b}`");
        }
    }
    Ok(())
}

#[test]
fn what_cannot_be_read_is_an_error_that_names_each() -> anyhow::Result<()> {
    let keep = tempfile::tempdir()?;
    let folder = Utf8Path::from_path(keep.path()).context("not UTF-8")?;
    fs::write(folder.join("text.rpm"), "no RPM")?;
    let said = run(&mut tool_in(folder, &["diff", "text.rpm", "none.rpm"]))?;
    assert_eq!(said.code, Some(2), "{said}");
    if !(said.stderr.contains("`text.rpm` cannot be read") && said.stderr.contains("`none.rpm` cannot be read")) {
        bail!("{said}");
    }
    let said = run(&mut tool_in(folder, &["diff", "text.rpm"]))?;
    assert_eq!(said.code, Some(2), "{said}");
    Ok(())
}
