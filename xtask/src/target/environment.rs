//! Markers judged for the target (PEP 508, "Environment Markers"), never for the host.
//!
//! pep508_rs does the judging. Where it differs from the specification's reference, `packaging`, the
//! comparison is decided here and replaced by a constant before pep508_rs sees it: a version variable
//! with `in`, with a literal that is no version (`>= "3.9.*"`), or with `===`.

use crate::problem::Problem;
use crate::target::Target;
use anyhow::{Context as _, anyhow, bail};
use pep440_rs::{Version, VersionSpecifier};
use pep508_rs::{ExtraName, MarkerEnvironment, MarkerEnvironmentBuilder, MarkerTree, MarkerWarningKind};
use std::str::FromStr;

/// The marker values of a box.
#[derive(Debug)]
pub struct Environment {
    values: MarkerEnvironment,
    python_version: String,
    python_full_version: String,
}

impl Environment {
    /// `platform_release` and `platform_version` are the running kernel's and no fact about a box: empty.
    pub(super) fn of(target: &Target) -> Self {
        let python_version = target.python();
        let python_full_version = target.python_full.to_string();
        let values = MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
            implementation_name: "cpython",
            implementation_version: &python_full_version,
            os_name: "posix",
            platform_machine: target.arch,
            platform_python_implementation: "CPython",
            platform_release: "",
            platform_system: "Linux",
            platform_version: "",
            python_full_version: &python_full_version,
            python_version: &python_version,
            sys_platform: "linux",
        })
        .expect("a checked version parses again");
        Self { values, python_version, python_full_version }
    }

    /// Whether `marker` is true on the box, with `extras` asked for.
    ///
    /// - Fails: for a marker that is not PEP 508's grammar, or whose comparison has no meaning there.
    pub fn holds(&self, marker: &str, extras: &[ExtraName]) -> anyhow::Result<bool> {
        self.judge(marker, extras).with_context(|| format!("failed to judge the marker `{marker}`"))
    }

    fn judge(&self, marker: &str, extras: &[ExtraName]) -> anyhow::Result<bool> {
        let decided = self.decide_odd_comparisons(marker)?;
        let mut faults = Vec::new();
        let mut report = |kind: MarkerWarningKind, text: String| match kind {
            MarkerWarningKind::DeprecatedMarkerName | MarkerWarningKind::LexicographicComparison => {}
            _ => faults.push(text),
        };
        let tree = MarkerTree::parse_reporter(&decided, &mut report)?;
        let holds = tree.evaluate_reporter(&self.values, extras, &mut report);
        match faults.is_empty() {
            true => Ok(holds),
            false => Err(Problem::with_hint(
                faults.join("; "),
                "such a comparison has no meaning in PEP 508; correct it where the lock was made",
            )),
        }
    }

    fn version_value(&self, variable: &str) -> Option<&str> {
        match variable {
            "python_version" => Some(&self.python_version),
            "python_full_version" | "implementation_version" => Some(&self.python_full_version),
            _ => None,
        }
    }

    /// Replaces the comparisons that are decided here by ones that are plainly true or false.
    fn decide_odd_comparisons(&self, marker: &str) -> anyhow::Result<String> {
        let tokens = tokenize(marker)?;
        let mut out = String::with_capacity(marker.len());
        let mut rest = tokens.as_slice();
        while let Some((token, after)) = rest.split_first() {
            let verdict = self.verdict(rest)?;
            if !out.is_empty() {
                out.push(' ');
            }
            if let Some((holds, used)) = verdict {
                out.push_str(if holds { "python_version >= '0'" } else { "python_version < '0'" });
                rest = &rest[used..];
            } else {
                out.push_str(token.text);
                rest = after;
            }
        }
        Ok(out)
    }

    /// The verdict on an odd comparison at the start of `tokens`, with the number of tokens it takes.
    fn verdict(&self, tokens: &[Token<'_>]) -> anyhow::Result<Option<(bool, usize)>> {
        use Kind::{Literal, Operator, Word};
        let kinds: Vec<Kind> = tokens.iter().take(4).map(|token| token.kind).collect();
        let text = |at: usize| tokens[at].text;
        let (left, negated, right, used) = match kinds.as_slice() {
            [Word | Literal, Word, Word | Literal, ..] if text(1) == "in" => (0, false, 2, 3),
            [Word | Literal, Word, Word, Word | Literal] if text(1) == "not" && text(2) == "in" => (0, true, 3, 4),
            [Word, Operator, Literal, ..] => {
                return match self.version_value(text(0)) {
                    Some(value) => {
                        Ok(odd_version_comparison(value, text(1), unquoted(text(2)))?.map(|holds| (holds, 3)))
                    }
                    None => Ok(None),
                };
            }
            _ => return Ok(None),
        };
        if self.version_value(text(left)).is_none() && self.version_value(text(right)).is_none() {
            return Ok(None);
        }
        // `packaging` takes `in` between strings as Python does: a substring.
        let value = |at: usize| match tokens[at].kind {
            Literal => Some(unquoted(text(at))),
            _ => self.version_value(text(at)),
        };
        match (value(left), value(right)) {
            (Some(left), Some(right)) => Ok(Some((right.contains(left) != negated, used))),
            _ => bail!("`{}` cannot be compared with `{}`", text(left), text(right)),
        }
    }
}

