//! A wheel that this tool writes itself, of an application that no build backend builds: pure modules and data as they
//! are, and the metadata that the formats ask for ("Binary distribution format", "Core metadata").

use crate::rewrite::EARLIEST;
use crate::{Digest, RecordRow, WheelName, WheelRecord};
use anyhow::{Context as _, bail};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use pep440_rs::Version;
use pep508_rs::PackageName;
use rawzip::time::UtcDateTime;
use rawzip::{CompressionMethod, ZipArchiveWriter};
use sha2::{Digest as _, Sha256};
use std::io::{Read, Write};
use std::str::FromStr as _;

/// What a wheel says of itself.
#[derive(Debug, Clone)]
pub struct Plain {
    /// the application's name
    pub name: PackageName,
    /// its version
    pub version: Version,
    /// one line
    pub summary: Option<String>,
    /// the names of its licence files
    pub licenses: Vec<String>,
}

/// A file of the wheel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlainFile {
    /// in the wheel, with `/`
    pub path: String,
    /// whether it may be run
    pub executable: bool,
}

impl Plain {
    /// The name of the wheel.
    pub fn wheel_name(&self) -> anyhow::Result<WheelName> {
        WheelName::from_str(&format!("{}-py3-none-any.whl", self.stem()))
    }

    /// Where a licence file goes (PEP 639).
    pub fn license_path(&self, name: &str) -> String {
        format!("{}.dist-info/licenses/{name}", self.stem())
    }

    fn stem(&self) -> String {
        format!("{}-{}", self.name.as_dist_info_name(), self.version)
    }

    /// Writes the wheel: the same bytes for the same files, whoever writes it.
    ///
    /// - Takes: `epoch`, the time of every file in seconds since 1970; `files` in the order in which they are written,
    ///   the licences among them; `open`, which opens the file at a place of `files`.
    pub fn write<W: Write>(
        &self,
        epoch: u32,
        files: &[PlainFile],
        open: &mut dyn FnMut(usize) -> anyhow::Result<Box<dyn Read>>,
        into: W,
    ) -> anyhow::Result<W> {
        let mut zip = ZipArchiveWriter::new(into);
        let mut record = WheelRecord::default();
        for (place, file) in files.iter().enumerate() {
            let row = open(place).and_then(|mut content| add(&mut zip, epoch, file, &mut content));
            let row = row.with_context(|| format!("failed to pack `{}`", file.path))?;
            if record.rows.insert(file.path.clone(), row).is_some() {
                bail!("`{}` is packed twice", file.path);
            }
        }
        let own = |name: &str| PlainFile { path: format!("{}.dist-info/{name}", self.stem()), executable: false };
        for (file, text) in [(own("METADATA"), self.metadata()), (own("WHEEL"), WHEEL.to_owned())] {
            let row = add(&mut zip, epoch, &file, &mut text.as_bytes())?;
            record.rows.insert(file.path, row);
        }
        let file = own("RECORD");
        record.rows.insert(file.path.clone(), RecordRow { digest: None, size: None });
        add(&mut zip, epoch, &file, &mut record.to_text().as_bytes())?;
        zip.finish().context("failed to end the archive")
    }

    /// No `Requires-Dist`: what is installed beside it the team's lock says.
    fn metadata(&self) -> String {
        let mut text = format!("Metadata-Version: 2.4\nName: {}\nVersion: {}\n", self.name, self.version);
        if let Some(summary) = &self.summary {
            text.push_str(&format!("Summary: {summary}\n"));
        }
        text.extend(self.licenses.iter().map(|name| format!("License-File: {name}\n")));
        text
    }
}

const WHEEL: &str = "Wheel-Version: 1.0\nGenerator: wheelhaul\nRoot-Is-Purelib: true\nTag: py3-none-any\n";

/// Adds a file; gives its row of RECORD.
fn add(
    zip: &mut ZipArchiveWriter<impl Write>,
    epoch: u32,
    file: &PlainFile,
    content: &mut dyn Read,
) -> anyhow::Result<RecordRow> {
    let time = UtcDateTime::from_unix(epoch.max(EARLIEST).into());
    let mode = if file.executable { 0o100_755 } else { 0o100_644 };
    let new = zip.new_file(&file.path).compression_method(CompressionMethod::DEFLATE);
    let (mut entry, config) = new.last_modified(time).unix_permissions(mode).start()?;
    let mut writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::default()));
    let mut hasher = Sha256::new();
    let mut size = 0;
    let mut buffer = vec![0; 64 << 10];
    loop {
        match content.read(&mut buffer)? {
            0 => break,
            count => {
                hasher.update(&buffer[..count]);
                writer.write_all(&buffer[..count])?;
                size += count as u64;
            }
        }
    }
    let (encoder, descriptor) = writer.finish()?;
    encoder.finish()?;
    entry.finish(descriptor)?;
    Ok(RecordRow { digest: Some(Digest::Sha256(hasher.finalize().into())), size: Some(size) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Archive, Contents, Mode};

    #[test]
    fn what_is_written_is_read_as_a_wheel() {
        let plain = Plain {
            name: "quality-report".parse().unwrap(),
            version: "1.2.0.post3+g0123abcde".parse().unwrap(),
            summary: Some("Reports".to_owned()),
            licenses: vec!["LICENSE".to_owned()],
        };
        let file = |path: &str, executable| PlainFile { path: path.to_owned(), executable };
        let files = [file("app.py", false), file("tools/a,b.sh", true), file(&plain.license_path("LICENSE"), false)];
        let texts: [&'static [u8]; 3] = [b"x = 1\n", b"#!/bin/sh\n", b""];
        let write = |epoch| plain.write(epoch, &files, &mut |place| Ok(Box::new(texts[place])), Vec::new()).unwrap();
        let bytes = write(1_700_000_000);
        assert!(bytes == write(1_700_000_000) && write(0) == write(EARLIEST) && bytes != write(0));
        let archive = Archive::open(bytes.as_slice(), bytes.len() as u64).unwrap();
        let name = plain.wheel_name().unwrap();
        assert_eq!(name.to_string(), "quality_report-1.2.0.post3+g0123abcde-py3-none-any.whl");
        let contents = Contents::read(&archive, &name).unwrap();
        let paths: Vec<_> = contents.files.iter().map(|placed| placed.path.as_str()).collect();
        let info = "quality_report-1.2.0.post3+g0123abcde.dist-info";
        let of_info = ["licenses/LICENSE", "METADATA", "WHEEL"].map(|name| format!("{info}/{name}"));
        assert_eq!(paths, ["app.py", "tools/a,b.sh", &of_info[0], &of_info[1], &of_info[2]]);
        assert_eq!((archive.members()[0].mode, archive.members()[1].mode), (Mode::Plain, Mode::Executable));
        assert_eq!((contents.metadata.summary.as_deref(), contents.metadata.requires.len()), (Some("Reports"), 0));
        assert_eq!(contents.metadata.license_files, ["LICENSE"]);
        let twice = [files[0].clone(), files[0].clone()];
        assert!(plain.write(0, &twice, &mut |_| Ok(Box::new(&b""[..])), Vec::new()).is_err());
    }
}
