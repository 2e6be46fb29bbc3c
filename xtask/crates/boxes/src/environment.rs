//! Markers judged for the target (PEP 508, "Environment Markers"), never for the host.
//!
//! Every comparison is decided as the specification's "Dependency specifiers" says, versions by pep440_rs.
//! pep508_rs's own comparisons are made for an algebra of markers, which pays with exactness: it drops
//! pre-releases, epochs and trailing zeros (`~= "3.9.0"`), and orders strings by the alphabet.

use crate::marker::{Comparison, Kind, evaluate};
use crate::target::Target;
use anyhow::Context as _;
use pep440_rs::{Version, VersionSpecifier};
use pep508_rs::ExtraName;
use std::collections::BTreeMap;
use std::str::FromStr;
use wheelhaul_base::problem::{Problem, shortened};

/// What was asked for beside the plain package: what `extra`, `extras` and `dependency_groups` mean.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// for `extra` (PEP 508) and `extras` (PEP 751)
    pub extras: Vec<ExtraName>,
    /// for `dependency_groups` (PEP 751); named by the same rules as extras (PEP 735)
    pub groups: Vec<ExtraName>,
}

impl Asked {
    /// Extras alone.
    pub fn extras(extras: &[ExtraName]) -> Self {
        Self { extras: extras.to_vec(), groups: Vec::new() }
    }
}

/// The variables whose values are a box's (PEP 508, "Environment Markers").
pub const VARIABLES: [&str; 11] = [
    "implementation_name",
    "implementation_version",
    "os_name",
    "platform_machine",
    "platform_python_implementation",
    "platform_release",
    "platform_system",
    "platform_version",
    "python_full_version",
    "python_version",
    "sys_platform",
];

/// The marker values of a box.
#[derive(Debug)]
pub struct Environment {
    values: BTreeMap<&'static str, String>,
}

impl Environment {
    /// `platform_release` and `platform_version` are the running kernel's, and known only from the box itself.
    pub(super) fn of(target: &Target) -> Self {
        let full = target.python_full.to_string();
        let python = target.python();
        let follows = [
            ("implementation_name", "cpython"),
            ("implementation_version", &full),
            ("os_name", "posix"),
            ("platform_machine", &target.arch),
            ("platform_python_implementation", "CPython"),
            ("platform_system", "Linux"),
            ("python_full_version", &full),
            ("python_version", &python),
            ("sys_platform", "linux"),
        ];
        let given = |name: &&str| target.markers.get(*name).cloned();
        let mut values: BTreeMap<&'static str, String> =
            follows.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        values.extend(VARIABLES.iter().filter_map(|name| Some((*name, given(name)?))));
        Self { values }
    }

    /// The value of one of [`VARIABLES`], where it is known.
    pub fn text(&self, variable: &str) -> Option<&str> {
        self.values.get(variable).map(String::as_str)
    }

    fn text_or_empty(&self, variable: &str) -> &str {
        self.text(variable).unwrap_or_default()
    }

    /// Whether `marker` is true on the box.
    ///
    /// - Fails: for a marker that is not PEP 508's grammar, or whose comparison has no meaning there.
    pub fn holds(&self, marker: &str, asked: &Asked) -> anyhow::Result<bool> {
        evaluate(marker, &mut |comparison| self.compare(&comparison, asked))
            .with_context(|| format!("failed to judge the marker `{}`", shortened(marker)))
    }

    /// The variables that a marker's answer depends on and the record of the box cannot know; none for what is no
    /// marker, and none where the answer is the same whatever they are.
    pub fn unknowable(&self, marker: &str, asked: &Asked) -> Vec<String> {
        if !marker.contains("platform") {
            return Vec::new();
        }
        // A marker has no negation, so these two are the least and the most that it can be.
        let mut read = Vec::new();
        let mut holds_if = |unknown: bool| {
            evaluate(marker, &mut |comparison| match self.unknown(&comparison) {
                Some(name) => {
                    if !read.contains(&name) {
                        read.push(name);
                    }
                    Ok(unknown)
                }
                None => self.compare(&comparison, asked),
            })
        };
        match (holds_if(false), holds_if(true)) {
            (Ok(least), Ok(most)) if least != most => read,
            _ => Vec::new(),
        }
    }

    /// The variable of a comparison whose value on the box is not known.
    fn unknown(&self, comparison: &Comparison<'_>) -> Option<String> {
        let words = [comparison.left, comparison.right].into_iter().filter(|side| side.kind == Kind::Word);
        let mut names = words.map(|side| side.text.replace("platform.version", "platform_version"));
        names.find(|name| VARIABLES.contains(&name.as_str()) && self.text(name).is_none())
    }

