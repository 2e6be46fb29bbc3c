//! Rules that neither rustc nor cargo nor clippy can hold: circles of files, length of files, words, names.
//!
//! Which crate may use which is cargo's affair, and that most of them do no I/O is clippy's (`clippy.toml`). Each rule
//! here is a function that a test tries on something faulty as well.

use camino::{Utf8Path, Utf8PathBuf};
use std::fs;
use std::process::Command;
use std::process::Stdio;

#[path = "house/imports.rs"]
mod imports;

/// A file that needs more lines has more than one subject.
const MOST_LINES: usize = 420;

fn repository() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
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

/// The crates of the workspace by the folder of their sources, and each source with its text.
fn crates() -> Vec<(Utf8PathBuf, Vec<(Utf8PathBuf, String)>)> {
    let mut folders = vec![repository().join("xtask/src")];
    for entry in repository().join("xtask/crates").read_dir_utf8().unwrap() {
        folders.push(entry.unwrap().into_path().join("src"));
    }
    folders.sort();
    assert!(folders.len() > 10, "{folders:?}");
    let sources = |folder: &Utf8PathBuf| {
        let rust = all_files(folder).into_iter().filter(|path| path.extension() == Some("rs"));
        rust.map(|path| (path.strip_prefix(folder).unwrap().to_owned(), fs::read_to_string(path).unwrap())).collect()
    };
    folders.into_iter().map(|folder| (folder.clone(), sources(&folder))).collect()
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut circles = Vec::new();
    for (folder, sources) in crates() {
        for circle in imports::circles(&sources) {
            circles.push(format!("{folder}: {}", circle.join(" -> ")));
        }
    }
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

/// Standard output and standard error outside of the one file that cleans what it writes there.
fn terminal(path: &Utf8Path, code: &str) -> Vec<String> {
    let words = ["io::stdout()", "io::stderr()", "Stdio::inherit()"];
    // gpg and the like may ask the person: by the terminal as their standard input.
    let is_known =
        |word| path.ends_with("host/src/talk.rs") || (path.ends_with("host/src/program.rs") && word == words[2]);
    words
        .iter()
        .filter(|word| code.contains(**word) && !is_known(**word))
        .map(|word| format!("{path} has `{word}`"))
        .collect()
}

#[test]
fn only_one_file_writes_to_the_terminal() {
    let mut faults = Vec::new();
    for (folder, sources) in crates() {
        // `ci` hands the terminal to cargo.
        if folder.ends_with("dev/src") {
            continue;
        }
        for (path, text) in sources {
            faults.extend(terminal(&folder.join(path), &imports::without_tests(&text)));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let faulty = "fn a() { write(std::io::stdout()) }";
    assert_eq!(terminal(Utf8Path::new("xtask/crates/a/src/a.rs"), faulty).len(), 1);
    assert_eq!(terminal(Utf8Path::new("xtask/crates/host/src/talk.rs"), faulty).len(), 0);
}

/// What is wrong with a file that has more than one subject, or is not finished.
fn unfinished(path: &Utf8Path, text: &str) -> Vec<String> {
    // Written so that this file does not find itself.
    let words = [["to", "do!"].concat(), ["unimple", "mented!"].concat()];
    let lines = text.lines().count();
    let long = (lines > MOST_LINES).then(|| format!("{path} has {lines} lines"));
    long.into_iter()
        .chain(words.iter().filter(|word| text.contains(*word)).map(|word| format!("{path} has `{word}`")))
        .collect()
}

#[test]
fn files_have_one_subject_and_are_finished() {
    let of_crates = crates().into_iter().flat_map(|(folder, sources)| {
        sources.into_iter().map(move |(path, text)| (folder.join(path), text)).collect::<Vec<_>>()
    });
    let of_tests = all_files(&repository().join("tests")).into_iter().filter(|path| path.extension() == Some("rs"));
    let of_tests = of_tests.map(|path| (path.clone(), fs::read_to_string(path).unwrap()));
    let faults: Vec<String> = of_crates.chain(of_tests).flat_map(|(path, text)| unfinished(&path, &text)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let long = "\n".repeat(MOST_LINES + 1);
    assert_eq!(unfinished(Utf8Path::new("a.rs"), &long).len(), 1);
    assert_eq!(unfinished(Utf8Path::new("a.rs"), &["fn a() { to", "do!() }"].concat()).len(), 1);
}

/// Paths in backticks, as the map for contributors has them: relative to `xtask/crates`, or to the repository.
fn named_paths(text: &str) -> Vec<&str> {
    let parts = text.split('`').skip(1).step_by(2);
    parts.filter(|part| part.contains('/') && part.ends_with(".rs") && !part.contains(char::is_whitespace)).collect()
}

#[test]
fn the_map_names_files_that_are_there() {
    let map = fs::read_to_string(repository().join("xtask/README.md")).unwrap();
    let is_there = |path: &&str| ["", "xtask/crates"].iter().any(|base| repository().join(base).join(path).is_file());
    let named = named_paths(&map);
    assert!(named.len() > 40, "{named:?}");
    let gone: Vec<&str> = named.into_iter().filter(|path| !is_there(path)).collect();
    assert!(gone.is_empty(), "{gone:?}");
    assert_eq!(named_paths("see `a/b.rs`, `c.rs` and `d/e f.rs`"), ["a/b.rs"]);
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
