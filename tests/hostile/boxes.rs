//! The bases that are fine: a wheel, an application, and the whole way from wheels to an RPM.

use crate::zip::{Entry, Zip};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use camino::Utf8PathBuf;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::io::Cursor;
use std::sync::Arc;
use wheelhaul_boxes::{Compression, Target};
use wheelhaul_config::{Config, Dependencies};
use wheelhaul_package::layout::{Layout, Parts, Wheel, lay_out};
use wheelhaul_package::rpm::{ChangelogEntry, KeptPieces, NothingKept, PackageFacts, RpmPackage, RpmPlan, rpm_version};
use wheelhaul_package::service;
use wheelhaul_package::tree::Tree;
use wheelhaul_pylock::{Lock, LockedPackage};
use wheelhaul_wheel::elf::{OfWheel, highest, needs_of};
use wheelhaul_wheel::{Archive, Contents, library_digest};

pub const CONFIG: &str = "[package]\nname = \"demo\"\nrelease = \"1\"\n[app]\npath = \"app\"\nlock = \"app/requirements.txt\"\n\
    config = [\"config.yaml\"]\n[[target]]\nname = \"el9-x86_64\"\npython = \"3.11\"\n[service]\n\
    command = [\"serve\", \"--bind\", \"{address}:{port}\"]\nport = 9091\ntls = \"off\"\n";

pub fn target() -> Target {
    Target::find("el9-x86_64", Some("3.11"), None).unwrap()
}

/// A wheel as its files; RECORD is made from them unless it is given.
#[derive(Clone)]
pub struct Draft {
    pub file_name: String,
    pub dist_info: String,
    pub files: Vec<(String, Vec<u8>)>,
    pub record: Option<String>,
}

