//! What decides the bytes of an RPM and lies in the repository: whether it is the commit's, and whether git ignores it.

use crate::Project;
use crate::tools::git;
use crate::tools::git::{Head, Inputs};
use crate::tools::git_repository;
use camino::Utf8PathBuf;
use wheelhaul_base::problem::{Problem, all_of};
use wheelhaul_config::App;

/// What this tool brings to the top of a repository, and is no part of an application that has it to itself.
const OWN: [&str; 6] = [".cargo", "Cargo.lock", "Cargo.toml", "dist", "target", "xtask"];

/// How many files that differ from the commit the changelog names.
const MOST_NAMED: usize = 20;

/// What is passed over at the top of the application's folder.
pub(crate) fn skipped(project: &Project) -> &'static [&'static str] {
    if project.config.app.path == "." { &OWN } else { &[] }
}

/// Refuses a checkout that lacks files of the application, which many other mistakes would follow from.
pub(crate) fn refuse_incomplete(project: &Project) -> anyhow::Result<()> {
    git::refuse_incomplete(&project.sys, &project.app(), skipped(project))
}

/// The single files, relative to the repository; the application has more, which git lists.
///
/// - Takes: `read`, what the team's lock is made of.
fn single_files(project: &Project, read: &[Utf8PathBuf]) -> Vec<Utf8PathBuf> {
    let dist = Utf8PathBuf::from("dist");
    let app = &project.config.app;
    let mut files = vec![dist.join("package.toml")];
    let locks = project.targets.iter().filter_map(|target| Some(dist.join(project.lock_path(target).file_name()?)));
    files.extend(locks);
    files.extend(project.config.probes().into_iter().map(Into::into));
    files.extend(app.config.iter().map(|path| in_app(app, path.as_str())));
    files.extend(["pyproject.toml", "setup.py", "setup.cfg"].map(|name| in_app(app, name)));
    files.extend(read.iter().cloned());
    files.retain(|file| project.sys.root.join(file).exists());
    files.sort();
    files.dedup();
    files
}

/// A path of the application, relative to the repository, without a `./` in front.
fn in_app(app: &App, path: &str) -> Utf8PathBuf {
    if app.path == "." { path.into() } else { app.path.join(path) }
}

/// Says which inputs git ignores, with the cure.
pub(crate) fn warn_of_ignored(project: &Project, read: &[Utf8PathBuf]) {
    warn(project, &single_files(project, read));
}

/// Config files have an error of their own, which does not ask for a password to be committed.
fn warn(project: &Project, files: &[Utf8PathBuf]) {
    let app = &project.config.app;
    let is_config = |file: &Utf8PathBuf| app.config.iter().any(|path| in_app(app, path.as_str()) == *file);
    let files: Vec<Utf8PathBuf> = files.iter().filter(|file| !is_config(file)).cloned().collect();
    if let Some(ignored) = git::ignored(&project.sys, &app.path, &files) {
        project.sys.say(format!("warning: {ignored}"));
    }
}

/// What the RPM is built from, in words for its changelog. Warns of what is not the commit's: it is packed as it is, with
/// the commit's time and version.
pub(crate) fn origin(project: &Project, head: Option<&Head>, read: &[Utf8PathBuf]) -> anyhow::Result<String> {
    let files = single_files(project, read);
    let inputs = Inputs { app: &project.config.app.path, skipped: skipped(project), files: &files };
    let found = git::differing(&project.sys, head, &inputs)?;
    warn(project, &found.unknown.iter().cloned().collect::<Vec<_>>());
    let all: Vec<String> = found.all.iter().map(|path| path.escape_debug().to_string()).collect();
    let Some(head) = head else {
        project.sys.say("warning: the repository has no commit: nobody can build this RPM again");
        return Ok("files that are not committed".to_owned());
    };
    if all.is_empty() {
        return Ok(format!("commit {}", head.commit));
    }
    let named = |most: usize, mark: &str| {
        let names: Vec<String> = all.iter().take(most).map(|path| format!("{mark}{path}{mark}")).collect();
        let more = if all.len() > most { format!(" and {} more", all.len() - most) } else { String::new() };
        format!("{}{more}", names.join(", "))
    };
    project
        .sys
        .say(format!("warning: not committed as packed: {}; the RPM is not that of the last commit", named(5, "`")));
    Ok(format!("commit {}, with changes that are not committed: {}", head.commit, named(MOST_NAMED, "")))
}

/// The application's config files, each with its path below the application's folder and its bytes.
///
/// # Errors
/// Once, naming each that git does not know.
pub(crate) fn config_files(project: &Project) -> anyhow::Result<Vec<(Utf8PathBuf, Vec<u8>)>> {
    let paths = &project.config.app.config;
    let mut files = Vec::new();
    let mut faults = Vec::new();
    for (path, known) in paths.iter().zip(git::known(&project.sys, &project.app(), paths)?) {
        match known {
            Some(file) => files.push((path.clone(), file.read(&project.app())?)),
            None => {
                let rule = git_repository::ignored_by(&project.sys, &project.app().join(path));
                let (how, add) = match rule {
                    Some(rule) => {
                        (format!("ignores the config file `{path}` of `app.config`, by {rule}"), "git add --force")
                    }
                    None => (format!("does not know the config file `{path}` of `app.config`"), "git add"),
                };
                faults.push(Problem::with_hint(
                    format!("git {how}"),
                    format!(
                        "`app.config` is for defaults that are committed: `{add}` it if it is one. A password or a key stays \
                         out of the package: name it in `service.secrets`, or let the box's administrator write it into \
                         /etc/sysconfig/{}",
                        project.config.package.name
                    ),
                ));
            }
        }
    }
    all_of("config files cannot be packed", faults)?;
    Ok(files)
}
