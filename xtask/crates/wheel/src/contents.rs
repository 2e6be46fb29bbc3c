//! What a wheel holds, each file under the scheme that it goes to, checked against RECORD
//! (binary distribution format, "Installing a wheel", "The .data directory").

use crate::data_files;
use crate::placed::{Placed, Scheme};
use crate::{Archive, Digest, EntryPoint, Metadata, RecordRow, WheelFile, WheelName, WheelRecord, console_scripts};
use anyhow::{Context as _, anyhow, bail};
use pep440_rs::Version;
use pep508_rs::PackageName;
use rawzip::ReaderAt;
use std::str::FromStr;
use wheelhaul_base::problem::{Problem, all_of};

/// A checked wheel.
#[derive(Debug)]
pub struct Contents {
    /// `NAME-VERSION.dist-info`
    pub dist_info: String,
    /// core metadata
    pub metadata: Metadata,
    /// the tags that its WHEEL file lists
    pub wheel_file: WheelFile,
    /// its console scripts
    pub scripts: Vec<EntryPoint>,
    /// every file but RECORD and its signatures, in the order of the archive
    pub files: Vec<Placed>,
}

impl Contents {
    /// Reads the `*.dist-info` and matches every file with RECORD; contents are checked when unpacked.
    ///
    /// - Fails: once, naming every file that RECORD lacks, and every row without a file.
    pub fn read<R: ReaderAt>(archive: &Archive<R>, name: &WheelName) -> anyhow::Result<Self> {
        let dist_info = dist_info(archive, name)?;
        let text = |file: &str| -> anyhow::Result<Option<String>> {
            let place = archive.find(&format!("{dist_info}/{file}"));
            place.map(|place| archive.read_text(place)).transpose()
        };
        let must = |file: &str| text(file)?.with_context(|| format!("there is no `{dist_info}/{file}`"));
        let in_file = |file: &str| format!("`{dist_info}/{file}`");
        let metadata = Metadata::parse(&must("METADATA")?).with_context(|| in_file("METADATA"))?;
        if metadata.name != name.name || metadata.version != name.version {
            bail!("its METADATA is of {} {}", metadata.name, metadata.version);
        }
        let wheel_file = WheelFile::parse(&must("WHEEL")?).with_context(|| in_file("WHEEL"))?;
        let record = WheelRecord::parse(&must("RECORD")?).with_context(|| in_file("RECORD"))?;
        let scripts = match text("entry_points.txt")? {
            Some(text) => console_scripts(&text).with_context(|| in_file("entry_points.txt"))?,
            None => Vec::new(),
        };
        let files = place_files(archive, name, &dist_info, &record)?;
        Ok(Self { dist_info, metadata, wheel_file, scripts, files })
    }
}

/// Finds the one folder of the metadata, which must be that of the file's name.
fn dist_info<R: ReaderAt>(archive: &Archive<R>, name: &WheelName) -> anyhow::Result<String> {
    let mut found: Vec<&str> = archive
        .members()
        .iter()
        .filter_map(|member| member.path.split_once('/'))
        .map(|(folder, _)| folder)
        .filter(|folder| folder.ends_with(".dist-info"))
        .collect();
    found.sort_unstable();
    found.dedup();
    match found.as_slice() {
        [one] if one.strip_suffix(".dist-info").is_some_and(|stem| is_folder_of(stem, name)) => Ok((*one).to_owned()),
        [one] => bail!("its metadata stands in `{one}`, which belongs to another wheel"),
        [] => bail!("it has no `*.dist-info` folder"),
        many => bail!("it has {} `*.dist-info` folders: {}", many.len(), many.join(", ")),
    }
}

/// Whether `NAME-VERSION` is the wheel's, however it is spelt.
fn is_folder_of(stem: &str, wheel: &WheelName) -> bool {
    let Some((name, version)) = stem.split_once('-') else { return false };
    PackageName::from_str(name).is_ok_and(|name| name == wheel.name)
        && Version::from_str(version).is_ok_and(|version| version == wheel.version)
}

