//! Licences as SPDX expressions (SPDX 2.3, annex D), from what a distribution says of its own.

mod names;
mod texts;

use anyhow::anyhow;
use serde::Deserialize;
use spdx::expression::{ExprNode, Operator};
use spdx::{Expression, ParseMode};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// Longer than any expression that a person wrote.
const MOST_EXPRESSION: usize = 2000;

/// An SPDX expression in one spelling: parts that hold together sorted, each once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Spdx {
    /// `MIT`, or `(Apache-2.0 OR MIT)`; all of them hold
    parts: BTreeSet<String>,
}

/// A part of an expression, on the way.
struct Part {
    operator: Option<Operator>,
    of: BTreeSet<String>,
}

impl Part {
    fn join(self, other: Self, operator: Operator) -> Self {
        let mut of = BTreeSet::new();
        for part in [self, other] {
            match part.operator {
                Some(inner) if inner != operator => drop(of.insert(part.within())),
                _ => of.extend(part.of),
            }
        }
        // `MIT AND MIT` is `MIT`.
        Self { operator: Some(operator).filter(|_| of.len() > 1), of }
    }

    /// As it stands in a larger one.
    fn within(&self) -> String {
        let parts: Vec<&str> = self.of.iter().map(String::as_str).collect();
        match self.operator {
            Some(Operator::And) => format!("({})", parts.join(" AND ")),
            Some(Operator::Or) => format!("({})", parts.join(" OR ")),
            None => parts.concat(),
        }
    }
}

impl Spdx {
    /// The licence of which nothing is known but whose it is.
    pub fn unknown(name: &str) -> Self {
        Self { parts: [format!("LicenseRef-{name}-Unknown")].into() }
    }

    /// What holds where all of them hold.
    pub fn all_of<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        Self { parts: all.into_iter().flat_map(|one| one.parts.iter().cloned()).collect() }
    }
}

impl fmt::Display for Spdx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<&str> = self.parts.iter().map(String::as_str).collect();
        match parts.as_slice() {
            [one] => f.write_str(one.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(one)),
            many => f.write_str(&many.join(" AND ")),
        }
    }
}

impl FromStr for Spdx {
    type Err = anyhow::Error;

    /// Reads an expression; identifiers match without regard to case, as PEP 639 wants it.
    fn from_str(text: &str) -> anyhow::Result<Self> {
        if text.len() > MOST_EXPRESSION {
            return Err(anyhow!("an SPDX expression has no {} characters", text.len()));
        }
        let mode = ParseMode { allow_deprecated: true, ..ParseMode::STRICT };
        let read = Expression::parse_mode(&with_known_case(text), mode)
            .map_err(|error| anyhow!("`{}` is no SPDX expression: {}", text.escape_debug(), error.reason))?;
        let mut stack: Vec<Part> = Vec::new();
        for node in read.iter() {
            let part = match node {
                ExprNode::Req(req) => Part { operator: None, of: [req.req.to_string()].into() },
                ExprNode::Op(operator) => match (stack.pop(), stack.pop()) {
                    (Some(right), Some(left)) => left.join(right, *operator),
                    _ => return Err(anyhow!("`{}` is no SPDX expression", text.escape_debug())),
                },
            };
            stack.push(part);
        }
        match stack.pop() {
            Some(Part { operator: Some(Operator::And), of }) => Ok(Self { parts: of }),
            Some(part) => Ok(Self { parts: [part.within()].into() }),
            None => Err(anyhow!("an SPDX expression is not empty")),
        }
    }
}

impl TryFrom<String> for Spdx {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map_err(|error: anyhow::Error| {
            format!("{error}; write it such as \"MIT\" or \"MIT OR Apache-2.0\", and a licence of your own as \"LicenseRef-NAME\"")
        })
    }
}

