//! Settings of the user and of the repository, and variables that hooks set: none changes what git is asked, and no
//! program that they name is run.

use crate::checkout::command::run;
use crate::checkout::{Checkout, git, tool_in};
use crate::{APP, append, said_of, sample};
use anyhow::ensure;
use fs_err as fs;
use std::os::unix::fs::PermissionsExt as _;

const SETTINGS: &str = "\
[log]
	showSignature = true
	decorate = full
	date = relative
	showRoot = false
[format]
	pretty = raw
[color]
	ui = always
	status = always
[core]
	quotePath = true
	pager = PROGRAM
	fsmonitor = PROGRAM
	editor = PROGRAM
	hooksPath = FOLDER
	sshCommand = PROGRAM
	untrackedCache = true
	checkStat = minimal
	trustCTime = false
	safecrlf = true
	abbrev = 4
[diff]
	external = PROGRAM
	noprefix = true
	ignoreSubmodules = all
[pager]
	log = PROGRAM
	ls-files = PROGRAM
	rev-list = PROGRAM
	status = PROGRAM
[status]
	showUntrackedFiles = no
	short = true
	branch = true
	relativePaths = false
[i18n]
	logOutputEncoding = UTF-16
	commitEncoding = ISO-8859-1
[gpg]
	program = PROGRAM
[alias]
	ls-files = !PROGRAM
[advice]
	detachedHead = true
";

/// What hooks and habits leave in the environment; `ELSEWHERE` is another repository.
const VARIABLES: [(&str, &str); 18] = [
    ("GIT_DIR", "ELSEWHERE/.git"),
    ("GIT_WORK_TREE", "ELSEWHERE"),
    ("GIT_INDEX_FILE", "ELSEWHERE/.git/index"),
    ("GIT_OBJECT_DIRECTORY", "ELSEWHERE/.git/objects"),
    ("GIT_COMMON_DIR", "ELSEWHERE/.git"),
    ("GIT_NAMESPACE", "other"),
    ("GIT_PREFIX", "python-app/"),
    ("GIT_EXTERNAL_DIFF", "PROGRAM"),
    ("GIT_PAGER", "PROGRAM"),
    ("GIT_SSH_COMMAND", "PROGRAM"),
    ("GIT_LITERAL_PATHSPECS", "1"),
    ("GIT_ICASE_PATHSPECS", "1"),
    ("GIT_OPTIONAL_LOCKS", "1"),
    ("GIT_TRACE", "1"),
    ("GIT_ATTR_SOURCE", "no-such-tree"),
    ("GIT_SHALLOW_FILE", "ELSEWHERE/shallow"),
    ("GIT_CEILING_DIRECTORIES", "/nowhere"),
    ("PAGER", "PROGRAM"),
];

#[test]
fn neither_settings_nor_variables_change_what_is_built_or_run_a_program() -> anyhow::Result<()> {
    let sample = sample("settings-")?;
    let folder = sample.dir()?;
    fs::write(folder.join("python-app/src/templates/é \u{1f40d}.html"), "x")?;
    sample.commit("a name that git would quote")?;
    let elsewhere = Checkout::new("elsewhere-")?;
    append(&elsewhere.dir()?.join(APP), "# of another repository\n")?;
    let place = sample.cloned("place-", &[])?;
    let (programs, marker) = (place.dir()?.join("programs"), place.dir()?.join("was-run"));
    fs::create_dir_all(&programs)?;
    let program = programs.join("program");
    for name in ["program", "post-index-change", "fsmonitor-watchman", "reference-transaction"] {
        fs::write(programs.join(name), format!("#!/bin/sh\necho \"$0 $*\" >> '{marker}'\n"))?;
        fs::set_permissions(programs.join(name), std::fs::Permissions::from_mode(0o755))?;
    }
    let plain = said_of(run(&mut tool_in(&folder, &["rpm", "--spec-only"]))?)?;
    ensure!(plain.from.len() == "commit ".len() + 40, "{}", plain.from);

    let settings = SETTINGS.replace("PROGRAM", program.as_str()).replace("FOLDER", programs.as_str());
    let global = place.dir()?.join("gitconfig");
    fs::write(&global, &settings)?;
    append(&folder.join(".git/config"), &settings)?;
    let index = fs::read(folder.join(".git/index"))?;
    let tool = |words: &[&str]| -> anyhow::Result<std::process::Command> {
        let mut tool = tool_in(&folder, words);
        tool.env("GIT_CONFIG_GLOBAL", &global);
        let elsewhere = elsewhere.dir()?;
        let value = |text: &str| text.replace("ELSEWHERE", elsewhere.as_str()).replace("PROGRAM", program.as_str());
        tool.envs(VARIABLES.map(|(name, text)| (name, value(text))));
        // What a runner gives git on the way stays.
        tool.env("GIT_CONFIG_COUNT", "2").env("GIT_CONFIG_KEY_0", "safe.directory").env("GIT_CONFIG_VALUE_0", "*");
        tool.env("GIT_CONFIG_KEY_1", "core.fsmonitor").env("GIT_CONFIG_VALUE_1", &program);
        Ok(tool)
    };
    let said = said_of(run(&mut tool(&["rpm", "--spec-only"])?)?)?;
    ensure!(said.from == plain.from && !said.talk.contains("warning"), "{}\n{}", said.from, said.talk);
    run(&mut tool(&["lock"])?)?.text()?;
    ensure!(fs::read(folder.join(".git/index"))? == index, "the index was written");
    ensure!(!marker.exists(), "programs were run: {}", fs::read_to_string(&marker)?);
    append(&folder.join(APP), "# more\n")?;
    let said = said_of(run(&mut tool(&["rpm", "--spec-only"])?)?)?;
    ensure!(said.from.ends_with(&format!(": {APP}")), "{}", said.from);
    ensure!(!marker.exists(), "programs were run: {}", fs::read_to_string(&marker)?);
    // The settings do run the program where git is asked plainly, or nothing would be shown.
    let plainly = std::process::Command::new("git").args(["status"]).current_dir(&folder).output()?;
    ensure!(marker.exists(), "{plainly:?}");
    git(&folder, &["config", "core.fsmonitor", "false"])
}

/// `refs/replace` shows another commit under the name of the last one.
#[test]
fn the_commit_is_the_one_that_was_made_and_not_its_replacement() -> anyhow::Result<()> {
    let sample = sample("replaced-")?;
    let folder = sample.dir()?;
    append(&folder.join(APP), "# more\n")?;
    sample.commit("more")?;
    let first = run(std::process::Command::new("git").args(["rev-parse", "HEAD"]).current_dir(&folder))?.text()?;
    git(&folder, &["replace", "HEAD", "HEAD^"])?;
    let said = said_of(run(&mut tool_in(&folder, &["rpm", "--spec-only"]))?)?;
    ensure!(said.from == format!("commit {first}") && !said.talk.contains("warning"), "{}\n{}", said.from, said.talk);
    Ok(())
}