fn place_files<R: ReaderAt>(
    archive: &Archive<R>,
    name: &WheelName,
    dist_info: &str,
    record: &WheelRecord,
) -> anyhow::Result<Vec<Placed>> {
    let unsigned = ["RECORD", "RECORD.jws", "RECORD.p7s"].map(|file| format!("{dist_info}/{file}"));
    let members = archive.members();
    // Both are in the order of their paths: side by side, nothing is searched for.
    let mut row_of: Vec<Option<&RecordRow>> = vec![None; members.len()];
    let mut rows = record.rows.iter().peekable();
    let mut without_file = Vec::new();
    for place in archive.by_path() {
        let path = &members[place].path;
        while let Some((listed, _)) = rows.next_if(|(listed, _)| *listed < path) {
            without_file.push(listed);
        }
        row_of[place] = rows.next_if(|(listed, _)| *listed == path).map(|(_, row)| row);
    }
    without_file.extend(rows.map(|(listed, _)| listed));
    let mut files = Vec::with_capacity(members.len());
    let mut faults = Vec::new();
    for (place, (member, row)) in members.iter().zip(row_of).enumerate() {
        if unsigned.contains(&member.path) {
            continue;
        }
        match place_file(name, &member.path, member.size, row) {
            Ok((scheme, path, digest)) => files.push(Placed { scheme, path, place, digest }),
            Err(fault) => faults.push(fault),
        }
    }
    for path in without_file {
        if !unsigned.contains(path) && !path.ends_with('/') {
            faults.push(anyhow!("RECORD lists `{path}`, which is not there"));
        }
    }
    all_of("files do not match RECORD", faults).map_err(|error| {
        Problem::around(
            error,
            "its RECORD is not that of its files, and whatever takes the package away or checks it goes by RECORD",
            format!(
                "ask its publisher for a release with a whole RECORD, or lock another; if you may publish a wheel of it yourself, \
                 `wheel unpack` and `wheel pack` write RECORD anew; or let it be built: `[sdist] build = [\"{}\"]`, and \
                 of its hashes leave that of the sdist alone in the lock",
                name.name
            ),
        )
    })?;
    data_files::check(&files)?;
    Ok(files)
}

fn place_file(
    wheel: &WheelName,
    path: &str,
    size: u64,
    row: Option<&RecordRow>,
) -> anyhow::Result<(Scheme, String, Digest)> {
    let row = row.ok_or_else(|| anyhow!("RECORD does not list `{path}`"))?;
    let digest = row.digest.clone().ok_or_else(|| anyhow!("RECORD has no digest of `{path}`"))?;
    if let Some(listed) = row.size.filter(|listed| *listed != size) {
        bail!("`{path}` has {size} bytes instead of the {listed} of RECORD");
    }
    let data = path
        .split_once('/')
        .filter(|(folder, _)| folder.strip_suffix(".data").is_some_and(|stem| is_folder_of(stem, wheel)));
    let Some((_, rest)) = data else {
        return Ok((Scheme::Library, path.to_owned(), digest));
    };
    let (scheme, path) = match rest.split_once('/') {
        Some(("purelib" | "platlib", path))
            if path.split('/').next().is_some_and(|folder| folder.ends_with(".dist-info")) =>
        {
            bail!("`{path}` would install a second distribution")
        }
        Some(("purelib" | "platlib", path)) => (Scheme::Library, path),
        Some(("scripts", path)) if !path.contains('/') => (Scheme::Scripts, path),
        Some(("data", path)) => (Scheme::Data, path),
        Some(("headers", path)) => (Scheme::Headers, path),
        _ => bail!("`{path}` is under no scheme that is known (purelib, platlib, scripts, data, headers)"),
    };
    Ok((scheme, path.to_owned(), digest))
}
