//! A dependency of rpm on one name, with or without a version.

use serde::Deserialize;
use wheelhaul_base::problem::shortened;

/// A dependency on packages of the box.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct RpmDependency {
    /// the name of a package, a path, or anything else that packages provide; the whole text of a rich dependency
    pub name: String,
    /// `<`, `<=`, `=`, `>=` or `>`; empty for any version
    pub comparison: String,
    /// `1:2.0-3`; empty for any
    pub version: String,
}

/// The comparisons of rpm.
pub(super) const COMPARISONS: [&str; 5] = ["<", "<=", "=", ">=", ">"];

pub(super) fn shown(text: &str) -> String {
    shortened(text).escape_debug().to_string()
}

/// A name with or without a comparison and a version; else what is wrong, and the cure.
pub(super) fn simple(words: &[&str]) -> Result<RpmDependency, (String, &'static str)> {
    const FORM: &str = "write a name, or a name, a comparison and a version with blanks between: \"redis >= 6\"";
    let (name, comparison, version) = match words {
        [name] => (*name, "", ""),
        [name, comparison, version] if COMPARISONS.contains(comparison) => (*name, *comparison, *version),
        [_, comparison, _] => {
            let what = format!("`{}` compares no versions in rpm", shown(comparison));
            return Err((what, "rpm knows `<`, `<=`, `=`, `>=` and `>`; each package is an entry of its own"));
        }
        [] => return Err(("it is empty".to_owned(), FORM)),
        more => return Err((format!("`{}` is not one dependency", shown(&more.join(" "))), FORM)),
    };
    if let Some(what) = fault_of_name(name) {
        return Err((format!("`{}` {what}", shown(name)), FORM));
    }
    if name.starts_with("rpmlib(") {
        let cure = "leave it out: this tool says itself what rpm has to read";
        return Err((format!("`{}` is a feature of rpm, and no package", shown(name)), cure));
    }
    if name.starts_with('/') && !comparison.is_empty() {
        return Err((format!("`{}` is a path, and rpm knows no versions of those", shown(name)), FORM));
    }
    if !comparison.is_empty() && !is_version(version) {
        let cure = "write it as rpm does: \"1.2\", \"1:1.2-3\"; letters, digits, `.`, `_`, `+`, `~` and `^`";
        return Err((format!("`{}` is not a version", shown(version)), cure));
    }
    Ok(RpmDependency { name: name.to_owned(), comparison: comparison.to_owned(), version: version.to_owned() })
}

/// A character of the name of a package.
pub(super) fn is_of_package(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._+-".contains(c)
}

/// What is wrong with a name.
fn fault_of_name(name: &str) -> Option<&'static str> {
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric() || "_/".contains(c)) {
        return Some("does not begin with a letter, a digit, `_` or `/`");
    }
    let mut depth = 0_i32;
    for c in name.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            '<' | '>' | '=' if depth == 0 => return Some("has no blanks around its comparison"),
            // In brackets, as of `font(:lang=en)`.
            '=' | ':' | ',' | '@' | '!' | '<' | '>' if depth > 0 => {}
            '/' | '[' | ']' | '{' | '}' | ':' | '%' | '~' | '^' | '@' => {}
            c if is_of_package(c) => {}
            _ => return Some("has characters that no name has"),
        }
        if depth < 0 {
            break;
        }
    }
    (depth != 0).then_some("has brackets without their partners")
}

/// `EPOCH:VERSION-RELEASE`, without the first and the last where they do not matter.
fn is_version(text: &str) -> bool {
    let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
    let known = |c: char| c.is_ascii_alphanumeric() || "._+~^-".contains(c);
    let is_epoch = epoch.parse::<u32>().is_ok() && epoch.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = rest.split('-').collect();
    is_epoch && parts.len() <= 2 && parts.iter().all(|part| !part.is_empty()) && rest.chars().all(known)
}
