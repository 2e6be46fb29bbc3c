//! Byte-code of wheels, compiled by an interpreter of this host (`templates/compile.py`).

use crate::templates::COMPILE;
use crate::tools::interpreter::Interpreter;
use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::cmp::Reverse;
use std::thread;
use std::time::Duration;
use wheelhaul_base::hex::hex;
use wheelhaul_base::problem::Problem;
use wheelhaul_host::{Program, Sys, Talk};

/// The modules of one wheel.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Job {
    /// the wheel, whose bytes were checked
    pub wheel: Utf8PathBuf,
    /// where the archive of byte-code goes
    pub into: Utf8PathBuf,
    /// the time of the sources on the box, in seconds since 1970; 0 where byte-code is valid by a hash
    pub mtime: u32,
    /// for each module its name in the wheel, its path on the box, and that of its byte-code in the archive
    pub files: Vec<(String, String, String)>,
    /// bytes of the sources, by which the work is shared out
    #[serde(skip)]
    pub size: u64,
}

impl Job {
    /// Tells the archive from every other: equal keys, equal bytes.
    ///
    /// - Takes: `sha256` of the wheel; `by`, the interpreter.
    pub(crate) fn key(&self, sha256: &str, by: &Interpreter) -> anyhow::Result<String> {
        let mut hasher = Sha256::new_with_prefix(COMPILE);
        hasher.update(serde_json::to_vec(&(sha256, &by.version, self.mtime, &self.files))?);
        Ok(hex(&hasher.finalize()))
    }
}

/// No module of a real package takes a second; a source of a few megabytes can be made to take hours.
const LONGEST: Duration = Duration::from_secs(60);

/// Compiles, one process a core.
///
/// - Gives: what could not be compiled, a line each.
/// - Fails: with the first process that did not end well, or took more than a minute for one module.
pub(crate) fn run(sys: &Sys, by: &Interpreter, jobs: &[Job], scratch: &Utf8Path) -> anyhow::Result<String> {
    run_within(sys, by, jobs, scratch, LONGEST)
}

fn run_within(
    sys: &Sys,
    by: &Interpreter,
    jobs: &[Job],
    scratch: &Utf8Path,
    longest: Duration,
) -> anyhow::Result<String> {
    let script = scratch.join("compile.py");
    fs_err::write(&script, COMPILE)?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut programs = Vec::new();
    for (number, share) in shares(jobs, cores).into_iter().enumerate() {
        let list = scratch.join(format!("jobs-{number}.json"));
        fs_err::write(&list, serde_json::to_vec(&share)?)?;
        // `-I` would do, but that it makes the seed of hashes random.
        let program = Program::new(&by.path).args(["-s", "-S", "-B", "-X", "utf8", script.as_str(), list.as_str()]);
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let of_python = names.filter(|name| name.starts_with("PYTHON") && name != "PYTHONHASHSEED");
        let program = of_python.fold(program, |program, name| program.without(name));
        programs.push(program.env("PYTHONHASHSEED", "0").env("LC_ALL", "C"));
    }
    let said: Vec<anyhow::Result<_>> = thread::scope(|scope| {
        let running: Vec<_> =
            programs.iter().map(|program| scope.spawn(|| follow(sys, by, program, longest))).collect();
        running.into_iter().map(|thread| thread.join().expect("no thread panics")).collect()
    });
    said.into_iter()
        .collect::<anyhow::Result<String>>()
        .with_context(|| format!("failed to compile byte-code by CPython {}", by.version))
}

/// Runs one process to its end, and names the module that takes too long.
fn follow(sys: &Sys, by: &Interpreter, program: &Program, longest: Duration) -> anyhow::Result<String> {
    let mut running = sys.start(program)?;
    let (mut said, mut module) = (String::new(), None);
    loop {
        let Some(line) = running.within(longest, Talk::line) else {
            let what = match &module {
                Some(module) => format!("{module} is not compiled after {} s", longest.as_secs()),
                None => format!("`{}` says nothing for {} s", by.path, longest.as_secs()),
            };
            return Err(Problem::with_hint(
                what,
                "look at that module: an integer of millions of digits, for one, takes hours up to Python 3.10; take it out of its package, or pack another release",
            ));
        };
        match line? {
            None => break,
            Some(line) => match line.strip_prefix("> ") {
                Some(next) => module = Some(next.to_owned()),
                None => said.extend([line.as_str(), "\n"]),
            },
        }
    }
    let (status, errors) = running.finish()?;
    ensure!(status.success(), "`{}` ended with {status}\n{}", by.path, errors.trim_end());
    Ok(said)
}

/// Shares the jobs out: the largest first, each to who has the least.
fn shares(jobs: &[Job], most: usize) -> Vec<Vec<&Job>> {
    let mut sorted: Vec<&Job> = jobs.iter().collect();
    sorted.sort_by_key(|job| Reverse(job.size));
    let mut shares: Vec<(u64, Vec<&Job>)> = vec![(0, Vec::new()); most.min(jobs.len())];
    for job in sorted {
        if let Some((size, share)) = shares.iter_mut().min_by_key(|(size, _)| *size) {
            *size += job.size;
            share.push(job);
        }
    }
    shares.into_iter().map(|(_, share)| share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_module_that_takes_too_long_is_named() {
        use std::os::unix::fs::PermissionsExt as _;
        use std::time::Instant;
        use wheelhaul_host::Verbosity;
        let folder = tempfile::tempdir().unwrap();
        let scratch = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
        let sys = Sys { root: scratch.clone(), verbosity: Verbosity::Quiet, offline: false };
        let path = scratch.join("python");
        let by = Interpreter { path: path.clone(), version: "3.11.7".to_owned() };
        let job = Job { wheel: "".into(), into: "".into(), mtime: 0, files: Vec::new(), size: 1 };
        let said = |script: &str| {
            fs_err::write(&path, format!("#!/bin/sh\n{script}")).unwrap();
            fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            let begun = Instant::now();
            let said = run_within(&sys, &by, std::slice::from_ref(&job), &scratch, Duration::from_millis(500));
            assert!(begun.elapsed() < Duration::from_secs(20), "{script}: it was waited for");
            said.map_err(|error| format!("{error:#}"))
        };
        assert_eq!(said("echo \"> 'a.py'\"; echo \"'a.py': no\"").unwrap(), "'a.py': no\n");
        let late = said("echo \"> 'a.py'\"; echo \"> 'b.py'\"; sleep 60 & wait").unwrap_err();
        assert!(late.contains("'b.py' is not compiled after"), "{late}");
        assert!(said("sleep 60 & wait").unwrap_err().contains("says nothing"));
        let failed = said("echo 'not read back' >&2; exit 1").unwrap_err();
        assert!(failed.contains("ended with exit status: 1\nnot read back"), "{failed}");
    }

    #[test]
    fn work_is_shared_out_by_size() {
        let job = |size| Job { wheel: "".into(), into: "".into(), mtime: 0, files: Vec::new(), size };
        let jobs: Vec<Job> = [1, 5, 3, 9, 2].into_iter().map(job).collect();
        let sizes = |most| -> Vec<Vec<u64>> {
            shares(&jobs, most).iter().map(|share| share.iter().map(|job| job.size).collect()).collect()
        };
        assert_eq!(sizes(1), [vec![9, 5, 3, 2, 1]]);
        assert_eq!(sizes(2), [vec![9, 1], vec![5, 3, 2]]);
        assert_eq!(sizes(9).len(), 5);
    }
}
