//! The script of `target --evidence`: on this host by each of its Pythons, beside programs that lie and hang, and what
//! `verify --box` makes of its document.

use anyhow::{Context as _, ensure};
use boxes::{Draft, pack};
use camino::{Utf8Path, Utf8PathBuf};
use checkout::command::{Finished, run};
use checkout::tool_in;
use fs_err as fs;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::{Duration, Instant};
use wheelhaul_engine::templates::{evidence, evidence_program, probe, probe_program};

#[path = "hostile/boxes.rs"]
#[allow(dead_code, reason = "shared with the test of hostile input")]
mod boxes;
#[allow(dead_code, reason = "shared with the tests that need a repository")]
mod checkout;
#[path = "hostile/zip.rs"]
#[allow(dead_code, reason = "shared with the test of hostile input")]
mod zip;

/// One Python of each minor release that this host has.
fn pythons() -> Vec<Utf8PathBuf> {
    let home = std::env::var("HOME").unwrap_or_default();
    let mut folders = vec![Utf8PathBuf::from("/usr/bin")];
    let versions = Utf8Path::new(&home).join(".pyenv/versions");
    folders.extend(versions.read_dir_utf8().into_iter().flatten().flatten().map(|entry| entry.path().join("bin")));
    let all = (6..=14).filter_map(|minor| {
        folders.iter().map(|folder| folder.join(format!("python3.{minor}"))).find(|python| python.is_file())
    });
    all.collect()
}

/// Runs the program with words.
fn told(python: &Utf8Path, program: &str, words: &[&str]) -> anyhow::Result<(Value, Finished)> {
    let finished = run(Command::new(python).args(["-IBS", "-c", program]).args(words))?;
    let document = serde_json::from_str(&finished.stdout).with_context(|| format!("{python}: {finished}"))?;
    Ok((document, finished))
}

#[test]
fn the_shell_hands_over_the_very_program() -> anyhow::Result<()> {
    for (script, program) in [(evidence(), evidence_program()), (probe(), probe_program())] {
        // The longest word that Linux lets a program have is 128 KiB.
        ensure!(program.contains('\'') && program.len() < 100_000, "{} bytes", program.len());
        let says = ["exec \"$python\" -IBS -c", "exec \"$python\" -IB -c"]
            .iter()
            .fold(script, |script, exec| script.replace(exec, "printf %s"));
        for shell in ["sh", "bash"] {
            let said = run(Command::new(shell).args(["-c", &says]))?;
            ensure!(said.code == Some(0) && said.stdout.trim_end() == program.trim_end(), "{shell}: {said}");
        }
    }
    Ok(())
}

#[test]
fn each_python_tells_the_same_and_what_it_cannot_tell() -> anyhow::Result<()> {
    let mut told_by = Vec::new();
    for python in pythons() {
        let (document, finished) = told(&python, &evidence_program(), &["no-such-package"])?;
        let keys: Vec<String> = document.as_object().context("an object")?.keys().cloned().collect();
        ensure!(document["package"].is_null() && document["rpm-verify"].is_null(), "{python}: {finished}");
        for (key, why) in document["absent"].as_object().context("an object")? {
            ensure!(
                document[key].is_null() && why.as_str().is_some_and(|why| !why.is_empty()),
                "{python}: {key}: {why}"
            );
            ensure!(finished.stderr.contains(&format!("not told: {key}: ")), "{python}: {finished}");
        }
        let silent =
            keys.iter().filter(|key| document[key.as_str()].is_null() && document["absent"][key.as_str()].is_null());
        ensure!(silent.count() == 0, "{python}: {finished}");
        ensure!(document["python"].as_str().is_some_and(|full| python.as_str().contains(&full[..3])), "{finished}");
        told_by.push((python, keys));
    }
    ensure!(told_by.len() > 1 && told_by.iter().all(|(_, keys)| *keys == told_by[0].1), "{told_by:?}");
    let wrong: [&[&str]; 5] = [&[], &["-x"], &["a b"], &["a", "file:///etc/passwd"], &["a", "http://x", "more"]];
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("evidence.sh");
    fs::write(&script, evidence())?;
    for words in wrong {
        let refused = run(Command::new("sh").arg(&script).args(words))?;
        ensure!(refused.code == Some(1) && refused.stderr.contains("usage: sh evidence.sh"), "{words:?}: {refused}");
    }
    Ok(())
}

