//! The archive of an RPM, in cpio's new ASCII format.

use crate::forge::File;
use std::collections::BTreeMap;

/// Path on the box → content, of an archive of cpio's new ASCII format.
pub fn unpack(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut contents = BTreeMap::new();
    let mut at = 0;
    loop {
        let field = |index: usize| {
            let digits = &archive[at + 6 + index * 8..][..8];
            usize::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap()
        };
        let (size, name_size) = (field(6), field(11));
        let name = std::str::from_utf8(&archive[at + 110..][..name_size - 1]).unwrap();
        if name == "TRAILER!!!" {
            return contents;
        }
        let start = (at + 110 + name_size).next_multiple_of(4);
        contents.insert(name.trim_start_matches('.').to_owned(), archive[start..start + size].to_vec());
        at = (start + size).next_multiple_of(4);
    }
}

pub fn pack(files: &BTreeMap<String, File>) -> Vec<u8> {
    let mut archive = Vec::new();
    for (index, (path, file)) in files.iter().enumerate() {
        if file.is_archived {
            let name = file.archived_as.clone().unwrap_or_else(|| format!(".{path}"));
            let major_minor = [u32::from(file.device >> 8), u32::from(file.device & 255)];
            entry(&mut archive, &name, index as u32 + 1, file, major_minor);
        }
    }
    entry(&mut archive, "TRAILER!!!", 0, &File { mode: 0, mtime: 0, ..File::plain("") }, [0, 0]);
    archive
}

fn entry(archive: &mut Vec<u8>, name: &str, inode: u32, file: &File, device: [u32; 2]) {
    let (size, name_size) = (file.content.len() as u32, name.len() as u32 + 1);
    archive.extend_from_slice(b"070701");
    let mode = u32::from(file.mode);
    for field in [inode, mode, 0, 0, 1, file.mtime, size, 0, 0, device[0], device[1], name_size, 0] {
        archive.extend_from_slice(format!("{field:08x}").as_bytes());
    }
    archive.extend_from_slice(name.as_bytes());
    archive.push(0);
    archive.resize(archive.len().next_multiple_of(4), 0);
    archive.extend_from_slice(&file.content);
    archive.resize(archive.len().next_multiple_of(4), 0);
}
