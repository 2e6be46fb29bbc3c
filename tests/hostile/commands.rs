//! What ends the process instead of an error, so that only a process of its own can show it.

use crate::boxes::{Draft, pack};
use crate::{Fine, Refused, Rows};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wheelhaul_engine::tools::git;
use wheelhaul_host::{Program, Sys, Verbosity};

/// Runs the tool and gives its exit code; none after a signal, or where it had to be ended after `most`.
fn exit_code(folder: &Path, words: &[&str], most: Duration) -> Option<i32> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_started"))
        .args(words)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if start.elapsed() > most {
            child.kill().unwrap();
            child.wait().unwrap();
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A repository with this `requirements.txt`.
fn repository(requirements: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("dist")).unwrap();
    fs::create_dir_all(folder.path().join("app")).unwrap();
    fs::write(folder.path().join("dist/package.toml"), crate::boxes::CONFIG).unwrap();
    fs::write(folder.path().join("app/pyproject.toml"), "[build-system]\nrequires = []\n").unwrap();
    fs::write(folder.path().join("app/config.yaml"), "a: 1\n").unwrap();
    fs::write(folder.path().join("app/requirements.txt"), requirements).unwrap();
    folder
}

fn lock_check(requirements: &str) -> Option<i32> {
    exit_code(repository(requirements).path(), &["lock", "--check"], Duration::from_secs(5))
}

#[test]
fn the_base_is_judged() {
    assert_eq!(lock_check("a==1 ; os_name == 'posix'\n"), Some(1), "the lock is stale, since there is none");
}

#[test]
fn deep_nesting_in_a_marker_is_an_error() {
    for depth in [100, 1_000, 10_000, 200_000] {
        let marker = format!("{}os_name == 'posix'{}", "(".repeat(depth), ")".repeat(depth));
        let code = lock_check(&format!("a==1 ; {marker}\n"));
        assert!(matches!(code, Some(1 | 2)), "{depth} brackets ended with {code:?}");
    }
}

/// A decision diagram of `a1 and b1 or a2 and b2 …` has `2^n` nodes if all `a` stand before all `b`.
#[test]
fn a_marker_of_many_terms_does_not_take_forever() {
    let terms: Vec<String> =
        (0..40).map(|index| format!("('a{index}' in os_name and 'b{index}' in sys_platform)")).collect();
    let code = lock_check(&format!("a==1 ; {}\n", terms.join(" or ")));
    assert!(matches!(code, Some(1 | 2)), "it ended with {code:?}");
}

/// `cargo xtask … 2>&1 | head -1`: the reader of what is said goes away.
#[test]
fn a_reader_that_went_away_is_no_panic() {
    let folder = repository("a>=1\n");
    for words in [["lock", "--check"], ["lock", "-v"]] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_started"));
        let status =
            command.args(words).current_dir(folder.path()).stdout(Stdio::null()).stderr(full).status().unwrap();
        assert_eq!(status.code(), Some(2), "{words:?}");
    }
}

/// Judges an RPM with this much memory, in KiB, to its end.
fn verify_within(memory: u32, rpm: &[u8]) -> Option<i32> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("x.rpm"), rpm).unwrap();
    let line = format!("ulimit -v {memory}; exec \"$0\" verify x.rpm");
    let mut shell = Command::new("sh");
    shell.args(["-c", &line, env!("CARGO_BIN_EXE_started")]).current_dir(folder.path());
    shell.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().code()
}

/// rpm refuses data that overlaps (`hdrblobVerifyInfo`); without that, each of 65,535 tags can claim all of it.
#[test]
fn tags_that_share_their_data_take_no_more_memory_than_the_file() {
    let rpm = crate::rpms::tags_that_share_their_data(2_000, 256 << 10);
    assert!(rpm.len() < 400 << 10);
    // A finding; without the check, the process would be killed.
    assert_eq!(verify_within(400 << 10, &rpm), Some(1));
}

#[test]
fn a_payload_that_unpacks_to_much_text_is_judged_in_little_memory() {
    let mut draft = Draft::of("demo");
    draft.files.extend((0..14).map(|index| (format!("{index}.pth"), vec![b'#'; 30 << 20])));
    let rpm = pack(&[draft, Draft::app()]).unwrap().1;
    assert!(rpm.len() < 400 << 10);
    let code = verify_within(400 << 10, &rpm);
    assert!(matches!(code, Some(0..=2)), "it ended with {code:?}");
}

/// What git knows and the wheel would lack without a word: an application that is not whole.
#[test]
fn files_that_cannot_be_packed_are_named_and_not_left_out() {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;
    let names = |make: &dyn Fn(&Path)| -> anyhow::Result<Vec<String>> {
        let folder = tempfile::tempdir()?;
        let path = camino::Utf8Path::from_path(folder.path()).unwrap().to_owned();
        let sys = Sys { root: path.clone(), verbosity: Verbosity::Quiet, offline: false };
        sys.run(&Program::new("git").args(["init", "--quiet"]))?;
        fs::create_dir(path.join("pkg"))?;
        fs::write(path.join("pkg/a.py"), "1")?;
        make(folder.path());
        Ok(git::files(&sys, &path, &[])?.into_iter().map(|file| file.path.to_string()).collect())
    };
    let mut rows = Rows::default();
    rows.check("the base", Fine, || names(&|_| ()));
    rows.check("a name that is not UTF-8", Refused(""), || {
        names(&|folder| fs::write(folder.join(std::ffi::OsStr::from_bytes(b"caf\xe9.py")), "1").unwrap())
    });
    rows.check("a link that leads nowhere", Refused("link"), || {
        names(&|folder| symlink("gone", folder.join("link")).unwrap())
    });
    rows.check("a link out of the repository", Refused("link"), || {
        names(&|folder| symlink("/etc/hostname", folder.join("link")).unwrap())
    });
    rows.check("a link to a folder", Refused("link"), || names(&|folder| symlink("pkg", folder.join("link")).unwrap()));
    rows.finish();
}

#[test]
fn files_of_the_wrong_kind_are_errors() {
    let folder = repository("a==1\n");
    let path = |name: &str| folder.path().join(name);
    let most = Duration::from_secs(5);
    let cases: &[(&str, &[&str])] = &[
        ("a file that is not there", &["verify", "gone.rpm"]),
        ("a folder", &["verify", "dist"]),
        ("no number", &["rpm", "--level", "x"]),
        ("a level that is too high", &["rpm", "--level", "99"]),
        ("a target that is not configured", &["lock", "--target", "el8-x86_64"]),
        ("a folder that is not there", &["-C", "gone", "lock"]),
        ("two words that contradict", &["lock", "--check", "--refresh"]),
    ];
    fs::write(path("empty"), "").unwrap();
    for (row, words) in cases {
        assert_eq!(exit_code(folder.path(), words, most), Some(2), "{row}");
    }
    assert_eq!(exit_code(folder.path(), &["verify", "empty"], most), Some(1), "an empty file is a finding");
    fs::remove_file(path("app/requirements.txt")).unwrap();
    fs::create_dir(path("app/requirements.txt")).unwrap();
    assert_eq!(exit_code(folder.path(), &["lock"], most), Some(2), "a folder for the team's lock");
    fs::write(path("dist/package.toml"), [0xff, 0xfe]).unwrap();
    assert_eq!(exit_code(folder.path(), &["lock"], most), Some(2), "a configuration that is not UTF-8");
}
