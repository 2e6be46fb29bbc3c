//! Dependencies on packages of the box, in rpm's own syntax: `nginx`, `redis >= 6`, `(mariadb or mysql)`.

use crate::rich::{Context, check_rich};
use crate::simple_dependency::{COMPARISONS, RpmDependency, is_of_package, shown, simple};
use std::str::FromStr;
use wheelhaul_base::problem::Problem;

/// What a dependency is for; rpm allows not each form of it everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `Requires` and `Recommends`
    Wanted,
    /// `Conflicts`
    Conflict,
    /// `Obsoletes`
    Obsoleted,
}

/// The dependencies of a package, as `[package]` and the table of a target have them together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dependencies {
    /// what the box must have
    pub requires: Vec<RpmDependency>,
    /// what dnf installs along where it can
    pub recommends: Vec<RpmDependency>,
    /// what must not be installed beside it
    pub conflicts: Vec<RpmDependency>,
    /// what it takes the place of
    pub obsoletes: Vec<RpmDependency>,
}

impl Dependencies {
    /// The four lists, with the keys that they are written under.
    pub fn each(&self) -> [(&'static str, &[RpmDependency]); 4] {
        [
            ("requires", &self.requires),
            ("recommends", &self.recommends),
            ("conflicts", &self.conflicts),
            ("obsoletes", &self.obsoletes),
        ]
    }

    /// All of both.
    pub(super) fn and(&self, other: &Self) -> Self {
        let both = |own: &[RpmDependency], other: &[RpmDependency]| {
            let mut both = [own, other].concat();
            both.sort();
            both.dedup();
            both
        };
        Self {
            requires: both(&self.requires, &other.requires),
            recommends: both(&self.recommends, &other.recommends),
            conflicts: both(&self.conflicts, &other.conflicts),
            obsoletes: both(&self.obsoletes, &other.obsoletes),
        }
    }

    /// Takes out what an rpm without weak and rich dependencies would not read (4.11 refuses the package).
    ///
    /// - Gives: what was taken out, each with its key.
    pub fn without_weak_and_rich(&mut self) -> Vec<(&'static str, RpmDependency)> {
        let mut left_out: Vec<_> = self.recommends.drain(..).map(|one| ("recommends", one)).collect();
        for (key, list) in [("requires", &mut self.requires), ("conflicts", &mut self.conflicts)] {
            left_out.extend(list.extract_if(.., |one| one.is_rich()).map(|one| (key, one)));
        }
        left_out
    }

    /// What could never be installed: it conflicts with what it requires.
    ///
    /// - Takes: `table`, the one that the keys are in, `package`.
    pub(super) fn faults(&self, table: &str) -> Vec<anyhow::Error> {
        let is_required = |one: &&RpmDependency| {
            let mut required = self.requires.iter();
            one.version.is_empty() && !one.is_rich() && required.any(|other| other.name == one.name)
        };
        let fault = |one: &RpmDependency| {
            Problem::with_hint(
                format!("key `{table}.conflicts`: `{}` is required as well, so that nobody could install it", one.name),
                "leave it out of `conflicts` or of `requires`, or say which versions: \"redis < 6\"",
            )
        };
        self.conflicts.iter().filter(is_required).map(fault).collect()
    }
}

impl RpmDependency {
    /// Reads a dependency, and refuses what rpm would not take for it.
    pub fn parse(text: &str, relation: Relation) -> anyhow::Result<Self> {
        let one: Self = text.parse()?;
        if relation == Relation::Obsoleted && (one.is_rich() || !one.name.chars().all(is_of_package)) {
            return Err(Problem::with_hint(
                format!("`{}` is not the name of a package", shown(&one.name)),
                "obsoletes are packages by their names, with versions: \"old-app < 2\"",
            ));
        }
        if one.is_rich() {
            let context = if relation == Relation::Conflict { Context::Or } else { Context::And };
            check_rich(&one.name, context)?;
        }
        Ok(one)
    }

    /// The versions that it compares with.
    pub fn versions(&self) -> impl Iterator<Item = &str> {
        let words: Vec<&str> = self.name.split(' ').collect();
        let pairs = words.windows(2).filter(|pair| COMPARISONS.contains(&pair[0])).map(|pair| pair[1]);
        pairs.chain([self.version.as_str()]).collect::<Vec<_>>().into_iter()
    }

    /// Whether it is a boolean expression, which came with rpm 4.13.
    pub fn is_rich(&self) -> bool {
        self.name.starts_with('(')
    }
}

impl std::fmt::Display for RpmDependency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.comparison.as_str() {
            "" => f.write_str(&self.name),
            comparison => write!(f, "{} {comparison} {}", self.name, self.version),
        }
    }
}

impl FromStr for RpmDependency {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        if text.starts_with('(') {
            return Ok(Self { name: words.join(" "), comparison: String::new(), version: String::new() });
        }
        simple(&words).map_err(|(what, cure)| Problem::with_hint(what, cure))
    }
}

