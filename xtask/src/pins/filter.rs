//! Pins and a target → what the box gets: the pins whose marker is true there.

use crate::pins::Pin;
use crate::problem::{Problem, all_of};
use crate::target::Target;
use anyhow::Context as _;

/// A pin that the box gets.
pub type Kept<'a> = &'a Pin;

/// A pin that the box does not get, since its marker is false there.
#[derive(Debug)]
pub struct Dropped<'a> {
    /// what was dropped
    pub pin: &'a Pin,
    /// the marker that is false, as written
    pub marker: &'a str,
}

/// The pins of a target.
#[derive(Debug)]
pub struct Filtered<'a> {
    /// what the box gets, in the order of names, each name once
    pub kept: Vec<Kept<'a>>,
    /// what it does not get
    pub dropped: Vec<Dropped<'a>>,
}

/// Judges every pin's marker for `target`.
///
/// - Takes: `pins` in the order of names.
/// - Fails: once, naming each marker that cannot be judged and each package of which more than one
///   entry is left.
pub fn filter<'a>(pins: &'a [Pin], target: &Target) -> anyhow::Result<Filtered<'a>> {
    let environment = target.environment();
    let mut kept: Vec<&Pin> = Vec::new();
    let mut dropped = Vec::new();
    let mut faults = Vec::new();
    for pin in pins {
        let Some(marker) = &pin.marker else {
            kept.push(pin);
            continue;
        };
        match environment
            .holds(marker, &pin.extras)
            .with_context(|| format!("`{}=={}` ({})", pin.name, pin.version, pin.place))
        {
            Ok(true) => kept.push(pin),
            Ok(false) => dropped.push(Dropped { pin, marker }),
            Err(fault) => faults.push(fault),
        }
    }
    for pair in kept.windows(2).filter(|pair| pair[0].name == pair[1].name) {
        let entry = |pin: &Pin| match &pin.marker {
            Some(marker) => format!("{} ({}, `{marker}`)", pin.version, pin.place),
            None => format!("{} ({}, no marker)", pin.version, pin.place),
        };
        faults.push(Problem::with_hint(
            format!("`{}` is left twice: {} and {}", pair[0].name, entry(pair[0]), entry(pair[1])),
            "one of them must have a marker that is false on this target",
        ));
    }
    all_of("entries have no clear answer", faults)?;
    Ok(Filtered { kept, dropped })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pins::{Format, parse};

    #[test]
    fn markers_decide_what_each_box_gets() {
        let el8 = Target::find("el8-x86_64", None, None).unwrap();
        let el9 = Target::find("el9-x86_64", None, None).unwrap();
        #[rustfmt::skip]
        let cases = [ // line in the team's lock                     el8    el9
            ("flask==3.0.0",                                         true,  true),
            ("colorama==0.4.6 ; sys_platform == 'win32'",            false, false),
            ("tomli==2.0.1 ; python_version < '3.9'",                true,  false),
            ("x==1 ; python_full_version != '3.9.25'",               true,  false),
        ];
        for (line, on_el8, on_el9) in cases {
            let pins = parse(Format::Requirements, line).unwrap();
            assert_eq!(filter(&pins, &el8).unwrap().kept.len() == 1, on_el8, "el8: {line}");
            assert_eq!(filter(&pins, &el9).unwrap().kept.len() == 1, on_el9, "el9: {line}");
        }
    }

    #[test]
    fn two_entries_that_survive_are_an_error_that_names_both() {
        let el9 = Target::find("el9-x86_64", None, None).unwrap();
        let pins = parse(Format::Requirements, "a==1 ; python_version < '3.10'\nb==1\na==2 ; sys_platform == 'linux'")
            .unwrap();
        let error = filter(&pins, &el9).unwrap_err().to_string();
        assert_eq!(
            error,
            "`a` is left twice: 1 (line 1, `python_version < '3.10'`) and 2 (line 3, `sys_platform == 'linux'`)"
        );
    }
}
