//! Sources compiled by an interpreter of this host, to see whether it can (`templates/compile_only.py`): nothing is
//! run, and nothing written.

use crate::problem::Problem;
use crate::sys::{Program, Running, Sys};
use crate::templates::COMPILE_ONLY;
use crate::tools::interpreter::Interpreter;
use anyhow::Context as _;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Sources that wait for an interpreter: of 8 MB at most, so that memory stays flat.
const MOST_WAITING: usize = 4;
/// So often an interpreter may end over a source, all together, before no further one is started.
const MOST_ENDED: usize = 20;

/// A source with its path on the box.
pub struct Source {
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
pub fn run(
    sys: &Sys,
    by: &Interpreter,
    feed: impl FnOnce(&SyncSender<Source>) -> anyhow::Result<()>,
) -> anyhow::Result<BTreeMap<String, String>> {
    let said = Mutex::new(Said::default());
    let (sender, receiver) = sync_channel(MOST_WAITING);
    let receiver = Mutex::new(receiver);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| work(sys, by, &receiver, &said));
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
fn work(sys: &Sys, by: &Interpreter, sources: &Mutex<Receiver<Source>>, said: &Mutex<Said>) {
    let next = || sources.lock().expect("no thread panics").recv().ok();
    let mut running = None;
    while let Some(source) = next() {
        if said.lock().expect("no thread panics").failure.is_some() {
            continue;
        }
        let answer = ask(sys, by, &mut running, &source);
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

/// What an interpreter says of a source; none where it ended over it.
fn ask(sys: &Sys, by: &Interpreter, running: &mut Option<Running>, source: &Source) -> anyhow::Result<Option<String>> {
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
    // That it cannot be written to says no more than that it answers nothing.
    let sent = running.send(&head).and_then(|()| running.send(&source.bytes));
    Ok(sent.ok().and_then(|()| running.line().ok().flatten()))
}
