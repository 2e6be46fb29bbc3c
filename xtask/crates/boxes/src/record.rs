//! The record of a box that the table does not have: as `package.toml` writes it, and as the lock carries it.

use crate::environment::VARIABLES;
use crate::table::{ARCHITECTURES, Compression};
use crate::tags::Tag;
use anyhow::Context as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::str::FromStr as _;
use wheelhaul_base::problem::{Problem, all_of, nearest, shortened};

/// No glibc is that new; more would only make the list of tags long.
const MOST_GLIBC: u16 = 99;
/// A kernel cuts the first line of a script at 127 bytes.
const MOST_PATH: usize = 100;
/// Far more than the tags of any box.
const MOST_TAGS: usize = 10_000;

/// What is known of a box; a value that is absent was not said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(rename = "Record")]
pub struct BoxRecord {
    /// the processor, as `uname -m` prints it: `x86_64` or `aarch64`
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["x86_64"]))]
    pub arch: Option<String>,
    /// the version of glibc, as `getconf GNU_LIBC_VERSION` prints it: `2.34`
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["2.34"]))]
    pub glibc: Option<String>,
    /// the number that `systemctl --version` prints: `252`
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [252]))]
    pub systemd: Option<u16>,
    /// what its rpm reads; gzip if absent, which each does
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["zstd"]))]
    pub payload: Option<Compression>,
    /// what is added to the RPM's release; the target's name without the processor if absent
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["el9"]))]
    pub release: Option<String>,
    /// what people call it; the target's name if absent
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["Some Linux 9"]))]
    pub title: Option<String>,
    /// the package that brings the interpreter; the RPM requires none if absent
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["python3.11"]))]
    pub python_package: Option<String>,
    /// where the interpreter is started from; `/usr/bin/pythonX.Y` if absent
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["/usr/bin/python3.11"]))]
    pub python_path: Option<String>,
    /// wheel tags, best first; they follow from Python, glibc and processor if there are none
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [["cp311-cp311-manylinux_2_34_x86_64"]]))]
    pub tags: Vec<String>,
    /// marker values of PEP 508 by their names, in place of those that follow from the rest
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("examples" = [{ "platform_release": "6.1.0" }]))]
    pub markers: BTreeMap<String, String>,
}

impl BoxRecord {
    /// These values, and for each that is absent the one of `under`.
    pub fn over(self, under: Self) -> Self {
        let mut markers = under.markers;
        markers.extend(self.markers);
        Self {
            arch: self.arch.or(under.arch),
            glibc: self.glibc.or(under.glibc),
            systemd: self.systemd.or(under.systemd),
            payload: self.payload.or(under.payload),
            release: self.release.or(under.release),
            title: self.title.or(under.title),
            python_package: self.python_package.or(under.python_package),
            python_path: self.python_path.or(under.python_path),
            tags: if self.tags.is_empty() { under.tags } else { self.tags },
            markers,
        }
    }
}

/// A record whose every value was looked at.
#[derive(Debug)]
pub(super) struct Checked {
    pub arch: String,
    pub glibc: (u16, u16),
    pub systemd: u16,
    pub tags: Vec<Tag>,
}

