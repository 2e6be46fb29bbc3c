//! What reports of several tasks have: files, and numbers in words.

use schemars::JsonSchema;
use serde::Serialize;
pub use wheelhaul_verify::count;
pub use wheelhaul_verify::review::size;

/// A file that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "file")]
pub struct MadeFile {
    /// relative to the repository, or as it was named
    pub path: String,
    /// in bytes
    pub size: u64,
    /// lower-case hex
    pub sha256: String,
}
