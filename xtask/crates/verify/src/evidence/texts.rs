//! Which files are read as text.

use wheelhaul_config::ACCEPTED_FILE;
use wheelhaul_rpmfile::FileRow;

/// Metadata of distributions, config files, units, scripts, and what this tool puts beside the documentation.
pub(super) fn is_read_as_text(path: &str, row: &FileRow) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let of_dist = folder.ends_with(".dist-info") && matches!(name, "METADATA" | "WHEEL" | "RECORD" | "direct_url.json");
    of_dist
        || row.is_config()
        || name.ends_with(".pth")
        || (folder.starts_with("/usr/share/doc/") && is_of_tool(name))
        || matches!(folder, "/usr/lib/systemd/system" | "/usr/lib/sysusers.d")
        || (folder.ends_with("/bin") && row.size < 1 << 20)
}

/// What this tool puts beside the documentation.
fn is_of_tool(name: &str) -> bool {
    name.starts_with("pylock.") || matches!(name, "INSTALL.md" | "sbom.cdx.json" | ACCEPTED_FILE)
}
