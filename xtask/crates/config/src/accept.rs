//! `[[accept]]`: findings that somebody has judged, for `package.toml`, for the package that it makes, and for the policy of
//! a site.

use crate::Config;
use crate::checks::ACCEPTABLE;
use crate::document::Document;
use crate::{TargetTable, lines, shape};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use wheelhaul_base::calendar::Day;
use wheelhaul_base::problem::{Problem, all_of, nearest, shortened};

/// Findings that somebody has judged.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// the check whose findings they are, as `checks` lists it
    #[schemars(extend("enum" = ACCEPTABLE, "examples" = ["elf"]))]
    pub check: String,
    /// the files that they are about: on the box, or below the application's folder; `*` and `?` stand for what is in one
    /// folder, `**` for folders as well
    #[schemars(extend("format" = "path-pattern", "examples" = ["lib/selenium/**"]))]
    pub path: String,
    /// why they are right, or cannot be helped, in a line that reports show
    #[schemars(extend("format" = "one-line", "examples" = ["the driver for other boxes is never started"]))]
    pub why: String,
    /// the target that it is for, by its name; every target if absent
    #[schemars(extend("examples" = ["el9-x86_64"]))]
    pub target: Option<String>,
    /// the last day on which that holds; for ever if absent
    #[schemars(extend("format" = "day", "examples" = ["2027-06-30"]))]
    pub until: Option<String>,
}

impl Accept {
    /// Whether it is for a finding of this check.
    ///
    /// - Takes: `root`, the application's folder on the box; `path`, where the finding is; a package as a whole has none.
    pub fn is_for(&self, check: &str, root: &str, path: &str) -> bool {
        let below = path.strip_prefix(root).and_then(|rest| rest.strip_prefix('/'));
        let judged = if self.path.starts_with('/') { Some(path) } else { below };
        self.check == check && judged.filter(|path| !path.is_empty()).is_some_and(|path| matches(&self.path, path))
    }

    /// Whether it is for packages of a target.
    pub fn is_for_target(&self, name: &str) -> bool {
        self.target.as_deref().is_none_or(|target| target == name)
    }

    /// Whether it still holds on a day.
    pub fn holds_on(&self, day: &Day) -> bool {
        self.until.as_deref().is_none_or(|until| day.to_string().as_str() <= until)
    }

    fn to_json(&self) -> Value {
        let mut value = json!({"check": self.check, "path": self.path, "why": self.why});
        if let Some(until) = &self.until {
            value["until"] = json!(until);
        }
        value
    }
}

/// Names entries for targets that the file does not have, each with its place among them.
pub(super) fn faults<'a>(
    entries: &'a [Accept],
    targets: &'a [TargetTable],
) -> impl Iterator<Item = (usize, anyhow::Error)> + 'a {
    let names = || targets.iter().map(|target| target.name.as_str());
    entries.iter().enumerate().filter_map(move |(place, accept)| {
        let unknown = accept.target.as_deref().filter(|target| !names().any(|name| name == *target))?;
        let known = Vec::from_iter(names().map(|name| format!("`{name}`"))).join(", ");
        let near = nearest(unknown, names()).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
        let what = format!("key `accept.target`: no `[[target]]` has the name `{}`", shortened(unknown).escape_debug());
        Some((place, Problem::with_hint(what, format!("{near}this file has {known}"))))
    })
}

impl Config {
    /// What was said of a finding before anything is packed, if it is accepted.
    ///
    /// - Takes: `target`, the name of the one that it was found on; `path` below the application's folder; `day`, that of
    ///   the commit; none where there is none.
    pub fn accepted(&self, target: &str, check: &str, path: &str, day: Option<&Day>) -> Option<&Accept> {
        let root = self.package.root();
        let path = format!("{root}/{path}");
        let holds = |accept: &&Accept| accept.is_for_target(target) && day.is_none_or(|day| accept.holds_on(day));
        self.accept.iter().filter(holds).find(|accept| accept.is_for(check, &root, &path))
    }

