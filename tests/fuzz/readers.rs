//! Every parser of what comes from outside, with samples of what it reads.

use crate::packaging::comparison::{Lcg, atoms};
use crate::zip::{Entry, Zip};
use crate::{BASE, grammar, locks};
use camino::Utf8Path;
use std::str::FromStr as _;
use wheelhaul_boxes::Requirement;
use wheelhaul_boxes::{Asked, TagRanks, Target, may_hold};
use wheelhaul_config::Config;
use wheelhaul_lockfiles::{Application, LockFormat, LockSource, Selection, filter, parse, texts_of};
use wheelhaul_pylock::Lock;
use wheelhaul_rpmfile::Signature;
use wheelhaul_systemd::{split_commands, split_words, unit_value_expects};
use wheelhaul_verify::Spotter;
use wheelhaul_verify::advisories::Advisories;
use wheelhaul_wheel::{Archive, Contents, Metadata, WheelFile, WheelName, WheelRecord, console_scripts, expand_tags};

/// A parser; what it makes of the input does not matter.
pub struct Reader {
    pub name: &'static str,
    pub samples: Vec<Vec<u8>>,
    /// makes an input by the grammar
    pub made: Option<fn(&mut Lcg) -> Vec<u8>>,
    /// bytes that reading may take beside what is in proportion
    pub base: usize,
    pub read: Read,
}

type Read = Box<dyn Fn(&[u8])>;

const ADVISORIES: &str = r#"[{"id": "PYSEC-1", "modified": "2026-01-02T00:00:00Z", "aliases": ["CVE-1"], "summary": "x", "severity":
    [{"type": "CVSS_V3", "score": "CVSS:3.1"}], "affected": [{"package": {"ecosystem": "PyPI", "name": "a"}, "versions": ["1.0"],
    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}, {"limit": "*"}, {"last_affected": "2"}]}]}]}]"#;
const AUDIT: &str = r#"{"dependencies": [{"name": "a", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"],
    "aliases": ["CVE-1"], "description": "x"}]}, {"name": "b", "skip_reason": "local"}], "fixes": []}"#;

const DIGEST: &str = "aa00000000000000000000000000000000000000000000000000000000000000";

