//! Rules of the house that people break: layers, length of files, what may not stand in a file.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::process::Stdio;

/// The rooms in the order of the data, as `lib.rs` tells; one may use those before it.
const ROOMS: [&str; 31] = [
    "problem",
    "hex",
    "toml_text",
    "templates",
    "licenses",
    "boxes",
    "config",
    "pins",
    "wheel",
    "elf",
    "closure",
    "lockfile",
    "decide",
    "explain",
    "shipped",
    "tree",
    "service",
    "init",
    "layout",
    "rpm",
    "sbom",
    "pages",
    "advisories",
    "verify",
    "review",
    "sys",
    "tools",
    "wheelhouse",
    "pieces",
    "machine",
    "commands",
];
/// Rooms without I/O: everything before this one.
const DOOR: &str = "sys";
const MOST_LINES: usize = 420;

fn repository() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn rust_files(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    all_files(folder).into_iter().filter(|path| path.extension() == Some("rs")).collect()
}

/// The room that a file of `xtask/crates/wheelhaul/src` belongs to.
fn room_of(path: &Utf8Path) -> String {
    let relative = path.strip_prefix(repository().join("xtask/crates/wheelhaul/src")).unwrap();
    relative.components().next().unwrap().as_str().trim_end_matches(".rs").to_owned()
}

/// The code of a file without its tests, which may use what they like.
fn code_of(path: &Utf8Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
}

#[test]
fn rooms_use_only_rooms_before_them() {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for path in rust_files(&repository().join("xtask/crates/wheelhaul/src")) {
        let room = room_of(&path);
        let Some(own) = ROOMS.iter().position(|name| *name == room) else {
            assert!(["lib", "main"].contains(&room.as_str()), "`{room}` has no place in the order of the rooms");
            continue;
        };
        seen.insert(room.clone());
        for part in code_of(&path).split("crate::").skip(1) {
            let used: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            match ROOMS.iter().position(|name| *name == used) {
                Some(other) if other > own => faults.push(format!("{path} uses `{used}`, which comes after `{room}`")),
                _ => {}
            }
        }
    }
    assert_eq!(seen.len(), ROOMS.len(), "a room of the list is gone");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn rooms_above_the_door_do_no_input_or_output() {
    let door = ROOMS.iter().position(|name| *name == DOOR).unwrap();
    let mut faults = Vec::new();
    for path in rust_files(&repository().join("xtask/crates/wheelhaul/src")) {
        let room = room_of(&path);
        if !ROOMS[..door].contains(&room.as_str()) {
            continue;
        }
        let code = code_of(&path);
        for word in [
            "std::fs::read",
            "std::fs::write",
            "fs_err",
            "File::open",
            "File::create",
            "std::env::var",
            "std::env::current",
            "Command::new",
            "SystemTime",
            "println!",
        ] {
            if code.contains(word) {
                faults.push(format!("{path} has `{word}`"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What is said goes through one place, which cleans it.
#[test]
fn only_one_file_writes_to_the_terminal() {
    let mut faults = Vec::new();
    for path in rust_files(&repository().join("xtask/crates/wheelhaul/src")) {
        let code = code_of(&path);
        for word in ["io::stdout()", "io::stderr()", "print!(", "println!(", "Stdio::inherit()"] {
            // gpg and the like may ask the person: by the terminal as their standard input.
            let is_known =
                path.ends_with("sys/talk.rs") || (path.ends_with("sys/program.rs") && word == "Stdio::inherit()");
            if code.contains(word) && !is_known {
                faults.push(format!("{path} has `{word}`"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn files_stay_small_enough_to_be_one_room() {
    let mut files = rust_files(&repository().join("xtask/crates/wheelhaul/src"));
    files.extend(rust_files(&repository().join("tests")));
    let long: Vec<String> = files
        .iter()
        .map(|path| (fs::read_to_string(path).unwrap().lines().count(), path))
        .filter(|(lines, _)| *lines > MOST_LINES)
        .map(|(lines, path)| format!("{path} has {lines} lines"))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn nothing_half_done_stands_in_the_code() {
    // Written so that this file does not find itself.
    let words = ["to", "do!"].concat();
    let other = ["unimple", "mented!"].concat();
    for path in rust_files(&repository().join("xtask/crates/wheelhaul/src")) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&words) && !text.contains(&other), "{path}");
    }
}

/// What the ignore files that most Python and Rust repositories begin with leave out, as far as a source could be hit.
const USUALLY_IGNORED: &str = "__pycache__/\n*.py[codz]\n*.so\n.Python\nbuild/\ndevelop-eggs/\ndist/\ndownloads/\neggs/\n\
.eggs/\nlib/\nlib64/\nparts/\nsdist/\nvar/\nwheels/\nshare/python-wheels/\n*.egg-info/\n.installed.cfg\n*.egg\nMANIFEST\n\
*.manifest\n*.spec\nhtmlcov/\n.tox/\n.nox/\n.coverage\n.coverage.*\n.cache\nnosetests.xml\ncoverage.xml\n*.cover\n*.lcov\n\
.hypothesis/\ncover/\n*.mo\n*.pot\n*.log\nlocal_settings.py\ndb.sqlite3\ninstance/\n.scrapy\ndocs/_build/\n\
.pybuilder/\ntarget/\n.ipynb_checkpoints\nprofile_default/\n__pypackages__/\n*.rdb\n*.aof\n*.pid\n.env\n.envrc\n.venv\n\
env/\nvenv/\nENV/\nenv.bak/\nvenv.bak/\n/site\n.pyre/\n.pypirc\ndebug\ntarget\n**/*.rs.bk\n*.pdb\n*.bak\n*.swp\n*.orig\n\
*.tmp\ntmp/\ntemp/\nout/\nbin/\nobj/\nlogs/\n*.zip\n*.tar.gz\n*.whl\n*.rpm\nnode_modules/\n.vscode/\n.idea/\n";

#[test]
fn no_source_has_a_name_that_usual_ignore_files_lose() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".gitignore"), USUALLY_IGNORED).unwrap();
    let git = |words: &[&str], input: &str| {
        use std::io::Write as _;
        let mut child = Command::new("git")
            .args(words)
            .current_dir(folder.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let said = child.wait_with_output().unwrap();
        (said.status.code(), String::from_utf8(said.stdout).unwrap())
    };
    assert_eq!(git(&["init", "--quiet"], "").0, Some(0));
    let mut files = all_files(&repository().join("xtask"));
    files.extend(all_files(&repository().join("tests")));
    let names: Vec<&str> = files.iter().map(|path| path.strip_prefix(repository()).unwrap().as_str()).collect();
    assert!(names.contains(&"xtask/crates/wheelhaul/src/lib.rs"), "{names:?}");
    let (code, lost) = git(&["check-ignore", "--no-index", "--stdin"], &names.join("\n"));
    assert_eq!((code, lost.as_str()), (Some(1), ""), "git would not add these files");
    // The list does find what it should.
    let (code, lost) = git(&["check-ignore", "--no-index", "--stdin"], "xtask/src/target/mod.rs\na/x.spec\na/b.rs\n");
    assert_eq!((code, lost.as_str()), (Some(0), "xtask/src/target/mod.rs\na/x.spec\n"));
}

/// All files below a folder, sorted, without those that Python makes.
fn all_files(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<_> = folder.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path()).collect();
    entries.sort();
    for path in entries {
        match path.is_dir() {
            true if path.file_name() == Some("__pycache__") => {}
            true => found.extend(all_files(&path)),
            false => found.push(path),
        }
    }
    found
}
