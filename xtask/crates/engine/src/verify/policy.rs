//! `--policy`: what a site makes of packages, by its own file.

use anyhow::Context as _;
use camino::Utf8Path;
use sha2::{Digest as _, Sha256};
use std::time::{SystemTime, UNIX_EPOCH};
use wheelhaul_base::calendar::Day;
use wheelhaul_base::hex::hex;
use wheelhaul_base::problem::Problem;
use wheelhaul_config::Policy;
use wheelhaul_verify::Site;

/// More bytes than a policy has.
const MOST: u64 = 4 << 20;

/// Reads the policy of a site.
///
/// - Takes: `shown`, as it was given; `here`, the folder that relative paths start in.
pub(super) fn read(shown: &Utf8Path, here: &Utf8Path) -> anyhow::Result<Site> {
    const CURE: &str =
        "name a TOML file with the site's `[[accept]]` tables; what comes through a pipe is written to a file first";
    let read = || -> anyhow::Result<Site> {
        let text = text_of(&here.join(shown), MOST, CURE)?;
        let accept = Policy::parse(&text)?.accept;
        Ok(Site { shown: shown.to_string(), sha256: hex(&Sha256::digest(&text)), accept })
    };
    read().with_context(|| format!("failed to read the policy `{shown}`"))
}

/// The text of a file that a flag names.
///
/// # Errors
/// For what is not a regular file, is not UTF-8, or has more than `most` bytes; `cure` says what to name instead.
pub(super) fn text_of(path: &Utf8Path, most: u64, cure: &str) -> anyhow::Result<String> {
    // Opening a FIFO would block.
    let data = std::fs::metadata(path).map_err(|error| Problem::around(error.into(), "it cannot be opened", cure))?;
    if !data.is_file() {
        return Err(Problem::with_hint("it is no file", cure));
    }
    if data.len() > most {
        return Err(Problem::with_hint(
            format!("it has {} bytes, more than the {most} that are read", data.len()),
            cure,
        ));
    }
    fs_err::read_to_string(path).map_err(|error| Problem::around(error.into(), "it cannot be read as text", cure))
}

/// The day of this host, in UTC.
pub(super) fn today() -> Option<Day> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    u32::try_from(now).ok().map(Day::at)
}
