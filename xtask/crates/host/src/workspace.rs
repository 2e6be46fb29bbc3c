//! Where this tool keeps what is its own: `target/xtask` of a repository, and `xtask` in the user's cache folder.
//!
//! Both are used only where they are this user's own (`own.rs`). What is judged without a repository uses the cache alone.

use crate::own::{NotOwn, own_folder};
use crate::{Scratch, Sys};
use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::sync::Mutex;
use tempfile::TempDir;
use wheelhaul_base::hex::hex;

/// The folder of folders for one piece of work, in a workspace and in the user's cache.
pub const SCRATCH: &str = "scratch";
/// The folder in the user's cache of workspaces that cannot be where their repositories are.
pub const ELSEWHERE: &str = "repositories";

/// For a run that has no place of its own.
static TEMPORARY: Mutex<Option<TempDir>> = Mutex::new(None);
/// What was said already.
static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// `xtask` in the user's cache folder, as the XDG base directory specification has it; none for a user without a home.
/// Whether it can be trusted is [`Sys::cache`]'s question.
pub fn user_cache() -> Option<Utf8PathBuf> {
    let folder = |name: &str| std::env::var(name).ok().map(Utf8PathBuf::from).filter(|path| path.is_absolute());
    let cache = if cfg!(windows) { folder("LOCALAPPDATA") } else { folder("XDG_CACHE_HOME") };
    Some(cache.or_else(|| Some(folder("HOME")?.join(".cache")))?.join("xtask"))
}

/// Where the workspace of a repository is if it cannot be in it.
pub fn elsewhere(cache: &Utf8Path, root: &Utf8Path) -> Utf8PathBuf {
    cache.join(ELSEWHERE).join(&hex(&Sha256::digest(root.as_str()))[..16])
}

/// Removes the folder of a run that had no place of its own.
pub fn remove_temporary() {
    drop(TEMPORARY.lock().expect("no thread panics").take());
}

impl Sys {
    /// What is kept between runs and shared between repositories, and all that is kept of judging RPMs.
    ///
    /// None where the user has no home, where it cannot be made, and where somebody else could write there, which is said.
    pub fn cache(&self) -> Option<Utf8PathBuf> {
        let wanted = user_cache()?;
        match own_folder(&wanted) {
            Ok(folder) => Some(folder),
            Err(NotOwn::Foreign(why)) => {
                self.warn_once(format!("the cache `{wanted}` is not used, and nothing is kept in it: {why}"));
                None
            }
            Err(NotOwn::Io(error)) => {
                self.detail(format!("nothing is kept in `{wanted}`: {error}"));
                None
            }
        }
    }

    pub(crate) fn own(&self, wanted: &Utf8Path) -> Option<Utf8PathBuf> {
        own_folder(wanted)
            .map_err(|why| match why {
                NotOwn::Foreign(why) => self.warn_once(format!("`{wanted}` is not used: {why}; remove it")),
                NotOwn::Io(error) => self.detail(format!("nothing is kept in `{wanted}`: {error}")),
            })
            .ok()
    }

    /// What the tool keeps of a repository for itself: `target/xtask`, which git ignores.
    ///
    /// Where somebody else could write there, or this user cannot, it is in the user's cache instead, which is said; for a
    /// user without one in a temporary folder that goes with the run.
    pub fn workspace(&self) -> Utf8PathBuf {
        let wanted = self.root.join("target/xtask");
        let why = match own_folder(&wanted) {
            Ok(folder) => return folder,
            Err(why) => why,
        };
        if let Some(folder) = self.cache().and_then(|cache| own_folder(&elsewhere(&cache, &self.root)).ok()) {
            self.warn_once(format!("`{wanted}` is not used, but `{folder}`: {why}"));
            return folder;
        }
        let mut temporary = TEMPORARY.lock().expect("no thread panics");
        let made = match temporary.take() {
            Some(made) => Ok(made),
            None => super::private("xtask-").tempdir(),
        };
        let folder = made.ok().and_then(|made| {
            let folder = Utf8PathBuf::try_from(made.path().to_owned()).ok();
            *temporary = Some(made);
            folder
        });
        let Some(folder) = folder else { return wanted };
        self.warn_once(format!("`{wanted}` is not used, and nothing is kept between runs: {why}"));
        folder
    }

    /// A folder below the workspace that goes when its holder is dropped.
    pub fn scratch(&self) -> anyhow::Result<(Scratch, Utf8PathBuf)> {
        let scratch = Scratch::new_in(&self.workspace().join(SCRATCH), "work-")?;
        let folder = scratch.folder().to_owned();
        Ok((scratch, folder))
    }

    fn warn_once(&self, text: String) {
        if SAID.lock().expect("no thread panics").insert(text.clone()) {
            self.say(format!("warning: {text}"));
        }
    }
}
