//! The files beside `dist/package.toml`: what git ignores, the hook of pre-commit, pipelines, and the small `xtask`.
//!
//! None of them lets a public registry be asked for this tool's name.

/// How the team starts this tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// the program, from a wheel
    Program,
    /// `cargo xtask`
    Cargo,
}

impl Way {
    /// What is typed.
    pub fn command(self) -> &'static str {
        match self {
            Self::Program => "wheelhaul",
            Self::Cargo => "cargo xtask",
        }
    }
}

/// Lines of a `.gitignore` by which the configuration and the locks are committed, and what is made is not, whatever
/// lines stand before them: git looks into no folder that is ignored, so the folder itself is taken back first.
pub(crate) fn ignore_lines() -> &'static str {
    "# RPMs: the configuration and the locks are committed, what is made is not\n\
     !/dist/\n/dist/*\n!/dist/package.toml\n!/dist/pylock.*.toml\n!/dist/probes/\n/target/\n"
}

/// The lines by which git takes a file that it ignores, with each folder above it.
pub(crate) fn taken_back(path: &str) -> Vec<String> {
    let folders = path.match_indices('/').map(|(at, _)| format!("!/{}", &path[..=at]));
    folders.chain([format!("!/{path}")]).collect()
}

/// The hook as an entry of `repos`, not indented.
fn hook(way: Way) -> String {
    format!(
        "- repo: local\n  hooks:\n    - id: wheelhaul-lock-check\n      name: dist/pylock.*.toml are what the team's lock says\n      \
         entry: {} lock --check --quiet\n      language: system\n      pass_filenames: false\n      \
         files: (^|/)(package\\.toml|pyproject\\.toml|Pipfile|[^/]*\\.lock|pylock\\.[^/]*toml|[^/]*requirements[^/]*\\.(txt|in))$\n",
        way.command()
    )
}

/// A `.pre-commit-config.yaml` with the hook.
///
/// - Takes: `existing`, the text where the file is there.
/// - Gives: the text, or as an error the lines to add, where the file is not written in the usual way.
pub fn with_hook(existing: Option<&str>, way: Way) -> Result<String, String> {
    let entry = hook(way);
    let indented = |by: &str| entry.lines().map(|line| format!("{by}{line}\n")).collect::<String>();
    let Some(text) = existing else { return Ok(format!("repos:\n{}", indented("  "))) };
    if text.contains("wheelhaul-lock-check") || text.contains("xtask-lock-check") {
        return Ok(text.to_owned());
    }
    let lines: Vec<&str> = text.lines().collect();
    let place = || {
        let start = lines.iter().position(|line| line.trim_end() == "repos:")?;
        let first = lines[start + 1..].iter().find(|line| line.trim_start().starts_with("- "))?;
        let indent = &first[..first.len() - first.trim_start().len()];
        // The list goes on to the next key at the margin.
        let is_in_list = |line: &&&str| line.trim().is_empty() || line.starts_with([' ', '#', '-']);
        let length = lines[start + 1..].iter().take_while(is_in_list).count();
        let end = start + 1 + length;
        let last = lines[..end].iter().rposition(|line| !line.trim().is_empty() && !line.starts_with('#'))?;
        Some((last + 1, indent))
    };
    let Some((at, indent)) = place() else { return Err(indented("  ")) };
    let with_end = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    Ok(format!("{}{}{}", with_end(&lines[..at]), indented(indent), with_end(&lines[at..])))
}

/// Where a pipeline finds the wheel of this tool, with the mark of a line that has to be changed.
const WHEEL: &str = "tools/wheelhaul-VERSION-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl";
const MARK: &str = "CHANGE THIS: where your team keeps the wheel of wheelhaul, as a file of this repository or a URL of your own server";

