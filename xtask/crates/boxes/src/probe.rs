//! What the probe script printed on a box: JSON → the record of that box.

use crate::record::BoxRecord;
use crate::table::Compression;
use serde::Deserialize;
use std::collections::BTreeMap;
use wheelhaul_base::problem::Problem;

/// What the script prints.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Printed {
    probe: u32,
    markers: BTreeMap<String, String>,
    tags: Vec<String>,
    glibc: String,
    arch: String,
    python_full: String,
    python_path: String,
    python_package: Option<String>,
    systemd: Option<u16>,
    reads_zstd: Option<bool>,
    /// what rpm calls `%dist`, without the dot
    release: Option<String>,
    os: Os,
}

/// Of `/etc/os-release`.
#[derive(Deserialize)]
struct Os {
    name: Option<String>,
}

/// Reads what the probe script printed.
///
/// - Gives: the full version of the box's Python, and its record; not yet checked.
/// - Fails: for a text that the script of this tool does not print.
pub fn read_probe(text: &str) -> anyhow::Result<(String, BoxRecord)> {
    const CURE: &str = "make it again on the box with the script that `cargo xtask target --probe` prints";
    // Redirections on Windows put a byte order mark before it.
    let text = text.trim_start_matches('\u{feff}');
    let printed: Printed = serde_json::from_str(text)
        .map_err(|error| Problem::with_hint(format!("it is not what the probe script prints: {error}"), CURE))?;
    if printed.probe != 1 {
        return Err(Problem::with_hint(format!("it was made by probe script {} instead of 1", printed.probe), CURE));
    }
    let payload = if printed.reads_zstd == Some(true) { Compression::Zstd } else { Compression::Gzip };
    let record = BoxRecord {
        arch: Some(printed.arch),
        glibc: Some(printed.glibc),
        systemd: printed.systemd,
        payload: Some(payload),
        release: printed.release,
        title: printed.os.name,
        python_package: printed.python_package,
        python_path: Some(printed.python_path),
        tags: printed.tags,
        markers: printed.markers,
    };
    Ok((printed.python_full, record))
}
