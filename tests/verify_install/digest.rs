//! One digest of everything in a folder: names, kinds, modes, owners, times, links and bytes.

use std::os::unix::fs::MetadataExt as _;

use camino::Utf8Path;
use fs_err as fs;
use sha2::{Digest as _, Sha256};
use wheelhaul_base::hex::hex;

pub fn of(folder: &Utf8Path) -> anyhow::Result<String> {
    let mut hasher = Sha256::new();
    add(folder.as_std_path(), &mut hasher)?;
    Ok(hex(&hasher.finalize()))
}

fn add(folder: &std::path::Path, hasher: &mut Sha256) -> anyhow::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(|entry| entry.file_name());
    for entry in entries {
        let data = entry.path().symlink_metadata()?;
        hasher.update(format!(
            "{:?} {:o} {} {} {} {} {}\n",
            entry.path(),
            data.mode(),
            data.uid(),
            data.gid(),
            data.size(),
            data.mtime(),
            data.mtime_nsec()
        ));
        if data.is_symlink() {
            hasher.update(format!("{:?}", fs::read_link(entry.path())?));
        } else if data.is_dir() {
            add(&entry.path(), hasher)?;
        } else if data.is_file() {
            std::io::copy(&mut fs::File::open(entry.path())?, hasher)?;
        }
    }
    Ok(())
}
