//! The door: files that appear by rename, programs, time, and talk to the person at the terminal.
//! No room above this one does I/O of its own.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "this crate does input and output")]

mod cache;
mod files;
mod fresh;
mod own;
mod program;
mod query;
mod running;
mod scratch;
mod stop;
mod talk;
mod typed;
mod workspace;

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use fresh::Fresh;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sha2::{Digest as _, Sha256};
use std::io::{Read, Write as _};
use std::time::Duration;
use wheelhaul_base::hex::hex;
use wheelhaul_base::problem::Problem;
use wheelhaul_base::text::one_line;

pub use cache::{Bounds, CACHES, Cache, is_made_here, key_of};
pub use files::{names_in, open_regular};
#[cfg(unix)]
pub use own::this_user;
pub use own::{NotOwn, other_owner, own_folder};
pub use program::{Ended, Program, Said, all_on_path, on_path};
pub use query::Answer;
pub use running::{Running, Talk};
pub use scratch::{Scratch, left_in};
pub use stop::Stop;
pub use talk::{ask, can_ask, colours_of_output, print, print_help, print_json, tell_error, tell_lines};
pub use typed::{set_typed_name, typed_name};
pub use workspace::{ELSEWHERE, SCRATCH, elsewhere, remove_temporary, user_cache};

/// How often what moves on the terminal is drawn.
const TICK: Duration = Duration::from_millis(120);

/// How much is said on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// errors only
    Quiet,
    /// what was done
    Normal,
    /// every command that is run, and every decision
    Verbose,
}

/// What the commands reach the world through.
#[derive(Debug, Clone)]
pub struct Sys {
    /// the repository: the folder that has `dist/package.toml`
    pub root: Utf8PathBuf,
    /// how much is said
    pub verbosity: Verbosity,
    /// whether no program may reach the network
    pub offline: bool,
}

/// Finds the repository at or above `start`.
///
/// - Fails: where no folder has a `dist/package.toml`.
pub fn find_root(start: &Utf8Path) -> anyhow::Result<Utf8PathBuf> {
    let start = whole(start).with_context(|| format!("there is no folder `{start}`"))?;
    // What is no regular file is told when it is opened.
    let is_there = |path: Utf8PathBuf| path.exists() && !path.is_dir();
    match start.ancestors().find(|folder| is_there(folder.join("dist/package.toml"))) {
        Some(root) => Ok(root.to_owned()),
        None => Err(Problem::with_hint(
            format!("no `dist/package.toml` in `{start}` or above it"),
            "`cargo xtask init` writes one, in the application's repository; `-C DIR` names another folder",
        )),
    }
}

/// The whole path of a folder that is there.
///
/// On Windows without `\\?\` in front, which neither git nor Python takes for a working directory.
fn whole(folder: &Utf8Path) -> anyhow::Result<Utf8PathBuf> {
    if cfg!(unix) {
        return Ok(folder.canonicalize_utf8()?);
    }
    anyhow::ensure!(folder.is_dir(), "it is no folder");
    Ok(Utf8PathBuf::try_from(std::path::absolute(folder)?)?)
}

impl Sys {
    /// Says what was done, on standard error.
    pub fn say(&self, text: impl AsRef<str>) {
        if self.verbosity >= Verbosity::Normal {
            talk::tell(text.as_ref());
        }
    }

    /// Says a detail, with `-v`.
    pub fn detail(&self, text: impl AsRef<str>) {
        if self.verbosity >= Verbosity::Verbose {
            talk::tell(text.as_ref());
        }
    }

    /// Writes a file, which appears under its name when it is whole.
    pub fn write(&self, path: &Utf8Path, bytes: &[u8]) -> anyhow::Result<()> {
        self.create(path, |file| Ok(file.write_all(bytes)?))
    }

