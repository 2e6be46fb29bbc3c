//! `rebuild`: what a repository makes again, and what it does not, with the reason.

#[allow(dead_code, reason = "each test that checks the sample out uses a part of it")]
mod checkout;
#[allow(dead_code, reason = "for the tests that need more than one key")]
#[path = "signing/keys.rs"]
mod keys;

use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use checkout::command::{Finished, run};
use checkout::{Checkout, list, tool_in};
use fs_err as fs;
use keys::Keys;
use serde_json::Value;

const RPM: &str = "dist/out/quality_report-0.0.1-1.el9.x86_64.rpm";

/// A folder of RPMs that lie in no repository.
struct Shelf {
    _keep: tempfile::TempDir,
    folder: Utf8PathBuf,
}

impl Shelf {
    fn new() -> anyhow::Result<Self> {
        let keep = tempfile::Builder::new().prefix("shelf-").tempdir()?;
        let folder = Utf8PathBuf::try_from(keep.path().to_owned())?;
        Ok(Self { _keep: keep, folder })
    }

    /// Builds in a checkout, and takes the RPM away.
    fn build(&self, from: &Checkout, name: &str, words: &[&str], epoch: Option<&str>) -> anyhow::Result<Utf8PathBuf> {
        let dir = from.dir()?;
        let mut command = tool_in(&dir, &[&["rpm"], words].concat());
        if let Some(epoch) = epoch {
            command.env("SOURCE_DATE_EPOCH", epoch);
        }
        run(&mut command)?.text()?;
        let path = self.folder.join(name);
        fs::copy(dir.join(RPM), &path)?;
        fs::remove_dir_all(dir.join("dist/out"))?;
        Ok(path)
    }

    fn against(&self, repository: &Checkout, words: &[&str]) -> anyhow::Result<Finished> {
        let dir = repository.dir()?;
        run(&mut tool_in(&self.folder, &[&["rebuild", dir.as_str()], words].concat()))
    }

    /// The one RPM of `--format json`, and the exit code.
    fn asked(&self, repository: &Checkout, name: &str) -> anyhow::Result<(Value, Option<i32>)> {
        let said = self.against(repository, &["--offline", "--format", "json", name])?;
        let json: Value = serde_json::from_str(&said.stdout).with_context(|| said.to_string())?;
        ensure!(json["rpms"].as_array().is_some_and(|rpms| rpms.len() == 1), "{said}");
        let outcome = if said.code == Some(0) { "fine" } else { "findings" };
        assert_eq!(json["outcome"], outcome, "{json:#}");
        Ok((json["rpms"][0].clone(), said.code))
    }