impl TryFrom<String> for RpmDependency {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map_err(|error: anyhow::Error| format!("{error:#}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Relation::{Conflict, Obsoleted, Wanted};
    use wheelhaul_base::problem::hints_of;

    /// As rpm 4.18 takes or refuses them in a spec, but for what is noted.
    #[test]
    fn dependencies_are_taken_as_rpm_takes_them() {
        let deep = format!("{}a{}", "(".repeat(1000), ")".repeat(1000));
        #[rustfmt::skip]
        let cases = [ //                                    what is said; empty where it is taken
            (Wanted,    "redis",                            ""),
            (Wanted,    "redis >= 6",                       ""),
            (Wanted,    "redis = 1:6.0~rc1-2.el9",          ""),
            (Wanted,    "/usr/bin/gs",                      ""),
            (Wanted,    "libmagic.so.1()(64bit)",           ""),
            (Wanted,    "libc.so.6(GLIBC_2.17)(64bit)",     ""),
            (Wanted,    "perl(Foo::Bar) >= 1.2",            ""),
            (Wanted,    "font(:lang=en)",                   ""),
            (Wanted,    "python3.11dist(requests[socks])",  ""),
            (Wanted,    "(a or b)",                         ""),
            (Wanted,    "(a or (b and c >= 2))",            ""),
            (Wanted,    "(a if b else c)",                  ""),
            (Wanted,    "(a >= 1 with a < 2)",              ""),
            (Wanted,    "(a if (b unless c))",              ""),
            (Wanted,    "(a or (b unless c))",              ""),
            (Wanted,    "((a or b) without c)",             ""),
            (Conflict,  "(a unless b)",                     ""),
            (Conflict,  "(a and (b if c))",                 ""),
            (Conflict,  "/usr/bin/gs",                      ""),
            (Obsoleted, "old-app < 2",                      ""),
            (Wanted,    "",                                 "it is empty"),
            (Wanted,    "redis>=6",                         "`redis>=6` has no blanks around its comparison"), // rpm: a name
            (Wanted,    "redis == 6",                       "`==` compares no versions"), // rpm: `=`
            (Wanted,    "redis >=",                         "is not one dependency"),
            (Wanted,    "redis nginx",                      "is not one dependency"), // rpm: two
            (Wanted,    "redis, nginx",                     "is not one dependency"), // rpm: two
            (Wanted,    "redis,nginx",                      "characters that no name has"), // rpm: two
            (Wanted,    "-redis",                           "does not begin with"),
            (Wanted,    "redis = 1-2-3",                    "`1-2-3` is not a version"),
            (Wanted,    "redis = x:1",                      "`x:1` is not a version"),
            (Wanted,    "redis = 1/2",                      "`1/2` is not a version"),
            (Wanted,    "/usr/bin/gs = 1",                  "is a path"),
            (Wanted,    "rpmlib(X)",                        "a feature of rpm"), // rpm: taken
            (Wanted,    "a(b",                              "brackets without their partners"),
            (Wanted,    "a%{b}\n",                          ""),
            (Wanted,    "a\u{e4}",                          "characters that no name has"),
            (Wanted,    "(a or b",                          "its last bracket is missing"),
            (Wanted,    "(a or b) >= 1",                    "goes on behind"),
            (Wanted,    "(a or b and c)",                   "cannot follow one another"),
            (Wanted,    "(a if b if c)",                    "cannot follow one another"),
            (Wanted,    "(a else b)",                       "cannot follow one another"), // rpm: taken
            (Wanted,    "(a xor b)",                        "`xor` is no operator"),
            (Wanted,    "()",                               "a name is missing"),
            (Wanted,    "(a or )",                          "a name is missing"),
            (Wanted,    "(a or /x = 1)",                    "is a path"),
            (Wanted,    "(a or b>=1)",                      "no blanks around"), // rpm: a name
            (Wanted,    "(a unless b)",                     "`unless` can only be in"),
            (Wanted,    "(a or (b if c))",                  "`if` cannot be in"),
            (Wanted,    "(a if b else (c unless d))",       "`unless` can only be in"),
            (Wanted,    "(a with (b and c))",               "about one package"),
            (Conflict,  "(a if b)",                         "`if` cannot be in"),
            (Obsoleted, "(a or b)",                         "is not the name of a package"),
            (Obsoleted, "/usr/bin/gs",                      "is not the name of a package"),
            (Obsoleted, "a(b)",                             "is not the name of a package"),
            (Wanted,    &deep,                              "brackets in brackets"),
        ];
        for (relation, text, says) in cases {
            let read = RpmDependency::parse(text, relation).map(|one| one.to_string());
            match (&read, says) {
                (Ok(_), "") => {}
                (Err(error), says) if !says.is_empty() && format!("{error:#}").contains(says) => {
                    assert!(!hints_of(error).is_empty(), "{text}");
                }
                _ => panic!("{relation:?} {text:?}: {read:?}"),
            }
        }
        assert_eq!(RpmDependency::parse("(a  or   b)", Wanted).unwrap().to_string(), "(a or b)");
    }
}
