//! Texts that are read: locks, configuration, markers, metadata. Mutations of good ones, and sizes.

use crate::boxes::CONFIG;
use crate::{Random, cpu_time};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr as _;
use std::time::Duration;
use wheelhaul_boxes::Requirement;
use wheelhaul_boxes::{Asked, Target, read_probe};
use wheelhaul_config::Config;
use wheelhaul_lockfiles::{filter, parse_text};
use wheelhaul_pylock::Lock;
use wheelhaul_verify::OnBox;
use wheelhaul_wheel::{Metadata, WheelFile, WheelName, WheelRecord, console_scripts};

const DIGEST: &str = "aa00000000000000000000000000000000000000000000000000000000000000";

fn requirements() -> String {
    format!(
        "# made by a tool\nflask[async,dotenv]==3.0.3 ; python_version >= '3.8' and (os_name == 'nt' or extra == 'x') \\\n    \
         --hash=sha256:{DIGEST} \\\n    --hash sha256:{DIGEST}\nsix===1.16.0\nx @ https://index.example/x-1.whl ; os_name == 'nt'\n\
         tomli==2.0.1;python_full_version<'3.11.0a6'\n-r other.txt\n"
    )
}

fn pipfile_lock() -> String {
    format!(
        r#"{{"_meta": {{"pipfile-spec": 6, "sources": [{{"name": "x"}}]}}, "default": {{"Flask": {{"version": "==3.0.3", "extras": ["async"], "hashes": ["sha256:{DIGEST}"], "index": "mirror", "markers": "python_version >= '3.8'"}}, "b": {{"git": "https://code.example/b", "ref": "x"}}}}, "develop": {{}}}}"#
    )
}

fn lock() -> String {
    format!(
        "lock-version = \"1.0\"\nenvironments = [\"sys_platform == 'linux'\"]\nrequires-python = \"==3.11.*\"\ncreated-by = \"xtask\"\n\
         [[packages]]\nname = \"flask\"\nversion = \"3.0.3\"\n[[packages.wheels]]\nname = \"flask-3.0.3-py3-none-any.whl\"\n\
         upload-time = 2024-04-07T19:26:08Z\npath = \"wheels/flask-3.0.3-py3-none-any.whl\"\nsize = 101735\n[packages.wheels.hashes]\nsha256 = \"{DIGEST}\"\n\
         [tool.xtask]\ntarget = \"own\"\npython-full = \"3.11.13\"\ninputs = \"x\"\n{BOX}"
    )
}

/// The record of a box, as a lock carries it.
const BOX: &str = "[tool.xtask.box]\narch = \"x86_64\"\nglibc = \"2.36\"\nsystemd = 252\npayload = \"zstd\"\nrelease = \"own\"\n\
    title = \"Own 1\"\npython-package = \"python3.11\"\npython-path = \"/usr/bin/python3.11\"\ntags = [\"cp311-cp311-linux_x86_64\", \"py3-none-any\"]\n\
    [tool.xtask.box.markers]\nplatform_release = \"6.1.0\"\n";
const PROBE: &str = r#"{"probe": 1, "arch": "x86_64", "glibc": "2.36", "markers": {"os_name": "posix", "python_version": "3.11"},
    "tags": ["cp311-cp311-manylinux_2_36_x86_64", "py3-none-any"], "python-full": "3.11.2", "python-path": "/usr/bin/python3.11",
    "python-package": null, "systemd": 252, "rpm": "4.18.0", "reads-zstd": true, "release": null, "os": {"id": "x", "name": "X 1"}}"#;

const ON_BOX: &str = r#"{"evidence": 1, "made": "2026-12-01T03:53:23Z", "machine": "x86_64", "kernel": "5.14.0", "absent": {"fips": "x"},
    "os": {"id": "rhel", "version": "9.5", "name": "RHEL"}, "selinux-mode": "enforcing", "selinux-denials": ["type=AVC"], "exposure": 1.2,
    "package": {"name": "shop", "epoch": null, "version": "1.0", "release": "2.el9", "arch": "x86_64", "header-sha256": "ab"},
    "rpm-verify": {"lines": ["S.5....T.  c /opt/shop/a.ini"], "unread": 2}, "unit": {"sha256": "cd", "properties": {"Id": "shop.service"}},
    "interpreter": {"path": "/usr/bin/python3.11", "version": "3.11.9"}, "answer": {"url": "http://x/", "status": 200, "error": null}}"#;

const METADATA: &str = "Metadata-Version: 2.4\nName: Demo_App\nVersion: 1!0.0.1rc1.post2+local.3\nSummary: A demo\nLicense-Expression: MIT\n\
    Project-URL: Homepage, https://home.example\nRequires-Python: >=3.9,!=3.10.*\nRequires-Dist: flask[async,dotenv]>=2,<4 ; python_version in '3.9, 3.11'\n\
    Requires-Dist: x @ https://index.example/x-1.whl ; os_name == 'nt'\nProvides-Extra: x\nDescription: a\n        b\n\nbody\n";
