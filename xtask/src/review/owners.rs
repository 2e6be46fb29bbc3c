//! Which distribution brought which file, by the RECORDs.

use crate::verify::{Evidence, absolute};
use crate::wheel::{Metadata, Record};
use std::collections::HashMap;

/// Every distribution with its files.
pub(super) struct Owners<'a> {
    /// in the order of their folders
    pub dists: Vec<Owned<'a>>,
    by_path: HashMap<String, usize>,
}

/// A distribution.
pub(super) struct Owned<'a> {
    /// `/opt/NAME/lib/NAME-VERSION.dist-info`
    pub dist_info: &'a str,
    /// normalized; that of the folder where METADATA cannot be read
    pub name: String,
    pub metadata: Option<Metadata>,
    pub files: usize,
    /// in bytes
    pub bytes: u64,
    /// so many of the files are ELF
    pub compiled: usize,
}

impl<'a> Owners<'a> {
    /// A file that two RECORDs list is the first one's.
    pub fn of(evidence: &'a Evidence) -> Self {
        let mut owners = Self { dists: Vec::new(), by_path: HashMap::new() };
        for (index, dist_info) in evidence.dist_infos().into_iter().enumerate() {
            let text = |name: &str| evidence.texts.get(&format!("{dist_info}/{name}"));
            let metadata = text("METADATA").and_then(|text| Metadata::parse(text).ok());
            let of_folder =
                || dist_info.rsplit('/').next().unwrap_or_default().trim_end_matches(".dist-info").to_owned();
            let name = metadata.as_ref().map_or_else(of_folder, |metadata| metadata.name.to_string());
            owners.dists.push(Owned { dist_info, name, metadata, files: 0, bytes: 0, compiled: 0 });
            let Some(Ok(record)) = text("RECORD").map(|text| Record::parse(text)) else { continue };
            let base = dist_info.rsplit_once('/').map_or("", |(base, _)| base);
            for relative in record.rows.keys() {
                owners.by_path.entry(absolute(base, relative)).or_insert(index);
            }
        }
        for (path, row) in evidence.described.files.iter().filter(|(_, row)| row.is_file()) {
            let Some(index) = owners.index_of(path) else { continue };
            let owned = &mut owners.dists[index];
            owned.files += 1;
            owned.bytes += row.size;
            owned.compiled += usize::from(evidence.elf.contains_key(path));
        }
        owners
    }

    /// Whose a file is: its place in `dists`.
    pub fn index_of(&self, path: &str) -> Option<usize> {
        self.by_path.get(path).or_else(|| self.by_path.get(&source_of(path)?)).copied()
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
