//! `--box`: what a box said of the installed package.

use crate::verify::policy::text_of;
use anyhow::Context as _;
use camino::Utf8Path;
use sha2::{Digest as _, Sha256};
use wheelhaul_base::hex::hex;
use wheelhaul_verify::OnBox;

/// More bytes than the script prints.
const MOST: u64 = 4 << 20;

/// A document of a box.
pub struct Document {
    /// what it is called in reports
    pub shown: String,
    /// of the file, in lower-case hex
    pub sha256: String,
    /// what it says
    pub said: OnBox,
}

/// Reads a document.
///
/// - Takes: `shown`, as it was given; `here`, the folder that relative paths start in.
pub(super) fn read(shown: &Utf8Path, here: &Utf8Path) -> anyhow::Result<Document> {
    const CURE: &str = "name the JSON that the script of `cargo xtask target --evidence` printed on the box";
    let read = || -> anyhow::Result<Document> {
        let text = text_of(&here.join(shown), MOST, CURE)?;
        let sha256 = hex(&Sha256::digest(&text));
        Ok(Document { shown: shown.to_string(), sha256, said: OnBox::parse(&text)? })
    };
    read().with_context(|| format!("failed to read what the box said, `{shown}`"))
}
