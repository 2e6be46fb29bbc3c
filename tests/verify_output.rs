//! What `verify` prints: for people as snapshots, for programs against its own schema.

#[path = "hostile/boxes.rs"]
#[allow(dead_code, reason = "shared with the test of hostile input")]
mod boxes;
#[allow(dead_code, reason = "shared with the tests that need a repository")]
mod checkout;
#[path = "hostile/zip.rs"]
#[allow(dead_code, reason = "shared with the test of hostile input")]
mod zip;

use anyhow::{Context as _, ensure};
use boxes::{Draft, pack};
use camino::{Utf8Path, Utf8PathBuf};
use checkout::command::{Finished, run};
use checkout::{repository, tool_in};
use fs_err as fs;
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Stdio};

/// A folder with a good RPM, one with faults, and one that is cut short.
fn rpms() -> anyhow::Result<(tempfile::TempDir, Utf8PathBuf)> {
    let holder = tempfile::tempdir()?;
    let folder = Utf8PathBuf::try_from(holder.path().to_owned())?;
    let (_, good) = pack(&[Draft::of("demo"), Draft::app()])?;
    let key = format!("-----BEGIN {}-----\n{}\n", "PRIVATE KEY", "0123456789abcdef".repeat(4));
    let app = Draft::app().with("demoapp/deploy.pem", &key).with("demoapp/.env", "DEBUG=1\n");
    let app = app.with("demoapp/.git/config", "[core]\n").with("demoapp/.git/HEAD", "x\n");
    let app = app.with("demoapp/tests/url.py", "DATABASE = 'postgres://app:s3cr3t@db/app'\n");
    let (_, faulty) = pack(&[Draft::of("demo"), app])?;
    fs::write(folder.join("good.rpm"), &good)?;
    fs::write(folder.join("faulty.rpm"), &faulty)?;
    // In its header, whose size no word of the payload changes.
    fs::write(folder.join("cut.rpm"), &good[..13_000])?;
    Ok((holder, folder))
}

fn verify(folder: &Utf8Path, words: &[&str]) -> anyhow::Result<Finished> {
    let words: Vec<&str> = ["verify"].iter().chain(words).copied().collect();
    run(&mut tool_in(folder, &words))
}

/// Without what differs between hosts.
fn shown(finished: &Finished) -> String {
    let lines = finished.stdout.lines().map(|line| match line.split_once(", by ") {
        Some((start, _)) if line.contains("scriptlets") => format!("{start}, by [shells]"),
        _ => line.to_owned(),
    });
    format!("exit {}\n{}\n", finished.code.unwrap_or(-1), lines.collect::<Vec<_>>().join("\n"))
}

#[test]
fn people_read_every_finding_and_a_summary() -> anyhow::Result<()> {
    let (_holder, folder) = rpms()?;
    let all = ["good.rpm", "faulty.rpm", "cut.rpm"];
    insta::assert_snapshot!("text", shown(&verify(&folder, &all)?));
    insta::assert_snapshot!("quiet", shown(&verify(&folder, &[&["-q"][..], &all].concat())?));
    let quiet = verify(&folder, &["-q", "good.rpm"])?;
    ensure!(quiet.code == Some(0) && quiet.stdout.is_empty() && quiet.stderr.is_empty(), "{quiet}");
    let strict = verify(&folder, &["--strict", "good.rpm"])?;
    ensure!(strict.code == Some(0), "{strict}");
    Ok(())
}

#[test]
fn every_file_that_is_not_there_is_named_before_any_work() -> anyhow::Result<()> {
    let (_holder, folder) = rpms()?;
    let one = verify(&folder, &["no.rpm"])?;
    ensure!(one.code == Some(2) && one.stderr.contains("there is no file `no.rpm`"), "{one}");
    ensure!(one.stderr.contains("hint: name an RPM that is there") && !one.stderr.contains("metadata"), "{one}");
    let several = verify(&folder, &["a.rpm", "good.rpm", "b.rpm"])?;
    ensure!(several.code == Some(2) && several.stdout.is_empty(), "{several}");
    ensure!(["`a.rpm`", "`b.rpm`"].iter().all(|name| several.stderr.contains(name)), "{several}");
    Ok(())
}

