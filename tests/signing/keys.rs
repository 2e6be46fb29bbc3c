//! A throw-away home of gpg with keys made for the test.

use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use std::process::Command;

use crate::checkout::command::{Finished, run};

/// A home of gpg; its agent ends with it.
pub struct Keys {
    folder: tempfile::TempDir,
}

impl Keys {
    /// An empty one. Its path is short: the agent's socket lies in it.
    pub fn new() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("gpg-").tempdir()?;
        fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        Ok(Self { folder })
    }

    /// A home with a key of each kind that is named, of which no passphrase is asked.
    pub fn of(kinds: &[&str]) -> anyhow::Result<Self> {
        let keys = Self::new()?;
        for kind in kinds {
            keys.make(kind, "", "never")?;
        }
        Ok(keys)
    }

    /// The folder, for GNUPGHOME.
    pub fn home(&self) -> anyhow::Result<&Utf8Path> {
        Utf8Path::from_path(self.folder.path()).context("the temporary folder is not UTF-8")
    }

    /// Makes a key `KIND@example.invalid`; `until` as gpg takes it.
    pub fn make(&self, kind: &str, passphrase: &str, until: &str) -> anyhow::Result<()> {
        let who = format!("{kind} <{kind}@example.invalid>");
        let words = ["--passphrase", passphrase, "--quick-gen-key", &who, kind, "sign", until];
        self.gpg(&words)?.text().map(drop)
    }

    /// Runs gpg here.
    pub fn gpg(&self, words: &[&str]) -> anyhow::Result<Finished> {
        let mut command = Command::new("gpg");
        command.env("GNUPGHOME", self.home()?).args(["--batch", "--quiet", "--pinentry-mode", "loopback"]).args(words);
        run(&mut command)
    }

    /// The public key, armored, in a file of its own.
    pub fn public(&self, kind: &str) -> anyhow::Result<Utf8PathBuf> {
        let file = self.home()?.join(format!("{kind}.asc"));
        fs::write(&file, self.gpg(&["--armor", "--export", &format!("{kind}@example.invalid")])?.text()?)?;
        Ok(file)
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        let mut command = Command::new("gpgconf");
        let _ = run(command.env("GNUPGHOME", self.folder.path()).args(["--kill", "all"]));
    }
}

/// A database of rpm that trusts the keys in these files, and no others.
pub struct Trust {
    folder: tempfile::TempDir,
}

impl Trust {
    /// Imports public keys as an administrator does.
    pub fn of(keys: &[&Utf8Path]) -> anyhow::Result<Self> {
        let trust = Self { folder: tempfile::tempdir()? };
        for key in keys {
            trust.rpm(&["--import", key.as_str()])?.text()?;
        }
        Ok(trust)
    }

    /// Runs the real rpm with this database.
    pub fn rpm(&self, words: &[&str]) -> anyhow::Result<Finished> {
        run(Command::new("rpm").arg("--dbpath").arg(self.folder.path()).args(words))
    }

    /// Whether `rpm -K` says that digests and signatures are good.
    pub fn vouches_for(&self, rpm: &Utf8Path) -> anyhow::Result<bool> {
        let said = self.rpm(&["-K", rpm.as_str()])?;
        Ok(said.succeeded() && said.stdout.trim_end().ends_with(": digests signatures OK"))
    }

    /// What `rpm -Kv` says of signatures.
    pub fn signatures(&self, rpm: &Utf8Path) -> anyhow::Result<Vec<String>> {
        let said = self.rpm(&["-Kv", rpm.as_str()])?.stdout;
        Ok(said.lines().filter(|line| line.contains("ignature")).map(|line| line.trim().to_owned()).collect())
    }
}
