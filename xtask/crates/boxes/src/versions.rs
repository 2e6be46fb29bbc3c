//! Versions of Python that can be a target's.

use anyhow::Context as _;
use pep440_rs::Version;
use std::str::FromStr as _;
use wheelhaul_base::problem::{Problem, shortened};

/// `3.11`, as `python` in `package.toml` has it.
pub(super) fn parse_minor(text: &str) -> anyhow::Result<(u8, u8)> {
    text.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?))).ok_or_else(|| {
        Problem::with_hint(
            format!("`{text}` is not a minor version of Python"),
            "write it as major and minor, such as \"3.11\"; the patch release goes to `python-full`",
        )
    })
}

/// A final release of a Python that markers and tags are defined for.
pub(super) fn check_full(full: &str, minor: (u8, u8)) -> anyhow::Result<Version> {
    let version = Version::from_str(full).with_context(|| format!("`{full}` is not a Python version"))?;
    let starts_right = version.release().starts_with(&[minor.0.into(), minor.1.into()]);
    let is_plain = version.release().len() == 3 && version.to_string() == full && !version.any_prerelease();
    if !starts_right || !is_plain || version.is_post() || version.is_local() || version.epoch() != 0 {
        return Err(not_final(full, &format!("{}.{}", minor.0, minor.1)));
    }
    match minor >= OLDEST {
        true => Ok(version),
        false => Err(too_old(full, "take a later one of that box, or put one there, such as below /opt")),
    }
}

/// What is packed starts isolated (`python -I`).
pub(super) const OLDEST: (u8, u8) = (3, 4);

pub(super) fn too_old(python: &str, cure: impl Into<String>) -> anyhow::Error {
    let what = "what is packed starts isolated (`python -I`), which came with 3.4";
    Problem::with_hint(format!("Python {python} cannot be a target: {what}"), cure)
}

pub(super) fn not_final(full: &str, minor: &str) -> anyhow::Error {
    Problem::with_hint(
        format!("`{}` is not a final release of Python {minor}", shortened(full)),
        "`python-full` is what `python3 -V` prints on the box, such as 3.11.13",
    )
}
