//! Which distribution brought which file, by the RECORDs.

use crate::{Distributions, Evidence};
use wheelhaul_wheel::{Metadata, WheelFile};

/// The distributions of a package, and their files.
pub struct Owners<'a> {
    /// in the order of their folders
    pub dists: Vec<Owner<'a>>,
    distributions: &'a Distributions,
}

/// A distribution.
pub struct Owner<'a> {
    /// `/opt/NAME/lib/NAME-VERSION.dist-info`
    pub dist_info: &'a str,
    /// normalized; that of the folder where METADATA cannot be read
    pub name: String,
    /// none where it cannot be read
    pub metadata: Option<&'a Metadata>,
    /// whether it is the application itself
    pub is_application: bool,
}

impl<'a> Owners<'a> {
    /// A file that two RECORDs list is the first one's; what other checks find fault with, a RECORD that cannot be read,
    /// owns nothing.
    pub fn of(evidence: &'a Evidence) -> Self {
        let distributions = evidence.distributions();
        let dists = distributions.all.iter().map(|dist| {
            let metadata = dist.readable();
            let folder = dist.info.rsplit('/').next().unwrap_or_default();
            let of_folder = || folder.split('-').next().unwrap_or_default().to_owned();
            let name = metadata.map_or_else(of_folder, |metadata| metadata.name.to_string());
            Owner { dist_info: &dist.info, name, metadata, is_application: dist.folder() == evidence.root() }
        });
        Self { dists: dists.collect(), distributions }
    }

    /// Whose a file is: its place in `dists`. Byte-code is its source's.
    pub fn place_of(&self, path: &str) -> Option<usize> {
        let of = |path: &str| self.distributions.owner_of(path);
        of(path).or_else(|| of(&source_of(path)?))
    }

    /// The name of whose a file is.
    pub fn name_of(&self, path: &str) -> Option<&str> {
        self.place_of(path).map(|place| self.dists[place].name.as_str())
    }
}

impl Owner<'_> {
    /// Whether its WHEEL says that it is for any platform.
    pub fn is_any(&self, evidence: &Evidence) -> bool {
        let text = evidence.texts.get(&format!("{}/WHEEL", self.dist_info));
        text.and_then(|text| WheelFile::parse(text).ok()).is_some_and(|file| file.is_any())
    }
}

/// The source of a file of byte-code: `a/__pycache__/b.cpython-311.pyc` was compiled from `a/b.py`.
fn source_of(path: &str) -> Option<String> {
    let (folder, name) = path.rsplit_once("/__pycache__/")?;
    let (module, _) = name.split_once('.')?;
    Some(format!("{folder}/{module}.py"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_code_belongs_to_its_source() {
        #[rustfmt::skip]
        let cases = [
            ("/opt/x/lib/a/__pycache__/b.cpython-311.pyc",       Some("/opt/x/lib/a/b.py")),
            ("/opt/x/lib/a/__pycache__/b.cpython-311.opt-1.pyc", Some("/opt/x/lib/a/b.py")),
            ("/opt/x/lib/a/b.py",                                None),
        ];
        for (path, source) in cases {
            assert_eq!(source_of(path).as_deref(), source, "{path}");
        }
    }
}
