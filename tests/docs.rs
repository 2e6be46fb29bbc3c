//! The README and the guide: links lead somewhere, code blocks are what the tool takes, and the reference lists every key.

#[allow(dead_code, reason = "each test that checks the sample out uses a part of it")]
mod checkout;

use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use checkout::command::run;
use checkout::{list, repository, tool_in};
use clap::CommandFactory as _;
use fs_err as fs;
use serde_json::Value;
use wheelhaul_boxes::{BOXES, Compression, Target};
use wheelhaul_config::{Config, NEVER};
use wheelhaul_lockfiles::LockFormat;
use wheelhaul_package::service::{ServiceFacts, ServiceProgram, confinement_keys};

const REFERENCE: &str = "xtask/docs/reference.md";
/// Tasks of this workspace alone.
const OWN_TASKS: [&str; 2] = ["ci", "wheels"];

/// Each page with its text.
fn pages() -> anyhow::Result<Vec<(Utf8PathBuf, String)>> {
    let mut paths = vec![Utf8PathBuf::from("README.md")];
    paths.extend(list(&repository().join("xtask/docs"))?.iter().map(|name| Utf8Path::new("xtask/docs").join(name)));
    paths.into_iter().map(|path| Ok((path.clone(), fs::read_to_string(repository().join(path))?))).collect()
}

/// The code blocks of a page that are marked as `language`.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let start = format!("```{language}\n");
    text.split(&start).skip(1).filter_map(|rest| rest.split("\n```").next()).collect()
}

/// The name that a heading is linked by.
fn anchor(heading: &str) -> String {
    let plain = heading.trim_start_matches('#').trim().to_lowercase();
    plain
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[test]
fn every_link_leads_somewhere() -> anyhow::Result<()> {
    let mut broken = Vec::new();
    let mut seen = 0;
    for (page, text) in pages()? {
        let folder = page.parent().context("a page is in a folder")?;
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("https://") {
                continue;
            }
            seen += 1;
            let (file, place) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { folder.join(file) };
            let there = fs::read_to_string(repository().join(&target));
            let has_place = |text: &String| {
                place.is_empty() || text.lines().any(|line| line.starts_with('#') && anchor(line) == place)
            };
            if !there.as_ref().is_ok_and(has_place) {
                broken.push(format!("{page}: {link}"));
            }
        }
    }
    ensure!(broken.is_empty() && seen > 20, "{seen} links; broken: {broken:#?}");
    Ok(())
}

#[test]
fn every_command_of_a_code_block_is_one() -> anyhow::Result<()> {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (page, text) in pages()? {
        for line in blocks(&text, "console").into_iter().flat_map(str::lines) {
            let line = line.split(" #").next().unwrap_or_default();
            let Some(command) = line.strip_prefix("$ ") else { continue };
            let command = command.strip_prefix("sudo ").unwrap_or(command);
            let tool = command.strip_prefix("cargo xtask ").or_else(|| command.strip_prefix("wheelhaul "));
            let Some(words) = tool else { continue };
            let words = words.split(['|', '>']).next().unwrap_or_default().split_whitespace();
            let words: Vec<&str> = std::iter::once("wheelhaul").chain(words).collect();
            if OWN_TASKS.contains(&words[1]) {
                continue;
            }
            seen += 1;
            if let Err(error) = wheelhaul::Cli::command().try_get_matches_from(&words) {
                wrong.push(format!("{page}: {line}: {error}"));
            }
        }
    }
    ensure!(wrong.is_empty() && seen > 10, "{seen} commands; wrong: {wrong:#?}");
    Ok(())
}

/// The schema of `dist/package.toml`.
fn schema() -> anyhow::Result<Value> {
    Ok(serde_json::from_str(&run(&mut tool_in(&repository(), &["schema"]))?.text()?)?)
}

/// What a reference of the schema stands for.
fn resolved<'a>(schema: &'a Value, of: &'a Value) -> &'a Value {
    match of["$ref"].as_str().and_then(|place| schema.pointer(place.trim_start_matches('#'))) {
        Some(found) => found,
        None => of,
    }
}

#[test]
fn every_toml_block_has_known_keys() -> anyhow::Result<()> {
    let schema = schema()?;
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (page, text) in pages()? {
        for block in blocks(&text, "toml") {
            seen += 1;
            let table: toml::Table = toml::from_str(block).with_context(|| format!("{page}:\n{block}"))?;
            unknown_keys(&schema, &schema, &toml::Value::Table(table), &format!("{page}: "), &mut wrong);
        }
    }
    ensure!(wrong.is_empty() && seen > 8, "{seen} blocks; unknown keys: {wrong:#?}");
    Ok(())
}

fn unknown_keys(schema: &Value, shape: &Value, value: &toml::Value, at: &str, wrong: &mut Vec<String>) {
    let shape = resolved(schema, shape);
    match value {
        toml::Value::Table(table) => {
            let Some(properties) = shape["properties"].as_object() else { return };
            for (key, value) in table {
                match properties.get(key) {
                    Some(shape) => unknown_keys(schema, shape, value, &format!("{at}{key}."), wrong),
                    None => wrong.push(format!("{at}{key}")),
                }
            }
        }
        toml::Value::Array(values) => {
            values.iter().for_each(|value| unknown_keys(schema, &shape["items"], value, at, wrong));
        }
        _ => {}
    }
}

#[test]
fn the_reference_lists_every_key() -> anyhow::Result<()> {
    let schema = schema()?;
    let mut page = "# Reference: `dist/package.toml`\n\nEvery key, made from the types by `tests/docs.rs`. \
        `cargo xtask schema` prints the same as a JSON Schema for editors.\n"
        .to_owned();
    section(&schema, &schema, "", &mut page);
    let path = repository().join(REFERENCE);
    if std::env::var("INSTA_UPDATE").is_ok_and(|value| value == "always") {
        fs::write(&path, &page)?;
    }
    ensure!(fs::read_to_string(&path)? == page, "{REFERENCE} is old: `INSTA_UPDATE=always cargo test --test docs`");
    ensure!(page.contains("\n## `[service]`\n") && page.contains("| `minor` |"), "{page}");
    Ok(())
}