/// A box of scripts: its programs, and what the kernel says of SELinux.
struct Fake {
    folder: tempfile::TempDir,
}

impl Fake {
    fn new(programs: &[(&str, &str)]) -> anyhow::Result<Self> {
        let fake = Self { folder: tempfile::tempdir()? };
        fs::write(fake.path()?.join("enforce"), "1")?;
        for (name, text) in programs {
            let path = fake.path()?.join(name);
            fs::write(&path, format!("#!/bin/sh\n{text}\n"))?;
            fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
        }
        Ok(fake)
    }

    fn path(&self) -> anyhow::Result<&Utf8Path> {
        Utf8Path::from_path(self.folder.path()).context("not UTF-8")
    }

    /// What is told on this box of `shop`; with a second for each program.
    fn tells(&self, words: &[&str]) -> anyhow::Result<Value> {
        let programs = format!("PATH = \"{}:/usr/bin:/bin\"", self.path()?);
        let mut program = evidence_program();
        for (from, to) in [
            ("PATH = \"/usr/sbin:/usr/bin:/sbin:/bin\"", programs.as_str()),
            ("SELINUX = \"/sys/fs/selinux\"", &format!("SELINUX = \"{}\"", self.path()?)),
            ("        raise Absent(\"there is no `%s` on this box\" % words[0])", "        raise Absent(\"none\")"),
            ("    end = time.monotonic() + seconds\n", "    end = time.monotonic() + 2\n"),
            ("ANSWER_SECONDS = 20", "ANSWER_SECONDS = 1"),
            ("timeout=10", "timeout=30"),
        ] {
            ensure!(program.contains(from), "{from}");
            program = program.replace(from, to);
        }
        // Its programs are looked for in that folder before those of this host.
        program = program.replace(
            "            words,\n",
            "            [os.path.join(PATH.split(\":\")[0], words[0])] + list(words[1:]),\n",
        );
        Ok(told(Utf8Path::new("/usr/bin/python3"), &program, &[&["shop"], words].concat())?.0)
    }
}

/// A unit that started a second after the boot of this host.
const SHOW: &str = "case $1 in show) printf 'Id=shop.service\\nActiveState=active\\nMainPID=0\\n\
    InactiveExitTimestampMonotonic=5000000\\nExecStart={ path=/x ; argv[]=/x --bind [::]:1 --certfile y ; }\\n' ;;\n\
    is-active) echo STATE ;; esac";