    /// The file that carries those of a target in its package; none where there are none.
    pub fn accepted_text(&self, target: &str) -> Option<String> {
        let entry = |accept: &Accept| {
            let value = accept.to_json();
            let pairs = ["check", "path", "why", "until"].into_iter().filter(|key| value.get(key).is_some());
            let pairs = pairs.map(|key| format!("{}\n", lines::line(key, &lines::toml_of(&value[key]))));
            format!("\n[[accept]]\n{}", pairs.collect::<String>())
        };
        let entries: String = self.accept.iter().filter(|accept| accept.is_for_target(target)).map(entry).collect();
        (!entries.is_empty())
            .then(|| format!("# Findings of `verify` that whoever built this package has judged.\n{entries}"))
    }
}

/// The file of accepted findings in a package, below its documentation.
pub const ACCEPTED_FILE: &str = "accepted.toml";

/// What a site makes of packages.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Policy {
    /// findings that the site has judged, in whichever package
    #[serde(default)]
    pub accept: Vec<Accept>,
}

impl Policy {
    /// Reads and checks the policy of a site.
    ///
    /// # Errors
    /// Names all mistakes, each with its line and the line to write.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let (document, mut placed) = Document::parse(text);
        if placed.is_empty() {
            let schema = super::schema::schema_of::<Self>("the policy of a site");
            placed.extend(shape::faults(&document, &schema).into_iter().map(|fault| (fault.line, fault.error)));
        }
        placed.sort_by_key(|(line, _)| *line);
        all_of("mistakes", placed.into_iter().map(|(_, error)| error).collect())?;
        wheelhaul_base::toml_text::read(text, "write it as the guide has it, \"Verifying\"")
    }

    /// Reads what travels in a package. Keys of other versions of this tool are passed over, and what cannot be accepted
    /// is left in.
    pub fn of_package(text: &str) -> anyhow::Result<Vec<Accept>> {
        #[derive(Deserialize)]
        struct Entry {
            check: String,
            path: String,
            why: String,
            until: Option<String>,
        }
        #[derive(Deserialize)]
        struct Entries {
            #[serde(default)]
            accept: Vec<Entry>,
        }
        let read: Entries = wheelhaul_base::toml_text::read(text, "build the package again with this tool")?;
        let entries = read.accept.into_iter();
        Ok(entries.map(|Entry { check, path, why, until }| Accept { check, path, why, target: None, until }).collect())
    }
}

/// Whether a pattern stands for a path.
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    stands_for(
        &pattern,
        &path,
        |part| *part == "**",
        |part, name| {
            let (part, name): (Vec<char>, Vec<char>) = (part.chars().collect(), name.chars().collect());
            stands_for(&part, &name, |c| *c == '*', |c, of| *c == '?' || c == of)
        },
    )
}

