//! Why a marker is what it is, and why a tag does not fit: the answers in words.

use crate::environment::{Asked, Environment, Value};
use crate::marker::{Kind, evaluate};
use crate::tags::Tag;
use crate::target::Target;

/// One comparison of a marker, with its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedComparison {
    /// `python_version < '3.9'`
    pub comparison: String,
    /// the value of its variable on the box, `3.11`
    pub value: String,
    /// whether it is true there
    pub holds: bool,
}

impl Environment {
    /// Every comparison of a marker, in its order.
    ///
    /// - Fails: as [`Environment::holds`] does.
    pub fn judged(&self, marker: &str, asked: &Asked) -> anyhow::Result<Vec<JudgedComparison>> {
        let mut all = Vec::new();
        evaluate(marker, &mut |comparison| {
            let holds = self.compare(&comparison, asked)?;
            let (variable, literal) = match comparison.left.kind {
                Kind::Word => (comparison.left, comparison.right),
                _ => (comparison.right, comparison.left),
            };
            all.push(JudgedComparison {
                comparison: format!("{} {} {}", comparison.left.text, comparison.operator, comparison.right.text),
                value: match self.value(variable.text, literal.unquoted()) {
                    Some(Value::Version(value) | Value::Text(value)) => value.to_owned(),
                    Some(Value::Extra | Value::Extras) => listed(&asked.extras),
                    Some(Value::Groups) => listed(&asked.groups),
                    None => String::new(),
                },
                holds,
            });
            Ok(holds)
        })?;
        Ok(all)
    }
}

fn listed(names: &[pep508_rs::ExtraName]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Target {
    /// Why a tag does not fit, part by part; nothing where it fits.
    pub fn why_not(&self, tag: &Tag) -> Vec<String> {
        let tags = self.tags();
        if tags.contains(tag) {
            return Vec::new();
        }
        let mut reasons = Vec::new();
        if !tags.iter().any(|own| own.python == tag.python && own.abi == tag.abi) {
            reasons.push(self.why_not_python(tag, &tags));
        }
        if tag.platform != "any" && !tags.iter().any(|own| own.platform == tag.platform) {
            reasons.push(self.why_not_platform(&tag.platform));
        }
        if reasons.is_empty() {
            reasons.push(format!("`{}-{}` goes with other platforms than `{}`", tag.python, tag.abi, tag.platform));
        }
        reasons
    }

    fn why_not_python(&self, tag: &Tag, tags: &[Tag]) -> String {
        let Tag { python, abi, .. } = tag;
        let number = |prefix: &str| python.strip_prefix(prefix).and_then(version_of);
        if let Some((major, minor)) = number("cp") {
            let is_newer = (major, minor) > self.interpreter.version;
            return match abi.as_str() {
                "abi3" if is_newer => format!("`{python}-abi3` needs CPython {major}.{minor} or newer"),
                _ if abi.ends_with('t') => format!("`{abi}` is for the free-threaded CPython"),
                _ if (major, minor) == self.interpreter.version => {
                    let own = tags.first().map(|own| own.abi.as_str()).unwrap_or_default();
                    format!("the ABI `{abi}` is not the box's `{own}`")
                }
                _ => format!("`{python}` is for CPython {major}.{minor}"),
            };
        }
        match python.as_str() {
            "py2" => "`py2` is for Python 2".to_owned(),
            other if other.starts_with("pp") => format!("`{other}` is for PyPy"),
            other => match number("py") {
                Some((major, minor)) if abi == "none" => format!("`{other}` needs Python {major}.{minor} or newer"),
                _ => format!("`{other}-{abi}` is for another interpreter"),
            },
        }
    }

    fn why_not_platform(&self, platform: &str) -> String {
        let system = [
            ("win", "Windows"),
            ("macosx", "macOS"),
            ("musllinux", "musl, another C library"),
            ("ios", "iOS"),
            ("android", "Android"),
            ("pyodide", "WebAssembly"),
            ("emscripten", "WebAssembly"),
        ];
        if let Some((_, name)) = system.iter().find(|(prefix, _)| platform.starts_with(prefix)) {
            return format!("`{platform}` is for {name}");
        }
        if !platform.ends_with(&format!("_{}", self.arch)) {
            return format!("`{platform}` is for another processor");
        }
        let needed = platform.strip_prefix("manylinux_").and_then(|rest| {
            let mut numbers = rest.split('_').map(str::parse::<u16>);
            Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
        });
        let (major, minor) = self.distribution.glibc;
        match needed {
            Some(needed) if needed > (major, minor) => {
                format!("`{platform}` needs glibc {}.{}, and the box has {major}.{minor}", needed.0, needed.1)
            }
            _ => format!("`{platform}` is no platform of the box"),
        }
    }
}

/// `311` → 3.11, `36` → 3.6
fn version_of(digits: &str) -> Option<(u8, u8)> {
    let (major, minor) = digits.split_at_checked(1)?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_that_does_not_fit_says_which_part() {
        let target = Target::find("el9-x86_64", Some("3.11"), None).unwrap();
        #[rustfmt::skip]
        let cases = [
            ("cp311-cp311-manylinux_2_17_x86_64",  ""),
            ("cp311-cp311-manylinux_2_39_x86_64",  "`manylinux_2_39_x86_64` needs glibc 2.39, and the box has 2.34"),
            ("cp312-cp312-manylinux_2_17_x86_64",  "`cp312` is for CPython 3.12"),
            ("cp312-abi3-manylinux_2_17_x86_64",   "`cp312-abi3` needs CPython 3.12 or newer"),
            ("cp39-abi3-musllinux_1_2_x86_64",     "`musllinux_1_2_x86_64` is for musl, another C library"),
            ("cp311-cp311-manylinux2014_aarch64",  "`manylinux2014_aarch64` is for another processor"),
            ("cp310-cp310-win_amd64",              "`cp310` is for CPython 3.10; `win_amd64` is for Windows"),
            ("cp311-cp311t-manylinux_2_17_x86_64", "`cp311t` is for the free-threaded CPython"),
            ("cp311-cp311m-manylinux1_x86_64",     "the ABI `cp311m` is not the box's `cp311`"),
            ("py2-none-any",                       "`py2` is for Python 2"),
            ("py312-none-any",                     "`py312` needs Python 3.12 or newer"),
            ("pp310-pypy310_pp73-win_amd64",       "`pp310` is for PyPy; `win_amd64` is for Windows"),
            ("cp311-cp311-any",                    "`cp311-cp311` goes with other platforms than `any`"),
        ];
        for (text, says) in cases {
            let parts: Vec<&str> = text.split('-').collect();
            let tag = Tag { python: parts[0].into(), abi: parts[1].into(), platform: parts[2].into() };
            assert_eq!(target.why_not(&tag).join("; "), says, "{text}");
        }
    }

    #[test]
    fn a_marker_is_taken_apart() {
        let el9 = Target::find("el9-x86_64", None, None).unwrap().environment();
        let judged = el9.judged("python_version<'3.9' or 'lin' in sys_platform", &Asked::default()).unwrap();
        let told: Vec<_> = judged.iter().map(|j| (j.comparison.as_str(), j.value.as_str(), j.holds)).collect();
        assert_eq!(told, [("python_version < '3.9'", "3.9", false), ("'lin' in sys_platform", "linux", true)]);
    }
}
