//! What the check `imports` needs of this host: an interpreter, where the package has no byte-code, and who imports
//! what does not compile.

use crate::templates::COMPILE_ONLY;
use crate::tools::compile_only::{Source, run};
use crate::tools::interpreter;
use crate::tools::interpreter::Interpreter;
use camino::Utf8Path;
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_base::hex::hex;
use wheelhaul_host::{Bounds, Sys};
use wheelhaul_verify::{CompileReport, Evidence, Importers, Module, for_each_source};

/// What compiling the modules of one distribution said.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
struct OfDist {
    faults: BTreeMap<String, String>,
    skipped: BTreeSet<String>,
}

/// Asks this host, and writes the answers into the evidence.
///
/// - Takes: `path`, the file that the evidence is of.
pub(super) fn ask(sys: &Sys, path: &Utf8Path, evidence: &mut Evidence, bar: &ProgressBar) -> anyhow::Result<()> {
    let uncompiled: Vec<Module> = match evidence.without_byte_code() {
        Some(modules) => {
            let modules: Vec<Module> = modules.into_iter().cloned().collect();
            if !modules.is_empty() {
                evidence.host.compiled = reasons(sys, path, evidence, &modules)?.map(Ok);
            }
            modules
        }
        None => {
            let compiled = compiled(sys, path, evidence, bar)?;
            let faults = compiled.as_ref().map(|compiled| &compiled.faults).ok();
            let is_faulty = |module: &&Module| faults.is_some_and(|faults| faults.contains_key(&*module.path));
            let uncompiled = evidence.modules().iter().filter(is_faulty).cloned().collect();
            evidence.host.compiled = Some(compiled);
            uncompiled
        }
    };
    if uncompiled.is_empty() {
        return Ok(());
    }
    bar.set_message("looking for who imports what does not compile");
    let mut importers = Importers::of(&uncompiled);
    let modules = evidence.modules();
    let by_path = modules.iter().map(|module| (&*module.path, module)).collect();
    for_each_source(fs_err::File::open(path)?, evidence, &by_path, &mut |module, source| {
        if let Some(source) = source {
            importers.take(module, &source);
        }
    })?;
    evidence.host.importers = importers.finish();
    Ok(())
}

/// Why the modules that have no byte-code beside others do not compile, where this host has an interpreter to ask.
fn reasons(sys: &Sys, path: &Utf8Path, evidence: &Evidence, of: &[Module]) -> anyhow::Result<Option<CompileReport>> {
    let target = evidence.target.as_ref().and_then(|target| Some((target, target.magic_tag()?)));
    let Some(by) = target.and_then(|(target, tag)| interpreter::find(sys, target, tag).ok()) else { return Ok(None) };
    let said = compile(sys, path, evidence, &of.iter().map(|module| (&*module.path, module)).collect(), &by)?;
    let faults = said.into_values().flat_map(|of| of.faults).collect();
    Ok(Some(CompileReport { by: by.version, faults, ..CompileReport::default() }))
}

/// Compiles the modules, those of a distribution only once; or says why not.
fn compiled(
    sys: &Sys,
    path: &Utf8Path,
    evidence: &Evidence,
    bar: &ProgressBar,
) -> anyhow::Result<Result<CompileReport, String>> {
    let Some(target) = &evidence.target else { return Ok(Err("the target is not known".to_owned())) };
    let Some(tag) = target.magic_tag() else {
        return Ok(Err(format!("this tool does not know CPython {}", target.python())));
    };
    let by = match interpreter::find(sys, target, tag) {
        Ok(by) => by,
        Err(why) => return Ok(Err(format!("the package has no byte-code, and there is {why}"))),
    };
    let modules = evidence.modules();
    let mut dists: BTreeMap<&str, Vec<&Module>> = BTreeMap::new();
    for module in modules {
        dists.entry(&module.dist).or_default().push(module);
    }
    let cache = sys.user_cache("compiled", Bounds::USUAL);
    let keys: BTreeMap<&str, String> = dists.iter().map(|(dist, of)| (*dist, key(evidence, of, &by))).collect();
    let mut said: BTreeMap<&str, OfDist> = BTreeMap::new();
    for (dist, key) in &keys {
        said.extend(cache.read(key).map(|known| (*dist, known)));
    }
    let fresh: BTreeMap<&str, &Module> = modules
        .iter()
        .filter(|module| !said.contains_key(&*module.dist))
        .map(|module| (&*module.path, module))
        .collect();
    if !fresh.is_empty() {
        bar.set_message(format!("compiling {} modules by CPython {}", fresh.len(), by.version));
        for (dist, of) in compile(sys, path, evidence, &fresh, &by)? {
            if let Some(key) = keys.get(dist) {
                cache.keep(sys, key, &of);
            }
            said.insert(dist, of);
        }
    }
    let mut all = CompileReport { by: by.version, ..CompileReport::default() };
    for of in said.into_values() {
        all.faults.extend(of.faults);
        all.skipped.extend(of.skipped);
    }
    Ok(Ok(all))
}

/// Streams the sources of modules to interpreters.
fn compile<'m>(
    sys: &Sys,
    path: &Utf8Path,
    evidence: &Evidence,
    fresh: &BTreeMap<&str, &'m Module>,
    by: &Interpreter,
) -> anyhow::Result<BTreeMap<&'m str, OfDist>> {
    let mut said: BTreeMap<&str, OfDist> = fresh.values().map(|module| (&*module.dist, OfDist::default())).collect();
    let mut skipped = Vec::new();
    let faults = run(sys, by, |queue| {
        for_each_source(fs_err::File::open(path)?, evidence, fresh, &mut |module, source| match source {
            // Who takes them lives as long as this.
            Some(bytes) => drop(queue.send(Source { path: module.path.to_string(), bytes })),
            None => skipped.push(module.path.to_string()),
        })
    })?;
    let of = |path: &str| fresh.get(path).map(|module| &*module.dist);
    for path in skipped {
        if let Some(of) = of(&path).and_then(|dist| said.get_mut(dist)) {
            of.skipped.insert(path);
        }
    }
    for (path, why) in faults {
        if let Some(of) = of(&path).and_then(|dist| said.get_mut(dist)) {
            of.faults.insert(path, why);
        }
    }
    Ok(said)
}

/// Tells what was said of a distribution from all else: by its sources, their paths, the interpreter and the script.
fn key(evidence: &Evidence, of: &[&Module], by: &Interpreter) -> String {
    let mut hasher = Sha256::new_with_prefix(COMPILE_ONLY);
    hasher.update(&by.version);
    for module in of {
        let digest = evidence.described.files.get(&*module.path).map_or("", |row| row.digest.as_str());
        hasher.update(format!("\0{}\0{digest}", module.path));
    }
    hex(&hasher.finalize())
}