/// Whether a row of signs stands for a row of things, where one kind of sign stands for any number of them.
///
/// - Time: at most the product of both lengths.
fn stands_for<T>(signs: &[T], things: &[T], is_star: impl Fn(&T) -> bool, fits: impl Fn(&T, &T) -> bool) -> bool {
    let (mut sign, mut thing) = (0, 0);
    // Behind the last star, and the first thing that it does not stand for yet.
    let mut again: Option<(usize, usize)> = None;
    while thing < things.len() {
        match signs.get(sign) {
            Some(star) if is_star(star) => {
                sign += 1;
                again = Some((sign, thing));
            }
            Some(one) if fits(one, &things[thing]) => {
                sign += 1;
                thing += 1;
            }
            _ => match again {
                Some((behind, first)) => {
                    (sign, thing) = (behind, first + 1);
                    again = Some((behind, first + 1));
                }
                None => return false,
            },
        }
    }
    signs[sign..].iter().all(is_star)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr as _;
    use wheelhaul_base::problem::hints_of;

    #[test]
    fn patterns_stand_for_paths() {
        #[rustfmt::skip]
        let cases = [ // pattern            path                              whether
            ("lib/a/x.so",                  "/opt/app/lib/a/x.so",            true),
            ("lib/a",                       "/opt/app/lib/a/x.so",            false),
            ("lib/a/*",                     "/opt/app/lib/a/x.so",            true),
            ("lib/a/*",                     "/opt/app/lib/a/b/x.so",          false),
            ("lib/a/**",                    "/opt/app/lib/a/b/x.so",          true),
            ("lib/**/x.so",                 "/opt/app/lib/x.so",              true),
            ("lib/**/x.so",                 "/opt/app/lib/a/b/x.so",          true),
            ("lib/**/b/*.so",               "/opt/app/lib/b/a/b/x.so",        true),
            ("**",                          "/opt/app/lib/a/x.so",            true),
            ("**",                          "/etc/app",                       false),
            ("**",                          "",                               false),
            ("/**",                         "/etc/app",                       true),
            ("/opt/*/lib/a?/x.so",          "/opt/app/lib/ab/x.so",           true),
            ("lib/a-*.dist-info/METADATA",  "/opt/app/lib/a-1.0.dist-info/METADATA", true),
            ("lib/[a]/x.so",                "/opt/app/lib/a/x.so",            false),
            ("lib/x.so",                    "/opt/apple/lib/x.so",            false),
        ];
        for (pattern, path, expected) in cases {
            let accept =
                Accept { check: "elf".into(), path: pattern.into(), why: "x".into(), target: None, until: None };
            assert_eq!(accept.is_for("elf", "/opt/app", path), expected, "{pattern} {path}");
            assert!(!accept.is_for("symbols", "/opt/app", path));
        }
        let (stars, path) = ("*a".repeat(2000) + "b", "a".repeat(4000));
        assert!(!matches(&stars, &path));
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for (text, is_day) in [
            ("2027-06-30", true),
            ("2028-02-29", true),
            ("2027-02-29", false),
            ("2027-13-01", false),
            ("2027-6-30", false),
            ("2027-06-30T12:00:00Z", false),
            ("tomorrow", false),
            ("+027-01-01", false),
        ] {
            assert_eq!(Day::from_str(text).is_ok(), is_day, "{text}");
        }
        let until = |until: Option<&str>| Accept {
            check: String::new(),
            path: String::new(),
            why: String::new(),
            target: None,
            until: until.map(str::to_owned),
        };
        let day = Day::of("2027-06-30T23:59:59Z").unwrap();
        assert!(until(Some("2027-06-30")).holds_on(&day) && until(None).holds_on(&day));
        assert!(!until(Some("2027-06-29")).holds_on(&day));
    }

    #[test]
    fn a_policy_is_read_and_its_mistakes_have_lines() {
        let good = "[[accept]]\ncheck = \"elf\"\npath = \"/opt/*/lib/selenium/**\"\nwhy = \"never started\"\nuntil = \"2027-06-30\"\n";
        assert_eq!(Policy::parse(good).unwrap().accept.len(), 1);
        assert_eq!(Policy::parse("").unwrap().accept.len(), 0);
        #[rustfmt::skip]
        let cases = [ // from            to                        the error                             the hint
            ("\"elf\"",                  "\"symbol\"",                "line 2: key `accept.check`",         "did you mean \"symbols\"?"),
            ("\"elf\"",                  "\"digests\"",            "line 2: key `accept.check`",         "cannot be accepted"),
            ("\"/opt/*/lib/selenium/**\"", "\"lib/selenium/\"",    "stands for no path",                 "all below that folder"),
            ("\"never started\"",        "\" \"",                  "line 4: key `accept.why`",           "in one line"),
            ("2027-06-30",               "2027-06-31",             "`2027-06-31` is not a day",          "2027-06-30"),
            ("\"2027-06-30\"",           "2027-06-30",             "key `accept.until` is a date",       "write `until = \"2027-06-30\"`"),
            ("why = ",                   "reason = ",              "unknown key `accept.reason`",        "known under `[[accept]]` are"),
            ("[[accept]]",               "[[accepts]]",            "unknown table `[[accepts]]`",        "did you mean `accept`?"),
            ("[[accept]]",               "[accept]",               "there may be several",               "write `[[accept]]`"),
        ];
        for (from, to, says, cure) in cases {
            let error = Policy::parse(&good.replacen(from, to, 1)).unwrap_err();
            assert!(format!("{error:#}").contains(says), "{to}: {error:#}");
            assert!(hints_of(&error).join("\n").contains(cure), "{to}: {:?}", hints_of(&error));
        }
    }
}