    /// Lets `fill` write a file that appears under its name when it is complete, or never.
    pub fn create<T>(
        &self,
        path: &Utf8Path,
        fill: impl FnOnce(&mut fs_err::File) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let folder = path.parent().context("a file is in a folder")?;
        fs_err::create_dir_all(folder)?;
        // A rename takes the place of whatever is there: of `/dev/null` as well, where root asks for it.
        if let Ok(there) = path.symlink_metadata()
            && !there.is_file()
            && !there.is_symlink()
        {
            return Err(Problem::with_hint(
                format!("`{path}` is there, and is no file"),
                "name another file, or remove what is there",
            ));
        }
        let mut fresh = Fresh::new_in(folder)?;
        let made = fill(&mut fresh.file).with_context(|| format!("failed to write `{path}`"))?;
        fresh.put(path).with_context(|| format!("failed to put `{path}` in place"))?;
        Ok(made)
    }

    /// What keeps the clients of an index from a network, whoever starts them.
    fn of_network(&self) -> &'static [(&'static str, &'static str)] {
        if self.offline { &[("UV_OFFLINE", "1"), ("PIP_NO_INDEX", "1")] } else { &[] }
    }

    /// Moves a finished file to its place; across file systems it is copied, and appears whole there too.
    pub fn put(&self, from: &Utf8Path, to: &Utf8Path) -> anyhow::Result<()> {
        match std::fs::rename(from, to) {
            Err(error) if error.kind() == std::io::ErrorKind::CrossesDevices => self.create(to, |file| {
                std::io::copy(&mut fs_err::File::open(from)?, file)?;
                Ok(())
            }),
            moved => moved.with_context(|| format!("failed to put `{to}` in place")),
        }
    }

    /// A bar for something that takes more than a moment; nothing where standard error is no terminal.
    pub fn bar(&self, length: u64, what: &str) -> ProgressBar {
        if self.verbosity == Verbosity::Quiet {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes} {elapsed}");
        drawn(ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden()), style, what)
    }

    /// A spinner for a step whose length is not known.
    pub fn spinner(&self, what: &str) -> ProgressBar {
        if self.verbosity == Verbosity::Quiet {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
        drawn(ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()), style, what)
    }
}

/// Folders that only their owner enters: a list of URLs in them may hold a credential.
pub fn private(prefix: &str) -> tempfile::Builder<'_, '_> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o700));
    }
    builder
}

/// Draws a bar once it has its style and its words, never before.
fn drawn(bar: ProgressBar, style: Result<ProgressStyle, impl std::fmt::Debug>, what: &str) -> ProgressBar {
    bar.set_style(style.expect("the template is well formed"));
    bar.set_message(one_line(what).into_owned());
    bar.set_draw_target(ProgressDrawTarget::stderr());
    bar.enable_steady_tick(TICK);
    bar
}

/// The sha256 of a file, in lower-case hex.
pub fn sha256_of(path: &Utf8Path) -> anyhow::Result<String> {
    sha256_of_rest(&mut open_regular(path)?)
}

/// The same of what is left to read.
pub fn sha256_of_rest(file: &mut impl Read) -> anyhow::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => hasher.update(&buffer[..count]),
        }
    }
    Ok(hex(&hasher.finalize()))
}

/// A text with LF for each CRLF; it may have tens of megabytes, and mostly has none.
pub fn with_lf(text: String) -> String {
    if text.contains('\r') { text.replace("\r\n", "\n") } else { text }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_not_taken_the_place_of() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
        let sys = Sys { root: root.clone(), verbosity: Verbosity::Quiet, offline: false };
        let socket = root.join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let error = sys.write(&socket, b"x").unwrap_err();
        assert!(format!("{error:#}").contains("is no file"), "{error:#}");
        assert!(!socket.symlink_metadata().unwrap().is_file(), "it was replaced");
        sys.write(&root.join("file"), b"one").unwrap();
        sys.write(&root.join("file"), b"two").unwrap();
        assert_eq!(std::fs::read(root.join("file")).unwrap(), b"two");
    }
}
