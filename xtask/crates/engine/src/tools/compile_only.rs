//! Sources compiled by an interpreter of this host, to see whether it can (`templates/compile_only.py`): nothing is
//! run, and nothing written.

use crate::templates::COMPILE_ONLY;
use crate::tools::interpreter::Interpreter;
use anyhow::Context as _;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;
use wheelhaul_base::problem::Problem;
use wheelhaul_host::{Program, Running, Sys};

/// Sources that wait for an interpreter: of 8 MB at most, so that memory stays flat.
const MOST_WAITING: usize = 4;
/// So often an interpreter may end over a source, all together, before no further one is started.
const MOST_ENDED: usize = 20;

/// For one source.
const LONGEST: Duration = Duration::from_secs(60);

/// A source with its path on the box.
pub(crate) struct Source {
    /// for the compiler's messages
    pub path: String,
    /// its bytes
    pub bytes: Vec<u8>,
}

/// What all interpreters together said.
#[derive(Default)]
struct Said {
    faults: BTreeMap<String, String>,
    ended: usize,
    failure: Option<anyhow::Error>,
}

/// Compiles what `feed` sends, one interpreter a core.
///
/// - Gives: path → why it does not compile.
/// - Fails: where an interpreter cannot be started, or ends again and again.
pub(crate) fn run(
    sys: &Sys,
    by: &Interpreter,
    feed: impl FnOnce(&SyncSender<Source>) -> anyhow::Result<()>,
) -> anyhow::Result<BTreeMap<String, String>> {
    run_within(sys, by, LONGEST, feed)
}

fn run_within(
    sys: &Sys,
    by: &Interpreter,
    longest: Duration,
    feed: impl FnOnce(&SyncSender<Source>) -> anyhow::Result<()>,
) -> anyhow::Result<BTreeMap<String, String>> {
    let said = Mutex::new(Said::default());
    let (sender, receiver) = sync_channel(MOST_WAITING);
    let receiver = Mutex::new(receiver);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| work(sys, by, &receiver, &said, longest));
        }
        let fed = feed(&sender);
        drop(sender);
        fed
    })?;
    let said = said.into_inner().expect("no thread panics");
    match said.failure {
        None => Ok(said.faults),
        Some(failure) => Err(failure.context(format!("failed to compile modules by CPython {}", by.version))),
    }
}

/// Asks one interpreter after another; after a failure it takes what comes and asks none.
fn work(sys: &Sys, by: &Interpreter, sources: &Mutex<Receiver<Source>>, said: &Mutex<Said>, longest: Duration) {
    let next = || sources.lock().expect("no thread panics").recv().ok();
    let mut running = None;
    while let Some(source) = next() {
        if said.lock().expect("no thread panics").failure.is_some() {
            continue;
        }
        let answer = ask(sys, by, &mut running, &source, longest);
        let mut said = said.lock().expect("no thread panics");
        match answer {
            Ok(Some(text)) if text.is_empty() => {}
            Ok(Some(text)) => drop(said.faults.insert(source.path, text)),
            Ok(None) => {
                running = None;
                said.ended += 1;
                if said.ended > MOST_ENDED {
                    said.failure =
                        Some(anyhow::anyhow!("it ended {MOST_ENDED} times; the last over `{}`", source.path));
                }
                said.faults.insert(source.path, "the compiler does not come to an end with it".to_owned());
            }
            Err(error) => said.failure = Some(error),
        }
    }
}

/// What an interpreter says of a source; none where it ended over it, or took too long.
fn ask(
    sys: &Sys,
    by: &Interpreter,
    running: &mut Option<Running>,
    source: &Source,
    longest: Duration,
) -> anyhow::Result<Option<String>> {
    if running.is_none() {
        // The script is given as it is: nothing of it has to lie on the disk.
        let program = Program::new(&by.path).args(["-I", "-S", "-B", "-X", "utf8", "-c", COMPILE_ONLY]);
        let started = sys.start(&program).map_err(|error| {
            Problem::around(
                error,
                format!("`{}` cannot be started", by.path),
                "install it again, or let byte-code be shipped",
            )
        })?;
        *running = Some(started);
    }
    let running = running.as_mut().context("it was started above")?;
    let mut head = Vec::with_capacity(16 + source.path.len());
    head.extend((source.path.len() as u64).to_le_bytes());
    head.extend((source.bytes.len() as u64).to_le_bytes());
    head.extend(source.path.as_bytes());
    let said = running.within(longest, |talk| {
        // That it cannot be written to says no more than that it answers nothing.
        let sent = talk.send(&head).and_then(|()| talk.send(&source.bytes));
        sent.ok().and_then(|()| talk.line().ok().flatten())
    });
    Ok(said.flatten())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use camino::Utf8PathBuf;
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Instant;
    use wheelhaul_host::Verbosity;

    #[test]
    fn a_source_that_takes_too_long_is_a_fault_and_the_others_are_compiled() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
        let path = root.join("python");
        // An interpreter behind a script, which does not end with it: over `slow` it thinks, of others it says nothing.
        let script = "#!/bin/sh\nperl -e '$| = 1; while (read(STDIN, $head, 16) == 16) { ($p, $s) = unpack(\"QQ\", $head); \
                      read(STDIN, $text, $p + $s); sleep 60 if $text =~ /slow/; print \"\\n\" }'\n";
        fs_err::write(&path, script).unwrap();
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let sys = Sys { root, verbosity: Verbosity::Quiet, offline: false };
        let by = Interpreter { path, version: "3.6.15".to_owned() };
        let begun = Instant::now();
        let faults = run_within(&sys, &by, Duration::from_millis(700), |sender| {
            for name in ["a.py", "slow.py", "b.py"] {
                sender.send(Source { path: name.to_owned(), bytes: b"x = 1".to_vec() })?;
            }
            Ok(())
        });
        assert_eq!(faults.unwrap().into_keys().collect::<Vec<_>>(), ["slow.py"]);
        assert!(begun.elapsed() < Duration::from_secs(20), "it was waited for");
    }
}
