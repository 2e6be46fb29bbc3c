//! A home for the programs that tests start: what they keep goes below `target`, and no setting of the user's reaches them.

use camino::{Utf8Path, Utf8PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// What of the user's settings says where a registry is and how it is reached. Nothing else of them is taken.
const REACH: [&str; 8] = ["CERT", "SSL", "CA_BUNDLE", "PROXY", "INDEX_URL", "DEFAULT_INDEX", "TRUSTED_HOST", "TIMEOUT"];

/// Variables of programs that tests start, which this user may have set for own work.
#[rustfmt::skip]
const OWN: [&str; 14] = [
    "PIP_", "UV_", "PDM_", "PIPENV_", "POETRY_", "PRE_COMMIT_", "PYTHON", "VIRTUAL_ENV", "GIT_", "GNUPGHOME",
    "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME",
];

/// Gives a program the home of the tests, save where its test gave it another one, or took that away.
pub fn in_test_home(command: &mut Command) -> &mut Command {
    if command.get_envs().any(|(name, _)| name == "HOME") {
        return command;
    }
    for (name, value) in SETTINGS.iter() {
        // What the test has set stays.
        if !command.get_envs().any(|(set, _)| set == name.as_str()) {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
    }
    command
}

/// Where it is.
pub fn folder() -> Utf8PathBuf {
    let home = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/xtask/test-home");
    std::fs::create_dir_all(&home).expect("the build folder can be written");
    home.canonicalize_utf8().expect("it was made")
}

static SETTINGS: LazyLock<Vec<(String, Option<String>)>> = LazyLock::new(|| {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let home = folder();
    let mut settings: Vec<(String, Option<String>)> = std::env::vars()
        .filter(|(name, _)| {
            OWN.iter().any(|own| name.starts_with(own)) && !REACH.iter().any(|part| name.contains(part))
        })
        .map(|(name, _)| (name, None))
        .collect();
    // Where pip is configured to download from.
    for (key, variable) in [("index-url", "PIP_INDEX_URL"), ("cert", "PIP_CERT"), ("proxy", "PIP_PROXY")] {
        if set(variable).is_none() {
            settings.push((variable.to_owned(), of_pip(key)));
        }
    }
    // What is below the user's home, and is no setting: toolchains.
    if let Some(of_user) = set("HOME").map(Utf8PathBuf::from) {
        for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup"), ("PYENV_ROOT", ".pyenv")] {
            settings.push((name.to_owned(), Some(set(name).unwrap_or(of_user.join(folder).into_string()))));
        }
    }
    let cut_off = cut_off();
    let backends = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("locks/backends.txt");
    let newest = set("XTASK_TESTS_NEWEST").is_some();
    settings.extend([
        ("HOME".to_owned(), Some(home.to_string())),
        ("PIP_CONFIG_FILE".to_owned(), Some("/dev/null".to_owned())),
        ("PYTHONNOUSERSITE".to_owned(), Some("1".to_owned())),
    ]);
    if !newest {
        settings.extend([
            ("UV_EXCLUDE_NEWER".to_owned(), Some(cut_off.to_owned())),
            ("PIP_UPLOADED_PRIOR_TO".to_owned(), Some(cut_off.to_owned())),
            ("UV_BUILD_CONSTRAINT".to_owned(), Some(backends.into_string())),
        ]);
    }
    settings
});

/// The day after which uploads do not count, as the scripts have it.
fn cut_off() -> &'static str {
    let script = include_str!("../python/registry.py");
    let line = script.lines().find_map(|line| line.strip_prefix("CUT_OFF = \"")?.strip_suffix('"'));
    line.expect("`registry.py` has the day")
}

fn of_pip(key: &str) -> Option<String> {
    let said = Command::new("python3").args(["-m", "pip", "config", "get", &format!("global.{key}")]).output().ok()?;
    let value = String::from_utf8(said.stdout).ok()?.trim().to_owned();
    (said.status.success() && !value.is_empty()).then_some(value)
}
