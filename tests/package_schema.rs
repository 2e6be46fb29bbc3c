//! `schema` prints a JSON Schema of `package.toml` that PyPI's `jsonschema` takes; what the parser takes it takes, and
//! what the parser refuses for its shape it refuses.

#[allow(dead_code, reason = "shared with the tests that need a repository")]
mod checkout;

use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use checkout::command::run;
use checkout::{repository, tool_in};
use fs_err as fs;
use serde_json::Value;
use std::io::Write as _;
use std::process::{Command, Stdio};
use wheelhaul_config::Config;

/// What jsonschema says of each document, by the schema that the task prints.
fn faults_of(texts: &[String]) -> anyhow::Result<Vec<Vec<String>>> {
    let tools = repository().join("target/xtask/test-jsonschema");
    let script = |name: &str| repository().join("tests/python").join(name);
    let mut make = Command::new("python3");
    let python = run(make.arg("-B").arg(script("tools.py")).args([tools.as_str(), "jsonschema"]))?.text()?;
    let nowhere = tempfile::tempdir()?;
    let nowhere = Utf8Path::from_path(nowhere.path()).context("a path in UTF-8")?;
    let schema = nowhere.join("schema.json");
    fs::write(&schema, run(&mut tool_in(nowhere, &["schema"]))?.text()?)?;
    let documents: Vec<Value> = texts.iter().map(|text| toml::from_str(text)).collect::<Result<_, _>>()?;
    let mut command = Command::new(python.trim());
    command.arg("-B").arg(script("verify_output_fits.py")).arg(&schema);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    child.stdin.take().context("a pipe")?.write_all(&serde_json::to_vec(&documents)?)?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "the script failed");
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Every whole `package.toml` that is a file here, or a block of a page.
fn written() -> anyhow::Result<Vec<(Utf8PathBuf, String)>> {
    let mut found = Vec::new();
    let mut folders = vec![repository()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir_utf8()? {
            let path = entry?.into_path();
            let name = path.file_name().unwrap_or_default();
            if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
                folders.push(path);
            } else if name == "package.toml" {
                found.push((path.clone(), fs::read_to_string(&path)?));
            } else if name.ends_with(".md") {
                let text = fs::read_to_string(&path)?;
                let blocks = text.split("```toml\n").skip(1).filter_map(|rest| rest.split_once("\n```"));
                let whole = blocks.map(|(block, _)| block).filter(|block| {
                    ["[package]", "[app]", "[[target]]", "[service]"].iter().all(|table| block.contains(table))
                });
                found.extend(whole.map(|block| (path.clone(), format!("{block}\n"))));
            }
        }
    }
    Ok(found)
}

#[test]
fn what_is_written_anywhere_here_fits() -> anyhow::Result<()> {
    let mut files = written()?;
    ensure!(files.iter().any(|(path, _)| path.ends_with("dist/package.toml")), "{files:?}");
    ensure!(files.iter().any(|(path, _)| path.ends_with("configuring.md")), "{files:?}");
    // With every line that is a comment and could be a key.
    let guide = files.iter().find(|(path, _)| path.ends_with("configuring.md")).map(|(_, text)| text.clone());
    let uncommented = guide.context("the guide has one")?.lines().map(uncommented).collect::<Vec<_>>().join("\n");
    ensure!(uncommented.contains("\n[licenses]") && uncommented.contains("\nsecrets = "), "{uncommented}");
    files.push(("configuring.md, uncommented".into(), uncommented));
    let texts: Vec<String> = files.iter().map(|(_, text)| text.clone()).collect();
    for ((path, text), faults) in files.iter().zip(faults_of(&texts)?) {
        ensure!(faults.is_empty(), "{path}: {faults:?}\n{text}");
        Config::parse(text).with_context(|| format!("{path}\n{text}"))?;
    }
    Ok(())
}

/// `# key = value` without its mark.
fn uncommented(line: &str) -> &str {
    let rest = line.strip_prefix("# ").unwrap_or(line);
    let is_key = rest
        .split_once(" = ")
        .is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)));
    if is_key || rest.starts_with('[') { rest } else { line }
}