/// A good lock, with what its grammar has; a new format fails until it has one.
fn sample_of(lock: &str) -> String {
    let text = match lock {
        "requirements.txt" => {
            "# made by a tool\nflask[async,dotenv]==3.0.3 ; python_version >= '3.8' and (os_name == 'nt' or extra == 'x') \\\n    \
             --hash=sha256:D \\\n    --hash sha256:D\nsix===1.16.0\nx @ https://u:${T}@index.example/x-1-py3-none-any.whl#sha256=D\n\
             ./vendor/y-1.0.tar.gz --hash=sha256:D\ntomli==2.0.1;python_full_version<'3.11.0a6'\n-r other.txt\n-c more/limits.txt\n\
             -i https://index.example/simple --pre\n-e .\n"
        }
        "Pipfile.lock" => {
            r#"{"_meta": {"pipfile-spec": 6, "sources": [{"name": "x"}]}, "default": {"Flask": {"version": "==3.0.3", "extras": ["async"], "hashes": ["sha256:D"], "index": "mirror", "markers": "python_version >= '3.8'"}, "b": {"file": "https://index.example/b-1-py3-none-any.whl", "hashes": ["sha256:D"]}}, "develop": {}}"#
        }
        "pylock.toml" => {
            "lock-version = '1.0'\nenvironments = [\"sys_platform == 'linux'\"]\nrequires-python = '>=3.8'\nextras = ['web']\n\
             dependency-groups = ['dev']\ndefault-groups = ['main']\ncreated-by = 'x'\n\
             [[packages]]\nname = 'a'\nversion = '1.0'\nmarker = \"'main' in dependency_groups and python_version >= '3'\"\nindex = 'https://index.example/'\n\
             sdist = {name = 'a-1.0.tar.gz', url = 'https://index.example/a', hashes = {sha256 = 'D'}}\n\
             wheels = [{url = 'https://index.example/a-1.0-py3-none-any.whl', upload-time = 2024-01-01T00:00:00Z, size = 1, hashes = {sha256 = 'D', md5 = 'x'}}]\n\
             [[packages]]\nname = 'b'\narchive = {path = '../b-2.zip', hashes = {sha256 = 'D'}}\n\
             [[packages]]\nname = 'c'\nmarker = \"os_name == 'nt'\"\nvcs = {type = 'git', url = 'https://code.example/c', commit-id = 'x'}\n\
             [[packages]]\nname = 'd'\ndirectory = {path = '.', editable = true}\n[tool.x]\ny = 1\n"
        }
        "uv.lock" => {
            "version = 1\nrevision = 3\nrequires-python = '>=3.8'\nresolution-markers = [\"python_full_version < '3.10'\"]\n\
             [[package]]\nname = 'shop'\nversion = '1'\nsource = { editable = '.' }\n\
             dependencies = [{ name = 'flask', extra = ['async'], marker = \"sys_platform == 'linux'\" }]\n\
             [package.optional-dependencies]\nweb = [{ name = 'redis', version = '5', source = { registry = 'https://index.example' } }]\n\
             [package.dev-dependencies]\ndev = [{ name = 'flask' }]\n[package.metadata]\nrequires-dist = [{ name = 'flask', specifier = '>=2' }]\n\
             provides-extras = ['web']\n[[package]]\nname = 'flask'\nversion = '2'\nsource = { registry = 'https://index.example' }\n\
             sdist = { url = 'https://index.example/f.tar.gz', hash = 'sha256:D', size = 1 }\n\
             wheels = [{ url = 'https://index.example/f.whl', hash = 'sha256:D' }]\n[package.optional-dependencies]\nasync = [{ name = 'redis' }]\n\
             [[package]]\nname = 'redis'\nversion = '5'\nsource = { url = 'https://index.example/redis-5-py3-none-any.whl' }\n\
             wheels = [{ url = 'https://index.example/redis-5-py3-none-any.whl', hash = 'sha256:D' }]\n"
        }
        // The file beside it has the same text, so both stand in one.
        "poetry.lock" => {
            "[[package]]\nname = 'flask'\nversion = '2'\noptional = false\npython-versions = '>=3.8,<4 || ^5'\ngroups = ['main', 'dev']\n\
             markers = {main = \"python_version < '4' and extra == 'web'\", dev = \"os_name == 'nt'\"}\nfiles = [{file = 'f.whl', hash = 'sha256:D'}]\n\
             [package.dependencies]\nredis = [{version = '^5.0.1', optional = true, markers = \"extra == 'x'\"}, '~5.1']\n[package.extras]\nx = ['redis (>=4)']\n\
             [[package]]\nname = 'redis'\nversion = '5.1'\npython-versions = '*'\ngroups = ['main']\nfiles = [{file = 'redis-5.1-py3-none-any.whl', hash = 'sha256:D'}]\n[package.source]\ntype = 'url'\nurl = 'https://index.example/redis-5.1-py3-none-any.whl'\n\
             [extras]\nweb = ['redis']\n[metadata]\nlock-version = '2.0'\npython-versions = '^3.8'\ncontent-hash = 'D'\n\
             [tool.poetry.dependencies]\npython = '^3.8'\nflask = {version = '>=2,<4', extras = ['x'], platform = 'linux', python = '<3.12'}\n\
             [tool.poetry.extras]\nweb = ['redis']\n[project]\nname = 'shop'\ndependencies = ['flask[x]>=2 ; python_version >= \"3.8\"']\n"
        }
        "pdm.lock" => {
            "[metadata]\ngroups = ['default', 'web']\nstrategy = ['inherit_metadata']\nlock_version = '4.5.0'\ncontent_hash = 'sha256:D'\n\
             [[metadata.targets]]\nrequires_python = '>=3.8'\n[[package]]\nname = 'flask'\nversion = '2'\nextras = ['async']\nrequires_python = '>=3.8'\n\
             summary = ''\ngroups = ['default']\nmarker = \"python_version >= '3.8'\"\ndependencies = ['redis>=4 ; os_name == \"posix\"', 'flask==2']\n\
             files = [{file = 'f.whl', hash = 'sha256:D'}]\n[[package]]\nname = 'redis'\nversion = '5'\ngroups = ['web']\n\
             files = [{url = 'https://index.example/redis-5-py3-none-any.whl', hash = 'sha256:D'}]\n\
             [project]\nname = 'shop'\ndependencies = ['flask']\n[project.optional-dependencies]\nweb = ['redis']\n"
        }
        other => panic!("the format of `{other}` has no sample"),
    };
    text.replace('D', DIGEST)
}