/// The text with every identifier as SPDX spells it.
fn with_known_case(text: &str) -> String {
    let mut spelt = String::new();
    for word in text.split_inclusive(|c: char| c.is_whitespace() || "()+".contains(c)) {
        let plain = word.trim_end_matches(|c: char| c.is_whitespace() || "()+".contains(c));
        let licenses = spdx::identifiers::LICENSES.iter().map(|license| license.name);
        let exceptions = spdx::identifiers::EXCEPTIONS.iter().map(|exception| exception.name);
        let known = licenses.chain(exceptions).find(|name| name.eq_ignore_ascii_case(plain));
        spelt.push_str(known.unwrap_or(plain));
        spelt.push_str(&word[plain.len()..]);
    }
    spelt
}

/// What a distribution's metadata says of its licence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LicenseClaim {
    /// `License-Expression` (PEP 639)
    pub expression: Option<String>,
    /// `License`: a name, an expression or a whole text
    pub license: Option<String>,
    /// what follows `License :: ` in the classifiers
    pub classifiers: Vec<String>,
}

impl LicenseClaim {
    /// The licence, from the clearest that is said: the expression; the field, where it is one, a name that only
    /// one licence has, or a whole text; one classifier; the texts of its files.
    ///
    /// Names of families (`BSD`, `Apache Software License`) are settled by the texts alone, and several classifiers
    /// by nothing: they do not tell whether one may choose.
    ///
    /// - Takes: `texts`, those of its licence files.
    /// - Fails: with what is said instead, in words.
    pub fn judge(&self, texts: &[String]) -> Result<Spdx, String> {
        if let Some(expression) = &self.expression {
            return expression.parse().map_err(|error: anyhow::Error| error.to_string());
        }
        let known = |name: &str| names::known(name).and_then(|id| id.parse().ok());
        if let Some(license) = &self.license {
            if let Some(found) = license.parse().ok().or_else(|| known(license)) {
                return Ok(found);
            }
            if let Some(found) = texts::recognize(license).filter(|_| license.contains('\n')) {
                return found.parse().map_err(|error: anyhow::Error| error.to_string());
            }
        }
        let classifiers: Vec<&str> =
            self.classifiers.iter().map(String::as_str).filter(|text| *text != "OSI Approved").collect();
        if let [one] = classifiers.as_slice()
            && let Some(found) = names::by_classifier(one).and_then(|id| id.parse().ok())
        {
            return Ok(found);
        }
        let by_text: Vec<Option<&str>> = texts.iter().map(|text| texts::recognize(text)).collect();
        if let ([Some(first), others @ ..], true) = (by_text.as_slice(), classifiers.len() < 2)
            && others.iter().all(|other| *other == Some(*first))
            && classifiers.iter().all(|classifier| names::is_of_family(first, classifier))
        {
            return first.parse().map_err(|error: anyhow::Error| error.to_string());
        }
        Err(self.in_words())
    }

