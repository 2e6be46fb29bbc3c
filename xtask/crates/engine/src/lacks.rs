//! What the application's wheel lacks of the files that git tracks: a page without its template is green until it is
//! asked for.

use crate::Project;
use crate::inputs;
use crate::shipped::{Backend, Lacking, cure, lacking};
use crate::tools::git;
use crate::wheelhouse::open_wheel;
use camino::Utf8Path;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use wheelhaul_base::hex::hex;
use wheelhaul_host::{Sys, sha256_of};
use wheelhaul_wheel::{Scheme, WheelName};

/// What a wheel lacks, and how its build backend is told to pack it.
#[derive(Debug, Clone)]
pub(crate) struct Lacks {
    lacking: Vec<Lacking>,
    cure: String,
    /// files that `app.modules` names and git does not track
    untracked: Vec<String>,
}

/// More than a person reads.
const MOST_SHOWN: usize = 10;

impl Lacks {
    /// Compares the wheel with the files of the application.
    pub(crate) fn find(project: &Project, path: &Utf8Path, name: &WheelName) -> anyhow::Result<Self> {
        let app = project.app();
        let config = &project.config.app.config;
        let files: Vec<_> = git::files(&project.sys, &app, inputs::skipped(project))?;
        let entries = project.config.app.modules().map(|modules| modules.entries).unwrap_or_default();
        let is_named = |path: &Utf8Path| entries.iter().any(|module| path.starts_with(&module.0));
        let untracked = files.iter().filter(|file| !file.in_index && is_named(&file.path));
        let untracked = untracked.map(|file| file.path.to_string()).collect();
        let files: Vec<_> = files.into_iter().filter(|file| file.in_index && !config.contains(&file.path)).collect();
        let (_, contents) = open_wheel(path, name)?;
        let packed = contents.files.iter().filter(|placed| !placed.path.starts_with(&contents.dist_info));
        let paths: BTreeSet<&str> = packed
            .clone()
            .filter(|placed| placed.scheme == Scheme::Library)
            .map(|placed| placed.path.as_str())
            .collect();
        let by_name: BTreeSet<(&str, String)> =
            packed.clone().map(|placed| (file_name(&placed.path), hex(placed.digest.bytes()))).collect();
        let is_elsewhere = |path: &str| {
            let Some(file) = files.iter().find(|file| file.path == path) else { return false };
            let name = file_name(path);
            by_name.iter().any(|(known, _)| *known == name)
                && match file.to_lf {
                    true => file.read(&app).ok().map(|bytes| hex(&Sha256::digest(bytes))),
                    false => sha256_of(&app.join(path)).ok(),
                }
                .is_some_and(|digest| by_name.contains(&(name, digest)))
        };
        let tracked: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        let lacking = lacking(&tracked, &paths, &is_elsewhere);
        let packages: BTreeSet<&str> =
            paths.iter().filter_map(|path| path.split_once('/')).map(|(top, _)| top).collect();
        let backend = match project.config.app.modules() {
            Some(_) => Backend::Modules,
            None => Backend::of(&project.sys.read_text(&app.join("pyproject.toml")).unwrap_or_default()),
        };
        let cure = cure(backend, &lacking, &packages);
        Ok(Self { lacking, cure, untracked })
    }

    /// The paths, relative to the application's folder.
    pub(crate) fn paths(&self) -> Vec<&str> {
        self.lacking.iter().map(|one| one.path.as_str()).collect()
    }

    /// Says it on standard error, where there is something.
    pub(crate) fn warn(&self, sys: &Sys) {
        if let Some(first) = self.untracked.first() {
            let more = self.untracked.len() - 1;
            let others = if more > 0 { format!(" and {more} more") } else { String::new() };
            sys.say(format!("warning: git does not track `{first}`{others}: not packed before `git add`"));
        }
        if self.lacking.is_empty() {
            return;
        }
        let mut shown: Vec<String> = self.lacking.iter().take(MOST_SHOWN).map(ToString::to_string).collect();
        if self.lacking.len() > MOST_SHOWN {
            shown.push(format!("and {} more", self.lacking.len() - MOST_SHOWN));
        }
        let cure = self.cure.replace('\n', "\nhint: ");
        sys.say(format!("warning: git tracks what the application's wheel lacks: {}\nhint: {cure}", shown.join(", ")));
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