impl Draft {
    /// `NAME-1.0-py3-none-any.whl` with a module and the metadata that it must have.
    pub fn of(name: &str) -> Self {
        let dist_info = format!("{name}-1.0.dist-info");
        let draft = Self {
            file_name: format!("{name}-1.0-py3-none-any.whl"),
            dist_info: dist_info.clone(),
            files: Vec::new(),
            record: None,
        };
        draft
            .with(&format!("{name}.py"), "def main():\n    pass\n")
            .with(&format!("{dist_info}/METADATA"), &format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"))
            .with(&format!("{dist_info}/WHEEL"), "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    }

    /// The application, which has the program that the service starts.
    pub fn app() -> Self {
        Self::of("demoapp").with("demoapp-1.0.dist-info/entry_points.txt", "[console_scripts]\nserve = demoapp:main\n")
    }

    /// Adds a file, or replaces it.
    pub fn with(mut self, path: &str, content: &str) -> Self {
        self.files.retain(|(other, _)| other != path);
        self.files.push((path.to_owned(), content.as_bytes().to_vec()));
        self
    }

    pub fn without(mut self, path: &str) -> Self {
        self.files.retain(|(other, _)| other != path);
        self
    }

    pub fn named(mut self, file_name: &str) -> Self {
        self.file_name = file_name.to_owned();
        self
    }

    /// RECORD as the files have it.
    pub fn honest_record(&self) -> String {
        let rows = self.files.iter().map(|(path, content)| {
            let path =
                if path.contains([',', '"']) { format!("\"{}\"", path.replace('"', "\"\"")) } else { path.clone() };
            format!("{path},{},{}\n", digest(content), content.len())
        });
        format!("{}{}/RECORD,,\n", rows.collect::<String>(), self.dist_info)
    }

    /// Changes RECORD.
    pub fn record(mut self, change: impl FnOnce(String) -> String) -> Self {
        self.record = Some(change(self.honest_record()));
        self
    }

    pub fn zip(&self) -> Zip {
        let mut entries: Vec<Entry> = self.files.iter().map(|(path, content)| Entry::deflated(path, content)).collect();
        let record = self.record.clone().unwrap_or_else(|| self.honest_record());
        entries.push(Entry::deflated(&format!("{}/RECORD", self.dist_info), record.as_bytes()));
        Zip::of(entries)
    }

    pub fn open(&self) -> anyhow::Result<Wheel<Vec<u8>>> {
        open(&self.file_name, self.zip().bytes())
    }
}

pub fn digest(content: &[u8]) -> String {
    format!("sha256={}", BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(content)))
}

/// Opens a wheel as the tool does.
pub fn open(file_name: &str, bytes: Vec<u8>) -> anyhow::Result<Wheel<Vec<u8>>> {
    let name = file_name.parse()?;
    let size = bytes.len() as u64;
    let sha256 = wheelhaul_base::hex::hex(&Sha256::digest(&bytes));
    let archive = Archive::open(bytes, size)?;
    let contents = Contents::read(&archive, &name)?;
    Ok(Wheel { name, sha256, archive, checked: Arc::default(), contents, byte_code: None, mtime: 1_700_000_000 })
}

/// Lays out wheels, the application as the last, and packs them.
pub fn pack(drafts: &[Draft]) -> anyhow::Result<(Layout, Vec<u8>)> {
    let wheels = drafts.iter().map(Draft::open).collect::<anyhow::Result<Vec<_>>>()?;
    pack_wheels(&wheels)
}

pub fn pack_wheels(wheels: &[Wheel<Vec<u8>>]) -> anyhow::Result<(Layout, Vec<u8>)> {
    pack_otherwise(wheels, |_, _| (), |_| ())
}

/// The lock of wheels, the application's being the last.
fn lock_of(wheels: &[Wheel<Vec<u8>>]) -> Lock {
    let package = |wheel: &Wheel<Vec<u8>>| LockedPackage {
        name: wheel.name.name.clone(),
        version: wheel.name.version.clone(),
        wheel: wheel.name.clone(),
        size: None,
        sha256: "ab".repeat(32),
        uploaded: None,
        built_from: None,
        contents: library_digest(&wheel.archive, &wheel.contents).ok(),
        requires: Vec::new(),
    };
    let mut packages: Vec<LockedPackage> = wheels.iter().rev().skip(1).map(package).collect();
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    packages.dedup_by(|a, b| a.name == b.name);
    let target = target();
    Lock {
        target: target.name.clone(),
        python_full: target.python_full.to_string(),
        record: target.record(),
        inputs: String::new(),
        rules: String::new(),
        unmet: Vec::new(),
        packages,
    }
}

/// Packs wheels with another lock or SBOM, or another tree, than is theirs.
pub fn pack_otherwise(
    wheels: &[Wheel<Vec<u8>>],
    documents: impl FnOnce(&mut Lock, &mut String),
    tree: impl FnOnce(&mut Tree),
) -> anyhow::Result<(Layout, Vec<u8>)> {
    pack_by(target().distribution.compression, wheels, documents, tree)
}

/// Packs wheels by another compression than that of their box.
pub fn pack_by(
    compression: Compression,
    wheels: &[Wheel<Vec<u8>>],
    documents: impl FnOnce(&mut Lock, &mut String),
    tree: impl FnOnce(&mut Tree),
) -> anyhow::Result<(Layout, Vec<u8>)> {
    pack_into(compression, wheels, &NothingKept, documents, tree)
}

/// Packs wheels, with pieces that are kept.
pub fn pack_into(
    compression: Compression,
    wheels: &[Wheel<Vec<u8>>],
    kept: &dyn KeptPieces,
    documents: impl FnOnce(&mut Lock, &mut String),
    tree: impl FnOnce(&mut Tree),
) -> anyhow::Result<(Layout, Vec<u8>)> {
    let config = Config::parse(CONFIG)?;
    let target = target();
    let mut lock = lock_of(wheels);
    let component = |package: &LockedPackage| {
        let hashes = json!([{"alg": "SHA-256", "content": package.sha256}]);
        json!({"name": package.name.to_string(), "version": package.version.to_string(), "hashes": hashes})
    };
    let components: Vec<Value> = lock.packages.iter().map(component).collect();
    let mut sbom = json!({"bomFormat": "CycloneDX", "components": components}).to_string();
    documents(&mut lock, &mut sbom);
    let mut layout = lay_out(&Parts {
        config: &config,
        target: &target,
        wheels,
        config_files: &[(Utf8PathBuf::from("config.yaml"), b"a: 1\n".to_vec())],
        lock_text: &lock.to_text(&target)?,
        install_notes: "notes\n",
        sbom: &sbom,
        summary: "A demo",
        epoch: 1_700_000_000,
    })?;
    tree(&mut layout.tree);
    let version = "1.0".parse()?;
    let of_wheel = |wheel: &Wheel<Vec<u8>>| OfWheel::read(&wheel.archive, &wheel.contents);
    let elf = wheels.iter().map(of_wheel).collect::<anyhow::Result<Vec<_>>>()?;
    let facts = PackageFacts {
        name: "demo",
        version: &version,
        release: "1",
        target: &target,
        needs_openssl: false,
        has_config: false,
        libraries: highest(needs_of(&elf, &[]).concat()),
        others: Dependencies::default(),
        bundled: Vec::new(),
    };
    let texts = service::ServiceFacts {
        name: "demo",
        summary: "A demo",
        root: "/opt/demo",
        service: &config.service,
        target: &target,
        server_version: None,
    };
    let package = RpmPackage {
        name: "demo".to_owned(),
        epoch: None,
        version: rpm_version(&version).1,
        release: facts.full_release(),
        arch: target.arch.to_owned(),
        summary: "A demo".to_owned(),
        description: "A demo".to_owned(),
        license: "MIT".to_owned(),
        url: None,
        vendor: None,
        requires: facts.requires(),
        provides: facts.provides(),
        suggests: facts.suggests(&[]),
        recommends: Vec::new(),
        conflicts: Vec::new(),
        obsoletes: Vec::new(),
        scriptlets: texts.scriptlets(layout.program)?,
        change: ChangelogEntry::new("Example", &facts.evr(), "nothing", 1_700_000_000),
        build_time: 1_700_000_000,
        compression,
        level: 1,
    };
    let mut out = Cursor::new(Vec::new());
    RpmPlan::new(&package, &layout.tree, wheels)?.write(kept, &mut out)?;
    Ok((layout, out.into_inner()))
}

/// The paths of a layout.
pub fn paths(layout: &Layout) -> Vec<String> {
    layout.tree.entries().map(|(path, _)| path.to_string()).collect()
}
