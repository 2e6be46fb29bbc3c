//! The standard lock, entry by entry.

use super::*;
use crate::{Application, LockTexts, Selection, filter};
use wheelhaul_boxes::Target;

fn read(text: &str, extras: &[&str], groups: &[&str]) -> anyhow::Result<Pins> {
    let lock = Utf8Path::new("deps/pylock.toml");
    let digest = format!("hashes = {{sha256 = '{}'}}", "ab".repeat(32));
    let text = format!("lock-version = '1.0'\ncreated-by = 'x'\n{}", text.replace("#", &digest));
    let texts = LockTexts::from([(lock.to_owned(), Some(text))]);
    let names = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
    let selection = Selection { extras: names(extras), groups: names(groups) };
    let app = Application::in_folder(Utf8Path::new("app"));
    crate::parse(&LockSource { lock, app, texts: &texts, selection: &selection, variable: &|_| None })
}

#[test]
fn groups_are_the_defaults_and_those_asked_for() {
    let text = "extras = ['web']\ndependency-groups = ['dev']\ndefault-groups = ['main']\npackages = []";
    let asked = read(text, &["web"], &["dev"]).unwrap().asked;
    let groups: Vec<&str> = asked.groups.iter().map(AsRef::as_ref).collect();
    assert_eq!((asked.extras[0].as_ref(), groups), ("web", vec!["dev", "main"]));
    let error = read(text, &["wbe"], &["docs"]).unwrap_err();
    for part in ["no extra `wbe`", "no dependency group `docs`"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    let hints = wheelhaul_base::problem::hints_of(&error).join(" ");
    assert!(hints.contains("the lock knows `dev`, `main`"), "{hints}");
}

#[test]
fn files_without_an_index_are_placed() {
    let wheel =
        "[[packages]]\nname = 'a'\nversion = '1'\nwheels = [{path = '../wheels/a-1-py3-none-any.whl', #, size = 7}]\n";
    let file = &read(wheel, &[], &[]).unwrap().pins[0].files[0];
    assert!(matches!(&file.at, FileLocation::Path(path) if path == "wheels/a-1-py3-none-any.whl"));
    assert_eq!(file.size, Some(7));
    let indexed = wheel.replace("version", "index = 'https://h/'\nversion");
    assert!(read(&indexed, &[], &[]).unwrap().pins[0].files.is_empty());
    let archive = "[[packages]]\nname = 'a'\narchive = {url = 'https://u:p@h/a-1.tar.gz', #}";
    let pin = &read(archive, &[], &[]).unwrap().pins[0];
    assert!(matches!(&pin.files[0].at, FileLocation::Url(url) if url == "https://u:p@h/a-1.tar.gz"));
    assert_eq!((pin.version.to_string().as_str(), pin.hashes.len()), ("1", 1));
    let error = read("packages = 'https://u:p@h'", &[], &[]).unwrap_err().to_string();
    assert!(error.starts_with("line 3: invalid type") && !error.contains("u:p"), "{error}");
}

#[test]
fn entries_that_cannot_be_packed_are_named_unless_no_box_gets_them() {
    let entry = |name: &str, rest: &str| format!("[[packages]]\nname = '{name}'\n{rest}\n");
    let git = "vcs = {type = 'git', url = 'https://u:p@h/x', commit-id = 'x'}";
    let text = [
        entry("a", git),
        entry("b", &format!("marker = \"sys_platform == 'win32'\"\n{git}")),
        entry("c", "directory = {path = '../app', editable = true}"),
        entry("d", "directory = {path = '../lib'}"),
        entry("e", "archive = {path = '../../e-1.zip', #}"),
        entry("f", "version = '1'"),
        entry("g", "wheels = [{path = 'h-1-py3-none-any.whl', #}]"),
    ];
    let error = read(&text.concat(), &[], &[]).unwrap_err().to_string();
    for part in [
        "3 entries",
        "`e-1.zip` is neither in the repository nor behind `https:`",
        "`f` (packages[5]): it has not exactly one source",
        "is a file of `h` and not of `g`",
    ] {
        assert!(error.contains(part), "`{part}` is missing in {error}");
    }
    assert!(!error.contains("u:p"), "{error}");
    let pins = read(&text[..4].concat(), &[], &[]).unwrap();
    let target = Target::find("el9-x86_64", None, None).unwrap();
    let error = filter(&pins, &target).unwrap_err().to_string();
    for part in [
        "2 entries",
        "`a` (packages[0]) comes from version control",
        "`d` (packages[3]) comes from the folder `../lib`",
    ] {
        assert!(error.contains(part), "`{part}` is missing in {error}");
    }
    assert!(!error.contains("u:p"), "{error}");
}
