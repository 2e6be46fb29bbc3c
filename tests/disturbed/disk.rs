//! No room on the disk: `dist` of the repository is a file system of a few megabytes.

use crate::app::{Made, RPM, differences, small};
use crate::checkout::command::run;
use anyhow::{Context, ensure};
use fs_err as fs;
use std::process::Command;
use wheelhaul_host::on_path;

/// Megabytes, from too little for the first wheel to enough for all; what a file system takes for itself is in it.
const SIZES: [usize; 7] = [2, 6, 9, 13, 17, 21, 48];

/// `$1` the repository, `$2` the folder below it that gets a disk of its own, `$3` the tool, `$4` the image of a
/// file system to be, then sizes in megabytes.
///
/// For each size: what `dist` says on such a disk. Then, where it all fits: the same with another release made
/// before and the room that is left filled, and again with the room given back. In a mount namespace of its own,
/// which ends with it.
const STORY: &str = r#"
set -eu
cd "$1"
place="$2" tool="$3" image="$4"
shift 4
tell() {
    echo "== $1"
    code=0
    "$tool" dist -q 2>&1 || code=$?
    echo "== code $code"
    (cd "$place" && find . -type f ! -path './lost+found*' -exec sha256sum {} +) || true
}
on_disk() {
    rm -f "$image"
    truncate -s "$1M" "$image"
    if mke2fs -q -t ext4 -m 0 "$image" 2>/dev/null && mount -o loop "$image" "$place" 2>/dev/null; then
        echo "== ext4"
    else
        mount -t tmpfs -o "size=$1M" disk "$place"
        echo "== tmpfs"
    fi
}
cp -a "$place" kept
for size; do
    on_disk "$size"
    cp -a kept/. "$place"
    tell "$size"
    [ "$size" = "$last" ] || umount "$place"
done
# the same commit anew, with the outputs of another one there and no room for more
echo 'another release' > "$place/out/stamp"
cp "$place/$rpm" "$place/out/before"
printf 'def app(environ, start):\n    return []\n\n\ndef main():\n    pass\n' > app/web/__init__.py
dd if=/dev/zero of="$place/filler" bs=64k 2>/dev/null || true
tell full
rm "$place/filler"
tell room
umount "$place"
"#;

/// What is said of a run.
#[derive(Debug, Default)]
struct Told {
    said: String,
    code: String,
    files: Made,
}

fn read(text: &str, place: &str) -> Vec<(String, Told)> {
    let mut all: Vec<(String, Told)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("== "), all.last_mut()) {
            (Some("ext4" | "tmpfs"), _) => {}
            (Some(code), Some((_, told))) if code.starts_with("code ") => told.code = code[5..].to_owned(),
            (Some(name), _) => all.push((name.to_owned(), Told::default())),
            (None, Some((_, told))) if told.code.is_empty() => told.said.push_str(&format!("{line}\n")),
            (None, Some((_, told))) => {
                let (digest, path) = line.split_once("  ./").unwrap_or_default();
                told.files.insert(format!("{place}/{path}"), digest.to_owned());
            }
            (None, None) => {}
        }
    }
    all
}

#[test]
fn a_full_disk_is_said_and_loses_nothing() -> anyhow::Result<()> {
    let repository = small()?;
    let folder = &repository.folder;
    // The tools come before the disk is full.
    ensure!(repository.run(&["lock", "-q"])?.succeeded());
    fs::remove_dir_all(folder.join("dist/wheels"))?;
    let image = folder.join("target/disk.img");
    let is_root = run(Command::new("id").arg("-u"))?.text()?.trim() == "0";
    let mut command = Command::new(on_path("unshare").context("`unshare` is needed: `apt-get install util-linux`")?);
    if !is_root {
        command.args(["--user", "--map-root-user"]);
    }
    let last = SIZES[SIZES.len() - 1].to_string();
    command.args(["--mount", "sh", "-c", STORY, "sh", folder.as_str(), "dist", env!("CARGO_BIN_EXE_started")]);
    command.arg(&image).args(SIZES.map(|size| size.to_string()));
    command.env("last", &last).env("rpm", RPM.trim_start_matches("dist/")).env_remove("SOURCE_DATE_EPOCH");
    let text = run(&mut command)?.text()?;
    println!("on {}", if text.contains("== ext4") { "ext4" } else { "tmpfs" });
    let told = read(&text, "dist");
    let (_, enough) = told.iter().find(|(name, _)| *name == last).context("no run had enough room")?;
    ensure!(enough.code == "0", "{enough:?}");
    let mut expected = enough.files.clone();
    let mut places = Vec::new();
    for (name, told) in &told {
        let hidden: Vec<_> = told.files.keys().filter(|path| path.contains("/.")).collect();
        ensure!(hidden.is_empty(), "{name}: half written: {hidden:?}");
        if told.code == "0" {
            continue;
        }
        let said = &told.said;
        ensure!(told.code == "2", "{name}: {told:?}");
        ensure!(said.contains("No space left on device") && said.contains("hint: the disk is full"), "{name}: {said}");
        ensure!(said.contains("dist/"), "{name}: no place is named: {said}");
        places.push(said.lines().find(|line| line.starts_with("error")).unwrap_or_default().to_owned());
        if name == "full" {
            for path in ["dist/out/stamp", "dist/out/before", "dist/filler"] {
                expected.insert(path.to_owned(), told.files.get(path).context(path)?.clone());
            }
            ensure!(told.files.get(RPM) == told.files.get("dist/out/before"), "the RPM of before is lost");
        }
        // The application's wheel is small enough for the last free block.
        let mut files = told.files.clone();
        files.retain(|path, _| name != "full" || !path.ends_with("/small-1.0-py3-none-any.whl"));
        let faults = differences(&files, &expected, false);
        ensure!(faults.is_empty(), "{name}: {}", faults.join("\n"));
    }
    places.dedup();
    println!("{}", places.join("\n"));
    ensure!(places.len() >= 3, "the disk was full at {} places only: {places:?}", places.len());
    let (_, room) = told.last().context("no run")?;
    ensure!(room.code == "0" && room.files.get(RPM) != enough.files.get(RPM), "{room:?}");
    Ok(())
}
