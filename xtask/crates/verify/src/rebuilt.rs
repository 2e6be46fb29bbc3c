//! Why an RPM that was made again has other bytes: two packages → likely reasons, the likeliest first.

use crate::{Difference, Evidence};

/// An RPM and what a repository made in its place.
pub struct Rebuilt<'a> {
    /// the RPM
    pub given: &'a Evidence,
    /// what was made
    pub made: &'a Evidence,
    /// the last commit of the repository, in hex
    pub head: Option<&'a str>,
    /// the release of CPython that compiled byte-code now
    pub compiler: Option<&'a str>,
}

/// What an RPM's changelog says that it was built from.
#[derive(Debug, PartialEq, Eq)]
struct BuiltFrom<'a> {
    commit: Option<&'a str>,
    has_changes: bool,
}

impl<'a> BuiltFrom<'a> {
    /// Takes the entry: `- Built from commit 12ab, with changes that are not committed`.
    fn parse(change: &'a str) -> Option<Self> {
        let from = change.lines().next()?.strip_prefix("- Built from ")?;
        let Some(rest) = from.strip_prefix("commit ") else { return Some(Self { commit: None, has_changes: true }) };
        let (commit, rest) = rest.split_once(',').unwrap_or((rest, ""));
        let is_commit = commit.len() >= 7 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_commit.then_some(Self { commit: Some(commit), has_changes: !rest.is_empty() })
    }
}

/// The likely reasons, in sentences without a final dot; never empty.
pub fn reasons(rebuilt: &Rebuilt<'_>, difference: &Difference) -> Vec<String> {
    let Rebuilt { given, made, head, compiler } = rebuilt;
    let mut said = Vec::new();
    if !given.digest_faults.is_empty() || !given.changed_files.is_empty() {
        said.push("the RPM is damaged: its bytes do not have the digests that it says; fetch it again".to_owned());
    }
    let (before, now) = (&given.described.origin, &made.described.origin);
    if before.builder != now.builder {
        let by = |builder: &str| match builder {
            "" => "an unknown builder".to_owned(),
            own if own.starts_with("wheelhaul-") => format!("this tool as {own}"),
            version => format!("rpmbuild {version}"),
        };
        let cure = match before.builder.starts_with("wheelhaul-") {
            true => "take the tool of that commit",
            false => "compare with what `cargo xtask rpm --builder rpmbuild` makes there",
        };
        said.push(format!("it was written by {}, and now by {}: {cure}", by(&before.builder), by(&now.builder)));
    }
    let (was, is) = (BuiltFrom::parse(&before.change), BuiltFrom::parse(&now.change));
    let commit_of = |from: &Option<BuiltFrom<'_>>| from.as_ref().and_then(|from| from.commit.map(str::to_owned));
    let same_commit = match (commit_of(&was), head) {
        (Some(commit), Some(head)) if commit != *head => {
            said.push(format!(
                "it was built from commit {commit}, and the repository is at {head}: `git checkout {commit}` there"
            ));
            false
        }
        (Some(commit), None) => {
            said.push(format!("it was built from commit {commit}, and the repository has no commit"));
            false
        }
        (None, _) => {
            said.push("the RPM does not name the commit that it was built from".to_owned());
            false
        }
        (Some(_), Some(_)) => true,
    };
    if was.as_ref().is_some_and(|from| from.has_changes) {
        said.push("it was built with changes that were not committed, which nobody else has".to_owned());
    }
    if is.as_ref().is_some_and(|from| from.has_changes) {
        said.push("the repository has changes that are not committed: `git status` there".to_owned());
    }
    let (then, today) = (given.described.build_time, made.described.build_time);
    if same_commit && then != today {
        said.push(format!(
            "it carries the time {then} and not {today}, that of the commit: SOURCE_DATE_EPOCH was set at one of the two builds"
        ));
    }
    if difference.package.iter().any(|change| change.what == "compression") {
        said.push(format!(
            "it was packed by {} at the level {}, and now by {} at {}",
            given.described.compressor, before.level, made.described.compressor, now.level
        ));
    }
    said.extend(byte_code(given, made, *compiler, difference));
    if said.is_empty() && difference.is_empty() {
        said.push(
            match given.bytes.payload == made.bytes.payload {
                true => "all files are equal, and something of the header is not: another version of this tool",
                false => {
                    "all files are equal, and packed in other bytes: another version of this tool or of its compressor"
                }
            }
            .to_owned(),
        );
    }
    if said.is_empty() {
        said.push(match same_commit {
            true => "the commit is the same: an application's build that is not reproducible (pin its backend), or an RPM that was changed",
            false => "the files are others",
        }
        .to_owned());
    }
    said
}

/// What byte-code alone tells.
fn byte_code(given: &Evidence, made: &Evidence, compiler: Option<&str>, difference: &Difference) -> Option<String> {
    match (given.byte_code.is_empty(), made.byte_code.is_empty()) {
        (false, true) => {
            let python = given.target.as_ref().map(|target| target.python()).unwrap_or_default();
            return Some(format!(
                "it has byte-code, and none could be compiled here, or `package.byte-code` is false: this host needs a CPython {python}"
            ));
        }
        (true, false) => {
            return Some("it has no byte-code, and `package.byte-code` of the repository is true".to_owned());
        }
        (true, true) => return None,
        (false, false) => {}
    }
    let changed = difference.files.groups.iter().flat_map(|group| &group.changed);
    let (mut code, mut other) = (0, 0);
    for file in changed {
        // The RECORD of a distribution has the digests of its byte-code.
        match (file.path.ends_with(".pyc"), file.path.ends_with(".dist-info/RECORD")) {
            (true, _) => code += 1,
            (false, true) => {}
            (false, false) => other += 1,
        }
    }
    (code > 0 && other == 0).then(|| {
        let here = compiler.map(|version| format!(" than {version}")).unwrap_or_default();
        format!("byte-code alone differs: it was compiled by another release of CPython{here}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_changelog_names_the_commit() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let changed = format!("- Built from commit {commit}, with changes that are not committed");
        #[rustfmt::skip]
        let cases = [
            (format!("- Built from commit {commit}"),                 Some((Some(commit), false))),
            (format!("- Built from commit {commit}\nmore"),           Some((Some(commit), false))),
            (changed,                                                 Some((Some(commit), true))),
            ("- Built from files that are not committed".to_owned(),  Some((None, true))),
            ("- Built from commit ; rm -rf /".to_owned(),             None),
            ("- New version".to_owned(),                              None),
            (String::new(),                                           None),
        ];
        for (change, expected) in cases {
            let parsed = BuiltFrom::parse(&change).map(|from| (from.commit, from.has_changes));
            assert_eq!(parsed, expected, "{change}");
        }
    }
}
