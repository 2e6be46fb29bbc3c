//! What a box said of an installed package: the document of `templates/evidence.py`, and the checks that judge it.
//!
//! It is the word of whoever sends it: it shows how a package does on a real box, and proves nothing against a forger.

mod judge;
#[cfg(test)]
mod tests;

pub(crate) use judge::{answer, fapolicy, files, package, release, selinux, service};

use serde::Deserialize;
use std::collections::BTreeMap;
use wheelhaul_base::calendar::Day;
use wheelhaul_base::problem::{Problem, shortened};

/// The document's format that is read.
const FORMAT: u32 = 1;
/// The script cuts every line to 1,000 characters.
const MOST_LINE: usize = 1_000;

/// What the script printed. `None`: the box could not tell, and [`Self::absent`] has the reason.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct OnBox {
    evidence: u32,
    /// `2026-12-01T03:53:23Z`
    made: String,
    machine: String,
    kernel: String,
    os: Option<Os>,
    package: Option<Installed>,
    rpm_verify: Option<RpmVerify>,
    unit: Option<Unit>,
    interpreter: Option<Running>,
    selinux_mode: Option<Mode>,
    domain: Option<String>,
    selinux_denials: Option<Vec<String>>,
    /// as `systemctl is-active` has it
    fapolicyd: Option<String>,
    fapolicyd_denials: Option<Vec<String>>,
    fips: Option<bool>,
    exposure: Option<f64>,
    answer: Option<Answer>,
    absent: BTreeMap<String, String>,
}

/// Of `/etc/os-release`.
#[derive(Debug, Clone, Deserialize)]
struct Os {
    id: Option<String>,
    version: Option<String>,
    name: Option<String>,
}

/// As the box's rpm has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Installed {
    name: String,
    epoch: Option<u32>,
    version: String,
    release: String,
    arch: String,
    /// none where rpm is too old to keep it
    header_sha256: Option<String>,
}

/// What `rpm -V` printed.
#[derive(Debug, Clone, Deserialize)]
struct RpmVerify {
    lines: Vec<String>,
    /// how many files only root could have compared
    unread: u64,
}

#[derive(Debug, Clone, Deserialize)]
struct Unit {
    /// as `systemctl show` has them
    properties: BTreeMap<String, String>,
    /// of the unit's file
    sha256: Option<String>,
}

/// The program that the service's process is.
#[derive(Debug, Clone, Deserialize)]
struct Running {
    path: String,
    /// none where it is no Python
    version: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    Enforcing,
    Permissive,
    Disabled,
}

#[derive(Debug, Clone, Deserialize)]
struct Answer {
    url: String,
    status: Option<u16>,
    error: Option<String>,
}

impl OnBox {
    /// Reads the document.
    ///
    /// # Errors
    /// For a text that the script of this tool does not print.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        const CURE: &str = "make it again on the box with the script that `cargo xtask target --evidence` prints";
        let is_not = |why: String| {
            let why = shortened(&why).escape_debug().to_string();
            Problem::with_hint(format!("it is not what the evidence script prints: {why}"), CURE)
        };
        let read: Self =
            serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| is_not(error.to_string()))?;
        if read.evidence != FORMAT {
            return Err(Problem::with_hint(
                format!("it was made by evidence script {} instead of {FORMAT}", read.evidence),
                CURE,
            ));
        }
        if Day::of(&read.made).is_err() {
            return Err(is_not(format!("`made` is `{}`, which is no time", read.made)));
        }
        let lines = [&read.selinux_denials, &read.fapolicyd_denials].into_iter().flatten().flatten();
        let lines = lines.chain(read.rpm_verify.iter().flat_map(|said| &said.lines));
        if lines.into_iter().any(|line| line.chars().nth(MOST_LINE).is_some()) {
            return Err(is_not(format!("a line has more than {MOST_LINE} characters")));
        }
        Ok(read)
    }

    /// Why the box could not tell something.
    fn why(&self, key: &str) -> String {
        let why = self.absent.get(key).map_or("the document does not say why", |why| why.as_str());
        format!("the box does not tell `{key}`: {}", shortened(why))
    }

    /// `2026-12-01`
    fn day(&self) -> &str {
        self.made.get(..10).unwrap_or(&self.made)
    }
}
