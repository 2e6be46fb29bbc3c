//! Modules that compile, and byte-code that is of its source: held against the Pythons of this host.

use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use checkout::command::{Finished, run};
use checkout::{Checkout, list, tool_in};
use fs_err as fs;
use installers::Tools;
use std::process::Command;
use wheelhaul_base::hex::hex;
use wheelhaul_boxes::MagicTag;
use wheelhaul_engine::tools::interpreter::candidates;
use wheelhaul_wheel::SourceHash;

#[allow(dead_code, reason = "each test that checks the sample out uses a part of it")]
mod checkout;
#[allow(dead_code, reason = "the comparing tests use more of it")]
mod installers;

/// Prints the hashes of sources of many lengths, then the tag.
const HASHES: &str = "import sys, importlib.util as u
for size in list(range(40)) + [1000, 65535, 65536, 300001]:
    print(u.source_hash(bytes((i * 7 + size) % 251 for i in range(size))).hex())
print(sys.implementation.cache_tag)";

#[test]
fn sources_have_the_hash_that_each_python_of_this_host_says() -> anyhow::Result<()> {
    let mut asked = Vec::new();
    for minor in 7..=14 {
        for python in candidates(&format!("3.{minor}")) {
            let Ok(said) = run(Command::new(&python).args(["-I", "-S", "-c", HASHES])).and_then(|said| said.text())
            else {
                continue;
            };
            let mut theirs: Vec<&str> = said.lines().collect();
            let name = format!("x.{}.pyc", theirs.pop().context("the tag")?);
            let Some(tag) = MagicTag::of_name(&name) else { continue };
            let sizes = (0..40).chain([1000, 65_535, 65_536, 300_001]);
            let ours: Vec<String> = sizes
                .map(|size: usize| {
                    let source: Vec<u8> = (0..size).map(|at| ((at * 7 + size) % 251) as u8).collect();
                    let mut hash = SourceHash::new(tag);
                    // In pieces, as a payload is read.
                    source.chunks(1021).for_each(|piece| hash.take(piece));
                    hex(&hash.finish())
                })
                .collect();
            ensure!(ours == theirs, "{python}, {name}");
            asked.push(tag.to_string());
        }
    }
    asked.sort();
    asked.dedup();
    println!("hashes compared with those of {}", asked.join(", "));
    ensure!(!asked.is_empty(), "this host has no CPython from 3.7 to 3.14");
    Ok(())
}

/// The sample for a box like this host, without byte-code.
struct Sample {
    checkout: Checkout,
    folder: Utf8PathBuf,
}

impl Sample {
    fn new() -> anyhow::Result<Self> {
        let tools = Tools::prepare()?;
        let checkout = Checkout::new("modules-")?;
        let folder = checkout.dir()?;
        tools.describe_host(&folder)?;
        let sample = Self { checkout, folder };
        sample.edit("dist/package.toml", "[package]\n", "[package]\nbyte-code = false\n")?;
        sample.checkout.commit("no byte-code")?;
        let made = run(tools.first_on_path(&mut tool_in(&sample.folder, &["lock"])))?;
        ensure!(made.succeeded(), "{made}");
        sample.checkout.commit("locked")?;
        Ok(sample)
    }

    fn edit(&self, path: &str, from: &str, to: &str) -> anyhow::Result<()> {
        let path = self.folder.join(path);
        let text = fs::read_to_string(&path)?;
        ensure!(text.contains(from), "`{path}` has no `{from}`");
        Ok(fs::write(&path, text.replacen(from, to, 1))?)
    }

    /// Writes modules of the application, none for one that goes, and makes the RPM.
    fn packed_with(&self, modules: &[(&str, Option<&str>)]) -> anyhow::Result<Utf8PathBuf> {
        for (path, text) in modules {
            let path = self.folder.join("python-app/src").join(path);
            fs::create_dir_all(path.parent().context("a folder")?)?;
            match text {
                Some(text) => fs::write(&path, text)?,
                None => fs::remove_file(&path)?,
            }
        }
        self.checkout.commit("modules")?;
        let made = run(&mut tool_in(&self.folder, &["rpm", "--offline"]))?;
        ensure!(made.succeeded(), "{made}");
        let out = self.folder.join("dist/out");
        let name = list(&out)?.into_iter().find(|name| name.ends_with(".rpm")).context("no RPM")?;
        Ok(out.join(name))
    }

