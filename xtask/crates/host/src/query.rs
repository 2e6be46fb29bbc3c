//! Programs that are asked about a text: it is their standard input, and what they end with is their answer.

use crate::{Program, Sys};
use anyhow::{Context as _, bail};
use std::io::{Read, Write as _};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};
use wheelhaul_base::problem::shortened;

/// More of an answer is thrown away.
const MOST_SAID: u64 = 1 << 20;
const TICK: Duration = Duration::from_millis(2);

/// What a program answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// what it ended with; none where a signal ended it
    pub code: Option<i32>,
    /// standard output
    pub out: String,
    /// standard error
    pub err: String,
}

impl Sys {
    /// Runs a program on a text, in an environment that has the PATH and nothing else of this process.
    ///
    /// - Gives: its answer, whatever it ended with.
    /// - Fails: where it cannot be started, or does not end in time; it is ended then.
    pub fn ask(&self, program: &Program, input: &str, within: Duration) -> anyhow::Result<Answer> {
        let line = format!("{} {}", program.program, program.words.join(" "));
        self.detail(format!("$ {} < {} bytes", shortened(&line), input.len()));
        let mut command = std::process::Command::new(&program.program);
        command.args(&program.words).current_dir(&self.root).env_clear();
        for name in ["PATH", "SYSTEMROOT", "TMP", "TEMP"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command.env("LC_ALL", "C").envs(program.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("failed to run `{}`", program.program))?;
        let (mut stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let ended = thread::scope(|scope| {
            // One that does not read to the end has its reasons.
            scope.spawn(move || stdin.take().map(|mut pipe| pipe.write_all(input.as_bytes())));
            let out = scope.spawn(move || whole(stdout));
            let err = scope.spawn(move || whole(stderr));
            let status = wait(&mut child, within);
            if !matches!(status, Ok(Some(_))) {
                let _ = child.kill();
                let _ = child.wait();
            }
            let text = |said: thread::ScopedJoinHandle<'_, String>| said.join().expect("no thread panics");
            status.map(|status| status.map(|status| Answer { code: status.code(), out: text(out), err: text(err) }))
        })?;
        match ended {
            Some(answer) => Ok(answer),
            None => bail!("`{}` did not answer within {} s", shortened(&line), within.as_secs()),
        }
    }
}

fn wait(child: &mut std::process::Child, within: Duration) -> std::io::Result<Option<std::process::ExitStatus>> {
    let start = Instant::now();
    loop {
        match child.try_wait()? {
            Some(status) => return Ok(Some(status)),
            None if start.elapsed() > within => return Ok(None),
            None => thread::sleep(TICK),
        }
    }
}

fn whole(pipe: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        // What cannot be read was not said.
        let _ = pipe.by_ref().take(MOST_SAID).read_to_end(&mut bytes);
        let _ = std::io::copy(&mut pipe, &mut std::io::sink());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::Verbosity;

    #[test]
    fn a_program_answers_in_time_or_is_ended() {
        let sys = Sys { root: ".".into(), verbosity: Verbosity::Quiet, offline: false };
        let shell = |script: &str| Program::new("/bin/sh").args(["-c", script]);
        let ask = |script: &str, within| sys.ask(&shell(script), "a text", Duration::from_millis(within));
        let answer = ask("cat; echo oh >&2; exit 3", 20_000).unwrap();
        assert_eq!(answer, Answer { code: Some(3), out: "a text".to_owned(), err: "oh\n".to_owned() });
        let flood = ask("head -c 5000000 /dev/zero; exit 0", 20_000).unwrap();
        assert_eq!((flood.code, flood.out.len()), (Some(0), MOST_SAID as usize));
        let start = Instant::now();
        assert!(ask("exec sleep 60", 100).unwrap_err().to_string().contains("did not answer"));
        assert!(start.elapsed() < Duration::from_secs(30));
        assert!(sys.ask(&Program::new("/no/such/program"), "", TICK).is_err());
    }
}
