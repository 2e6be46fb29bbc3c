//! `--policy`: what a site makes of packages, by its own file.

use crate::config::{Day, Policy};
use crate::hex::hex;
use crate::problem::Problem;
use crate::sbom::in_utc;
use crate::verify::Site;
use anyhow::Context as _;
use camino::Utf8Path;
use sha2::{Digest as _, Sha256};
use std::time::{SystemTime, UNIX_EPOCH};

/// More bytes than a policy has.
const MOST: u64 = 4 << 20;

/// Reads the policy of a site.
///
/// - Takes: `shown`, as it was given; `here`, the folder that relative paths start in.
pub fn read(shown: &Utf8Path, here: &Utf8Path) -> anyhow::Result<Site> {
    const CURE: &str =
        "name a TOML file with the site's `[[accept]]` tables; what comes through a pipe is written to a file first";
    let path = here.join(shown);
    let read = || -> anyhow::Result<Site> {
        let data =
            std::fs::metadata(&path).map_err(|error| Problem::around(error.into(), "it cannot be opened", CURE))?;
        if !data.is_file() || data.len() > MOST {
            let what = if data.is_file() {
                format!("it has {} bytes, more than any policy", data.len())
            } else {
                "it is no file".to_owned()
            };
            return Err(Problem::with_hint(what, CURE));
        }
        let text = fs_err::read_to_string(&path)?;
        let accept = Policy::parse(&text)?.accept;
        Ok(Site { shown: shown.to_string(), sha256: hex(&Sha256::digest(&text)), accept })
    };
    read().with_context(|| format!("failed to read the policy `{shown}`"))
}

/// The day of this host, in UTC.
pub fn today() -> Option<Day> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    Day::of(&in_utc(u32::try_from(now).ok()?)).ok()
}