    /// The value of a variable, also by PEP 345's names of old.
    pub(super) fn value(&self, variable: &str, literal: &str) -> Option<Value<'_>> {
        let name = match variable {
            "extra" => return Some(Value::Extra),
            "extras" => return Some(Value::Extras),
            "dependency_groups" => return Some(Value::Groups),
            "os.name" => "os_name",
            "sys.platform" => "sys_platform",
            "platform.machine" => "platform_machine",
            "platform.version" => "platform_version",
            "platform.python_implementation" | "python_implementation" => "platform_python_implementation",
            other => other,
        };
        let is_known = VARIABLES.contains(&name);
        let text = is_known.then(|| self.text_or_empty(name))?;
        Some(match name {
            "python_version" | "python_full_version" | "implementation_version" => Value::Version(text),
            // The specification's type of it is `Version | String`: versions where both sides are.
            "platform_release" if Version::from_str(text).is_ok() && Version::from_str(literal).is_ok() => {
                Value::Version(text)
            }
            _ => Value::Text(text),
        })
    }

    pub(super) fn compare(&self, comparison: &Comparison<'_>, asked: &Asked) -> anyhow::Result<bool> {
        let Comparison { left, operator, right } = comparison;
        let (variable, literal, reversed) = match (left.kind, right.kind) {
            (Kind::Word, Kind::Literal) => (left.text, right.unquoted(), false),
            (Kind::Literal, Kind::Word) => (right.text, left.unquoted(), true),
            _ => return Err(meaningless(format!("`{}` cannot be compared with `{}`", left.text, right.text))),
        };
        let value =
            self.value(variable, literal).with_context(|| format!("`{variable}` is not a marker's variable"))?;
        let holds = match value {
            Value::Extra => compare_extra(operator, literal, &asked.extras),
            Value::Extras if reversed => is_member(operator, literal, &asked.extras),
            Value::Groups if reversed => is_member(operator, literal, &asked.groups),
            Value::Extras | Value::Groups => None,
            Value::Version(value) | Value::Text(value) if operator.ends_with("in") => {
                // Python's `in` between strings: a substring.
                let inside = if reversed { value.contains(literal) } else { literal.contains(value) };
                Some(inside == (*operator == "in"))
            }
            Value::Version(value) if reversed => compare_reversed(literal, operator, value),
            Value::Version(value) => compare_version(value, operator, literal),
            Value::Text(value) => compare_text(value, operator, literal),
        };
        holds.ok_or_else(|| meaningless(format!("`{} {operator} {}` is not defined", left.text, right.text)))
    }
}

fn meaningless(what: String) -> anyhow::Error {
    Problem::with_hint(what, "such a comparison has no meaning in PEP 508; correct it where the lock was made")
}