const MARKER: &str = "(python_version >= '3.8' and os_name == \"posix\") or 'linux' in sys_platform and python_full_version not in '3.6, 3.7' \
    or extra == 'a' and platform_machine != 'x' or python_version ~= '3.9' or implementation_version === '3'";
const RECORD: &str = "a/b.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\r\n\"odd,\"\"name\"\"\",sha384=,0\na-1.dist-info/RECORD,,\n";

/// One mutation: bytes flipped, taken out, doubled, or pieces put in that mean something here.
pub fn mutated(good: &str, random: &mut Random) -> String {
    const PIECES: [&str; 28] = [
        "-",
        "_",
        ".",
        "==",
        ";",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        "'",
        "\"",
        "\\",
        "\n",
        "\r",
        "\0",
        "#",
        "@",
        " --",
        ",",
        "*",
        "!",
        "9999999999999999999999",
        "\u{feff}",
        "ä",
        "\u{2028}",
        "💥",
    ];
    let mut chars: Vec<char> = good.chars().collect();
    for _ in 0..=random.below(4) {
        let at = random.below(chars.len() + 1);
        match random.below(5) {
            0 if at < chars.len() => drop(chars.remove(at)),
            1 if at < chars.len() => chars[at] = char::from(random.below(128) as u8),
            2 => {
                let end = (at + random.below(12)).min(chars.len());
                let part: Vec<char> = chars[at..end].to_vec();
                chars.splice(at..at, part);
            }
            3 => chars.truncate(at.max(1)),
            _ => drop(chars.splice(at..at, PIECES[random.below(PIECES.len())].chars())),
        }
    }
    chars.into_iter().collect()
}

