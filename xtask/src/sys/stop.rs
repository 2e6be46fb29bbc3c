//! Work that is given up, since what runs beside it has failed.

use std::io::{self, Read as _};
use std::process::{Child, Command, Output, Stdio};
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
                return Err(io::Error::new(io::ErrorKind::Interrupted, "what ran beside it has failed"));
            }
            let mut child = command.spawn()?;
            let (out, err) = (child.stdout.take(), child.stderr.take());
            let child = Arc::new(Mutex::new(child));
            state.running.push(Arc::clone(&child));
            (child, out, err)
        };
        let mut stdout = Vec::new();
        let mut stderr = Vec::new();
        let read = thread::scope(|scope| {
            let other = scope.spawn(|| err.map_or(Ok(0), |mut err| err.read_to_end(&mut stderr)));
            let read = out.map_or(Ok(0), |mut out| out.read_to_end(&mut stdout));
            read.and(other.join().expect("no thread panics"))
        });
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
        read?;
        Ok(Output { status: status?, stdout, stderr })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.0)
    }
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
            let running = scope.spawn(|| shell("exec sleep 60").unwrap());
            while stop.state().running.is_empty() {
                thread::sleep(LAST_LOOK);
            }
            assert!(!stop.is_asked());
            stop.ask();
            assert_eq!(running.join().unwrap().status.code(), None, "it was not killed");
        });
        assert_eq!(shell("exit 0").unwrap_err().kind(), io::ErrorKind::Interrupted);
        assert!(started.elapsed() < Duration::from_secs(50), "it ran to its end");
    }
}
