//! Folders that are this user's own: only what lies in them is believed, and only programs in them are run.
//!
//! A folder is trusted if it belongs to this user and nobody else can write it, and if nobody else can put another one in
//! its place: each folder above it belongs to this user, to root or to the owner of `/`, and is not writable by others,
//! unless it is sticky as `/tmp` is. The group may write where it is the owner's private group: it has the owner's name
//! and no other member, which is when Red Hat's umask lets it. An access list counts as other writers.

use camino::{Utf8Path, Utf8PathBuf};
use std::fmt;
use std::io;

/// Why a folder is not used.
#[derive(Debug)]
pub enum NotOwn {
    /// somebody else owns it or a folder above it, or can write there
    Foreign(String),
    /// it cannot be made or looked at
    Io(io::Error),
}

impl fmt::Display for NotOwn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign(why) => f.write_str(why),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for NotOwn {}

impl From<io::Error> for NotOwn {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Makes a folder that only this user enters, whatever the umask; or checks that one that is there can be trusted.
///
/// Returns its path without links, as it was checked.
pub fn own_folder(folder: &Utf8Path) -> Result<Utf8PathBuf, NotOwn> {
    let there = folder.ancestors().find(|path| path.symlink_metadata().is_ok());
    let there = there.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    if there != folder {
        // Nothing is made where somebody else could exchange it.
        unix::check_all(&real(there)?, unix::Place::Above)?;
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        only_owner(&mut builder);
        builder.create(folder)?;
    }
    let folder = real(folder)?;
    unix::check_all(&folder, unix::Place::Last)?;
    Ok(folder)
}

#[cfg(unix)]
pub use unix::this_user;

/// Lets only the owner enter what is made, whatever the umask.
pub(super) use unix::only_owner;

/// A path without links; on Windows as it is, since neither git nor Python takes one that begins with `\\?\`.
fn real(path: &Utf8Path) -> io::Result<Utf8PathBuf> {
    if cfg!(unix) { path.canonicalize_utf8() } else { Ok(path.to_owned()) }
}

/// Who else than this user and root a file, a folder or a link to one belongs to; nobody where it is not there.
pub fn other_owner(path: &Utf8Path) -> Option<String> {
    unix::other_owner(path)
}

#[cfg(unix)]
mod unix {
    use super::NotOwn;
    use camino::Utf8Path;
    use std::fs::{DirBuilder, Metadata};
    use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
    use std::process::{Command, Stdio};

    const GROUP_WRITES: u32 = 0o020;
    const OTHERS_WRITE: u32 = 0o002;
    const STICKY: u32 = 0o1000;

    /// Where in a path a folder is.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(super) enum Place {
        /// what lies in it is to be believed
        Last,
        /// something below it is
        Above,
    }

    pub(crate) fn only_owner(builder: &mut DirBuilder) {
        builder.mode(0o700);
    }

    /// The number of the user that this process acts as.
    pub fn this_user() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    pub(super) fn other_owner(path: &Utf8Path) -> Option<String> {
        let both = [path.symlink_metadata(), path.metadata()];
        let owner = both.into_iter().flatten().map(|data| data.uid()).find(|owner| ![0, this_user()].contains(owner));
        owner.map(|owner| format!("`{path}` belongs to {}", user(owner)))
    }

    /// Checks a folder and all above it.
    pub(super) fn check_all(folder: &Utf8Path, place: Place) -> Result<(), NotOwn> {
        for (index, path) in folder.ancestors().enumerate() {
            check(path, if index == 0 { place } else { Place::Above })?;
        }
        Ok(())
    }

    fn check(path: &Utf8Path, place: Place) -> Result<(), NotOwn> {
        let data = path.metadata()?;
        let foreign = |why: &str| Err(NotOwn::Foreign(format!("`{path}` {why}")));
        if !data.is_dir() {
            return Err(NotOwn::Io(std::io::ErrorKind::NotADirectory.into()));
        }
        let is_trusted = |owner: u32| match place {
            Place::Last => owner == this_user(),
            // Who owns `/` decides on every program of this host; in a user namespace that is nobody's number.
            Place::Above => owner == this_user() || owner == 0 || is_owner_of_all(owner),
        };
        if !is_trusted(data.uid()) {
            return foreign(&format!("belongs to {}, and this is {}", user(data.uid()), user(this_user())));
        }
        // In a sticky folder nobody can exchange what belongs to another.
        if place == Place::Above && data.mode() & STICKY != 0 {
            return Ok(());
        }
        if data.mode() & OTHERS_WRITE != 0 {
            return foreign("can be written by everybody");
        }
        if data.mode() & GROUP_WRITES != 0 && (has_access_list(path) || !is_private_group(&data)) {
            return foreign("can be written by a group with other members");
        }
        Ok(())
    }

    fn is_owner_of_all(owner: u32) -> bool {
        Utf8Path::new("/").metadata().is_ok_and(|data| data.uid() == owner)
    }

    /// The group's bits then are the mask of all that the list names.
    fn has_access_list(path: &Utf8Path) -> bool {
        #[cfg(target_os = "linux")]
        return rustix::fs::getxattr(path.as_std_path(), "system.posix_acl_access", &mut [0_u8; 0])
            .is_ok_and(|size| size > 0);
        #[cfg(not(target_os = "linux"))]
        false
    }

    /// Whether the group of a folder is its owner's primary one, of the same name and without other members.
    fn is_private_group(data: &Metadata) -> bool {
        let (Some(user), Some(group)) = (entry("passwd", data.uid()), entry("group", data.gid())) else { return false };
        is_private(&user, &group, data.gid())
    }

