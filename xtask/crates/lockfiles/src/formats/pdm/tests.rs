//! Locks as PDM writes them, and what is said of those that cannot be packed.

use crate::FileLocation;
use crate::reading::{DIGEST, kept, read, said};

const FLAT: &str = r#"
[metadata]
groups = ["default", "cache", "dev"]
strategy = ["inherit_metadata"]
lock_version = "4.5.0"
content_hash = "sha256:x"
[[metadata.targets]]
requires_python = ">=3.8,<3.12"
[[package]]
name = "uvicorn"
version = "0.30"
groups = ["default"]
files = [{file = "u", hash = "sha256:DIGEST"}]
[[package]]
name = "uvicorn"
version = "0.30"
extras = ["standard"]
groups = ["default"]
marker = "python_version < \"3.11\""
files = [{file = "u", hash = "sha256:DIGEST"}]
[[package]]
name = "redis"
version = "5"
groups = ["cache"]
files = [{url = "https://index.example/r", hash = "sha256:DIGEST"}]
[[package]]
name = "local"
version = "1"
groups = ["dev"]
path = "./local"
editable = true
"#;

const GRAPH: &str = r#"
[metadata]
groups = ["default", "cache", "dev"]
strategy = []
lock_version = "4.5.0"
[[package]]
name = "uvicorn"
version = "0.30"
dependencies = ["click>=7", "w; sys_platform == 'win32'"]
[[package]]
name = "uvicorn"
version = "0.30"
extras = ["standard"]
dependencies = ["httptools", "uvicorn==0.30", "uvloop; python_version < '3.11'"]
[[package]]
name = "click"
version = "8.9"
[[package]]
name = "click"
version = "8.10"
requires_python = ">=3.9"
[[package]]
name = "httptools"
version = "1"
[[package]]
name = "uvloop"
version = "1"
[[package]]
name = "redis"
version = "5"
[[package]]
name = "local"
version = "1"
url = "https://code.example/local-1-py3-none-any.whl"
files = [{url = "https://code.example/local-1-py3-none-any.whl", hash = "sha256:DIGEST"}]
"#;

const PROJECT: &str = "[project]\nname = \"shop\"\ndependencies = [\"uvicorn[standard]\"]\n\
    [project.optional-dependencies]\ncache = [\"redis>=4\"]\n\
    [dependency-groups]\ndev = [\"local @ https://code.example/local-1-py3-none-any.whl\"]\n";

#[test]
fn a_flat_lock_says_which_entries_are_for_which_group() {
    let text = FLAT.replace("DIGEST", DIGEST);
    #[rustfmt::skip]
    let cases = [ // wanted   python  what the box gets
        ("",          "3.9",  "uvicorn-0.30[standard]"),
        ("",          "3.11", "uvicorn-0.30"),
        ("+cache",    "3.11", "redis-5 uvicorn-0.30"),
        ("cache",     "3.11", "redis-5 uvicorn-0.30"),
        ("dev",       "3.11", "`local` (package 4) is editable, and only wheels and sdists with a sha256 can be packed | publish it to your index as a wheel and lock that version, or put the wheel into the repository and lock that file"),
    ];
    for (wanted, python, gets) in cases {
        assert_eq!(kept(&read(&[("pdm.lock", &text)], wanted).unwrap(), python), gets, "{wanted} on {python}");
    }
    let error = kept(&read(&[("pdm.lock", &text)], "").unwrap(), "3.12");
    assert!(error.contains("none of the lock's `environments` is CPython 3.12"), "{error}");
}

#[test]
fn a_graph_is_walked_from_the_project_file() {
    let text = GRAPH.replace("DIGEST", DIGEST);
    let texts = [("pdm.lock", text.as_str()), ("pyproject.toml", PROJECT)];
    #[rustfmt::skip]
    let cases = [ // wanted   python  what the box gets; of two that fit, PDM takes the greater text
        ("",          "3.9",  "click-8.9 httptools-1 uvicorn-0.30[standard] uvloop-1"),
        ("",          "3.11", "click-8.9 httptools-1 uvicorn-0.30[standard]"),
        ("+cache dev", "3.11", "click-8.9 httptools-1 local-1 redis-5 uvicorn-0.30[standard]"),
    ];
    for (wanted, python, gets) in cases {
        assert_eq!(kept(&read(&texts, wanted).unwrap(), python), gets, "{wanted} on {python}");
    }
    let pins = read(&texts, "").unwrap();
    let placed = pins.pins.iter().find_map(|pin| pin.files.first()).unwrap();
    assert!(placed.name == "local-1-py3-none-any.whl" && matches!(placed.at, FileLocation::Url(_)));
}

#[test]
fn faults_say_what_to_do() {
    #[rustfmt::skip]
    let cases = [ // from                    to                          what it says
        ("lock_version = \"4.5.0\"",  "lock_version = \"3.1\"",   "`metadata.lock_version` is `3.1`"),
        ("version = \"0.30\"",        "version = \"x\"",          "`uvicorn` (package 1)"),
        ("\"httptools\"",             "\"a b\"",                  "it needs `a b`"),
        ("[metadata]",                "[meta]",                   "missing field `metadata`"),
        ("sha256:DIGEST",             "md5:00",                   "no sha256"),
    ];
    for (from, to, says) in cases {
        let text = GRAPH.replacen(from, to, 1);
        let error = said(&read(&[("pdm.lock", &text), ("pyproject.toml", PROJECT)], "").unwrap_err());
        assert!(error.contains(says), "{error}");
    }
    let error = said(&read(&[("pdm.lock", GRAPH)], "").unwrap_err());
    assert!(error.contains("no `pyproject.toml` beside it | put the lock beside"), "{error}");
    let error = said(&read(&[("pdm.lock", FLAT)], "+cahce").unwrap_err());
    assert!(error.contains("did you mean `cache`? known extras: cache, dev"), "{error}");
}