#[test]
fn a_host_without_a_shell_says_what_it_did_not_do() -> anyhow::Result<()> {
    let (_holder, folder) = rpms()?;
    let verify = |words: &[&str]| run(tool_in(&folder, words).env("PATH", folder.as_str()));
    let said = verify(&["verify", "good.rpm"])?;
    let line = "  NOT MADE  scriptlets   this host has no shell that could parse them\n";
    ensure!(said.code == Some(0) && said.stdout.contains(line), "{said}");
    ensure!(verify(&["verify", "--strict", "good.rpm"])?.code == Some(1));
    Ok(())
}

#[test]
fn programs_read_what_the_schema_says() -> anyhow::Result<()> {
    let (_holder, folder) = rpms()?;
    let json_of = |finished: Finished| serde_json::from_str::<Value>(&finished.stdout).context("no JSON");
    let mut documents = Vec::new();
    for (words, outcome) in [
        (&["good.rpm"][..], "fine"),
        (&["faulty.rpm"], "findings"),
        (&["cut.rpm"], "findings"),
        (&["good.rpm", "faulty.rpm", "cut.rpm"], "findings"),
        (&["no.rpm"], "error"),
        (&["good.rpm", "--target", "el99"], "error"),
    ] {
        let document = json_of(verify(&folder, &[words, &["--format", "json"]].concat())?)?;
        ensure!(document["outcome"] == outcome, "{words:?}: {document:#}");
        documents.push(document);
    }
    let unasked = run(tool_in(&folder, &["verify", "good.rpm", "--format", "json"]).env("PATH", folder.as_str()))?;
    documents.push(json_of(unasked)?);
    let real = documents.len();
    // Each of these is one step from a document that fits.
    let mut bent = |at: usize, bend: &dyn Fn(&mut Value)| {
        let mut document = documents[at].clone();
        bend(&mut document);
        documents.push(document);
    };
    bent(0, &|document| document["schema"] = json!(2));
    bent(0, &|document| document["rpms"][0]["checks"][0]["result"] = json!("failed"));
    bent(0, &|document| drop(document["rpms"][0].as_object_mut().map(|rpm| rpm.remove("target"))));
    bent(1, &|document| {
        document["rpms"][0]["checks"]
            .as_array_mut()
            .into_iter()
            .flatten()
            .for_each(|check| check["result"] = json!("ok"))
    });
    bent(2, &|document| document["rpms"][0]["fine"] = json!(true));
    bent(4, &|document| document["errors"] = json!([]));
    let faults = faults_of(&folder, &documents)?;
    for (index, faults) in faults.iter().enumerate() {
        ensure!(faults.is_empty() == (index < real), "{index}: {faults:?}\n{:#}", documents[index]);
    }
    Ok(())
}

/// What jsonschema says of each document.
fn faults_of(folder: &Utf8Path, documents: &[Value]) -> anyhow::Result<Vec<Vec<String>>> {
    let tools = repository().join("target/xtask/test-jsonschema");
    let script = |name: &str| repository().join("tests/python").join(name);
    let mut make = Command::new("python3");
    let python = run(make.arg("-B").arg(script("tools.py")).args([tools.as_str(), "jsonschema"]))?.text()?;
    let schema = folder.join("schema.json");
    fs::write(&schema, serde_json::to_vec(&wheelhaul::verify_schema())?)?;
    let mut command = Command::new(python.trim());
    command.arg("-B").arg(script("verify_output_fits.py")).arg(&schema);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    child.stdin.take().context("a pipe")?.write_all(&serde_json::to_vec(documents)?)?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "the script failed");
    Ok(serde_json::from_slice(&output.stdout)?)
}

#[test]
fn files_that_are_not_there_and_flags_that_would_be_passed_over_are_refused() -> anyhow::Result<()> {
    let (_holder, folder) = rpms()?;
    #[cfg(unix)]
    run(Command::new("mkfifo").arg(folder.join("pipe")))?.text()?;
    #[rustfmt::skip]
    let refused = [
        (&["none.rpm", "good.rpm", "neither.rpm"][..],                     "2 files cannot be verified"),
        (&["none.rpm"],                                                    "hint: name an RPM"),
        (&["."],                                                           "is no file"),
        (&["--audit", ".", "good.rpm"],                                    "hint: name data"),
        #[cfg(unix)]
        (&["--audit", "pipe", "good.rpm"],                                 "it is no file"),
        #[cfg(unix)]
        (&["pipe"],                                                        "is no file"),
    ];
    for (words, said) in refused {
        let done = verify(&folder, words)?;
        ensure!(done.code == Some(2) && done.stdout.is_empty() && done.to_string().contains(said), "{words:?}: {done}");
    }
    Ok(())
}
