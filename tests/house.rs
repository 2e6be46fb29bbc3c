//! Rules of the house that people break: layers, length of files, what may not stand in a file.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeSet;
use std::fs;

/// The rooms in the order of the data, as `lib.rs` tells; one may use those before it.
const ROOMS: [&str; 29] = [
    "problem",
    "hex",
    "toml_text",
    "templates",
    "licenses",
    "target",
    "config",
    "pins",
    "wheel",
    "elf",
    "closure",
    "lockfile",
    "decide",
    "explain",
    "tree",
    "service",
    "layout",
    "rpm",
    "sbom",
    "pages",
    "advisories",
    "verify",
    "review",
    "sys",
    "tools",
    "wheelhouse",
    "pieces",
    "machine",
    "commands",
];
/// Rooms without I/O: everything before this one.
const DOOR: &str = "sys";
const MOST_LINES: usize = 420;

fn repository() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn rust_files(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<_> = folder.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension() == Some("rs") {
            found.push(path);
        }
    }
    found
}

/// The room that a file of `xtask/src` belongs to.
fn room_of(path: &Utf8Path) -> String {
    let relative = path.strip_prefix(repository().join("xtask/src")).unwrap();
    relative.components().next().unwrap().as_str().trim_end_matches(".rs").to_owned()
}

/// The code of a file without its tests, which may use what they like.
fn code_of(path: &Utf8Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
}

#[test]
fn rooms_use_only_rooms_before_them() {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for path in rust_files(&repository().join("xtask/src")) {
        let room = room_of(&path);
        let Some(own) = ROOMS.iter().position(|name| *name == room) else {
            assert!(["lib", "main"].contains(&room.as_str()), "`{room}` has no place in the order of the rooms");
            continue;
        };
        seen.insert(room.clone());
        for part in code_of(&path).split("crate::").skip(1) {
            let used: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            match ROOMS.iter().position(|name| *name == used) {
                Some(other) if other > own => faults.push(format!("{path} uses `{used}`, which comes after `{room}`")),
                _ => {}
            }
        }
    }
    assert_eq!(seen.len(), ROOMS.len(), "a room of the list is gone");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn rooms_above_the_door_do_no_input_or_output() {
    let door = ROOMS.iter().position(|name| *name == DOOR).unwrap();
    let mut faults = Vec::new();
    for path in rust_files(&repository().join("xtask/src")) {
        let room = room_of(&path);
        if !ROOMS[..door].contains(&room.as_str()) {
            continue;
        }
        let code = code_of(&path);
        for word in [
            "std::fs::read",
            "std::fs::write",
            "fs_err",
            "File::open",
            "File::create",
            "std::env::var",
            "std::env::current",
            "Command::new",
            "SystemTime",
            "println!",
        ] {
            if code.contains(word) {
                faults.push(format!("{path} has `{word}`"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn files_stay_small_enough_to_be_one_room() {
    let mut files = rust_files(&repository().join("xtask/src"));
    files.extend(rust_files(&repository().join("tests")));
    let long: Vec<String> = files
        .iter()
        .map(|path| (fs::read_to_string(path).unwrap().lines().count(), path))
        .filter(|(lines, _)| *lines > MOST_LINES)
        .map(|(lines, path)| format!("{path} has {lines} lines"))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn nothing_half_done_stands_in_the_code() {
    // Written so that this file does not find itself.
    let words = ["to", "do!"].concat();
    let other = ["unimple", "mented!"].concat();
    for path in rust_files(&repository().join("xtask/src")) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&words) && !text.contains(&other), "{path}");
    }
}
