//! Files that are read because the repository names them. A clone can hold anything: a FIFO that nobody writes to, or a
//! link to a file whose lines would then stand in an error. So only regular files inside the repository are opened.

use crate::{Sys, with_lf};
use camino::Utf8Path;
use std::fs::FileType;
use std::io::{ErrorKind, Read as _};
use wheelhaul_base::problem::Problem;

impl Sys {
    /// Reads a text file; its line ends are LF, whatever git gave them in this work tree.
    pub fn read_text(&self, path: &Utf8Path) -> anyhow::Result<String> {
        let mut text = String::new();
        self.open(path)?.read_to_string(&mut text)?;
        Ok(with_lf(text))
    }

    /// Reads a file.
    pub fn read(&self, path: &Utf8Path) -> anyhow::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open(path)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Opens a file.
    ///
    /// # Errors
    /// Also if it is not a regular file, or below the repository's folder and in truth outside of it.
    pub fn open(&self, path: &Utf8Path) -> anyhow::Result<fs_err::File> {
        self.inside(path)?;
        open_regular(path)
    }

    /// The same; `None` if there is no such file.
    pub fn open_if_there(&self, path: &Utf8Path) -> anyhow::Result<Option<fs_err::File>> {
        match path.symlink_metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            _ => self.open(path).map(Some),
        }
    }

    /// Refuses a path below the repository's folder that a link, or `..`, leads out of it.
    ///
    /// The repository itself may be behind a link, and a link inside may lead to another place inside.
    pub fn inside(&self, path: &Utf8Path) -> anyhow::Result<()> {
        if !path.starts_with(&self.root) || !path.as_std_path().exists() {
            return Ok(());
        }
        let (root, real) = (self.root.as_std_path().canonicalize()?, path.as_std_path().canonicalize()?);
        if real.starts_with(&root) {
            return Ok(());
        }
        let shown = path.strip_prefix(&self.root).unwrap_or(path);
        Err(Problem::with_hint(
            format!("`{shown}` leads out of the repository"),
            "put the file or folder itself there; only links to another place in the repository are followed",
        ))
    }
}

/// Opens a file that the user named, wherever it is.
///
/// # Errors
/// Also if it is not a regular file: opening a FIFO would wait for somebody who writes into it.
pub fn open_regular(path: &Utf8Path) -> anyhow::Result<fs_err::File> {
    match path.metadata() {
        Ok(data) if !data.is_file() => Err(Problem::with_hint(
            format!("`{path}` is {}, not a regular file", in_words(data.file_type())),
            "write what it holds into a file, and name that",
        )),
        _ => Ok(fs_err::File::open(path)?),
    }
}

/// The names in a folder, sorted; none where it cannot be listed.
pub fn names_in(folder: &Utf8Path) -> Vec<String> {
    let entries = folder.read_dir_utf8().into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_owned()).collect();
    names.sort();
    names
}

fn in_words(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        let special = [
            (kind.is_fifo(), "a FIFO"),
            (kind.is_socket(), "a socket"),
            (kind.is_char_device() || kind.is_block_device(), "a device"),
        ];
        if let Some((_, words)) = special.into_iter().find(|(is, _)| *is) {
            return words;
        }
    }
    if kind.is_dir() { "a folder" } else { "something else" }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::Verbosity;
    use camino::Utf8PathBuf;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_regular_files_inside_the_repository_are_opened() {
        let folder = tempfile::tempdir().unwrap();
        let top = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
        std::fs::create_dir_all(top.join("real/dist")).unwrap();
        std::fs::write(top.join("secret"), "root:x").unwrap();
        std::fs::write(top.join("real/file"), "a\r\nb").unwrap();
        symlink("real", top.join("linked")).unwrap();
        symlink("../file", top.join("real/dist/within")).unwrap();
        symlink("../../secret", top.join("real/dist/out")).unwrap();
        symlink("../..", top.join("real/dist/folder")).unwrap();
        symlink("nowhere", top.join("real/dist/dangling")).unwrap();
        let status = std::process::Command::new("mkfifo").arg(top.join("real/fifo")).status().unwrap();
        assert!(status.success());
        let _socket = std::os::unix::net::UnixListener::bind(top.join("real/socket")).unwrap();
        symlink("../fifo", top.join("real/dist/to-fifo")).unwrap();
        #[rustfmt::skip]
        let cases = [
            ("file",               None),
            ("dist/within",        None),
            ("dist/../file",       None),
            ("dist/out",           Some("`dist/out` leads out of the repository")),
            ("dist/folder/secret", Some("leads out of the repository")),
            ("../secret",          Some("leads out of the repository")),
            ("dist/dangling",      Some("No such file")),
            ("fifo",               Some("is a FIFO, not a regular file")),
            ("dist/to-fifo",       Some("is a FIFO, not a regular file")),
            ("socket",             Some("is a socket, not a regular file")),
            ("dist",               Some("is a folder, not a regular file")),
        ];
        // The repository by its own name, and behind a link.
        for root in ["real", "linked"] {
            let sys = Sys { root: top.join(root), verbosity: Verbosity::Quiet, offline: false };
            for (path, refused) in cases {
                let read = sys.read_text(&sys.root.join(path));
                match refused {
                    None => assert_eq!(read.unwrap(), "a\nb", "{path}"),
                    Some(words) => {
                        let said = format!("{:#}", read.unwrap_err());
                        assert!(said.contains(words) && !said.contains("root:x"), "{path}: {said}");
                    }
                }
            }
            assert!(sys.open_if_there(&sys.root.join("absent")).unwrap().is_none());
            assert!(sys.open_if_there(&sys.root.join("dist/dangling")).is_err());
            // What the user names may be anywhere.
            assert_eq!(sys.read(&top.join("secret")).unwrap(), b"root:x");
        }
        assert!(open_regular("/dev/null".into()).unwrap_err().to_string().contains("a device"));
    }
}