/// The pipelines of GitHub and GitLab, each with its path.
pub fn pipelines(way: Way) -> [(&'static str, String); 2] {
    let command = way.command();
    let (github, gitlab) = match way {
        Way::Program => (
            format!(
                "    env:\n      # {MARK}\n      WHEELHAUL: {WHEEL}\n    steps:\n{CHECKOUT}      \
                 - uses: actions/setup-python@v5\n        with:\n          python-version: \"3.12\"\n      \
                 # With --no-index nobody is asked for the name: only the wheel itself is installed.\n      \
                 - run: python -m pip install --no-index \"$WHEELHAUL\"\n"
            ),
            format!(
                "  image: python:3.12-bookworm\n  variables:\n    GIT_DEPTH: 0\n    # {MARK}\n    WHEELHAUL: {WHEEL}\n  \
                 before_script:\n    # With --no-index nobody is asked for the name: only the wheel itself is installed.\n    \
                 - python -m pip install --no-index \"$WHEELHAUL\"\n  cache:\n    paths: [dist/wheels]\n"
            ),
        ),
        Way::Cargo => (
            format!(
                "    steps:\n{CHECKOUT}      - uses: actions/cache@v4\n        with:\n          path: |\n            ~/.cargo/registry\n            \
                 target\n            dist/wheels\n          key: rpm-${{{{ hashFiles('Cargo.lock', 'dist/pylock.*.toml') }}}}\n          restore-keys: rpm-\n"
            ),
            "  image: rust:1-bookworm\n  variables:\n    GIT_DEPTH: 0\n    CARGO_HOME: $CI_PROJECT_DIR/.cargo-home\n  before_script:\n    \
             - apt-get update -qq\n    - apt-get install -qq -y --no-install-recommends git python3 python3-venv\n  cache:\n    \
             key:\n      files: [Cargo.lock]\n    paths: [.cargo-home/registry, target, dist/wheels]\n"
                .to_owned(),
        ),
    };
    const CHECKOUT: &str =
        "      - uses: actions/checkout@v4\n        with:\n          fetch-depth: 0   # with the tags\n";
    [
        (
            ".github/workflows/rpm.yml",
            format!(
                "name: rpm\non: [push, pull_request]\npermissions:\n  contents: read\njobs:\n  rpm:\n    runs-on: ubuntu-latest\n{github}      \
                 - run: {command} lock --check\n      - run: {command} dist --locked\n      - uses: actions/upload-artifact@v4\n        \
                 with:\n          name: rpm\n          path: dist/out/*.tar.gz\n          if-no-files-found: error\n"
            ),
        ),
        (
            ".gitlab-ci.yml",
            format!(
                "rpm:\n{gitlab}  script:\n    - {command} lock --check\n    - {command} dist --locked\n  artifacts:\n    \
                 paths: [\"dist/out/*.tar.gz\"]\n"
            ),
        ),
    ]
}

/// Crates that a development build optimises, and how much: those whose loops run for every byte, and those that see every
/// file of an RPM, tag of a wheel or pin of a lock. The same are in the `[profile.dev]` of this repository.
#[rustfmt::skip]
const OPTIMISED: [(&str, u8); 25] = [
    ("block-buffer",        3),
    ("digest",              3),
    ("flate2",              3),
    ("generic-array",       3),
    ("memchr",              3),
    ("rawzip",              3),
    ("sha2",                3),
    ("siphasher",           3),
    ("toml",                3),
    ("toml_datetime",       3),
    ("toml_parser",         3),
    ("wheelhaul-base",      3),
    ("wheelhaul-payload",   3),
    ("winnow",              3),
    ("xxhash-rust",         3),
    ("zlib-rs",             3),
    ("zstd",                3),
    ("zstd-safe",           3),
    ("zstd-sys",            2),
    ("base64",              1),
    ("pep440_rs",           1),
    ("pep508_rs",           1),
    ("wheelhaul-boxes",     1),
    ("wheelhaul-lockfiles", 1),
    ("wheelhaul-rpmfile",   1),
];

/// The `xtask` of a team with cargo: a crate of a few lines that depends on this tool, and the alias.
///
/// - Takes: `from`, where this tool is: a folder, or a URL of git with `#TAG`; a line to change where it is not known.
pub fn cargo_files(from: Option<&str>) -> Vec<(&'static str, String)> {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let (mark, dependency) = match from {
        None => (
            "# CHANGE THIS: where your team keeps wheelhaul, by git and tag, or by `path = \"…\"`\n",
            "git = \"https://git.example/wheelhaul\", tag = \"vVERSION\"".to_owned(),
        ),
        Some(text) => match (text.split_once('#'), text.contains("://") || text.starts_with("git@")) {
            (Some((url, tag)), true) => ("", format!("git = {}, tag = {}", quoted(url), quoted(tag))),
            (None, true) => ("", format!("git = {}", quoted(text))),
            (_, false) => ("", format!("path = {}", quoted(text))),
        },
    };
    let of_crate = |(name, level): &(&str, u8)| {
        // Loops are optimised across a whole crate.
        let units = if *level == 3 { "codegen-units = 1\n" } else { "" };
        format!("[profile.wheelhaul.package.{name}]\n{units}opt-level = {level}\n")
    };
    let profile: String = OPTIMISED.iter().map(of_crate).collect();
    vec![
        ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"xtask\"]\n".to_owned()),
        (
            "xtask/Cargo.toml",
            format!(
                "[package]\nname = \"xtask\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n[dependencies]\n{mark}wheelhaul = {{ {dependency} }}\n"
            ),
        ),
        (
            "xtask/src/main.rs",
            "//! `cargo xtask`: wheelhaul; tasks of your own go beside it.\n\nfn main() -> std::process::ExitCode {\n    wheelhaul::main(\"cargo xtask\")\n}\n"
                .to_owned(),
        ),
        (
            ".cargo/config.toml",
            format!(
                "[alias]\nxtask = \"run --quiet --profile wheelhaul --package xtask --\"\n\n# What hashes and compresses every byte is compiled with optimisation.\n\
                 [profile.wheelhaul]\ninherits = \"dev\"\ndebug = 0\ndebug-assertions = false\nincremental = false\nlto = \"off\"\noverflow-checks = false\n{profile}"
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hook_is_added_to_a_list_as_it_is_indented() {
        let entry = |by: &str| hook(Way::Program).lines().map(|line| format!("{by}{line}\n")).collect::<String>();
        #[rustfmt::skip]
        let cases = [
            ("repos:\n  - repo: a\n    hooks: [b]\n",                  format!("repos:\n  - repo: a\n    hooks: [b]\n{}", entry("  "))),
            ("repos:\n- repo: a\n  hooks: [b]\n\nci:\n  x: 1\n",       format!("repos:\n- repo: a\n  hooks: [b]\n{}\nci:\n  x: 1\n", entry(""))),
            ("ci: {}\nrepos:\n    - repo: a # x\n      hooks: []",     format!("ci: {{}}\nrepos:\n    - repo: a # x\n      hooks: []\n{}", entry("    "))),
            ("repos:\n  - id: xtask-lock-check\n",                     "repos:\n  - id: xtask-lock-check\n".to_owned()),
        ];
        for (text, expected) in cases {
            assert_eq!(with_hook(Some(text), Way::Program), Ok(expected), "{text}");
        }
        for odd in ["repos: []\n", "repos: [{repo: a}]\n", "", "other: 1\n"] {
            assert_eq!(with_hook(Some(odd), Way::Program), Err(entry("  ")), "{odd}");
        }
        assert_eq!(with_hook(None, Way::Cargo).unwrap().matches("cargo xtask lock --check").count(), 1);
    }

    #[test]
    fn no_registry_is_asked_for_the_name() {
        for (path, text) in pipelines(Way::Program) {
            assert!(
                text.contains("pip install --no-index \"$WHEELHAUL\"") && text.matches("CHANGE THIS").count() == 1,
                "{path}: {text}"
            );
            assert!(!text.contains("install wheelhaul") && !text.contains("uvx wheelhaul"), "{path}: {text}");
        }
        let of = |from| cargo_files(from)[1].1.lines().last().unwrap().to_owned();
        #[rustfmt::skip]
        let cases = [
            (None,                                 "wheelhaul = { git = \"https://git.example/wheelhaul\", tag = \"vVERSION\" }"),
            (Some("https://git.corp/w#v0.2.0"),    "wheelhaul = { git = \"https://git.corp/w\", tag = \"v0.2.0\" }"),
            (Some("git@git.corp:w.git#v1"),        "wheelhaul = { git = \"git@git.corp:w.git\", tag = \"v1\" }"),
            (Some("https://git.corp/w"),           "wheelhaul = { git = \"https://git.corp/w\" }"),
            (Some("../wheelhaul"),                 "wheelhaul = { path = \"../wheelhaul\" }"),
        ];
        for (from, line) in cases {
            assert_eq!(of(from), line);
        }
    }
}