    fn in_words(&self) -> String {
        let classifiers = self.classifiers.iter().map(|text| text.trim_start_matches("OSI Approved :: ").to_owned());
        let license =
            self.license.iter().filter_map(|text| text.lines().next()).map(|line| line.chars().take(60).collect());
        let said: Vec<String> =
            license.chain(classifiers).map(|text: String| format!("`{}`", text.escape_debug())).collect();
        if said.is_empty() { "it says nothing".to_owned() } else { format!("it says {}", said.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_has_one_spelling() {
        #[rustfmt::skip]
        let cases = [
            ("MIT",                                     "MIT"),
            ("mit",                                     "MIT"),
            ("MIT AND mit",                             "MIT"),
            ("MIT OR Apache-2.0",                       "Apache-2.0 OR MIT"),
            ("(MIT or Apache-2.0) and ISC",             "(Apache-2.0 OR MIT) AND ISC"),
            ("ISC AND (MIT AND (ISC AND 0BSD))",        "0BSD AND ISC AND MIT"),
            ("(A OR B)",                                ""),
            ("MIT OR (ISC AND 0BSD)",                   "(0BSD AND ISC) OR MIT"),
            ("GPL-2.0-only WITH classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"),
            ("LicenseRef-Company",                      "LicenseRef-Company"),
            ("(MIT OR ISC) AND (MIT OR ISC)",           "ISC OR MIT"),
            ("Apache-1.1+",                             "Apache-1.1+"),
            ("BSD",                                     ""),
            ("MIT, see LICENSE",                        ""),
            ("MIT AND",                                 ""),
            ("",                                        ""),
        ];
        for (text, spelt) in cases {
            assert_eq!(text.parse::<Spdx>().map(|read| read.to_string()).unwrap_or_default(), spelt, "{text}");
        }
        for deep in ["(".repeat(1900), "MIT AND ".repeat(240) + "MIT", "x".repeat(1 << 20)] {
            let _ = deep.parse::<Spdx>();
        }
        let all: Vec<Spdx> = ["MIT OR ISC", "MIT", "ISC AND MIT"].map(|text| text.parse().unwrap()).into();
        assert_eq!(Spdx::all_of(&all).to_string(), "(ISC OR MIT) AND ISC AND MIT");
        assert_eq!(Spdx::all_of(&all).to_string().parse::<Spdx>().unwrap(), Spdx::all_of(&all));
        assert_eq!(Spdx::unknown("a-b").to_string().parse::<Spdx>().unwrap(), Spdx::unknown("a-b"));
    }

    type Case<'a> = (&'a str, &'a str, &'a [&'a str], &'a [&'a str], Result<&'a str, &'a str>);

    #[test]
    fn the_clearest_that_is_said_counts() {
        const BSD3: &str = "Copyright X\n\nRedistribution and use in source and binary forms, with or without\nmodification, are permitted \
            provided that the following conditions are met:\nRedistributions in binary form must reproduce\n… to endorse or promote products …";
        const MIT: &str = "Permission is hereby granted, free of charge, to any person obtaining a copy of this software …\n\
            The above copyright notice and this permission notice shall be included";
        #[rustfmt::skip]
        let cases: [Case<'_>; 16] = [ // expression, License, classifiers, files
            ("mit",  "",              &[],                                       &[],           Ok("MIT")),
            ("BSD",  "MIT",           &[],                                       &[],           Err("`BSD` is no SPDX expression")),
            ("",     "MIT",           &["OSI Approved :: BSD License"],          &[],           Ok("MIT")),
            ("",     "Apache 2.0",    &["OSI Approved :: Apache Software License"], &[],        Ok("Apache-2.0")),
            ("",     "BSD",           &[],                                       &[],           Err("it says `BSD`")),
            ("",     "BSD",           &["OSI Approved :: BSD License"],          &[BSD3],       Ok("BSD-3-Clause")),
            ("",     "",              &["OSI Approved :: BSD License"],          &[],           Err("it says `BSD License`")),
            ("",     "",              &["OSI Approved :: BSD License"],          &[MIT],        Err("it says `BSD License`")),
            ("",     "",              &["OSI Approved :: BSD License"],          &[BSD3, MIT],  Err("it says `BSD License`")),
            ("",     "",              &["OSI Approved :: BSD License"],          &[BSD3, BSD3], Ok("BSD-3-Clause")),
            ("",     "",              &["OSI Approved", "OSI Approved :: MIT License"], &[],    Ok("MIT")),
            ("",     "",              &["OSI Approved :: MIT License", "OSI Approved :: BSD License"], &[], Err("it says `MIT License`, `BSD License`")),
            ("",     BSD3,            &[],                                       &[],           Ok("BSD-3-Clause")),
            ("",     "",              &[],                                       &[MIT],        Ok("MIT")),
            ("",     "",              &[],                                       &["all mine"], Err("it says nothing")),
            ("",     "Proprietary",   &["Other/Proprietary License"],            &[MIT],        Err("it says `Proprietary`, `Other/Proprietary License`")),
        ];
        for (expression, license, classifiers, texts, expected) in cases {
            let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            let said = LicenseClaim {
                expression: given(expression),
                license: given(license),
                classifiers: classifiers.iter().map(|text| (*text).to_owned()).collect(),
            };
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            match (said.judge(&texts), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found.to_string(), expected, "{said:?}"),
                (Err(why), Err(expected)) => assert!(why.starts_with(expected), "{said:?}: {why}"),
                (found, _) => panic!("{said:?}: {found:?}"),
            }
        }
    }
}
