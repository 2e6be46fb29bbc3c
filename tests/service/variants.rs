//! RPMs of the sample that differ in their service alone.

use crate::checkout::command::run;
use crate::checkout::{Checkout, list, tool_in};
use anyhow::Context;
use camino::Utf8Path;
use fs_err as fs;

/// As the machine sees them, below /mnt.
pub struct Variants {
    /// release 1: the server listens by itself
    pub without_socket: String,
    /// release 2: systemd listens; with variables and a key of the project's own
    pub with_socket: String,
    /// release 3: the same at port 9092
    pub moved: String,
    /// release 4: a secret is wanted
    pub with_secret: String,
}

/// What the application shall find in its environment: all that quoting could break.
pub const VARIABLE: (&str, &str) = ("GREETING", "100% of $HOME \"quoted\" \\n; 'x' # y");

impl Variants {
    /// Builds all of them into folders of `share`.
    pub fn build(share: &Utf8Path) -> anyhow::Result<Self> {
        let sample = Checkout::new("service-")?;
        let (name, value) = VARIABLE;
        let tables = format!("[service.environment]\n{name} = '''{value}'''\n[service.unit]\nMemoryMax = \"1G\"\n");
        let build = |release: u32, port: u32, keys: &str, tables: &str| -> anyhow::Result<String> {
            let package = sample.dir()?.join("dist/package.toml");
            let text = include_str!("../../dist/package.toml");
            let text = text.replacen("release = \"1\"", &format!("release = \"{release}\""), 1);
            let text = text.replacen("port = 9091", &format!("port = {port}\n{keys}"), 1);
            fs::write(package, format!("{text}\n{tables}"))?;
            sample.commit(&format!("release {release}"))?;
            let out = sample.dir()?.join("dist/out");
            if out.is_dir() {
                fs::remove_dir_all(&out)?;
            }
            run(&mut tool_in(&sample.dir()?, &["rpm"]))?.text()?;
            let rpm = list(&out)?.into_iter().find(|name| name.ends_with(".rpm")).context("no RPM")?;
            fs::copy(out.join(&rpm), share.join(&rpm))?;
            Ok(format!("/mnt/{rpm}"))
        };
        Ok(Self {
            without_socket: build(1, 9091, "socket-activation = false", "")?,
            with_socket: build(2, 9091, "", &tables)?,
            moved: build(3, 9092, "", "")?,
            with_secret: build(4, 9091, "secrets = [\"db-password\"]", "")?,
        })
    }
}