/// By the grammar, where there is a generator of it.
fn made_of(lock: &str) -> Option<fn(&mut Lcg) -> Vec<u8>> {
    match lock {
        "requirements.txt" => Some(|taste| {
            let mut count = 0;
            grammar::tree(taste, &mut count).remove("requirements.txt").unwrap_or_default().into_bytes()
        }),
        "pylock.toml" => Some(|taste| locks::lock(taste).into_bytes()),
        _ => None,
    }
}

fn target() -> Target {
    Target::find("el9-x86_64", Some("3.11"), None).unwrap()
}

/// Reads a lock as the tool does, without extras and with one; the files beside it have the same text.
fn read_lock(lock: &str, text: &str) {
    for extras in [Vec::new(), vec!["web".parse().unwrap()]] {
        if let Err(error) = kept_of(lock, text, text, Selection { extras, groups: Vec::new() }) {
            let said = format!("{error:#}");
            assert!(said.len() < 200_000, "an error of {} bytes: {}", said.len(), &said[..1000]);
        }
    }
}

/// How many packages a box gets by a lock; `beside` is the text of the first two files that it asks for.
fn kept_of(lock: &str, text: &str, beside: &str, selection: Selection) -> anyhow::Result<usize> {
    let lock = Utf8Path::new("folder").join(lock);
    let mut read = 0;
    let texts = texts_of(&lock, |file| {
        read += 1;
        let is_there = read <= 3;
        Ok(is_there.then(|| if file == lock { text } else { beside }.to_owned()))
    })
    .expect("reading does not fail");
    let app = Application::in_folder(Utf8Path::new("folder"));
    let variable = |name: &str| (name.len() == 1).then(|| "a-value".to_owned());
    let source = LockSource { lock: &lock, app, texts: &texts, selection: &selection, variable: &variable };
    Ok(filter(&parse(&source)?, &target())?.kept.len())
}

/// A sample that a parser refuses at once would leave most of the parser untried.
#[test]
fn a_box_gets_something_by_each_sample() {
    for format in LockFormat::all() {
        let sample = sample_of(format.name);
        let beside = if format.project_file.is_some() { sample.as_str() } else { "" };
        let kept = kept_of(format.name, &sample, beside, Selection::default());
        assert!(matches!(kept, Ok(1..)), "`{}`: {kept:?}", format.name);
    }
}

fn text_reader(name: &'static str, samples: &[&str], read: impl Fn(&str) + 'static) -> Reader {
    Reader {
        name,
        samples: samples.iter().map(|sample| sample.as_bytes().to_vec()).collect(),
        made: None,
        base: BASE,
        read: Box::new(move |input| read(&String::from_utf8_lossy(input))),
    }
}