    /// Expects that it differs, for reasons that have these words, and for no others.
    fn differs(&self, repository: &Checkout, name: &str, reasons: &[&str]) -> anyhow::Result<Value> {
        let (rpm, code) = self.asked(repository, name)?;
        assert_eq!((code, &rpm["same"]), (Some(1), &Value::Bool(false)), "{rpm:#}");
        let said: Vec<&str> = rpm["reasons"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        assert_eq!(said.len(), reasons.len(), "{said:#?}");
        for (said, wanted) in said.iter().zip(reasons) {
            assert!(said.contains(wanted), "{wanted}\n{said}");
        }
        Ok(rpm)
    }
}

fn edit(checkout: &Checkout, path: &str, old: &str, new: &str) -> anyhow::Result<()> {
    let path = checkout.dir()?.join(path);
    let text = fs::read_to_string(&path)?;
    ensure!(text.contains(old), "`{path}` has no `{old}`: the sample changed, and so must this test");
    Ok(fs::write(&path, text.replacen(old, new, 1))?)
}

fn changed_paths(rpm: &Value) -> Vec<&str> {
    let groups = rpm["difference"]["files"]["groups"].as_array().into_iter().flatten();
    let files = groups.flat_map(|group| group["changed"].as_array().into_iter().flatten());
    files.filter_map(|file| file["path"].as_str()).collect()
}

#[test]
fn the_same_commit_makes_the_same_bytes_anywhere() -> anyhow::Result<()> {
    let sample = Checkout::new("origin-")?;
    sample.without_byte_code()?;
    let shelf = Shelf::new()?;
    let plain = shelf.build(&sample, "plain.rpm", &[], None)?;
    shelf.build(&sample, "level.rpm", &["--level", "3"], None)?;
    let signed = shelf.folder.join("signed.rpm");
    fs::copy(&plain, &signed)?;
    let keys = Keys::of(&["rsa3072"])?;
    let words = ["sign", "signed.rpm", "--key", "rsa3072@example.invalid"];
    run(tool_in(&shelf.folder, &words).env("GNUPGHOME", keys.home()?))?.text()?;
    ensure!(fs::read(&plain)? != fs::read(&signed)?, "signing changed nothing");

    let said = run(&mut tool_in(&shelf.folder, &["diff", "signed.rpm", "plain.rpm"]))?.text()?;
    assert!(said.contains("the old package is signed, and the new one is not"), "{said}");

    let clone = sample.cloned("elsewhere-", &[])?;
    let said = shelf.against(&clone, &["plain.rpm", "level.rpm", "signed.rpm"])?;
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert_eq!((said.code, lines.len()), (Some(0), 3), "{said}");
    assert!(lines[0].starts_with("plain.rpm: the same bytes, from commit "), "{said}");
    assert!(lines[1].starts_with("level.rpm: the same bytes, from commit "), "{said}");
    assert!(lines[2].starts_with("signed.rpm: the same bytes, but for its signature, from commit "), "{said}");
    let (rpm, code) = shelf.asked(&clone, "level.rpm")?;
    assert_eq!((code, &rpm["same"], &rpm["level"]), (Some(0), &true.into(), &3.into()), "{rpm:#}");
    // What is built goes away again; the wheels that were there are all that is in `dist`.
    assert_eq!(list(&clone.dir()?.join("dist"))?, list(&sample.dir()?.join("dist"))?);
    assert!(!clone.dir()?.join("dist/out").exists());
    let left = list(&clone.dir()?.join("target/xtask/scratch"))?;
    assert!(left.is_empty(), "{left:?}");
    Ok(())
}

#[test]
fn what_differs_is_said_with_the_likely_reason() -> anyhow::Result<()> {
    let sample = Checkout::new("origin-")?;
    sample.without_byte_code()?;
    let shelf = Shelf::new()?;
    let plain = shelf.build(&sample, "plain.rpm", &[], None)?;
    shelf.build(&sample, "dated.rpm", &[], Some("1700000001"))?;
    shelf.build(&sample, "rpmbuild.rpm", &["--builder", "rpmbuild"], None)?;
    let clone = sample.cloned("elsewhere-", &[])?;

    let dated = shelf.differs(&clone, "dated.rpm", &["SOURCE_DATE_EPOCH"])?;
    assert!(dated["difference"]["package"].to_string().contains("2023-11-14T22:13:21Z"), "{dated:#}");
    shelf.differs(&clone, "rpmbuild.rpm", &["--builder rpmbuild"])?;

    // A file that is not committed, then committed: another commit, whose hash is said.
    edit(&clone, "python-app/src/app.py", "\"no backend configured\"", "\"no backend yet chosen\"")?;
    let rpm = shelf.differs(&clone, "plain.rpm", &["`git status`"])?;
    assert!(changed_paths(&rpm).contains(&"/opt/quality_report/src/app.py"), "{rpm:#}");
    let text = shelf.against(&clone, &["plain.rpm"])?;
    assert_eq!(text.code, Some(1));
    insta::assert_snapshot!("rebuilt", without_hashes(&text.stdout));
    clone.commit("another backend")?;
    let rpm = shelf.differs(&clone, "plain.rpm", &["git checkout"])?;
    let (was, is) = (rpm["difference"]["old"]["built_from"].as_str(), rpm["commit"].as_str());
    let (was, is) = (was.unwrap_or_default().trim_start_matches("commit "), is.unwrap_or_default());
    let reason = rpm["reasons"][0].as_str().unwrap_or_default();
    ensure!(was.len() == 40 && was != is && reason.contains(was) && reason.contains(is), "{rpm:#}");

    // Built from what nobody else has.
    edit(&clone, "python-app/src/app.py", "\"no backend yet chosen\"", "\"no backend at all\"")?;
    shelf.build(&clone, "dirty.rpm", &[], None)?;
    shelf.differs(&sample, "dirty.rpm", &["git checkout", "not committed, which nobody else has"])?;

    // A byte of the payload that is another one: it cannot be read, or is called damaged.
    let mut bytes = fs::read(&plain)?;
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(shelf.folder.join("damaged.rpm"), bytes)?;
    let said = shelf.against(&sample, &["--offline", "damaged.rpm"])?;
    assert!(said.code == Some(2) || (said.code == Some(1) && said.stdout.contains("is damaged")), "{said}");
    Ok(())
}

#[test]
fn byte_code_is_made_again_or_is_the_reason() -> anyhow::Result<()> {
    let sample = Checkout::new("origin-")?;
    let shelf = Shelf::new()?;
    shelf.build(&sample, "with.rpm", &[], None)?;
    let clone = sample.cloned("elsewhere-", &[])?;
    let (rpm, code) = shelf.asked(&clone, "with.rpm")?;
    ensure!(rpm["byte_code"].is_string(), "this host has no Python of the target's minor\nhint: install CPython 3.11");
    assert_eq!(code, Some(0), "{rpm:#}");
    // An RPM of a host without an interpreter: `package.byte-code` leaves it to the host.
    edit(&clone, "dist/package.toml", "[package]\n", "[package]\nbyte-code = false\n")?;
    shelf.differs(&clone, "with.rpm", &["`git status`", "none could be compiled here"])?;
    Ok(())
}

#[test]
fn what_cannot_be_made_again_is_an_error() -> anyhow::Result<()> {
    let sample = Checkout::new("origin-")?;
    sample.without_byte_code()?;
    let shelf = Shelf::new()?;
    shelf.build(&sample, "plain.rpm", &[], None)?;
    fs::write(shelf.folder.join("text.rpm"), "no RPM")?;
    let fails = |repository: &Utf8Path, words: &[&str], expected: &str| -> anyhow::Result<()> {
        let words = [&["rebuild", repository.as_str()], words].concat();
        let said = run(&mut tool_in(&shelf.folder, &words))?;
        assert!(said.code == Some(2) && said.stderr.contains(expected), "{expected}\n{said}");
        Ok(())
    };
    let dir = sample.dir()?;
    fails(&dir, &["text.rpm", "plain.rpm"], "`text.rpm` cannot be read")?;
    fails(&dir, &[], "required")?;
    fails(&shelf.folder, &["plain.rpm"], "no `dist/package.toml`")?;
    fails(&dir, &["--target", "el8-x86_64", "plain.rpm"], "has no target `el8-x86_64`")?;
    // A stale lock would make another RPM.
    edit(&sample, "python-app/Pipfile.lock", "\"==2.2.0\"", "\"==2.1.0\"")?;
    fails(&dir, &["--offline", "plain.rpm"], "the index would have to be asked")?;
    Ok(())
}

/// Without what each commit of the sample changes.
fn without_hashes(text: &str) -> String {
    let is_commit = |word: &str| word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split_inclusive([' ', '\n', '`'])
        .map(|word| match word.char_indices().last() {
            Some((end, _)) if is_commit(&word[..end]) => format!("COMMIT{}", &word[end..]),
            _ => word.to_owned(),
        })
        .collect()
}