const GOOD: &str = "required-version = \">=0.2\"\n[package]\nname = \"demo\"\nrelease = 2\n[app]\npath = \"app\"\nlock = \"app/uv.lock\"\n\
    config = [\"a.yaml\"]\n[[target]]\nname = \"el9-x86_64\"\npython = \"3.11\"\n[[target]]\nname = \"own\"\npython-full = \"3.11.2\"\n\
    [target.box]\narch = \"x86_64\"\nglibc = \"2.36\"\nsystemd = 252\npayload = \"zstd\"\nmarkers = { platform_release = \"6\" }\n\
    [service]\ncommand = [\"gunicorn\", \"app:app\"]\nport = 8000\ntls = \"off\"\n[service.environment]\nA = \"b\"\n\
    [service.unit]\nMemoryMax = \"1G\"\nReadWritePaths = [\"/srv/a\", \"/srv/b\"]\n[sdist]\nbuild = [\"pyyaml\"]\n[sign]\nkey = \"a@b\"\n\
    [licenses]\na = \"MIT\"\n";

/// What is replaced by what, and whether a schema can tell that it is wrong.
#[rustfmt::skip]
const CHANGES: &[(&str, &str, Option<bool>)] = &[ // none: it is right
    ("release = 2",            "",                                   None),
    ("release = 2",            "release = \"1.2\"",                  None),
    ("tls = \"off\"",          "tls = { cert = \"/a\", key = \"/b\" }", None),
    ("build = [\"pyyaml\"]",   "build = \"all\"",                    None),
    ("[sign]\nkey = \"a@b\"",  "",                                   None),
    ("port = 8000",            "",                                   Some(true)),
    ("port = 8000",            "port = \"8000\"",                    Some(true)),
    ("port = 8000",            "port = 0",                           Some(true)),
    ("port = 8000",            "port = 65536",                       Some(true)),
    ("port = 8000",            "port = 8000\nworkers = 4",           Some(true)),
    ("[\"gunicorn\", \"app:app\"]", "\"gunicorn app:app\"",          Some(true)),
    ("[\"gunicorn\", \"app:app\"]", "[]",                            Some(true)),
    ("[\"gunicorn\", \"app:app\"]", "[\"gunicorn\", 4]",             Some(true)),
    ("name = \"demo\"\n",      "",                                   Some(true)),
    ("release = 2",            "relase = 2",                         Some(true)),
    ("release = 2",            "release = 1.5",                      Some(true)),
    ("release = 2",            "byte-code = \"yes\"",                Some(true)),
    ("release = 2",            "compression-level = 20",             Some(true)),
    ("path = \"app\"\n",       "",                                   Some(true)),
    ("[\"a.yaml\"]",           "\"a.yaml\"",                         Some(true)),
    ("tls = \"off\"",          "tls = false",                        Some(true)),
    ("tls = \"off\"",          "tls = \"no\"",                       Some(true)),
    ("tls = \"off\"",          "tls = { cert = \"/a\" }",            Some(true)),
    ("A = \"b\"",              "A = 1",                              Some(true)),
    ("MemoryMax = \"1G\"",     "MemoryMax = 1",                      Some(true)),
    ("payload = \"zstd\"",     "payload = \"xz\"",                   Some(true)),
    ("python = \"3.11\"",      "python = 3.11",                      Some(true)),
    ("build = [\"pyyaml\"]",   "build = \"pyyaml\"",                 Some(true)),
    ("[licenses]",             "[license]",                          Some(true)),
    ("required-version = \">=0.2\"", "required-version = 0.2",       Some(true)),
    // Values that only the parser judges.
    ("name = \"demo\"",        "name = \"De Mo\"",                   Some(false)),
    ("path = \"app\"",         "path = \"/app\"",                    Some(false)),
    ("el9-x86_64",             "el9",                                Some(false)),
    ("a = \"MIT\"",            "a = \"free\"",                       Some(false)),
];

#[test]
fn what_the_parser_refuses_for_its_shape_does_not_fit() -> anyhow::Result<()> {
    let mut texts = vec![GOOD.to_owned()];
    for (from, to, _) in CHANGES {
        ensure!(GOOD.contains(from), "`{from}` is not there");
        texts.push(GOOD.replacen(from, to, 1));
    }
    let faults = faults_of(&texts)?;
    ensure!(faults[0].is_empty(), "{:?}", faults[0]);
    Config::parse(GOOD)?;
    for (((_, to, wrong), text), faults) in CHANGES.iter().zip(&texts[1..]).zip(&faults[1..]) {
        ensure!(Config::parse(text).is_ok() == wrong.is_none(), "`{to}`: the parser");
        ensure!(faults.is_empty() != (*wrong == Some(true)), "`{to}`: {faults:?}");
    }
    Ok(())
}