/// A table of the file: its own keys, then the tables in it.
fn section(schema: &Value, shape: &Value, name: &str, page: &mut String) {
    let Some(properties) = shape["properties"].as_object() else { return };
    let required: Vec<&str> = shape["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut rows = String::new();
    let mut tables = Vec::new();
    for (key, of) in properties {
        let shape = resolved(schema, of);
        let what = of["description"].as_str().or(shape["description"].as_str()).unwrap_or_default();
        let inner = if shape["type"] == "array" { resolved(schema, &shape["items"]) } else { shape };
        if inner["properties"].is_object() {
            let whole = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
            tables.push((whole, inner, what.to_owned(), shape["type"] == "array"));
            continue;
        }
        let example = of["examples"].get(0).or(shape["examples"].get(0)).map(Value::to_string).unwrap_or_default();
        let must = if required.contains(&key.as_str()) { "yes" } else { "" };
        let example = if example.is_empty() { String::new() } else { format!("`{key} = {example}`") };
        rows.push_str(&format!("| `{key}` | {} | {must} | {} |\n", cell(what), cell(&example)));
    }
    if !rows.is_empty() {
        page.push_str(&format!("\n| key | what it says | needed | example |\n|---|---|---|---|\n{rows}"));
    }
    for (name, shape, what, is_list) in tables {
        let title = if is_list { format!("[[{name}]]") } else { format!("[{name}]") };
        page.push_str(&format!("\n## `{title}`\n\n{}.\n", capitalized(&what)));
        section(schema, shape, &name, page);
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn capitalized(text: &str) -> String {
    let mut chars = text.trim_end_matches('.').chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + chars.as_str())
}

/// Each key of the confinement has a row, and what the row says to write is taken.
#[test]
fn the_guide_says_who_notices_which_key_of_the_confinement() -> anyhow::Result<()> {
    let text = fs::read_to_string(repository().join("xtask/docs/services.md"))?;
    let table = text.split("| key | who notices | how to change it |").nth(1).context("no table")?;
    let rows: Vec<Vec<&str>> = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split(" | ").collect())
        .collect();
    let codes = |cell: &str| -> Vec<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let mut named = Vec::new();
    let mut tried = 0;
    for row in &rows {
        let [keys, _, cure] = row[..] else { anyhow::bail!("`{row:?}` has {} cells", row.len()) };
        named.extend(codes(keys));
        let lines: Vec<String> = codes(cure).into_iter().filter(|code| code.contains(" = ")).collect();
        tried += lines.len();
        let text = format!(
            "[package]\nname = \"shop\"\nrelease = \"1\"\n[app]\npath = \".\"\nlock = \"pylock.toml\"\n[[target]]\nname = \"el9-x86_64\"\n\
             [service]\ncommand = [\"gunicorn\", \"a:b\"]\nport = 80\n[service.unit]\n{}\n",
            lines.join("\n").replace("NAME", "shop")
        );
        let taken = || {
            let (config, target) = (Config::parse(&text)?, Target::find("el9-x86_64", None, None)?);
            let (root, service) = (config.package.root(), &config.service);
            let facts =
                ServiceFacts { name: "shop", summary: "", root: &root, service, target: &target, server_version: None };
            facts.units(ServiceProgram::Script)
        };
        taken().with_context(|| format!("`{cure}`"))?;
    }
    let lacks: Vec<_> = confinement_keys().filter(|key| !named.iter().any(|name| name == key)).collect();
    ensure!(lacks.is_empty(), "no row for {lacks:?}");
    ensure!(tried > 15, "{tried} lines were tried");
    Ok(())
}

/// What is a row of a table in the code is one in the guide.
#[test]
fn the_guide_has_every_box_lock_and_check_that_cannot_be_accepted() -> anyhow::Result<()> {
    let page = |name: &str| fs::read_to_string(repository().join("xtask/docs").join(name));
    let (boxes, locks, verifying) = (page("boxes.md")?, page("locks.md")?, page("verifying.md")?);
    let mut missing = Vec::new();
    for row in BOXES {
        let payload = match row.compression {
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
        };
        let (major, minor) = row.glibc;
        let end = format!("| manylinux_{major}_{minor} | {} | {payload} |", row.systemd);
        let start = format!("| `{}` | {}.{}", row.id, row.default_python.0, row.default_python.1);
        if !boxes.lines().any(|line| line.starts_with(&start) && line.ends_with(&end)) {
            missing.push(format!("boxes.md: {start} … {end}"));
        }
    }
    for format in LockFormat::all() {
        // Requirements have many names.
        let name = if format.name == "requirements.txt" { "*.txt" } else { format.name };
        if !locks.lines().any(|line| line.starts_with(&format!("| `{name}`"))) {
            missing.push(format!("locks.md: {name}"));
        }
    }
    let sentence = verifying
        .split("What `")
        .find(|part| part.contains("cannot be accepted by anybody"))
        .context("no such sentence")?;
    let named = format!("`{}", sentence.split("cannot be accepted").next().unwrap_or_default());
    let of_package = NEVER.iter().filter(|check| !check.starts_with("box-"));
    missing.extend(
        of_package.filter(|check| !named.contains(&format!("`{check}`"))).map(|check| format!("verifying.md: {check}")),
    );
    ensure!(missing.is_empty(), "the guide lacks:\n{}", missing.join("\n"));
    Ok(())
}
