//! Byte-code of wheels, compiled by an interpreter of this host (`templates/compile.py`).

use crate::hex::hex;
use crate::sys::{Program, Sys};
use crate::templates::COMPILE;
use crate::tools::interpreter::Interpreter;
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::cmp::Reverse;
use std::thread;

/// The modules of one wheel.
#[derive(Debug, Clone, Serialize)]
pub struct Job {
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
    pub fn key(&self, sha256: &str, by: &Interpreter) -> anyhow::Result<String> {
        let mut hasher = Sha256::new_with_prefix(COMPILE);
        hasher.update(serde_json::to_vec(&(sha256, &by.version, self.mtime, &self.files))?);
        Ok(hex(&hasher.finalize()))
    }
}

/// Compiles, one process a core.
///
/// - Gives: what could not be compiled, a line each.
/// - Fails: with the first process that did not end well.
pub fn run(sys: &Sys, by: &Interpreter, jobs: &[Job], scratch: &Utf8Path) -> anyhow::Result<String> {
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
        let running: Vec<_> = programs.iter().map(|program| scope.spawn(|| sys.run(program))).collect();
        running.into_iter().map(|thread| thread.join().expect("no thread panics")).collect()
    });
    said.into_iter()
        .map(|said| said.map(|said| said.out))
        .collect::<anyhow::Result<String>>()
        .with_context(|| format!("failed to compile byte-code by CPython {}", by.version))
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
