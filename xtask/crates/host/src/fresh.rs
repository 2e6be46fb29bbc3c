//! A file that gets its name when it is complete.
//!
//! Until then it has none where the system can do that (O_TMPFILE), so a run that is killed leaves nothing beside the
//! output. Elsewhere it has a hidden name of its own there, `.xtask-….part`, which this process removes itself, and no
//! other: what else lies in the folder of an output is not this tool's.

use anyhow::Context as _;
use camino::Utf8Path;
use std::io;
use tempfile::{Builder, TempPath};

/// A file that is being written.
pub(crate) struct Fresh {
    /// what is written to
    pub file: fs_err::File,
    name: Option<TempPath>,
}

impl Fresh {
    /// Opens one, which will be in `folder`.
    pub(crate) fn new_in(folder: &Utf8Path) -> anyhow::Result<Self> {
        if let Some(file) = unnamed(folder) {
            return Ok(Self { file: fs_err::File::from_parts(file, folder.as_std_path()), name: None });
        }
        let named = builder().tempfile_in(folder).with_context(|| format!("failed to write into `{folder}`"))?;
        let (file, name) = named.into_parts();
        Ok(Self { file: fs_err::File::from_parts(file, name.to_path_buf()), name: Some(name) })
    }

    /// Gives it its name, in the place of a file that has it.
    pub(crate) fn put(self, path: &Utf8Path) -> anyhow::Result<()> {
        self.file.sync_data()?;
        let name = match self.name {
            Some(name) => name,
            None => name(self.file.file(), path.parent().context("a file is in a folder")?)?,
        };
        drop(self.file);
        name.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// With the permissions that a plain new file gets.
fn builder() -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    builder.prefix(".xtask-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder
}

#[cfg(target_os = "linux")]
fn unnamed(folder: &Utf8Path) -> Option<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::TMPFILE.bits();
    // Not every file system has it.
    std::fs::OpenOptions::new().read(true).write(true).custom_flags(flags as i32).mode(0o666).open(folder).ok()
}

/// Gives a file its first name: link(2) cannot take the place of another, rename(2) then does.
#[cfg(target_os = "linux")]
fn name(file: &std::fs::File, folder: &Utf8Path) -> anyhow::Result<TempPath> {
    use rustix::fs::{AtFlags, CWD, linkat};
    use std::os::fd::AsRawFd as _;
    let itself = format!("/proc/self/fd/{}", file.as_raw_fd());
    let linked = builder().make_in(folder, |path| Ok(linkat(CWD, &itself, CWD, path, AtFlags::SYMLINK_FOLLOW)?));
    match linked {
        Ok(linked) => Ok(linked.into_temp_path()),
        // Where /proc is not mounted, for one.
        Err(_) => copied(file, folder),
    }
}

#[cfg(not(target_os = "linux"))]
fn unnamed(_: &Utf8Path) -> Option<std::fs::File> {
    None
}

#[cfg(not(target_os = "linux"))]
fn name(file: &std::fs::File, folder: &Utf8Path) -> anyhow::Result<TempPath> {
    copied(file, folder)
}

fn copied(mut file: &std::fs::File, folder: &Utf8Path) -> anyhow::Result<TempPath> {
    use std::io::Seek as _;
    let mut named = builder().tempfile_in(folder)?;
    file.rewind()?;
    io::copy(&mut file, &mut named)?;
    let data = file.metadata()?;
    named.as_file().set_permissions(data.permissions())?;
    named.as_file().set_modified(data.modified()?)?;
    named.as_file().sync_data()?;
    Ok(named.into_temp_path())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn a_file_appears_whole_and_nothing_lies_beside_it() {
        let keep = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(keep.path()).unwrap();
        let path = folder.join("file");
        let names =
            || folder.read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().to_owned()).collect::<Vec<_>>();
        for content in ["one", "two"] {
            let mut fresh = Fresh::new_in(folder).unwrap();
            fresh.file.write_all(content.as_bytes()).unwrap();
            if cfg!(target_os = "linux") {
                assert_eq!(names(), if content == "one" { vec![] } else { vec!["file"] });
            }
            fresh.put(&path).unwrap();
            assert_eq!((std::fs::read_to_string(&path).unwrap().as_str(), names()), (content, vec!["file".to_owned()]));
        }
        drop(Fresh::new_in(folder).unwrap());
        // Where it cannot be linked.
        let file = std::fs::OpenOptions::new().read(true).open(&path).unwrap();
        let copy = copied(&file, folder).unwrap();
        assert_eq!(std::fs::read(&copy).unwrap(), b"two");
        drop(copy);
        assert_eq!(names(), ["file"]);
    }
}
