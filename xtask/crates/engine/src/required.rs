//! Holds this program to `required-version` of `dist/package.toml`, before anything else is done.

use anyhow::Context as _;
use camino::Utf8Path;
use wheelhaul_base::problem::Problem;
use wheelhaul_config::{UnmetVersion, VERSION, unmet};
use wheelhaul_host::{Sys, Verbosity, find_root, typed_name};

/// Refuses to work in a repository that asks for another version of this tool.
///
/// Where there is no repository, or no file that can be read, that is for the task to say.
pub fn hold(here: &Utf8Path) -> anyhow::Result<()> {
    let Ok(root) = find_root(here) else { return Ok(()) };
    let sys = Sys { root, verbosity: Verbosity::Quiet, offline: true };
    let Ok(text) = sys.read_text(&sys.root.join("dist/package.toml")) else { return Ok(()) };
    match unmet(&text, VERSION).context("failed to read `dist/package.toml`")? {
        None => Ok(()),
        Some(unmet) => Err(refusal(&sys, &unmet, typed_name())),
    }
}

fn refusal(sys: &Sys, unmet: &UnmetVersion, name: &str) -> anyhow::Error {
    let UnmetVersion { required, line } = unmet;
    let cure = match name.contains(' ') {
        true => of_cargo(sys),
        false => format!(
            "install a version that it allows, from your team's file or index; `{name} --version` says which one is there"
        ),
    };
    Problem::with_hint(
        format!("`dist/package.toml` requires wheelhaul {required} (line {line}), and this is {VERSION}"),
        cure,
    )
}

/// The line to change where cargo builds the tool.
fn of_cargo(sys: &Sys) -> String {
    for file in ["xtask/Cargo.toml", "Cargo.toml"] {
        let text = sys.read_text(&sys.root.join(file)).unwrap_or_default();
        let is_it = |(_, line): &(usize, &str)| {
            let rest = line.trim_start().strip_prefix("wheelhaul");
            rest.is_some_and(|rest| rest.trim_start().starts_with('=')) && !line.contains("workspace = true")
        };
        let Some((index, line)) = text.lines().enumerate().find(is_it) else { continue };
        // A URL may have a credential: the line is not repeated.
        let key = ["tag", "rev", "branch", "version", "path"]
            .into_iter()
            .find(|key| line.split(['{', ',']).any(|part| part.trim_start().starts_with(&format!("{key} "))));
        let what = match key {
            Some("path") => "let the folder that `path` names have a version that it allows".to_owned(),
            Some(key) => format!("change `{key}` to that of a version that it allows"),
            None => "name a version that it allows".to_owned(),
        };
        return format!("line {} of `{file}`: {what}; then `cargo update -p wheelhaul`", index + 1);
    }
    "in `xtask/Cargo.toml`, name a version of `wheelhaul` that it allows".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wheelhaul_base::problem::hints_of;

    #[test]
    fn the_cure_is_for_the_way_that_the_program_was_started() {
        #[rustfmt::skip]
        let cases = [ // typed        file                 its text                                                             in the hint
            ("wheelhaul",   "xtask/Cargo.toml",  "wheelhaul = { path = \"x\" }",                                      "from your team's file or index"),
            ("cargo xtask", "xtask/Cargo.toml",  "[dependencies]\nwheelhaul = { git = \"https://u:pw@h/x\", tag = \"v1\" }", "line 2 of `xtask/Cargo.toml`: change `tag`"),
            ("cargo xtask", "xtask/Cargo.toml",  "[dependencies]\nwheelhaul = { path = \"../w\" }",                   "line 2 of `xtask/Cargo.toml`: let the folder"),
            ("cargo xtask", "xtask/Cargo.toml",  "[dependencies]\nwheelhaul.workspace = true",                        "in `xtask/Cargo.toml`"),
            ("cargo xtask", "Cargo.toml",        "[workspace.dependencies]\nwheelhaul = { git = \"g\", rev = \"a\" }", "line 2 of `Cargo.toml`: change `rev`"),
            ("cargo xtask", "Cargo.toml",        "wheelhaul = \"0.2\"",                                               "line 1 of `Cargo.toml`: name a version"),
            ("cargo xtask", "other",             "",                                                                  "in `xtask/Cargo.toml`"),
        ];
        for (name, file, text, cure) in cases {
            let folder = tempfile::tempdir().unwrap();
            let root = Utf8Path::from_path(folder.path()).unwrap();
            fs_err::create_dir(root.join("xtask")).unwrap();
            fs_err::write(root.join(file), text).unwrap();
            let sys = Sys { root: root.to_owned(), verbosity: Verbosity::Quiet, offline: true };
            let error = refusal(&sys, &UnmetVersion { required: ">=9".to_owned(), line: 1 }, name);
            assert!(error.to_string().contains(">=9") && error.to_string().contains(VERSION), "{error}");
            let hints = hints_of(&error).join("\n");
            assert!(hints.contains(cure) && !hints.contains("pw@"), "{file} {text}: {hints}");
        }
    }
}