    /// - Takes: lines as getent(1) prints them, `NAME:x:UID:GID:…` and `NAME:x:GID:MEMBER,…`.
    fn is_private(user: &str, group: &str, gid: u32) -> bool {
        let user: Vec<&str> = user.trim_end().split(':').collect();
        let group: Vec<&str> = group.trim_end().split(':').collect();
        let ([name, _, _, primary, ..], [of, _, _, members, ..]) = (&user[..], &group[..]) else { return false };
        name == of
            && *primary == gid.to_string()
            && members.split(',').all(|member| member.is_empty() || member == *name)
    }

    fn user(uid: u32) -> String {
        let name = entry("passwd", uid).and_then(|line| Some(line.split_once(':')?.0.escape_debug().to_string()));
        name.map_or_else(|| format!("user {uid}"), |name| format!("user {uid} ({name})"))
    }

    /// A line of a database of users, wherever this host has it from.
    fn entry(database: &str, number: u32) -> Option<String> {
        let asked = Command::new("getent").args([database, &number.to_string()]).stdin(Stdio::null()).output().ok()?;
        let line = String::from_utf8(asked.stdout).ok()?;
        asked.status.success().then_some(line)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_group_is_private_where_it_is_the_owners_alone() {
            #[rustfmt::skip]
            let cases = [
                ("ann:x:1000:1000::/home/ann:/bin/bash\n", "ann:x:1000:\n",        1000, true),
                ("ann:x:1000:1000:::",                     "ann:x:1000:ann",       1000, true),
                ("ann:x:1000:1000:::",                     "ann:x:1000:ann,eve",   1000, false),
                ("ann:x:1000:1000:::",                     "ann:x:1000:eve",       1000, false),
                ("ann:x:1000:100:::",                      "users:x:100:",         100,  false),
                ("ann:x:1000:100:::",                      "ann:x:1000:",          1000, false),
                ("ann",                                    "ann:x:1000:",          1000, false),
                ("ann:x:1000:1000:::",                     "",                     1000, false),
            ];
            for (user, group, gid, expected) in cases {
                assert_eq!(is_private(user, group, gid), expected, "{user} {group} {gid}");
            }
        }
    }
}

/// Elsewhere a folder of the user's profile is the user's.
#[cfg(not(unix))]
mod unix {
    use super::NotOwn;
    use camino::Utf8Path;

    pub enum Place {
        Last,
        Above,
    }

    pub fn only_owner(_: &mut std::fs::DirBuilder) {}

    pub fn other_owner(_: &Utf8Path) -> Option<String> {
        None
    }

    pub fn check_all(_: &Utf8Path, _: Place) -> Result<(), NotOwn> {
        Ok(())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

    #[test]
    fn only_folders_that_nobody_else_can_write_are_own() {
        let keep = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(keep.path()).unwrap();
        let root = &root.canonicalize_utf8().unwrap();
        let mode = |path: &str, mode: u32| fs::set_permissions(root.join(path), Permissions::from_mode(mode)).unwrap();
        let why = |path: &str| own_folder(&root.join(path)).err().map(|why| why.to_string());

        assert_eq!(own_folder(&root.join("a/b")).unwrap(), root.join("a/b"));
        for made in ["a", "a/b"] {
            assert_eq!(root.join(made).metadata().unwrap().permissions().mode() & 0o7777, 0o700, "{made}");
        }
        #[rustfmt::skip]
        let cases = [ // mode of `a`, of `a/b`, what is wrong
            (0o755,  0o755,  None),
            (0o777,  0o700,  Some("/a` can be written by everybody")),
            (0o1777, 0o700,  None),
            (0o755,  0o777,  Some("/a/b` can be written by everybody")),
            (0o755,  0o1777, Some("/a/b` can be written by everybody")),
        ];
        for (above, last, expected) in cases {
            mode("a", above);
            mode("a/b", last);
            let found = why("a/b");
            assert!(
                found.as_deref().zip(expected).map_or(found.is_none() == expected.is_none(), |(a, b)| a.contains(b)),
                "{above:o} {last:o}: {found:?}"
            );
        }
        // Nothing is made below what others can write, and no link hides whose it is.
        mode("a/b", 0o700);
        mode("a", 0o777);
        assert!(why("a/new").unwrap().contains("everybody") && !root.join("a/new").exists());
        symlink(root.join("a/b"), root.join("link")).unwrap();
        assert!(why("link").unwrap().contains("/a`"), "{:?}", why("link"));
        mode("a", 0o755);
        assert_eq!(own_folder(&root.join("link")).unwrap(), root.join("a/b"));
        fs::write(root.join("file"), "").unwrap();
        assert!(matches!(own_folder(&root.join("file")), Err(NotOwn::Io(_))));
        assert!(matches!(own_folder(&root.join("file/below")), Err(NotOwn::Io(_))));

        // What is given away needs root.
        if chown(root.join("a"), Some(65534), Some(65534)).is_err() {
            return;
        }
        assert!(why("a/b").unwrap().contains("belongs to user 65534"), "{:?}", why("a/b"));
        assert!(other_owner(&root.join("a")).unwrap().contains("65534") && other_owner(&root.join("a/b")).is_none());
        chown(root.join("a"), Some(0), Some(65534)).unwrap();
        mode("a", 0o775);
        assert!(why("a/b").unwrap().contains("a group with other members"));
        chown(root.join("a"), Some(0), Some(0)).unwrap();
        assert_eq!(why("a/b"), None, "root's private group");
    }
}
