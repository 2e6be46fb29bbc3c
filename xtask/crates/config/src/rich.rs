//! Rich dependencies of rpm, `(mariadb or mysql)` (rpm's manual, "Boolean dependencies").

use crate::simple_dependency::{COMPARISONS, shown, simple};
use wheelhaul_base::problem::Problem;

/// More brackets in brackets than anybody writes.
const DEEPEST: usize = 16;

/// What all parts of a rich dependency together are: rpm takes `if` where everything has to hold, and `unless` where one
/// thing has to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    And,
    Or,
    /// that of a condition, which takes both
    Any,
}

/// A part of a rich dependency.
enum Part<'a> {
    Simple,
    Brackets { operators: Vec<&'a str>, parts: Vec<Part<'a>> },
}

/// Refuses what rpm does not take for a rich dependency (`rpmrichParse` of its `rpmds.c`).
pub(super) fn check_rich(text: &str, context: Context) -> anyhow::Result<()> {
    let judged = brackets(text, 0).and_then(|(whole, rest)| match rest.trim().is_empty() {
        true => judge(&whole, context),
        false => Err("it goes on behind its last bracket".to_owned()),
    });
    judged.map_err(|fault| {
        Problem::with_hint(
            format!("`{}` is no rich dependency of rpm: {fault}", shown(text)),
            "write it such as \"(mariadb or mysql)\" or \"(my-selinux if selinux-policy)\", with brackets around each operator \
             of another kind",
        )
    })
}

/// Reads from a bracket to its partner; gives what is behind it as well.
fn brackets(text: &str, depth: usize) -> Result<(Part<'_>, &str), String> {
    let mut rest = text.strip_prefix('(').ok_or("it has no bracket at its start")?;
    let (mut operators, mut parts) = (Vec::new(), Vec::new());
    if depth > DEEPEST {
        return Err(format!("it has more than {DEEPEST} brackets in brackets"));
    }
    loop {
        let part;
        (part, rest) = operand(rest.trim_start(), depth)?;
        parts.push(part);
        rest = rest.trim_start();
        if let Some(behind) = rest.strip_prefix(')') {
            return Ok((Part::Brackets { operators, parts }, behind));
        }
        let operator;
        (operator, rest) = word(rest);
        match operator {
            "" => return Err("its last bracket is missing".to_owned()),
            "and" | "or" | "if" | "else" | "unless" | "with" | "without" => operators.push(operator),
            other => return Err(format!("`{}` is no operator", shown(other))),
        }
    }
}

/// Reads brackets, or a name with or without a comparison and a version.
fn operand(text: &str, depth: usize) -> Result<(Part<'_>, &str), String> {
    if text.starts_with('(') {
        return brackets(text, depth + 1);
    }
    let (name, mut rest) = word(text);
    let mut words = vec![name];
    let (comparison, behind) = word(rest.trim_start());
    if COMPARISONS.contains(&comparison) {
        let (version, behind) = word(behind.trim_start());
        words.extend([comparison, version]);
        rest = behind;
    }
    if name.is_empty() {
        return Err("a name is missing".to_owned());
    }
    simple(&words).map(|_| (Part::Simple, rest)).map_err(|(what, _)| what)
}

/// The text up to a blank, or to a bracket that it does not open itself; and what is behind.
fn word(text: &str) -> (&str, &str) {
    let mut depth = 0;
    let end = text.find(|c: char| {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return true,
            ')' => depth -= 1,
            _ => {}
        }
        c.is_ascii_whitespace()
    });
    text.split_at(end.unwrap_or(text.len()))
}

/// Whether operators may follow one another, and may be where they are.
fn judge(part: &Part<'_>, context: Context) -> Result<(), String> {
    let Part::Brackets { operators, parts } = part else { return Ok(()) };
    let contexts = match operators.as_slice() {
        [] => [context; 3],
        ["if"] | ["if", "else"] if context == Context::Or => {
            return Err("`if` cannot be in `or`, nor in what conflicts: use `unless` or `and`".to_owned());
        }
        ["unless"] | ["unless", "else"] if context == Context::And => {
            return Err("`unless` can only be in `or`, and in what conflicts: use `if` or `or`".to_owned());
        }
        ["if"] | ["if", "else"] => [Context::And, Context::Any, Context::And],
        ["unless"] | ["unless", "else"] => [Context::Or, Context::Any, Context::Or],
        ["without"] => [Context::Any; 3],
        [first, ..] if ["and", "or", "with"].contains(first) && operators.iter().all(|one| one == first) => {
            [if *first == "or" { Context::Or } else { Context::And }; 3]
        }
        others => return Err(format!("`{}` cannot follow one another without brackets", others.join("` and `"))),
    };
    if operators.iter().any(|operator| operator.starts_with("with")) && !parts.iter().all(is_of_one_package) {
        return Err("`with` and `without` have to be about one package".to_owned());
    }
    parts
        .iter()
        .zip(contexts.into_iter().chain(std::iter::repeat(contexts[0])))
        .try_for_each(|(part, context)| judge(part, context))
}

fn is_of_one_package(part: &Part<'_>) -> bool {
    let Part::Brackets { operators, parts } = part else { return true };
    operators.iter().all(|operator| ["or", "with", "without"].contains(operator)) && parts.iter().all(is_of_one_package)
}
