//! Byte-code of a target's wheels: from the cache below `target/xtask`, or compiled into it.

use crate::Project;
use crate::report::count;
use crate::tools::compile;
use crate::tools::compile::Job;
use crate::tools::interpreter;
use crate::tools::interpreter::Interpreter;
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use rawzip::FileReader;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::SystemTime;
use wheelhaul_base::problem::{Problem, hints_of};
use wheelhaul_boxes::{MagicTag, Target};
use wheelhaul_host::Bounds;
use wheelhaul_package::layout::{Wheel, library};
use wheelhaul_package::tree::BoxPath;
use wheelhaul_wheel::{ByteCode, Scheme};

/// A wheel on disk, beside its opened one.
pub(crate) struct OnDisk {
    /// where it is
    pub path: Utf8PathBuf,
    /// lower-case hex; the file was held against it
    pub sha256: String,
}

/// The interpreter that a target's byte-code is to be compiled by.
///
/// - Gives: none where none is wanted, or none is on this host and `package.byte-code` does not ask for it; then
///   why, with its cure.
pub(crate) fn compiler(project: &Project, target: &Target) -> anyhow::Result<Result<(Interpreter, MagicTag), String>> {
    let wanted = project.config.package.byte_code;
    if wanted == Some(false) {
        return Ok(Err("`package.byte-code` is false".to_owned()));
    }
    let found = match target.magic_tag() {
        Some(tag) => interpreter::find(&project.sys, target, tag).map(|found| (found, tag)),
        None => Err(anyhow::anyhow!("this tool does not know the byte-code of CPython {}", target.python())),
    };
    match found {
        Ok(found) => Ok(Ok(found)),
        Err(why) if wanted == Some(true) => {
            let cure = format!("{}; or leave `package.byte-code` out", hints_of(&why).join("; "));
            Err(Problem::around(why, format!("`package.byte-code` is true, and `{}` gets none", target.name), cure))
        }
        Err(why) => Ok(Err(format!(
            "{why}; the application compiles its modules at each start\n  {}",
            hints_of(&why).join("; ")
        ))),
    }
}

/// Adds its byte-code to each wheel.
///
/// - Takes: `files`, the wheels on disk in the same order; the application's is the last.
/// - Gives: the version of the interpreter; none where no byte-code is shipped, which is said.
pub(crate) fn add(
    project: &Project,
    target: &Target,
    wheels: &mut [Wheel<FileReader>],
    files: &[OnDisk],
) -> anyhow::Result<Option<String>> {
    let sys = &project.sys;
    let (by, tag) = match compiler(project, target)? {
        Ok(found) => found,
        Err(why) => {
            sys.say(format!("`{}`: no byte-code: {why}", target.name));
            return Ok(None);
        }
    };
    let cache = sys.repository_cache("byte-code", Bounds::USUAL);
    let folder = cache.folder().context("there is no folder for byte-code")?;
    let root = BoxPath::new(project.config.package.root())?;
    let mut jobs = Vec::new();
    for (index, (wheel, file)) in wheels.iter().zip(files).enumerate() {
        let mut job = job_of(wheel, &file.path, &library(&root, index + 1 == files.len())?, tag)?;
        job.into = folder.join(format!("{}.zip", job.key(&file.sha256, &by)?));
        jobs.push(job);
    }
    let mut opened = open_all(&jobs);
    let missing: Vec<usize> = (0..jobs.len()).filter(|index| opened[*index].is_err()).collect();
    if !missing.is_empty() {
        let fresh = compile_into(project, &by, &missing.iter().map(|index| jobs[*index].clone()).collect::<Vec<_>>())?;
        for (index, fresh) in missing.iter().zip(fresh) {
            opened[*index] = fresh;
        }
        cache.hold();
    }
    for ((wheel, job), opened) in wheels.iter_mut().zip(&jobs).zip(opened) {
        let code = opened.with_context(|| format!("byte-code of `{}`", wheel.name))?;
        let left_out: Vec<&str> = job
            .files
            .iter()
            .filter(|(_, _, pyc)| !code.files.contains_key(pyc))
            .map(|(member, ..)| member.as_str())
            .collect();
        if !left_out.is_empty() {
            sys.detail(format!("`{}`: no byte-code of {}", wheel.name, left_out.join(", ")));
        }
        wheel.byte_code = Some(code);
    }
    let fresh = if missing.is_empty() { String::new() } else { format!(", {} anew", count(missing.len(), "wheel")) };
    sys.say(format!("`{}`: byte-code compiled by CPython {}{fresh}", target.name, by.version));
    Ok(Some(by.version))
}