/// Decides a comparison with a literal that is no version specifier, as the specification says: "if
/// there is no defined behaviour of this specification … the operators fall back to Python's".
fn odd_version_comparison(value: &str, operator: &str, literal: &str) -> anyhow::Result<Option<bool>> {
    if operator == "===" {
        return Ok(Some(value.eq_ignore_ascii_case(literal)));
    }
    let wildcard_misplaced = literal.ends_with(".*") && !matches!(operator, "==" | "!=");
    if !wildcard_misplaced && VersionSpecifier::from_str(&format!("{operator}{literal}")).is_ok() {
        // A pre-release interpreter is no target, so pep508_rs has the rest right.
        return Ok(None);
    }
    if Version::from_str(value).is_err() {
        return Ok(None);
    }
    Ok(Some(match operator {
        "==" => value == literal,
        "!=" => value != literal,
        "<" => value < literal,
        "<=" => value <= literal,
        ">" => value > literal,
        ">=" => value >= literal,
        _ => return Err(anyhow!("`{operator}` is not defined for `{literal}`, which is no version")),
    }))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Literal,
    Operator,
    Bracket,
}

#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    kind: Kind,
    text: &'a str,
}

fn unquoted(literal: &str) -> &str {
    &literal[1..literal.len() - 1]
}

/// Splits a marker into words, quoted literals, operators and brackets.
fn tokenize(marker: &str) -> anyhow::Result<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = marker.trim_start();
    while let Some(first) = rest.chars().next() {
        let run = |of: fn(char) -> bool| rest.find(|c| !of(c)).unwrap_or(rest.len());
        let (kind, length) = match first {
            '(' | ')' => (Kind::Bracket, 1),
            '\'' | '"' => match rest[1..].find(first) {
                Some(end) => (Kind::Literal, end + 2),
                None => bail!("the quote before `{}` is not closed", &rest[1..]),
            },
            '<' | '>' | '=' | '!' | '~' => (Kind::Operator, run(|c| "<>=!~".contains(c))),
            c if is_word(c) => (Kind::Word, run(is_word)),
            c => bail!("`{c}` does not belong into a marker"),
        };
        tokens.push(Token { kind, text: &rest[..length] });
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '.'
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("python_version >= '3.1.*'",                                 true,  true),
            ("python_version >= '3.2.*'",                                 true,  false),
            ("python_version === '3.11'",                                 false, true),
            ("(os_name == 'nt' or platform_machine=='x86_64') and implementation_name != 'pypy'", true, true),
            ("'linux' in sys_platform",                                   true,  true),
            ("sys_platform in 'linux darwin'",                            true,  true),
            ("platform_python_implementation == 'CPython'",               true,  true),
            ("extra == 'test'",                                           false, false),
        ];
        for (marker, on_el8, on_el9) in cases {
            assert_eq!(el8.holds(marker, &[]).unwrap(), on_el8, "el8: {marker}");
            assert_eq!(el9.holds(marker, &[]).unwrap(), on_el9, "el9: {marker}");
        }
        let test = ExtraName::from_str("test").unwrap();
        assert!(el9.holds("extra == 'test'", &[test]).unwrap());
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
            "os_name == platform_system",
            "python_version in platform_release",
            "",
        ];
        for marker in cases {
            assert!(el9.holds(marker, &[]).is_err(), "{marker}");
        }
    }
}