/// Looks at each value of a record, and names all that no box has.
pub(super) fn check(record: &BoxRecord) -> anyhow::Result<Checked> {
    let mut faults = Vec::new();
    let mut keep = |key: &str, result: anyhow::Result<()>| {
        faults.extend(result.err().map(|fault| fault.context(format!("key `box.{key}`"))));
    };
    let mut checked = Checked { arch: String::new(), glibc: (0, 0), systemd: 0, tags: Vec::new() };
    keep("arch", check_arch(record).map(|arch| checked.arch = arch));
    keep("glibc", check_glibc(record).map(|glibc| checked.glibc = glibc));
    let systemd = record.systemd.filter(|systemd| *systemd > 0);
    let systemd =
        systemd.ok_or_else(|| missing("the number that `systemctl --version` prints on the box, such as 252"));
    keep("systemd", systemd.map(|systemd| checked.systemd = systemd));
    let word = |text: &str, more: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
    let plain = |value: &Option<String>, good: &dyn Fn(&str) -> bool, cure: &str| match value {
        Some(text) if text.is_empty() || !good(text) => {
            Err(Problem::with_hint(format!("`{}` cannot be used", shortened(text).escape_debug()), cure))
        }
        _ => Ok(()),
    };
    keep("release", plain(&record.release, &|text| word(text, "._"), "letters, digits, `.` and `_`, such as \"el9\""));
    let one_line = |text: &str| text.len() <= 100 && !text.contains(char::is_control);
    keep("title", plain(&record.title, &one_line, "one line of at most 100 bytes"));
    let cure = "the name of a package, as `rpm -qf` prints it; leave it out where none brings the interpreter";
    keep("python-package", plain(&record.python_package, &|text| word(text, "._+-"), cure));
    let is_path = |text: &str| {
        let parts = text.strip_prefix('/').unwrap_or_default().split('/');
        text.len() <= MOST_PATH && word(text, "/._+-") && parts.into_iter().all(|part| !matches!(part, "" | "." | ".."))
    };
    let cure =
        format!("an absolute path on the box without blanks, at most {MOST_PATH} bytes, such as /usr/bin/python3.11");
    keep("python-path", plain(&record.python_path, &is_path, &cure));
    for (name, value) in &record.markers {
        keep("markers", check_marker(name, value, &checked.arch));
    }
    // Without a processor no tag could be judged, and that it lacks is said already.
    if !checked.arch.is_empty() {
        keep("tags", check_tags(&record.tags, &checked.arch).map(|tags| checked.tags = tags));
    }
    all_of("values of its record cannot be used", faults)?;
    Ok(checked)
}

fn missing(cure: &str) -> anyhow::Error {
    Problem::with_hint("it is missing", cure)
}

fn check_arch(record: &BoxRecord) -> anyhow::Result<String> {
    let known = ARCHITECTURES.join(", ");
    let arch =
        record.arch.as_ref().ok_or_else(|| missing(&format!("one of {known}: what `uname -m` prints on the box")))?;
    match ARCHITECTURES.contains(&arch.as_str()) {
        true => Ok(arch.clone()),
        false => Err(Problem::with_hint(
            format!("`{}` is not a processor that is known", shortened(arch)),
            format!("known are {known}"),
        )),
    }
}

fn check_glibc(record: &BoxRecord) -> anyhow::Result<(u16, u16)> {
    const CURE: &str = "what `getconf GNU_LIBC_VERSION` prints on the box, such as \"2.34\"";
    let text = record.glibc.as_ref().ok_or_else(|| missing(CURE))?;
    let parsed = text.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    match parsed {
        Some((2, minor)) if (5..=MOST_GLIBC).contains(&minor) => Ok((2, minor)),
        _ => Err(Problem::with_hint(
            format!("`{}` is not a version of glibc that wheels are made for", shortened(text)),
            CURE,
        )),
    }
}

fn check_marker(name: &str, value: &str, arch: &str) -> anyhow::Result<()> {
    let name = shortened(name);
    if !VARIABLES.contains(&name.as_str()) {
        let near = nearest(&name, VARIABLES).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
        return Err(Problem::with_hint(
            format!("`{}` is not a marker's variable", name.escape_debug()),
            format!("{near}known are {}", VARIABLES.join(", ")),
        ));
    }
    if value.len() > 500 || value.contains(|c: char| c.is_control() || c == '\'' || c == '"') {
        return Err(Problem::with_hint(
            format!("the value of `{name}` is longer than 500 bytes, or has quotes or line breaks"),
            "no marker could name it",
        ));
    }
    if name == "platform_machine" && value != arch && !arch.is_empty() {
        return Err(Problem::with_hint(
            format!("`platform_machine` is `{value}`, and the processor `{arch}`"),
            "leave it out: it follows from `arch`",
        ));
    }
    Ok(())
}

fn check_tags(texts: &[String], arch: &str) -> anyhow::Result<Vec<Tag>> {
    anyhow::ensure!(texts.len() <= MOST_TAGS, "{} tags are more than the {MOST_TAGS} that are read", texts.len());
    let tag = |text: &String| {
        let tag = Tag::from_str(text)?;
        let fits = tag.platform == "any"
            || tag.platform.strip_suffix(arch).is_some_and(|front| {
                front.ends_with('_') && (front.starts_with("manylinux") || front.starts_with("linux"))
            });
        anyhow::ensure!(fits, "`{tag}` is not of Linux with glibc on {arch}");
        anyhow::Ok(tag)
    };
    texts.iter().map(tag).collect::<anyhow::Result<_>>().context("each is PYTHON-ABI-PLATFORM, the best first")
}
