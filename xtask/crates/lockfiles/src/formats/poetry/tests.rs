//! Locks as Poetry writes them, and what is said of those that cannot be packed.

use crate::reading::{DIGEST, kept, read, said};

const FLAT: &str = r#"
[[package]]
name = "flask"
version = "3.0"
python-versions = ">=3.8"
groups = ["main", "dev"]
files = [{file = "f", hash = "sha256:DIGEST"}]
[[package]]
name = "numpy"
version = "1.0"
python-versions = ">=3.8"
groups = ["main"]
markers = "python_version < \"3.11\""
[[package]]
name = "numpy"
version = "2.0"
groups = ["main"]
markers = "python_version >= \"3.11\""
[[package]]
name = "redis"
version = "5"
optional = true
groups = ["main", "docs"]
markers = {main = "extra == \"cache\""}
[[package]]
name = "local"
version = "1"
groups = ["dev"]
[package.source]
type = "directory"
url = "../local"
[extras]
cache = ["redis"]
[metadata]
lock-version = "2.1"
python-versions = ">=3.8"
content-hash = "x"
"#;

const GRAPH: &str = r#"
[[package]]
name = "Flask"
version = "3.0"
python-versions = ">=3.8"
[package.dependencies]
numpy = ">=1"
colorama = {version = "*", markers = "platform_system == \"Windows\""}
asgiref = {version = "^3", optional = true, markers = "extra == \"async\""}
dotenv = {version = "*", optional = true}
[package.extras]
dotenv = ["dotenv (>=0.1)"]
[[package]]
name = "numpy"
version = "10.0"
python-versions = ">=3.11"
[[package]]
name = "numpy"
version = "9.0"
python-versions = ">=3.8"
[[package]]
name = "asgiref"
version = "3.1"
[[package]]
name = "dotenv"
version = "1"
[[package]]
name = "colorama"
version = "1"
[[package]]
name = "redis"
version = "5"
optional = true
[[package]]
name = "six"
version = "1.16"
[package.source]
type = "git"
url = "https://code.example/six"
[extras]
cache = ["redis"]
[metadata]
lock-version = "1.1"
python-versions = "^3.8"
content-hash = "x"
[metadata.files]
Flask = []
numpy = [{file = "n", hash = "sha256:DIGEST"}]
"#;

const PROJECT: &str = r#"
[tool.poetry.dependencies]
python = "^3.8"
flask = {version = "^3.0", extras = ["async"]}
colorama = {version = "*", platform = "win32"}
redis = {version = "*", optional = true}
[tool.poetry.extras]
cache = ["redis"]
[tool.poetry.dev-dependencies]
six = "*"
[tool.poetry.group.docs.dependencies]
flask = {version = "*", extras = ["dotenv"]}
numpy = [{version = "<10", python = "<3.12"}, {version = "^10", python = ">=3.12"}]
"#;

#[test]
fn a_flat_lock_says_which_entries_are_for_which_group() {
    let text = FLAT.replace("DIGEST", DIGEST);
    #[rustfmt::skip]
    let cases = [ // wanted       python  what the box gets
        ("",              "3.9",  "flask-3.0 numpy-1.0"),
        ("",              "3.12", "flask-3.0 numpy-2.0"),
        ("+cache",        "3.12", "flask-3.0 numpy-2.0 redis-5"),
        ("docs",          "3.12", "flask-3.0 numpy-2.0 redis-5"),
        ("dev",           "3.12", "`local` (package 5) comes from a directory, and only wheels and sdists with a sha256 can be packed | publish it to your index as a wheel and lock that version, or put the wheel into the repository and lock that file"),
    ];
    for (wanted, python, gets) in cases {
        assert_eq!(kept(&read(&[("poetry.lock", &text)], wanted).unwrap(), python), gets, "{wanted} on {python}");
    }
    let both = FLAT.replace("python_version < \\\"3.11\\\"", "python_version < \\\"3.12\\\"").replace("DIGEST", DIGEST);
    let error = kept(&read(&[("poetry.lock", &both)], "").unwrap(), "3.11");
    assert!(error.contains("`numpy` is left twice: 1.0 (package 2"), "{error}");
}

#[test]
fn a_graph_is_walked_from_the_project_file() {
    let text = GRAPH.replace("DIGEST", DIGEST);
    #[rustfmt::skip]
    let cases = [ // wanted       python  what the box gets
        ("",              "3.9",  "asgiref-3.1 flask-3.0[async] numpy-9.0"),
        ("",              "3.12", "asgiref-3.1 flask-3.0[async] numpy-10.0"),
        ("+cache",        "3.12", "asgiref-3.1 flask-3.0[async] numpy-10.0 redis-5"),
        ("docs",          "3.12", "asgiref-3.1 dotenv-1 flask-3.0[async,dotenv] numpy-10.0"),
        ("docs",          "3.11", "asgiref-3.1 dotenv-1 flask-3.0[async,dotenv] numpy-9.0"),
        ("dev",           "3.9",  "`six` (package 8) comes from git, and only wheels and sdists with a sha256 can be packed | publish it to your index as a wheel and lock that version, or put the wheel into the repository and lock that file"),
    ];
    for (wanted, python, gets) in cases {
        let pins = read(&[("poetry.lock", &text), ("pyproject.toml", PROJECT)], wanted).unwrap();
        assert_eq!(kept(&pins, python), gets, "{wanted} on {python}");
    }
    let pins = read(&[("poetry.lock", &text), ("pyproject.toml", PROJECT)], "").unwrap();
    assert!(pins.pins.iter().filter(|pin| pin.hashes.contains(DIGEST)).count() == 2);
}

#[test]
fn faults_say_what_to_do() {
    let graph = GRAPH.replace("DIGEST", DIGEST);
    #[rustfmt::skip]
    let cases = [ // from                    to                          what it says
        ("lock-version = \"1.1\"",    "lock-version = \"3.0\"",   "`metadata.lock-version` is 3.0"),
        ("version = \"3.0\"",         "version = \"x\"",          "`flask` (package 1)"),
        ("numpy = \">=1\"",           "numpy = \"^^1\"",          "it needs `numpy`: `^^1` is not a version constraint"),
        ("sha256:",                   "md5:",                     "none of its hashes is sha256"),
        ("[metadata]",                "[meta]",                   "missing field `python-versions`"),
    ];
    for (from, to, says) in cases {
        let text = graph.replacen(from, to, 1);
        let error = said(&read(&[("poetry.lock", &text), ("pyproject.toml", PROJECT)], "").unwrap_err());
        assert!(error.contains(says), "{error}");
    }
    let error = said(&read(&[("poetry.lock", &graph)], "").unwrap_err());
    assert!(error.contains("no `pyproject.toml` beside it | put the lock beside"), "{error}");
    let error = said(&read(&[("poetry.lock", FLAT)], "+cahce dco").unwrap_err());
    for part in ["did you mean `cache`? known extras: cache", "no group `dco`", "known groups: dev, docs"] {
        assert!(error.contains(part), "`{part}` is missing in {error}");
    }
}