fn made_marker(taste: &mut Lcg) -> Vec<u8> {
    thread_local!(static ATOMS: Vec<crate::packaging::comparison::Atom> = atoms());
    let mut text = String::new();
    for _ in 0..=taste.below(60) {
        let atom = ATOMS.with(|atoms| taste.pick(atoms)).write(taste);
        let open = "(".repeat(taste.below(3));
        let close = ")".repeat(taste.below(3));
        text.push_str(&format!("{open}{atom}{close}{}", taste.pick(&[" and ", " or "])));
    }
    text.push_str("os_name == 'posix'");
    text.into_bytes()
}

fn wheel() -> Vec<u8> {
    let file = |path: &str, text: &str| Entry::deflated(path, text.as_bytes());
    Zip::of(vec![
        file("demo.py", "def main():\n    pass\n"),
        file("demo-1.0.dist-info/METADATA", METADATA),
        file("demo-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
        file("demo-1.0.dist-info/RECORD", RECORD),
    ])
    .bytes()
}

const CONFIG: &str = "[package]\nname = \"demo\"\nrelease = \"1\"\n[app]\npath = \"app\"\nlock = \"app/requirements.txt\"\n\
    config = [\"config.yaml\"]\nextras = [\"web\"]\n[[target]]\nname = \"el9-x86_64\"\npython = \"3.11\"\n[service]\n\
    command = [\"serve\", \"--bind\", \"{address}:{port}\"]\nport = 9091\ntls = \"off\"\n";
const LOCK: &str = "lock-version = \"1.0\"\nenvironments = [\"sys_platform == 'linux'\"]\nrequires-python = \"==3.11.*\"\ncreated-by = \"xtask\"\n\
    [[packages]]\nname = \"flask\"\nversion = \"3.0.3\"\n[[packages.wheels]]\nname = \"flask-3.0.3-py3-none-any.whl\"\n\
    upload-time = 2024-04-07T19:26:08Z\npath = \"wheels/flask-3.0.3-py3-none-any.whl\"\nsize = 101735\n[packages.wheels.hashes]\n\
    sha256 = \"aa00000000000000000000000000000000000000000000000000000000000000\"\n\
    [tool.xtask]\ntarget = \"el9-x86_64\"\npython-full = \"3.11.13\"\ninputs = \"x\"\n";
const METADATA: &str = "Metadata-Version: 2.4\nName: demo\nVersion: 1.0\nSummary: A demo\nLicense-Expression: MIT OR (Apache-2.0 AND BSD-3-Clause)\n\
    Project-URL: Homepage, https://home.example\nRequires-Python: >=3.9,!=3.10.*\nRequires-Dist: flask[async,dotenv]>=2,<4 ; python_version in '3.9, 3.11'\n\
    Requires-Dist: x @ https://index.example/x-1.whl ; os_name == 'nt'\nProvides-Extra: x\nDescription: a\n        b\n\nbody\n";
const RECORD: &str = "demo.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\r\n\"odd,\"\"name\"\"\",sha384=,0\ndemo-1.0.dist-info/RECORD,,\n";
const MARKER: &str = "(python_version >= '3.8' and os_name == \"posix\") or 'linux' in sys_platform and python_full_version not in '3.6, 3.7' \
    or extra == 'a' and platform_machine != 'x' or python_version ~= '3.9' or 'web' in extras";

pub fn readers() -> Vec<Reader> {
    let environment = target().environment();
    let ranks = TagRanks::new(target().tags());
    let mut readers: Vec<Reader> = LockFormat::all()
        .iter()
        .map(|format| Reader {
            made: made_of(format.name),
            ..text_reader(format.name, &[&sample_of(format.name)], move |text| read_lock(format.name, text))
        })
        .collect();
    let requirements =
        ["a[b, c.d] (>=1.0.*, <2) ; extra == 'x'", "Flask==3.0", "x[y] @ https://h/x.whl ; os_name == 'nt'"];
    readers.extend([
        text_reader("a requirement", &requirements, |text| drop(Requirement::from_str(text).map(|r| r.pinned()))),
        Reader {
            made: Some(made_marker),
            ..text_reader("a marker", &[MARKER], move |text| {
                drop((environment.holds(text, &Asked::default()), environment.unknowable(text, &Asked::default())));
                drop(may_hold(text, &Asked::default()));
            })
        },
        text_reader(
            "a wheel's name",
            &["Foo_Bar-1!1.0.post1+l-3b-cp39.cp310-abi3-manylinux_2_17_x86_64.whl", "a-1-py2.py3-none-any.whl"],
            move |text| drop(WheelName::from_str(text).map(|name| name.rank(&ranks))),
        ),
        text_reader("METADATA", &[METADATA], |text| drop(Metadata::parse(text))),
        text_reader("WHEEL", &["Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py2.py3-none-any\n"], |text| {
            drop(WheelFile::parse(text));
        }),
        text_reader(
            "compressed tags",
            &["py2.py3-none-any.linux_x86_64", &format!("{0}-{0}-{0}", vec!["x"; 2000].join("."))],
            |text| drop(expand_tags(text)),
        ),
        text_reader("RECORD", &[RECORD], |text| drop(WheelRecord::parse(text))),
        text_reader("entry points", &["[console_scripts]\ntool = demo.cli:App.run [x]\n\n[x]\ny=z"], |text| {
            drop(console_scripts(text));
        }),
        // A text that made the `toml` crate recurse without end.
        text_reader("package.toml", &[CONFIG, &format!("x = [{}", "{p,\"\"{a}:".repeat(5000))], |text| {
            drop(Config::parse(text))
        }),
        text_reader(
            "a line of a unit",
            &["-+/bin/sh -c 'a \"$$b\" %%' \\x20\\u00e9\\101 ; @/bin/b c \\; d", "1min 20s 1.5G 50% 1024:4096 ~user /a -/b A=1 0750"],
            |text| {
                drop((split_words(text), split_commands(text)));
                for key in ["RestartSec", "MemoryMax", "LimitCPU", "UMask", "Environment", "StateDirectory", "RestrictNamespaces"] {
                    drop(unit_value_expects(252, key, text));
                }
            },
        ),
        text_reader(
            "what may hold a secret",
            &["-----BEGIN PRIVATE KEY-----\nAAAA\n", "redis://:abc@[::1]/0 ghp_0123456789 AKIAABCDEFGHIJ234567\n", &"x".repeat(40_000)],
            |text| {
                let mut spotter = Spotter::default();
                text.as_bytes().chunks(1000).for_each(|piece| spotter.take(piece));
                drop(spotter.finish());
            },
        ),
        text_reader("our own lock", &[LOCK], |text| drop(Lock::parse(text))),
        Reader {
            name: "a signature",
            samples: vec![b"\x88\x1d\x04\0\x01\x08\0\x06\x05\x02\x01\x02\x03\x04\0\x0a\x09\x10\x01\x02\x03\x04\x05\x06\x07\x08\x07\x07\0\x08\xff".to_vec()],
            made: None,
            base: BASE,
            read: Box::new(|input| drop(Signature::parse(input.to_vec()))),
        },
        Reader {
            name: "advisories",
            samples: vec![ADVISORIES.as_bytes().to_vec(), AUDIT.as_bytes().to_vec()],
            made: None,
            base: BASE,
            read: Box::new(|input| {
                let wanted = ["a".parse().unwrap()].into();
                if let Ok(Advisories::Records(records)) = Advisories::read(input.to_vec(), input.len() as u64, &wanted) {
                    let advisories = records.of.values().flatten();
                    advisories.for_each(|advisory| drop(advisory.affected.judge(&"1.0".parse().unwrap())));
                }
            }),
        },
        Reader {
            name: "a wheel",
            samples: vec![wheel()],
            made: None,
            base: BASE,
            read: Box::new(|input| {
                let name = "demo-1.0-py3-none-any.whl".parse().unwrap();
                let archive = Archive::open(input.to_vec(), input.len() as u64);
                drop(archive.and_then(|archive| Contents::read(&archive, &name)));
            }),
        },
    ]);
    readers
}
