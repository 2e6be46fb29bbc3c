//! The build backend of the application: its wheels stay in `dist/wheels/tools`, with their digests in a list, so that a
//! build without a network uses the same.

use crate::tools::backend_wheels::Kept;
use crate::tools::pip::Pip;
use crate::tools::python::wheels_of_tools;
use crate::tools::uv::Uv;
use anyhow::Context as _;
use camino::Utf8Path;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use wheelhaul_base::hex::hex;
use wheelhaul_base::problem::Problem;
use wheelhaul_base::toml_text;
use wheelhaul_host::{Stop, Sys, sha256_of};
use wheelhaul_select::Candidate;

/// `[build-system]` of a project (PEP 518); without one, what pip and uv take for it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct BuildSystem {
    /// requirements of the backend
    requires: Vec<String>,
    /// `MODULE:OBJECT`
    build_backend: String,
    /// folders of the project that the backend is imported from
    backend_path: Vec<String>,
}

impl Default for BuildSystem {
    fn default() -> Self {
        Self {
            requires: vec!["setuptools>=40.8.0".to_owned()],
            build_backend: "setuptools.build_meta:__legacy__".to_owned(),
            backend_path: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
struct Project {
    #[serde(rename = "build-system", default)]
    build_system: BuildSystem,
}

impl BuildSystem {
    /// Reads the project file of the application's folder.
    pub(crate) fn of(sys: &Sys, app: &Utf8Path) -> anyhow::Result<Self> {
        let path = app.join("pyproject.toml");
        match path.is_file() {
            true => {
                let read = || toml_text::read::<Project>(&sys.read_text(&path)?, "");
                Ok(read().with_context(|| format!("`{path}`"))?.build_system)
            }
            false => Ok(Self::default()),
        }
    }

    /// What is required for it, in words.
    pub(crate) fn in_words(&self) -> String {
        match self.requires.as_slice() {
            [] => self.build_backend.clone(),
            requires => requires.join(", "),
        }
    }

    /// The wheels that are kept for it; `None` if one of them is not there, or the list is another backend's.
    pub(crate) fn kept(&self, sys: &Sys) -> anyhow::Result<Option<Kept>> {
        let folder = wheels_of_tools(sys);
        let list = folder.join("backend.txt");
        if !list.is_file() {
            return Ok(None);
        }
        let text = sys.read_text(&list)?;
        let mut lines = text.lines();
        if lines.next() != Some(self.title()?.as_str()) {
            return Ok(None);
        }
        for line in lines {
            let Some((release, file)) = line.split_once(" # ") else { return Ok(None) };
            let digest = release.rsplit_once("sha256:").map(|(_, digest)| digest);
            // A name, and nothing that leads elsewhere.
            let path = folder.join(Utf8Path::new(file).file_name().unwrap_or_default());
            if !path.is_file() || Some(sha256_of(&path)?.as_str()) != digest {
                return Ok(None);
            }
        }
        Ok(Some(Kept { folder, list }))
    }

    /// Downloads its wheels, and those that it asks for itself to build a wheel of `source`.
    pub(crate) fn keep(&self, sys: &Sys, source: &Utf8Path, app: &Utf8Path, stop: &Stop) -> anyhow::Result<Kept> {
        let (uv, pip) = (Uv::find(sys)?, Pip::find(sys)?);
        let kept = Kept { list: wheels_of_tools(sys).join("backend.txt"), folder: wheels_of_tools(sys) };
        let python = uv.python(source)?;
        let fetch = |requires: &[String]| -> anyhow::Result<()> {
            let files = uv.wheels_for(requires, &python, app)?;
            self.fetch(sys, &pip, &files, &kept, stop)
        };
        fetch(&self.requires)?;
        let more = uv.asks_for(&serde_json::to_string(self)?, source, &kept, &python, stop)?;
        if !more.is_empty() {
            fetch(&[self.requires.as_slice(), &more].concat())?;
        }
        Ok(kept)
    }

    fn fetch(&self, sys: &Sys, pip: &Pip, files: &[Candidate], kept: &Kept, stop: &Stop) -> anyhow::Result<()> {
        fs_err::create_dir_all(&kept.folder)?;
        let is_there = |file: &&Candidate| {
            let path = kept.folder.join(file.name.to_string());
            path.is_file() && sha256_of(&path).is_ok_and(|sha256| sha256 == file.sha256)
        };
        let missing: Vec<&Candidate> = files.iter().filter(|file| !is_there(file)).collect();
        if !missing.is_empty() {
            pip.download_here(sys, &missing, &kept.folder, stop)?;
        }
        let mut text = self.title()? + "\n";
        for file in files {
            let (name, sha256) = (&file.name, &file.sha256);
            if !is_there(&file) {
                return Err(Problem::with_hint(
                    format!("`{name}` came with other bytes than the index says"),
                    "ask whoever runs the index",
                ));
            }
            text.push_str(&format!("{}=={} --hash=sha256:{sha256} # {name}\n", name.name, name.version));
        }
        sys.write(&kept.list, text.as_bytes())
    }

    /// The first line of its list.
    fn title(&self) -> anyhow::Result<String> {
        Ok(format!("# The build backend of the application: {}", hex(&Sha256::digest(serde_json::to_vec(self)?))))
    }
}
