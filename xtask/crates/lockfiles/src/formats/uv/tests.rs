//! Locks as uv writes them, and what is said of those that cannot be packed.

use crate::reading::{DIGEST, kept, read, said};
use crate::{FileLocation, Pins};

/// An application with an extra, a group and a fork, beside another member of its workspace.
fn lock(more: &str) -> String {
    let index = "source = { registry = \"https://index.example/simple\" }";
    let shop = r#"
version = 1
revision = 3
requires-python = ">=3.9"
[[package]]
name = "shop"
version = "1.0"
source = { virtual = "." }
dependencies = [
    { name = "flask", extra = ["async"] },
    { name = "numpy", version = "1.0", source = { registry = "https://index.example/simple" }, marker = "python_full_version < '3.11'" },
    { name = "numpy", version = "2.0", source = { registry = "https://index.example/simple" }, marker = "python_full_version >= '3.11'" },
    { name = "win", marker = "sys_platform == 'win32'" },
]
[package.optional-dependencies]
all = [{ name = "shop", extra = ["old"] }]
old = [{ name = "idna", version = "3.4", marker = "extra == 'extra-4-shop-old'" }]
[package.dev-dependencies]
dev = [{ name = "other" }]
docs = [{ name = "idna", version = "3.7", marker = "extra != 'extra-4-shop-old'" }]
[package.metadata]
requires-dist = [{ name = "flask", extras = ["async"], specifier = ">=2" }]
provides-extras = ["all", "none", "old"]
[[package]]
name = "other"
version = "0.1"
source = { editable = "../other" }
[[package]]
name = "flask"
version = "3.0"
source = { registry = "https://index.example/simple" }
dependencies = [{ name = "flask", extra = ["x"] }]
sdist = { url = "https://index.example/f.tar.gz", hash = "sha256:DIGEST", size = 1 }
[package.optional-dependencies]
async = [{ name = "asgiref" }]
cli = [{ name = "win" }]
"#;
    let entry =
        |name: &str, version: &str| format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{index}\n");
    let others = [("numpy", "1.0"), ("numpy", "2.0"), ("win", "1"), ("idna", "3.4"), ("idna", "3.7"), ("asgiref", "3")];
    let others: String = others.iter().map(|(name, version)| entry(name, version)).collect();
    format!("{}{others}{more}", shop.replace("DIGEST", DIGEST))
}

fn parse(wanted: &str) -> anyhow::Result<Pins> {
    read(&[("uv.lock", &lock(""))], wanted)
}

#[test]
fn the_walk_follows_edges_extras_groups_and_conflicts() {
    #[rustfmt::skip]
    let cases = [ // wanted   python   what the box gets
        ("",          "3.9",   "asgiref-3 flask-3.0[async,x] numpy-1.0"),
        ("",          "3.11",  "asgiref-3 flask-3.0[async,x] numpy-2.0"),
        ("+old",      "3.11",  "asgiref-3 flask-3.0[async,x] idna-3.4 numpy-2.0"),
        ("+all docs", "3.11",  "asgiref-3 flask-3.0[async,x] idna-3.4 numpy-2.0"),
        ("+none docs", "3.11", "asgiref-3 flask-3.0[async,x] idna-3.7 numpy-2.0"),
    ];
    for (wanted, python, gets) in cases {
        assert_eq!(kept(&parse(wanted).unwrap(), python), gets, "{wanted} on {python}");
    }
    assert!(parse("").unwrap().pins.iter().any(|pin| pin.hashes.contains(DIGEST)));
}

#[test]
fn a_member_that_is_needed_is_named_and_one_that_is_not_does_no_harm() {
    let error = kept(&parse("dev").unwrap(), "3.11");
    assert!(error.contains("`other` (package 2) is the project in `../other`, and only wheels"), "{error}");
}

#[test]
fn files_by_url_and_path_are_placed_and_what_cannot_be_packed_is_named_at_once() {
    let more = format!(
        "[[package]]\nname = \"u\"\nversion = \"1\"\nsource = {{ url = \"https://code.example/u-1-py3-none-any.whl\" }}\nwheels = [{{ url = \"x\", hash = \"sha256:{DIGEST}\" }}]\n\
         [[package]]\nname = \"p\"\nversion = \"1\"\nsource = {{ path = \"../vendor/p-1-py3-none-any.whl\" }}\nwheels = [{{ filename = \"x\", hash = \"sha256:{DIGEST}\", size = 7 }}]\n\
         [[package]]\nname = \"g\"\nsource = {{ git = \"https://code.example/g?rev=1#2\" }}\n\
         [[package]]\nname = \"d\"\nsource = {{ directory = \"d\" }}\n"
    );
    let edges = "{ name = \"u\" }, { name = \"p\" }, { name = \"flask\", extra";
    let text = lock(&more).replacen("{ name = \"flask\", extra", edges, 1);
    let pins = read(&[("uv.lock", &text)], "").unwrap();
    let file = |name: &str| pins.pins.iter().find(|pin| pin.name.as_ref() == name).unwrap().files[0].clone();
    assert!(matches!(file("u").at, FileLocation::Url(_)) && file("u").name == "u-1-py3-none-any.whl");
    assert!(file("p").at == FileLocation::Path("vendor/p-1-py3-none-any.whl".into()) && file("p").size == Some(7));
    let text = text.replacen("{ name = \"u\" }", "{ name = \"g\" }, { name = \"d\" }", 1);
    let error = kept(&read(&[("uv.lock", &text)], "").unwrap(), "3.11");
    assert!(error.contains("`d` (package 13) is the project in `d`") && error.contains("comes from git"), "{error}");
}

#[test]
fn faults_say_what_to_do() {
    #[rustfmt::skip]
    let cases = [ // from                        to                  what it says
        ("version = 1",                   "version = 2",             "`version` is 2"),
        ("virtual = \".\"",               "virtual = \"web\"",       "its projects are `shop` in `app/web`, `other` in `other`"),
        ("{ name = \"win\", marker",      "{ name = \"w\", marker",  "`shop` needs `w`: the lock has no entries for it"),
        ("virtual = \".\"",               "virtual = \"..\"",        "its projects are `shop` in `.`, `other` in `other`"),
        ("\"numpy\"\nversion = \"2.0\"", "\"numpy\"\nversion = \"1.0\"", "`shop` needs `numpy`: the lock has several entries"),
    ];
    for (from, to, says) in cases {
        let error = said(&read(&[("uv.lock", &lock("").replacen(from, to, 1))], "").unwrap_err());
        assert!(error.contains(says), "{error}");
    }
    let error = said(&parse("+olds dcos").unwrap_err());
    for part in
        ["2 names", "no extra `olds`", "did you mean `old`? known extras: all, none, old", "known groups: dev, docs"]
    {
        assert!(error.contains(part), "`{part}` is missing in {error}");
    }
}
