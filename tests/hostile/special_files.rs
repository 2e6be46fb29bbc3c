//! What a repository names, and is no regular file in it: nobody waits for a FIFO, and no line of a file outside is told.

use crate::boxes::CONFIG;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const SECRET: &str = "root:hunter2:0";
const LOCK: &str = "dist/pylock.el9-x86_64.toml";

/// A repository with a file outside beside it.
fn repository() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("real");
    for path in ["dist", "app", "deps"] {
        fs::create_dir_all(root.join(path)).unwrap();
    }
    fs::write(folder.path().join("outside"), format!("{SECRET}\n")).unwrap();
    fs::write(root.join("dist/package.toml"), CONFIG).unwrap();
    fs::write(root.join("app/requirements.txt"), "-r more.txt\n").unwrap();
    fs::write(root.join("app/more.txt"), "a==1 ; os_name == 'nt'\n").unwrap();
    fs::write(root.join("app/config.yaml"), "").unwrap();
    fs::write(root.join("app/pyproject.toml"), "[build-system]\nrequires = []\n").unwrap();
    (folder, root)
}

/// Runs the tool and gives its exit code and all that it said; no code where it had to be ended.
fn run(root: &Path, words: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_started"));
    command.args(words).current_dir(root).stdin(Stdio::null());
    let said = root.join("said");
    let file = fs::File::create(&said).unwrap();
    let mut child = command.stdout(file.try_clone().unwrap()).stderr(file).spawn().unwrap();
    let start = Instant::now();
    let code = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        if start.elapsed() > Duration::from_secs(10) {
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    (code, fs::read_to_string(said).unwrap())
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn only_regular_files_of_the_repository_are_read() {
    let (_keep, root) = repository();
    assert_eq!(run(&root, &["lock"]).0, Some(0), "the base");
    let check: &[&str] = &["lock", "--check"];
    #[rustfmt::skip]
    let cases: [(&str, &[&str]); 6] = [
        ("dist/package.toml",    check),
        ("app/requirements.txt", check),
        ("app/more.txt",         check),
        (LOCK,                   check),
        (LOCK,                   &["rpm"]),
        ("app/config.yaml",      &["rpm"]),
    ];
    for (path, words) in cases {
        let (keep, root) = repository();
        assert_eq!(run(&root, &["lock"]).0, Some(0));
        let place = root.join(path);
        let before = fs::read(&place).unwrap();
        let put = |what: &str, make: &dyn Fn(&Path)| {
            fs::remove_file(&place).unwrap();
            make(&place);
            let (code, said) = run(&root, words);
            assert_eq!(code, Some(2), "{path} is {what}: {said}");
            assert!(!said.contains("hunter2"), "{path} is {what}: {said}");
            said
        };
        let said = put("a FIFO", &fifo);
        assert!(said.contains("is a FIFO, not a regular file"), "{path}: {said}");
        put("a link to a FIFO", &|place| {
            let pipe = root.join("pipe");
            fifo(&pipe);
            symlink(&pipe, place).unwrap();
        });
        let outside = keep.path().join("outside");
        let said = put("a link out of the repository", &|place| symlink(&outside, place).unwrap());
        assert!(said.contains("leads out of the repository"), "{path}: {said}");
        put("a link to a device", &|place| symlink("/dev/zero", place).unwrap());
        put("a folder", &|place| fs::create_dir(place).unwrap());
        fs::remove_dir(&place).unwrap();
        // Inside of the repository, and the repository itself behind a link.
        fs::write(root.join("deps/file"), &before).unwrap();
        symlink("../deps/file", &place).unwrap();
        assert_eq!(run(&root, check).0, Some(0), "{path} is a link inside");
        symlink("real", keep.path().join("linked")).unwrap();
        assert_eq!(run(&keep.path().join("linked"), check).0, Some(0), "{path}: the repository is behind a link");
    }
}

#[test]
fn a_fifo_is_no_rpm() {
    let (keep, root) = repository();
    let pipe = keep.path().join("x.rpm");
    fifo(&pipe);
    let pipe = pipe.to_str().unwrap();
    for words in [&["verify", pipe][..], &["diff", pipe, pipe], &["sign", "--key", "a", pipe]] {
        let (code, said) = run(&root, words);
        assert_eq!(code, Some(2), "{words:?}: {said}");
    }
}
