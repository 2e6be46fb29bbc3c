//! The files of an RPM, below a folder.

use anyhow::{Context, ensure};
use camino::Utf8Path;
use fs_err as fs;
use std::process::{Command, Stdio};

/// Unpacks the payload of an RPM, with the real `rpm2cpio` and `cpio`; `into` is made.
pub fn unpack(rpm: &Utf8Path, into: &Utf8Path) -> anyhow::Result<()> {
    let hint = "hint: `apt-get install rpm2cpio cpio`";
    fs::create_dir_all(into)?;
    let mut reader = Command::new("rpm2cpio")
        .arg(rpm)
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("failed to start `rpm2cpio`\n{hint}"))?;
    let payload = reader.stdout.take().context("standard output is piped")?;
    let unpacked = Command::new("cpio")
        .args(["--quiet", "--extract", "--make-directories", "--no-absolute-filenames"])
        .current_dir(into)
        .stdin(payload)
        .status()
        .with_context(|| format!("failed to start `cpio`\n{hint}"))?;
    ensure!(reader.wait()?.success() && unpacked.success(), "`{rpm}` could not be unpacked");
    Ok(())
}