#[test]
fn denials_are_read_from_the_audit_log_and_from_the_journal_where_that_is_enough() -> anyhow::Result<()> {
    let boot: u64 = fs::read_to_string("/proc/stat")?
        .lines()
        .find_map(|line| line.strip_prefix("btime ")?.parse().ok())
        .context("no time of boot")?;
    let event = |after: u64, serial: u32, text: &str| format!("type={text} msg=audit({}.5:{serial}): ", boot + after);
    let audit = [
        format!("{}avc:  denied  {{ read }} for  comm=\"old\"", event(1, 1, "AVC")),
        format!("{}avc:  denied  {{ read }} for  comm=\"new\"", event(9, 2, "AVC")),
        format!("{}exe=\"/opt/shop/x\"", event(9, 2, "SYSCALL")),
        format!("{}avc:  granted  {{ load }}", event(9, 3, "AVC")),
        format!("{}resp=2", event(9, 4, "FANOTIFY")),
        format!("{}resp=1", event(9, 5, "FANOTIFY")),
        format!("{}resp=2", event(1, 6, "FANOTIFY")),
    ]
    .join("\n");
    let reads = format!("cat <<'END'\n{audit}\nEND");
    let entry =
        |message: &str| json!({"MESSAGE": message, "__REALTIME_TIMESTAMP": ((boot + 9) * 1_000_000).to_string()});
    let journal = format!(
        "printf '%s\\n' '{}' '{}'",
        entry("audit: avc:  denied  { write }"),
        entry("rule=1 dec=deny_syslog perm=open")
    );
    let forbidden = "echo 'Error opening /var/log/audit: Permission denied' >&2; exit 1";
    let none = "echo '<no matches>' >&2; exit 1";
    let hidden = "echo 'Hint: You are currently not seeing messages from other users and the system.' >&2";
    let running = SHOW.replace("STATE", "active");
    let stopped = SHOW.replace("STATE", "inactive");
    #[rustfmt::skip]
    let cases = [ // systemctl  ausearch        journalctl    SELinux                                       fapolicyd
        (&running,  reads.as_str(), journal.as_str(), Ok(vec!["comm=\"new\""]),                 Ok(vec!["resp=2", "dec=deny_syslog"])),
        (&running,  none,       "",               Ok(vec![]),                                   Ok(vec![])),
        (&running,  none,       hidden,           Ok(vec![]),                                   Err("the journal cannot be read")),
        (&running,  forbidden,  journal.as_str(), Err("Permission denied"),                     Err("Permission denied")),
        (&stopped,  forbidden,  journal.as_str(), Ok(vec!["denied  { write }"]),                Err("fapolicyd is not active")),
        (&stopped,  forbidden,  hidden,           Err("the journal cannot be read"),            Err("fapolicyd is not active")),
        (&running,  "sleep 60", "",               Err("took more than"),                        Err("took more than")),
        (&running,  "yes",      "",               Err("`ausearch` printed more than"),          Err("`ausearch` printed more than")),
    ];
    for (systemctl, ausearch, journalctl, selinux, fapolicyd) in cases {
        let fake = Fake::new(&[("systemctl", systemctl), ("ausearch", ausearch), ("journalctl", journalctl)])?;
        let document = fake.tells(&["http://127.0.0.1:1/"])?;
        for (key, expected) in [("selinux-denials", &selinux), ("fapolicyd-denials", &fapolicyd)] {
            let why = document["absent"][key].as_str().unwrap_or_default();
            let is_it = match (expected, document[key].as_array()) {
                (Ok(texts), Some(lines)) => {
                    lines.len() == texts.len()
                        && texts
                            .iter()
                            .zip(lines)
                            .all(|(text, line)| line.as_str().is_some_and(|line| line.contains(text)))
                }
                (Err(text), None) => why.contains(text),
                _ => false,
            };
            ensure!(is_it, "{ausearch:.30} {journalctl:.30}: {key}: {} {why}, not {expected:?}", document[key]);
        }
        ensure!(document["selinux-mode"] == "enforcing", "{document:#}");
    }
    let both = Fake::new(&[("systemctl", &running), ("ausearch", &reads), ("journalctl", "")])?
        .tells(&["http://127.0.0.1:1/"])?;
    ensure!(
        both["selinux-denials"][0].as_str().is_some_and(|line| line.contains("exe=\"/opt/shop/x\"")),
        "one event: {both:#}"
    );
    Ok(())
}

#[test]
fn programs_and_servers_that_hang_cost_their_time_and_nothing_else() -> anyhow::Result<()> {
    let began = Instant::now();
    // It leaves a process behind that keeps the pipe.
    let hangs = "sleep 300 & sleep 300";
    let names = ["rpm", "systemctl", "ausearch", "journalctl", "systemd-analyze"];
    let fake = Fake::new(&names.map(|name| (name, hangs)))?;
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/", listener.local_addr()?);
    let document = fake.tells(&[&url])?;
    ensure!(began.elapsed() < Duration::from_secs(50), "{:?}", began.elapsed());
    for key in ["package", "unit", "exposure"] {
        let why = document["absent"][key].as_str().unwrap_or_default();
        ensure!(why.contains("took more than"), "{key}: {document:#}");
    }
    let answer = &document["answer"];
    ensure!(
        answer["status"].is_null() && answer["error"].as_str().is_some_and(|why| why.contains("no answer for")),
        "{answer}"
    );
    Ok(())
}