/// Runs `read` on mutations of a good text, and names those on which it panics or dwells.
pub fn survives(good: &str, rounds: usize, read: impl Fn(&str)) {
    let mut random = Random(0x5eed_0000_0000_0001 ^ good.len() as u64);
    let mut faults = Vec::new();
    for _ in 0..rounds {
        let text = mutated(good, &mut random);
        let start = cpu_time();
        let panicked = catch_unwind(AssertUnwindSafe(|| read(&text))).is_err();
        if panicked {
            faults.push(format!("it panicked: {text:?}"));
        } else if cpu_time() - start > Duration::from_secs(2) {
            faults.push(format!("it took {:?}: {text:?}", cpu_time() - start));
        }
    }
    faults.truncate(5);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn read_pins(lock: &str, text: &str) {
    let target = Target::find("el9-x86_64", Some("3.11"), None).unwrap();
    if let Ok(pins) = parse_text(lock, text) {
        let _ = filter(&pins, &target);
    }
}

#[test]
fn mutated_requirements_never_panic() {
    survives(&requirements(), 4000, |text| read_pins("requirements.txt", text));
    survives("a[b]==1;os_name=='x'", 4000, |text| read_pins("requirements.txt", text));
    survives("a[b, c.d] (>=1.0.*, <2) ; extra == 'x'", 4000, |text| drop(Requirement::from_str(text)));
}

#[test]
fn mutated_pipfile_locks_never_panic() {
    survives(&pipfile_lock(), 4000, |text| read_pins("Pipfile.lock", text));
}

/// The key of an entry is put in front of its version, and becomes a name, extras, a URL or a marker.
#[test]
fn keys_of_a_pipfile_lock_are_names_and_nothing_else() {
    for key in ["a-", "a[b-]", "a[b]", "a @ https://index.example/x", "a ;", "a==1,", "a #", "a(", " a", "", "a>=1,"] {
        let key = serde_json::to_string(key).unwrap();
        let text = format!(r#"{{"_meta": {{"pipfile-spec": 6}}, "default": {{{key}: {{"version": "==1"}}}}}}"#);
        let read = catch_unwind(|| parse_text("Pipfile.lock", &text).map(|pins| format!("{pins:?}")));
        assert!(matches!(read, Ok(Err(_))), "{key}: {read:?}");
    }
}

#[test]
fn mutated_locks_of_our_own_never_panic() {
    let read = |text: &str| Lock::parse(text).and_then(|lock| lock.target());
    assert_eq!(read(&lock()).unwrap().tags().len(), 2);
    survives(&lock(), 3000, |text| drop(read(text)));
}

/// What a box calls itself goes into first lines of scripts, units, names of files and marker values.
#[test]
fn mutated_probes_never_panic_and_give_only_plain_values() {
    let read = |text: &str| {
        let (full, record) = read_probe(text)?;
        Target::own("own", &full, &record)
    };
    assert_eq!(read(PROBE).unwrap().tags()[1].to_string(), "py3-none-any");
    survives(PROBE, 4000, |text| {
        if let Ok(target) = read(text) {
            let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "/._+-".contains(c));
            assert!(is_plain(&target.interpreter.path) && is_plain(&target.distribution.dist), "{text}");
            assert!(target.interpreter.path.starts_with('/') && !target.interpreter.path.contains(".."), "{text}");
            assert!(target.tags().len() < 20_000 && !target.marker().contains('\n'), "{text}");
        }
    });
    let many = PROBE.replace("\"py3-none-any\"", &vec!["\"py3-none-any\""; 100_000].join(","));
    assert!(read(&many).is_err());
}

/// A document of a box comes from whoever sends it.
#[test]
fn mutated_documents_of_boxes_never_panic() {
    assert!(OnBox::parse(ON_BOX).is_ok());
    survives(ON_BOX, 4000, |text| drop(OnBox::parse(text)));
}

#[test]
fn a_lock_names_no_file_outside_the_wheelhouse() {
    for (from, to) in [
        ("path = \"wheels/", "path = \"/etc/"),
        ("path = \"wheels/", "path = \"wheels/../"),
        ("name = \"flask-3.0.3-py3-none-any.whl\"", "name = \"../flask-3.0.3-py3-none-any.whl\""),
        ("name = \"flask\"", "name = \"other\""),
        ("version = \"3.0.3\"", "version = \"3.0.4\""),
        (DIGEST, "AA00000000000000000000000000000000000000000000000000000000000000"),
        (DIGEST, ""),
        ("lock-version = \"1.0\"", "lock-version = \"2.0\""),
    ] {
        assert!(Lock::parse(&lock().replacen(from, to, 1)).is_err(), "{to}");
    }
}

#[test]
fn mutated_configurations_never_panic() {
    assert!(Config::parse(CONFIG).is_ok());
    survives(CONFIG, 3000, |text| drop(Config::parse(text)));
}

#[test]
fn mutated_markers_never_panic() {
    let target = Target::find("el9-x86_64", Some("3.11"), None).unwrap();
    let environment = target.environment();
    environment.holds(MARKER, &Asked::default()).unwrap();
    survives(MARKER, 6000, |text| drop(environment.holds(text, &Asked::default())));
}

#[test]
fn mutated_texts_of_wheels_never_panic() {
    survives(METADATA, 3000, |text| drop(Metadata::parse(text)));
    survives(RECORD, 3000, |text| drop(WheelRecord::parse(text)));
    survives("Wheel-Version: 1.0\nTag: py3-none-any\n", 500, |text| drop(WheelFile::parse(text)));
    survives("[console_scripts]\ntool = demo.cli:App.run [x]\n", 3000, |text| drop(console_scripts(text)));
    survives("Foo_Bar-1!1.0.post1+l-3b-cp39.cp310-abi3-manylinux_2_17_x86_64.whl", 5000, |text| {
        drop(WheelName::from_str(text))
    });
}

#[test]
fn random_bytes_never_panic() {
    let mut random = Random(0xfeed_beef_dead_0001);
    for _ in 0..3000 {
        let bytes: Vec<u8> = (0..random.below(200)).map(|_| random.next() as u8).collect();
        let text = String::from_utf8_lossy(&bytes);
        read_pins("requirements.txt", &text);
        read_pins("Pipfile.lock", &text);
        drop((Config::parse(&text), Lock::parse(&text), Metadata::parse(&text), WheelRecord::parse(&text)));
    }
}

#[test]
fn deep_nesting_in_json_and_toml_is_an_error() {
    let deep = 10_000;
    let json = format!("{}{}", "[".repeat(deep), "]".repeat(deep));
    let foreign = format!(r#"{{"_meta": {{"pipfile-spec": 6, "x": {json}}}, "default": {{}}}}"#);
    assert!(parse_text("Pipfile.lock", &json).is_err());
    // What is not read is skipped, however deep it is.
    assert!(parse_text("Pipfile.lock", &foreign).is_ok());
    let toml = format!("x = {}{}\n", "[".repeat(deep), "]".repeat(deep));
    let tables = format!("x = {}1{}\n", "{a=".repeat(deep), "}".repeat(deep));
    let dotted = format!("x{} = 1\n", ".a".repeat(deep));
    for text in [toml, tables, dotted] {
        assert!(Config::parse(&text).is_err());
        assert!(Lock::parse(&text).is_err());
    }
}

#[test]
fn long_lines_take_time_in_proportion_and_errors_stay_readable() {
    let start = cpu_time();
    let long = "x".repeat(50 << 20);
    for text in [long.clone(), format!("# {long}"), format!("a==1 --hash=sha256:{long}"), format!("a==1 ; {long}")] {
        let error = match parse_text("requirements.txt", &text) {
            Ok(pins) => {
                let target = Target::find("el9-x86_64", Some("3.11"), None).unwrap();
                filter(&pins, &target).err().map(|error| format!("{error:#}"))
            }
            Err(error) => Some(format!("{error:#}")),
        };
        let length = error.map_or(0, |error| error.len());
        assert!(length < 10_000, "the error has {length} bytes");
    }
    assert!(cpu_time() - start < Duration::from_secs(5), "it took {:?}", cpu_time() - start);
}
