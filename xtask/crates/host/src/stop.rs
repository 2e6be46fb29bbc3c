//! Work that is given up, since what runs beside it has failed.

use std::io;
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// How soon a program that said all it had to say is looked at again; then half as soon each time, up to the other.
const FIRST_LOOK: Duration = Duration::from_micros(50);
const LAST_LOOK: Duration = Duration::from_millis(10);

/// Asks work to end: the programs that run for it are killed, and no other is started.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    asked: bool,
    running: Vec<Arc<Mutex<Child>>>,
}

impl Stop {
    /// Asks for it; what the programs started themselves goes on until it finds nobody to talk to.
    pub fn ask(&self) {
        let mut state = self.state();
        state.asked = true;
        for child in &state.running {
            // One that has ended meanwhile needs no end.
            let _ = locked(child).kill();
        }
    }

    /// Whether it was asked for.
    pub fn is_asked(&self) -> bool {
        self.state().asked
    }

    /// Runs a command to its end, or until it is stopped, and gives what it said.
    pub(super) fn output(&self, mut command: Command) -> io::Result<Output> {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let (child, out, err) = {
            // Held until the child is in the list: none may be started after the asking that is not seen by it.
            let mut state = self.state();
            if state.asked {
                return Err(stopped());
            }
            let mut child = command.spawn()?;
            let (out, err) = (child.stdout.take(), child.stderr.take());
            let child = Arc::new(Mutex::new(child));
            state.running.push(Arc::clone(&child));
            (child, out, err)
        };
        let said = self.said(out, err);
        if said.is_err() {
            // One that was asked to end is killed already; one whose output cannot be read has nobody to talk to.
            let _ = locked(&child).kill();
        }
        let mut look = FIRST_LOOK;
        let status = loop {
            match locked(&child).try_wait() {
                Ok(None) => {}
                Ok(Some(status)) => break Ok(status),
                Err(error) => break Err(error),
            }
            thread::sleep(look);
            look = LAST_LOOK.min(look * 2);
        };
        self.state().running.retain(|other| !Arc::ptr_eq(other, &child));
        let [stdout, stderr] = said?;
        Ok(Output { status: status?, stdout, stderr })
    }

    /// Reads two streams to their ends. Where it is asked to stop they are left as they are: a program that was started by
    /// the one that was killed may hold them open for long, as the launchers of several Pythons have one.
    fn said(&self, out: Option<ChildStdout>, err: Option<ChildStderr>) -> io::Result<[Vec<u8>; 2]> {
        fn read(stream: Option<impl io::Read + Send + 'static>) -> Receiver<io::Result<Vec<u8>>> {
            let (sender, receiver) = channel();
            thread::spawn(move || {
                let mut said = Vec::new();
                let read = stream.map_or(Ok(0), |mut stream| stream.read_to_end(&mut said));
                // Nobody may wait for it any more.
                let _ = sender.send(read.map(|_| said));
            });
            receiver
        }
        let wait = |said: Receiver<io::Result<Vec<u8>>>| loop {
            match said.recv_timeout(LAST_LOOK) {
                Ok(said) => return said,
                Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("its output was not read")),
                Err(RecvTimeoutError::Timeout) if self.is_asked() => return Err(stopped()),
                Err(RecvTimeoutError::Timeout) => {}
            }
        };
        let (out, err) = (read(out), read(err));
        Ok([wait(out)?, wait(err)?])
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.0)
    }
}

fn stopped() -> io::Error {
    io::Error::new(io::ErrorKind::Interrupted, "what ran beside it has failed")
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no thread panics")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn what_runs_is_ended_and_nothing_else_is_started() {
        let stop = Stop::default();
        let started = Instant::now();
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            stop.output(command)
        };
        let said = shell("echo out; echo err >&2; exit 3").unwrap();
        assert_eq!((said.status.code(), &*said.stdout, &*said.stderr), (Some(3), &b"out\n"[..], &b"err\n"[..]));
        thread::scope(|scope| {
            let running = scope.spawn(|| shell("exec sleep 60").ok().map(|ended| ended.status.code()));
            while stop.state().running.is_empty() {
                thread::sleep(LAST_LOOK);
            }
            assert!(!stop.is_asked());
            stop.ask();
            assert!(running.join().unwrap().is_none_or(|code| code.is_none()), "it was not killed");
        });
        assert_eq!(shell("exit 0").unwrap_err().kind(), io::ErrorKind::Interrupted);
        assert!(started.elapsed() < Duration::from_secs(50), "it ran to its end");
    }

    #[test]
    fn who_was_started_by_what_was_killed_is_not_waited_for() {
        let stop = Stop::default();
        let started = Instant::now();
        thread::scope(|scope| {
            let running = scope.spawn(|| {
                let mut command = Command::new("sh");
                command.args(["-c", "echo begun; sleep 20 & wait"]);
                stop.output(command)
            });
            while stop.state().running.is_empty() {
                thread::sleep(LAST_LOOK);
            }
            thread::sleep(Duration::from_millis(300));
            stop.ask();
            assert_eq!(running.join().unwrap().unwrap_err().kind(), io::ErrorKind::Interrupted);
        });
        assert!(started.elapsed() < Duration::from_secs(15), "it was waited for");
    }
}
