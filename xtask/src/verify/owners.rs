//! Which distribution brought which file, by the RECORDs.

use crate::verify::Evidence;
use crate::verify::python::absolute;
use crate::wheel::{Metadata, Record};
use std::collections::HashMap;

/// The distributions of a package, and their files.
pub struct Owners<'a> {
    /// in the order of their folders
    pub dists: Vec<Owner<'a>>,
    by_path: HashMap<String, usize>,
}

/// A distribution.
pub struct Owner<'a> {
    /// `/opt/NAME/lib/NAME-VERSION.dist-info`
    pub dist_info: &'a str,
    /// normalized; that of the folder where METADATA cannot be read
    pub name: String,
    /// none where it cannot be read
    pub metadata: Option<Metadata>,
    /// whether it is the application itself
    pub is_application: bool,
}

impl<'a> Owners<'a> {
    /// A file that two RECORDs list is the first one's; what other checks find fault with, a RECORD that cannot be read,
    /// owns nothing.
    pub fn of(evidence: &'a Evidence) -> Self {
        let mut owners = Self { dists: Vec::new(), by_path: HashMap::new() };
        for (place, dist_info) in evidence.dist_infos().into_iter().enumerate() {
            let (base, folder) = dist_info.rsplit_once('/').unwrap_or(("", dist_info));
            let text = |name: &str| evidence.texts.get(&format!("{dist_info}/{name}"));
            let metadata = text("METADATA").and_then(|text| Metadata::parse(text).ok());
            let of_folder = || folder.split('-').next().unwrap_or_default().to_owned();
            let name = metadata.as_ref().map_or_else(of_folder, |metadata| metadata.name.to_string());
            let is_application = base == evidence.root();
            owners.dists.push(Owner { dist_info, name, metadata, is_application });
            let Some(Ok(record)) = text("RECORD").map(|text| Record::parse(text)) else { continue };
            for relative in record.rows.keys() {
                owners.by_path.entry(absolute(base, relative)).or_insert(place);
            }
        }
        owners
    }

    /// Whose a file is: its place in `dists`. Byte-code is its source's.
    pub fn place_of(&self, path: &str) -> Option<usize> {
        self.by_path.get(path).or_else(|| self.by_path.get(&source_of(path)?)).copied()
    }

    /// The name of whose a file is.
    pub fn name_of(&self, path: &str) -> Option<&str> {
        self.place_of(path).map(|place| self.dists[place].name.as_str())
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
