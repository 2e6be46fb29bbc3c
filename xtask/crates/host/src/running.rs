//! Programs that are talked with while they run, and never waited for without end.

use crate::{Program, Sys};
use anyhow::Context as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, ExitStatus, Stdio};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;
use wheelhaul_base::problem::shortened;

/// More of what a program says on standard error is thrown away.
const MOST_SAID: u64 = 64 << 10;

/// A program that runs, with all that it starts. It is ended and reaped when this is dropped.
#[derive(Debug)]
pub struct Running {
    child: Mutex<Child>,
    talk: Talk,
    errors: Option<thread::JoinHandle<String>>,
}

/// Its standard input and output.
#[derive(Debug)]
pub struct Talk {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Talk {
    /// Writes to its standard input.
    pub fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.input.write_all(bytes)?;
        Ok(self.input.flush()?)
    }

    /// Its next line, without the end; none where it ended.
    pub fn line(&mut self) -> anyhow::Result<Option<String>> {
        let mut line = String::new();
        let whole = self.output.read_line(&mut line)? > 0 && line.ends_with('\n');
        Ok(whole.then(|| line.trim_end().to_owned()))
    }
}

impl Running {
    /// Talks with it; `None` if that took longer than `limit`, and the program was ended for it.
    pub fn within<T>(&mut self, limit: Duration, talk: impl FnOnce(&mut Talk) -> T) -> Option<T> {
        let child = &self.child;
        let (done, is_done) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let watch = scope.spawn(move || {
                let is_late = is_done.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout);
                if is_late {
                    end(child);
                }
                is_late
            });
            let said = talk(&mut self.talk);
            drop(done);
            let is_late = watch.join().expect("no thread panics");
            (!is_late).then_some(said)
        })
    }

    /// Waits for the end of a program that closed its standard output.
    ///
    /// - Gives: what it ended with, and what it said on standard error.
    pub fn finish(mut self) -> anyhow::Result<(ExitStatus, String)> {
        let said = self.errors.take().map(|errors| errors.join().expect("no thread panics"));
        let status = self.child.lock().expect("no thread panics").wait()?;
        Ok((status, said.unwrap_or_default()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        end(&self.child);
        let _ = self.child.lock().expect("no thread panics").wait();
    }
}

/// Ends a program with all that it started: an interpreter on the PATH may be a script that starts the real one.
fn end(child: &Mutex<Child>) {
    let mut child = child.lock().expect("no thread panics");
    // One that was waited for has no number any more: it may be another program's.
    if !matches!(child.try_wait(), Ok(None)) {
        return;
    }
    #[cfg(unix)]
    let _ =
        rustix::process::kill_process_group(rustix::process::Pid::from_child(&child), rustix::process::Signal::KILL);
    let _ = child.kill();
}

impl Sys {
    /// Starts a program that is talked with; shows the command with `-v`.
    pub fn start(&self, program: &Program) -> anyhow::Result<Running> {
        let mut command = std::process::Command::new(&program.program);
        command.args(&program.words).envs(program.variables.iter().map(|(name, value)| (name, value)));
        for name in &program.removed {
            command.env_remove(name);
        }
        command.envs(self.of_network().iter().copied());
        command.current_dir(program.folder.as_ref().unwrap_or(&self.root));
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        self.detail(format!("$ {}", shortened(&format!("{command:?}"))));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("failed to run `{}`", program.program))?;
        let input = child.stdin.take().context("its standard input is a pipe")?;
        let output = BufReader::new(child.stdout.take().context("its standard output is a pipe")?);
        let errors = child.stderr.take().map(|errors| thread::spawn(|| read(errors)));
        Ok(Running { child: Mutex::new(child), talk: Talk { input, output }, errors })
    }
}

/// Reads to the end, so that nobody waits for room in the pipe.
fn read(mut errors: ChildStderr) -> String {
    let mut said = Vec::new();
    // What cannot be read was not said.
    let _ = errors.by_ref().take(MOST_SAID).read_to_end(&mut said);
    let _ = std::io::copy(&mut errors, &mut std::io::sink());
    String::from_utf8_lossy(&said).into_owned()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::Verbosity;
    use std::time::Instant;

    fn start(script: &str) -> Running {
        let sys = Sys { root: ".".into(), verbosity: Verbosity::Quiet, offline: false };
        sys.start(&Program::new("/bin/sh").args(["-c", script])).unwrap()
    }

    #[test]
    fn who_does_not_answer_is_ended_with_all_that_it_started() {
        const SHORT: Duration = Duration::from_millis(200);
        let began = Instant::now();
        // It says nothing; it reads nothing, and the text is larger than a pipe; it stops after a line.
        let said = start("sleep 60 & wait").within(SHORT, |talk| talk.line().unwrap());
        assert_eq!(said, None);
        let sent = start("sleep 60 & wait").within(SHORT, |talk| talk.send(&vec![b'x'; 1 << 20]).is_ok());
        assert_eq!(sent, None);
        let mut running = start("sleep 60 & echo $!; wait");
        let number = running.within(20 * SHORT, |talk| talk.line().unwrap().unwrap()).unwrap();
        assert_eq!(running.within(SHORT, |talk| talk.line().unwrap()), None);
        drop(running);
        // A zombie that nobody reaped yet has no command line.
        let line = || std::fs::read(format!("/proc/{number}/cmdline")).unwrap_or_default();
        while !line().is_empty() {
            assert!(began.elapsed() < Duration::from_secs(30), "{number} still runs");
            thread::sleep(Duration::from_millis(10));
        }
        assert!(began.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn who_ends_tells_how_and_why() {
        let mut running = start("read line; echo \"got $line\"; echo oh >&2; exit 3");
        let said = running.within(Duration::from_secs(20), |talk| {
            talk.send(b"it\n").unwrap();
            (talk.line().unwrap(), talk.line().unwrap())
        });
        assert_eq!(said, Some((Some("got it".to_owned()), None)));
        let (status, errors) = running.finish().unwrap();
        assert_eq!((status.code(), errors.as_str()), (Some(3), "oh\n"));
    }
}