pub(super) enum Value<'a> {
    Version(&'a str),
    Text(&'a str),
    Extra,
    Extras,
    Groups,
}

/// By PEP 440 where the literal is a version; else `==`, `>=` and `<=` "check for exact equality; no
/// ordering is assumed".
fn compare_version(value: &str, operator: &str, literal: &str) -> Option<bool> {
    if operator == "===" {
        return Some(value.eq_ignore_ascii_case(literal));
    }
    let misplaced = literal.ends_with(".*") && !matches!(operator, "==" | "!=");
    match (VersionSpecifier::from_str(&format!("{operator}{literal}")), Version::from_str(value)) {
        // pep440_rs compares no further than the shorter of the two: `3.11` would match `==3.11.13.*`.
        (Ok(specifier), Ok(value)) if !misplaced => {
            let mut release = value.release().to_vec();
            release.resize(release.len().max(specifier.version().release().len()), 0);
            Some(specifier.contains(&value.with_release(release)))
        }
        _ => compare_text(value, operator, literal),
    }
}

/// `LITERAL OPERATOR variable`, where the literal is a version and the operator has two equal sides.
fn compare_reversed(literal: &str, operator: &str, value: &str) -> Option<bool> {
    let literal = Version::from_str(literal).ok()?;
    let specifier = VersionSpecifier::from_str(&format!("{operator}{value}")).ok()?;
    (!matches!(operator, "~=" | "===")).then(|| specifier.contains(&literal))
}

/// "`>=` and `<=` being equivalent to `==`, and `<` and `>` always evaluating to `False`".
fn compare_text(left: &str, operator: &str, right: &str) -> Option<bool> {
    match operator {
        "==" | "<=" | ">=" => Some(left == right),
        "!=" => Some(left != right),
        "<" | ">" => Some(false),
        _ => None,
    }
}

fn compare_extra(operator: &str, literal: &str, extras: &[ExtraName]) -> Option<bool> {
    let asked = extras.contains(&ExtraName::from_str(literal).ok()?);
    match operator {
        "==" => Some(asked),
        "!=" => Some(!asked),
        _ => None,
    }
}

/// `'name' in extras`, and the same of `dependency_groups` (PEP 751, "Marker Expression Syntax"); names by PEP 503.
fn is_member(operator: &str, literal: &str, asked: &[ExtraName]) -> Option<bool> {
    let is_asked = asked.contains(&ExtraName::from_str(literal).ok()?);
    match operator {
        "in" => Some(is_asked),
        "not in" => Some(!is_asked),
        _ => None,
    }
}

impl Target {
    /// The values that markers are judged with (PEP 508).
    pub fn environment(&self) -> Environment {
        Environment::of(self)
    }

    /// A marker that is true on this box, and on no other that differs in Python or processor.
    pub fn marker(&self) -> String {
        let environment = self.environment();
        ["sys_platform", "platform_machine", "implementation_name", "python_version"]
            .map(|name| format!("{name} == '{}'", environment.text(name).unwrap_or_default()))
            .join(" and ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marker_of_a_box_names_its_python_and_processor() {
        let el7 = Target::find("el7-x86_64", None, None).unwrap();
        assert_eq!(
            el7.marker(),
            "sys_platform == 'linux' and platform_machine == 'x86_64' and implementation_name == 'cpython' and python_version == '3.6'"
        );
    }

    #[test]
    fn markers_are_judged_for_the_box() {
        let el8 = Target::find("el8-x86_64", None, None).unwrap().environment();
        let el9 = Target::find("el9-x86_64", Some("3.11"), Some("3.11.9")).unwrap().environment();
        #[rustfmt::skip]
        let cases = [ // marker                                           el8 3.6.8  el9 3.11.9
            ("sys_platform == 'win32'",                                   false, false),
            ("python_version < '3.9'",                                    true,  false),
            ("python_full_version != '3.11.9'",                           true,  false),
            ("python_version in '3.6, 3.7'",                              true,  false),
            ("python_version not in '3.0, 3.1, 3.2'",                     true,  true),
            ("python_version >= '2.7' and python_version not in '3.6, 3.1' and python_version < '4'", false, true),
            ("python_version >= '3.1.*'",                                 false, false),
            ("python_version ~= '3.6.0'",                                 true,  false),
            ("platform_release >= '3'",                                   false, false),
            ("python_version === '3.11'",                                 false, true),
            ("(os_name == 'nt' or platform_machine=='x86_64') and implementation_name != 'pypy'", true, true),
            ("'linux' in sys_platform",                                   true,  true),
            ("sys_platform in 'linux darwin'",                            true,  true),
            ("platform_python_implementation == 'CPython'",               true,  true),
            ("extra == 'test'",                                           false, false),
        ];
        for (marker, on_el8, on_el9) in cases {
            assert_eq!(el8.holds(marker, &Asked::default()).unwrap(), on_el8, "el8: {marker}");
            assert_eq!(el9.holds(marker, &Asked::default()).unwrap(), on_el9, "el9: {marker}");
        }
        let test = ExtraName::from_str("test").unwrap();
        let asked = Asked { extras: vec![test.clone()], groups: vec![ExtraName::from_str("dev").unwrap()] };
        for marker in ["extra == 'test'", "'Test' in extras", "'dev' in dependency_groups and 'x' not in extras"] {
            assert!(el9.holds(marker, &asked).unwrap(), "{marker}");
            assert!(!el9.holds(marker, &Asked::default()).unwrap(), "{marker}");
        }
    }

    #[test]
    fn what_a_record_cannot_know_is_told() {
        let el9 = Target::find("el9-x86_64", None, None).unwrap().environment();
        #[rustfmt::skip]
        let cases: [(&str, &[&str]); 9] = [ // marker                                   its answer depends on
            ("os_name == 'posix' and '4' in platform_release",                          &["platform_release"]),
            ("platform_release >= '20' and platform.version == 'x'",                    &["platform_release", "platform_version"]),
            ("os_name == 'posix' or '4' in platform_release",                           &[]),
            ("platform_release >= '20' and sys_platform == 'darwin'",                   &[]),
            ("(platform_release >= '20' or os_name == 'nt') and os_name == 'posix'",    &["platform_release"]),
            ("platform_release >= '20' and extra == 'x'",                               &[]),
            ("platform_release >= '20' and extra == 'y'",                               &["platform_release"]),
            ("sys_platform == 'platform_release'",                                      &[]),
            ("platform_release",                                                        &[]),
        ];
        for (marker, depends) in cases {
            assert_eq!(el9.unknowable(marker, &Asked::extras(&["y".parse().unwrap()])), depends, "{marker}");
        }
    }

    #[test]
    fn a_marker_without_meaning_is_an_error_and_never_true() {
        let el9 = Target::find("el9-x86_64", None, None).unwrap().environment();
        let cases = [
            "python_version",
            "python_version ==",
            "python_version ~= 'x'",
            "python_version == '3' and",
            "os_name == 'posix",
            "os_name = 'posix'",
            "'a' == 'b'",
            "nonsense == 'x'",
            "extras == 'x'",
            "dependency_groups in 'x'",
            "os_name == platform_system",
            "python_version in platform_release",
            "",
        ];
        for marker in cases {
            assert!(el9.holds(marker, &Asked::default()).is_err(), "{marker}");
        }
    }
}