#[test]
fn a_document_is_judged_beside_the_other_checks_and_a_wrong_one_is_refused() -> anyhow::Result<()> {
    let holder = tempfile::tempdir()?;
    let folder = Utf8Path::from_path(holder.path()).context("not UTF-8")?;
    fs::write(folder.join("demo.rpm"), pack(&[Draft::of("demo"), Draft::app()])?.1)?;
    let (document, _) = told(Utf8Path::new("/usr/bin/python3"), &evidence_program(), &["demo"])?;
    fs::write(folder.join("here.json"), document.to_string())?;
    let verify = |words: &[&str]| run(&mut tool_in(folder, &[&["verify", "--format", "json"], words].concat()));
    let without = verify(&["demo.rpm"])?;
    ensure!(!without.stdout.contains("box-"), "{without}");
    let report = verify(&["demo.rpm", "--box", "here.json", "--report", "page.html"])?;
    let read: Value = serde_json::from_str(&report.stdout)?;
    let checks = read["rpms"][0]["checks"].as_array().context("checks")?;
    let of_box: Vec<&Value> =
        checks.iter().filter(|check| check["name"].as_str().is_some_and(|name| name.starts_with("box-"))).collect();
    // Nothing is installed on this host, so nothing passes.
    ensure!(of_box.len() == 7 && of_box.iter().all(|check| check["result"] != "ok"), "{of_box:#?}");
    ensure!(of_box[0]["looked_at"].as_str().is_some_and(|why| why.contains("does not tell `package`")), "{of_box:#?}");
    ensure!(read["box"]["path"] == "here.json" && read["box"]["sha256"].as_str().map(str::len) == Some(64), "{read:#}");
    let page = fs::read_to_string(folder.join("page.html"))?;
    ensure!(page.contains("box-package") && page.contains("from what a box said"), "the page lacks the box");
    let strict = verify(&["demo.rpm", "--box", "here.json", "--strict"])?;
    ensure!(strict.code == Some(1), "{strict}");

    fs::write(folder.join("large.json"), " ".repeat((4 << 20) + 1))?;
    fs::write(folder.join("other.json"), "{\"evidence\": 1, \"made\": \"\\u001b[2J\"}")?;
    fs::write(folder.join("bytes.json"), b"\xff\xfe{")?;
    run(Command::new("mkfifo").arg(folder.join("pipe.json")))?.text()?;
    #[rustfmt::skip]
    let cases: [(&[&str], &str); 8] = [
        (&["demo.rpm", "--box", "none.json"],              "failed to read what the box said, `none.json`"),
        (&["demo.rpm", "--box", "."],                      "it is no file"),
        (&["demo.rpm", "--box", "pipe.json"],              "it is no file"),
        (&["demo.rpm", "--box", "large.json"],             "it has 4194305 bytes"),
        (&["demo.rpm", "--box", "bytes.json"],             "cannot be read as text"),
        (&["demo.rpm", "--box", "other.json"],             "it is not what the evidence script prints"),
        (&["demo.rpm", "demo.rpm", "--box", "here.json"],  "`--box` goes with one FILE"),
        (&["--box", "here.json"],                          "required arguments"),
    ];
    for (words, says) in cases {
        let refused = verify(words)?;
        ensure!(refused.code == Some(2) && refused.stderr.contains(says), "{words:?}: {refused}");
        ensure!(!refused.stderr.contains('\u{1b}'), "{words:?}: {refused}");
        ensure!(
            !words.contains(&"demo.rpm") || refused.stderr.contains("hint: ") || words.len() == 4,
            "{words:?}: {refused}"
        );
    }
    Ok(())
}