    /// In a cache of its own.
    fn verified(&self) -> anyhow::Result<Finished> {
        run(tool_in(&self.folder, &["verify"]).env("XDG_CACHE_HOME", self.folder.join("target/cache")))
    }
}

fn files_of(folder: &Utf8Path) -> anyhow::Result<Vec<Utf8PathBuf>> {
    Ok(list(folder)?.iter().map(|name| folder.join(name)).collect())
}

#[test]
fn modules_are_compiled_on_this_host_where_no_byte_code_is_shipped() -> anyhow::Result<()> {
    let sample = Sample::new()?;
    let deep = format!("x = {}1{}\n", "(".repeat(5000), ")".repeat(5000));
    let rpm = sample.packed_with(&[
        ("broken.py", Some("def f(:\n")),
        ("deep.py", Some(deep.as_str())),
        ("zero.py", Some("x = '\0'\n")),
        ("coded.py", Some("# coding: no-such\n")),
        ("run.py", Some("raise SystemExit('it was run')\n")),
        ("test_two.py", Some("print 'of Python 2'\n")),
        ("{{ name }}.py", Some("{{ name }} is no Python\n")),
    ])?;
    let first = sample.verified()?;
    let lines: Vec<&str> = first.stdout.lines().collect();
    ensure!(first.code == Some(1) && lines.iter().any(|line| line.starts_with("  FAILED    imports ")), "{first}");
    for name in ["broken", "deep", "zero", "coded"] {
        let shown = format!("/src/{name}.py: ");
        ensure!(lines.iter().any(|line| line.contains(&shown) && line.contains("the application's own")), "{first}");
    }
    ensure!(first.stdout.matches("expected: a module that Python").count() == 4, "{first}");
    ensure!(first.stdout.contains("; 1 module that nothing imports"), "{first}");

    // The same from what was kept, and from what was kept and damaged.
    let kept = sample.folder.join("target/cache/xtask/kept/compiled");
    let files = files_of(&kept)?;
    ensure!(files.len() > 10, "{files:?}");
    ensure!(sample.verified()?.stdout == first.stdout);
    for (place, path) in files.iter().enumerate() {
        let text = fs::read_to_string(path)?;
        let damaged = [text.replace("line 1", "line 2"), text[..text.len() / 2].to_owned(), "{}".to_owned()];
        fs::write(path, &damaged[place % 3])?;
    }
    let again = sample.verified()?;
    ensure!(again.stdout == first.stdout, "{again}");

    // Without a repository; and where there is no interpreter.
    let alone = tempfile::Builder::new().prefix("alone-").tempdir()?;
    let alone = Utf8Path::from_path(alone.path()).context("UTF-8")?;
    let copy = alone.join("package.rpm");
    fs::copy(&rpm, &copy)?;
    let cache = alone.join("cache");
    let said = run(tool_in(alone, &["verify", "package.rpm"]).env("XDG_CACHE_HOME", &cache))?;
    ensure!(said.stdout.contains("/src/broken.py: line 1"), "{said}");
    ensure!(files_of(&cache.join("xtask/kept/compiled"))?.len() == files.len(), "{said}");
    ensure!(!alone.join("target").exists(), "it left something beside the package");
    let mut blind = tool_in(alone, &["verify", "package.rpm"]);
    blind.env("PATH", "/nonexistent").env("HOME", alone).env_remove("PYENV_ROOT").env_remove("XDG_CACHE_HOME");
    let blind = run(&mut blind)?;
    ensure!(blind.code == Some(0), "{blind}");
    ensure!(
        blind.stdout.contains("  NOT MADE  imports      the package has no byte-code, and there is no CPython 3."),
        "{blind}"
    );

    let gone = ["broken.py", "deep.py", "zero.py", "coded.py"].map(|path| (path, None));
    sample.packed_with(&gone)?;
    let fine = sample.verified()?;
    ensure!(fine.succeeded() && fine.stdout.contains("  ok        imports "), "{fine}");

    // What the service starts with is looked for in its module.
    sample.edit("dist/package.toml", "src.app:app", "src.app:application")?;
    sample.checkout.commit("another object")?;
    sample.packed_with(&[("run.py", None)])?;
    let misspelt = sample.verified()?;
    ensure!(
        misspelt.code == Some(1) && misspelt.stdout.contains("needs `application` of the module `src.app`"),
        "{misspelt}"
    );
    Ok(())
}