/// What of a wheel is compiled: every module in the folder that is imported from.
fn job_of<R>(wheel: &Wheel<R>, path: &Utf8Path, library: &BoxPath, tag: MagicTag) -> anyhow::Result<Job>
where
    R: rawzip::ReaderAt,
{
    let mut files = Vec::new();
    let mut size = 0;
    for placed in wheel.contents.files.iter().filter(|placed| placed.scheme == Scheme::Library) {
        let Some(cached) = tag.cached(&placed.path) else { continue };
        let member = &wheel.archive.members()[placed.place];
        size += member.size;
        files.push((member.path.clone(), library.join(&placed.path)?.to_string(), cached));
    }
    let mtime = if tag.knows_hashes() { 0 } else { wheel.mtime };
    Ok(Job { wheel: path.to_owned(), into: Utf8PathBuf::new(), mtime, files, size })
}

fn compile_into(
    project: &Project,
    by: &Interpreter,
    jobs: &[Job],
) -> anyhow::Result<Vec<anyhow::Result<ByteCode<FileReader>>>> {
    let spinner = project.sys.spinner(&format!("compiling {} by CPython {}", count(jobs.len(), "wheel"), by.version));
    let (_keep, scratch) = project.sys.scratch()?;
    let mut fresh = jobs.to_vec();
    for (number, job) in fresh.iter_mut().enumerate() {
        job.into = scratch.join(format!("{number}.zip"));
    }
    let said = compile::run(&project.sys, by, &fresh, &scratch).map_err(|error| {
        Problem::around(
            error,
            "no byte-code could be made",
            "`byte-code = false` under `[package]` in `dist/package.toml` does without",
        )
    })?;
    spinner.finish_and_clear();
    for line in said.lines() {
        project.sys.detail(format!("no byte-code of {line}"));
    }
    let mut opened = Vec::new();
    for (made, job) in fresh.iter().zip(jobs) {
        // Before it has its name: another run, or `clean`, may remove it at once.
        opened.push(open(&made.into));
        project.sys.put(&made.into, &job.into)?;
    }
    Ok(opened)
}

/// Opens the archives that are there and whole, on all cores: each byte of them is read.
fn open_all(jobs: &[Job]) -> Vec<anyhow::Result<ByteCode<FileReader>>> {
    let next = AtomicUsize::new(0);
    let opened = Mutex::new(Vec::new());
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(index) else { return };
            let result = open(&job.into);
            opened.lock().expect("no thread panics").push((index, result));
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from).min(jobs.len()) {
            scope.spawn(work);
        }
    });
    let mut opened = opened.into_inner().expect("no thread panics");
    opened.sort_by_key(|(index, _)| *index);
    opened.into_iter().map(|(_, result)| result).collect()
}

fn open(path: &Utf8Path) -> anyhow::Result<ByteCode<FileReader>> {
    let file = fs_err::File::open(path)?;
    let size = file.metadata()?.len();
    let (file, _) = file.into_parts();
    // By its time the cache knows what is still used; where it cannot be set, the archive goes sooner.
    let _ = file.set_modified(SystemTime::now());
    ByteCode::open(FileReader::from(file), size)
}
