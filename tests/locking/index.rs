//! A package index of a folder: small wheels and source distributions, made here.

use crate::zip::{Entry, Zip};
use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use camino::Utf8Path;
use flate2::write::GzEncoder;
use fs_err as fs;
use sha2::{Digest as _, Sha256};
use wheelhaul_base::hex::hex;

/// Writes a wheel and gives its sha256.
///
/// - Takes: `file`, its name; `metadata`, lines of METADATA beside name and version.
pub fn write_wheel(folder: &Utf8Path, file: &str, metadata: &[&str]) -> anyhow::Result<String> {
    write_wheel_with(folder, file, metadata, &[])
}

/// The same with more files in it.
pub fn write_wheel_with(
    folder: &Utf8Path,
    file: &str,
    metadata: &[&str],
    more: &[(&str, Vec<u8>)],
) -> anyhow::Result<String> {
    let mut parts = file.split('-');
    let (name, version) = (parts.next().context("a name")?, parts.next().context("a version")?);
    let tags: Vec<&str> = file.trim_end_matches(".whl").rsplitn(4, '-').collect();
    let info = format!("{name}-{version}.dist-info");
    let about = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{}\n", metadata.join("\n"));
    let wheel = format!("Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {}-{}-{}\n", tags[2], tags[1], tags[0]);
    let mut files = vec![
        (format!("{}.py", name.to_lowercase()), format!("NAME = '{name}'\n").into_bytes()),
        (format!("{info}/METADATA"), about.into_bytes()),
        (format!("{info}/WHEEL"), wheel.into_bytes()),
    ];
    files.extend(more.iter().map(|(path, content)| ((*path).to_owned(), content.clone())));
    let mut record = String::new();
    let mut entries = Vec::new();
    for (path, content) in &files {
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(content));
        record.push_str(&format!("{path},sha256={digest},{}\n", content.len()));
        entries.push(Entry::deflated(path, content));
    }
    record.push_str(&format!("{info}/RECORD,,\n"));
    entries.push(Entry::deflated(&format!("{info}/RECORD"), record.as_bytes()));
    let bytes = Zip::of(entries).bytes();
    fs::write(folder.join(file), &bytes)?;
    Ok(hex(&Sha256::digest(&bytes)))
}

/// Writes a source distribution, `NAME-VERSION.tar.gz`, with a `setup.py`, and gives its sha256.
pub fn write_sdist(folder: &Utf8Path, name: &str, version: &str, files: &[(&str, &str)]) -> anyhow::Result<String> {
    let about = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), flate2::Compression::default()));
    for (path, text) in files.iter().copied().chain([("PKG-INFO", about.as_str())]) {
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1_600_000_000);
        archive.append_data(&mut header, format!("{name}-{version}/{path}"), text.as_bytes())?;
    }
    let bytes = archive.into_inner()?.finish()?;
    fs::write(folder.join(format!("{name}-{version}.tar.gz")), &bytes)?;
    Ok(hex(&Sha256::digest(&bytes)))
}
