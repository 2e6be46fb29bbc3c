//! `entry_points.txt` (packaging.python.org, "Entry points specification"): the console scripts.

use anyhow::{Context as _, bail};
use wheelhaul_base::problem::shortened;

/// A console script: a name on the command line and the function behind it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryPoint {
    /// the script's name
    pub name: String,
    /// the module to import, dotted
    pub module: String,
    /// the function in it, dotted
    pub function: String,
}

/// Reads the groups `console_scripts` and `gui_scripts`.
///
/// - Fails: for a script whose name could not be a file name, or whose object is not `module:function`.
pub fn console_scripts(text: &str) -> anyhow::Result<Vec<EntryPoint>> {
    let mut scripts = Vec::new();
    let mut wanted = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(group) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            wanted = matches!(group.trim(), "console_scripts" | "gui_scripts");
        } else if wanted {
            scripts.push(script(line).with_context(|| format!("line {}: `{}`", index + 1, shortened(line)))?);
        }
    }
    scripts.sort();
    scripts.dedup();
    Ok(scripts)
}

fn script(line: &str) -> anyhow::Result<EntryPoint> {
    let (name, object) = line.split_once('=').context("there is no `=`")?;
    let (name, object) = (name.trim(), object.split('[').next().unwrap_or_default().trim());
    let (module, function) = object.split_once(':').context("the object is not `module:function`")?;
    let (module, function) = (module.trim(), function.trim());
    let file_name = !name.is_empty()
        && name.len() <= 255
        && !name.starts_with(['.', '-'])
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if !file_name {
        bail!("`{}` cannot be the name of a script", shortened(name));
    }
    for dotted in [module, function] {
        if !dotted.split('.').all(is_identifier) {
            bail!("`{}` is not a dotted name", shortened(dotted));
        }
    }
    Ok(EntryPoint { name: name.to_owned(), module: module.to_owned(), function: function.to_owned() })
}

/// ASCII suffices for every published script, and is the same for every Python.
fn is_identifier(text: &str) -> bool {
    #[rustfmt::skip]
    const KEYWORDS: [&str; 35] = [
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
        "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
        "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
    ];
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !KEYWORDS.contains(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_read_and_other_groups_left() {
        let text = "[console_scripts]\nb = pkg.cli:main\n a=pkg:App.run [extra]\n\n[flask.commands]\nx = not a script\n[gui_scripts]\nc = p:q\n";
        let names: Vec<String> = console_scripts(text)
            .unwrap()
            .into_iter()
            .map(|e| format!("{} {} {}", e.name, e.module, e.function))
            .collect();
        assert_eq!(names, ["a pkg App.run", "b pkg.cli main", "c p q"]);
    }

    #[test]
    fn names_that_leave_the_folder_or_inject_code_are_refused() {
        for line in ["../a = p:q", "a/b = p:q", "a = p:q;import os", "a = p", "a", ".a = p:q", "a = p:", "a = 1p:q"] {
            assert!(console_scripts(&format!("[console_scripts]\n{line}")).is_err(), "{line}");
        }
    }
}
