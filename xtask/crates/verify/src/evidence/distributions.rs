//! The distributions that are installed, each RECORD and METADATA read once for all checks.

use crate::Evidence;
use std::collections::HashMap;
use std::sync::Arc;
use wheelhaul_wheel::{Digest, Metadata, WheelRecord};

/// What the RECORDs and METADATAs of a package say.
#[derive(Debug, Default)]
pub struct Distributions {
    /// in the order of their folders
    pub all: Vec<InstalledDistribution>,
    /// by the paths of the package that a RECORD lists
    owners: HashMap<Arc<str>, Listing>,
}

/// A distribution.
#[derive(Debug)]
pub struct InstalledDistribution {
    /// `/opt/NAME/lib/NAME-VERSION.dist-info`
    pub info: Arc<str>,
    /// its METADATA, or why it cannot be read; none where it is not there, or is no text
    pub metadata: Option<anyhow::Result<Metadata>>,
    /// its RECORD's rows sorted by path, or why it cannot be read; none where it is not there, or is no text
    pub record: Option<anyhow::Result<Vec<Listed>>>,
}

/// A row of a RECORD.
#[derive(Debug)]
pub struct Listed {
    /// as it stands there
    pub relative: String,
    /// none where it has none
    pub digest: Option<Digest>,
    /// where on the box; none where the package has no such file
    pub path: Option<Arc<str>>,
}

/// Which RECORDs list a file.
#[derive(Debug, Clone, Copy)]
struct Listing {
    /// a place in [`Distributions::all`]
    first: usize,
    /// whether one does that lies in the folder of dependencies
    is_in_library: bool,
}

impl InstalledDistribution {
    /// The folder that it is imported from.
    pub fn folder(&self) -> &str {
        self.info.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// What its RECORD lists; nothing where it cannot be read.
    pub fn listed(&self) -> &[Listed] {
        self.record.as_ref().and_then(|record| record.as_deref().ok()).unwrap_or_default()
    }

    /// Its METADATA, where it can be read.
    pub fn readable(&self) -> Option<&Metadata> {
        self.metadata.as_ref()?.as_ref().ok()
    }
}

impl Distributions {
    /// Whose a file is: a place in [`Self::all`]. A file that two RECORDs list is the first one's.
    pub fn owner_of(&self, path: &str) -> Option<usize> {
        self.owners.get(path).map(|listing| listing.first)
    }

    /// Whether the RECORD of a dependency lists a file.
    pub fn is_of_dependency(&self, path: &str) -> bool {
        self.owners.get(path).is_some_and(|listing| listing.is_in_library)
    }

    /// How many files of the package RECORDs list.
    pub fn files(&self) -> usize {
        self.owners.len()
    }

    fn read(evidence: &Evidence) -> Self {
        let mut found = Self::default();
        let library = evidence.library();
        let mut path = String::new();
        for info in dist_infos(evidence) {
            let text = |name: &str| evidence.texts.get(&format!("{info}/{name}"));
            let mut dist = InstalledDistribution {
                info: info.into(),
                metadata: text("METADATA").map(|text| Metadata::parse(text)),
                record: None,
            };
            let record = text("RECORD").map(|text| WheelRecord::parse(text));
            let base = dist.folder();
            let is_in_library = base == library;
            let place = found.all.len();
            let mut place_of = |relative: &str| {
                resolve(base, relative, &mut path);
                if let Some((known, listing)) = found.owners.get_key_value(path.as_str()) {
                    let (known, listing) = (Arc::clone(known), *listing);
                    if is_in_library && !listing.is_in_library {
                        found.owners.insert(Arc::clone(&known), Listing { is_in_library, ..listing });
                    }
                    return Some(known);
                }
                // A path is kept once, however often and in however many spellings it is listed.
                let new: Arc<str> = evidence.has(&path).then(|| path.as_str().into())?;
                found.owners.insert(Arc::clone(&new), Listing { first: place, is_in_library });
                Some(new)
            };
            let record = record.map(|record| {
                let rows = record?.rows.into_iter();
                let listed = rows.map(|(relative, row)| {
                    let path = place_of(&relative);
                    Listed { relative, digest: row.digest, path }
                });
                Ok(listed.collect())
            });
            dist.record = record;
            found.all.push(dist);
        }
        found
    }
}

impl Evidence {
    /// The distributions in the two folders that are imported from. What a distribution brings in a folder of its own
    /// is none of these, as it is none to `importlib.metadata`.
    pub fn distributions(&self) -> &Distributions {
        self.distributions.get_or_init(|| Distributions::read(self))
    }
}

/// The `*.dist-info` folders, sorted.
fn dist_infos(evidence: &Evidence) -> Vec<&str> {
    let library = evidence.library();
    let is_imported_from = |folder: &str| folder == evidence.root() || folder == library;
    evidence
        .described
        .files
        .keys()
        .filter_map(|path| path.strip_suffix("/METADATA"))
        .filter(|path| path.ends_with(".dist-info"))
        .filter(|path| path.rsplit_once('/').is_some_and(|(folder, _)| is_imported_from(folder)))
        .collect()
}

/// Resolves a path of RECORD against the folder that it is relative to.
pub(crate) fn absolute(base: &str, relative: &str) -> String {
    let mut path = String::new();
    resolve(base, relative, &mut path);
    path
}

/// [`absolute`], into a text that is there.
fn resolve(base: &str, relative: &str, path: &mut String) {
    path.clear();
    if relative.starts_with('/') {
        path.push_str(relative);
        return;
    }
    path.push_str(base);
    for part in relative.split('/') {
        match part {
            ".." => path.truncate(path.rfind('/').unwrap_or(0)),
            "." | "" => {}
            part => {
                path.push('/');
                path.push_str(part);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_record_are_resolved() {
        #[rustfmt::skip]
        let cases = [
            ("a/b.py",             "/opt/x/lib/a/b.py"),
            ("../bin/flask",       "/opt/x/bin/flask"),
            ("/etc/x",             "/etc/x"),
            ("./a//b/./c",         "/opt/x/lib/a/b/c"),
            ("a/../b",             "/opt/x/lib/b"),
            ("../../../../../etc", "/etc"),
            ("",                   "/opt/x/lib"),
        ];
        for (relative, expected) in cases {
            assert_eq!(absolute("/opt/x/lib", relative), expected, "{relative}");
        }
    }
}
