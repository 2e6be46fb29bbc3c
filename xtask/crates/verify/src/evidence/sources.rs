//! The hashes of sources that byte-code is shipped of.

use std::collections::BTreeMap;
use wheelhaul_boxes::MagicTag;
use wheelhaul_wheel::SourceHash;

/// The hashes of the sources whose byte-code is in the package.
#[derive(Debug, Default)]
pub struct Sources {
    /// that of the byte-code in the package; none where it has none, or of a Python that is not known
    pub tag: Option<MagicTag>,
    /// path → hash, as byte-code of [`Self::tag`] holds it
    pub hashes: BTreeMap<String, [u8; 8]>,
}

impl Sources {
    /// Nothing yet.
    ///
    /// - Takes: `paths`, of the package.
    pub fn expected<'a>(mut paths: impl Iterator<Item = &'a String>) -> Self {
        let in_cache = |path: &String| path.contains("/__pycache__/");
        let tag = paths.find_map(|path| MagicTag::of_name(path).filter(|_| in_cache(path)));
        Self { tag, hashes: BTreeMap::new() }
    }

    /// What takes a source; none for a file whose byte-code is not there.
    pub fn hash_of(&self, path: &str, has: impl Fn(&str) -> bool) -> Option<SourceHash> {
        let tag = self.tag.filter(|tag| tag.knows_hashes())?;
        tag.cached(path).filter(|cached| has(cached)).map(|_| SourceHash::new(tag))
    }
}
