//! RPMs of the sample that differ in their service alone.

use crate::checkout::command::run;
use crate::checkout::{Checkout, list, tool_in};
use anyhow::Context;
use camino::Utf8Path;
use fs_err as fs;
use std::process::Command;

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
    /// release 5: the application cannot be imported
    pub broken: String,
    /// release 6: as this tool made them before `%posttrans`, when `%postun` restarted the service
    pub before: String,
}

/// What the application shall find in its environment: all that quoting could break.
pub const VARIABLE: (&str, &str) = ("GREETING", "100% of $HOME \"quoted\" \\n; 'x' # y");

impl Variants {
    /// Builds all of them into folders of `share`.
    pub fn build(share: &Utf8Path) -> anyhow::Result<Self> {
        let sample = Checkout::new("service-")?;
        let (name, value) = VARIABLE;
        let tables = format!("[service.environment]\n{name} = '''{value}'''\n[service.unit]\nMemoryMax = \"1G\"\n");
        let package = sample.dir()?.join("dist/package.toml");
        let plain = fs::read_to_string(&package)?;
        let build = |release: u32, port: u32, keys: &str, tables: &str| -> anyhow::Result<String> {
            let text = plain.replacen("release = \"1\"", &format!("release = \"{release}\""), 1);
            let text = text.replacen("port = 9091", &format!("port = {port}\n{keys}"), 1);
            fs::write(&package, format!("{text}\n{tables}"))?;
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
        let mut variants = Self {
            without_socket: build(1, 9091, "socket-activation = false", "")?,
            with_socket: build(2, 9091, "", &tables)?,
            moved: build(3, 9092, "", "")?,
            with_secret: build(4, 9091, "secrets = [\"db-password\"]", "")?,
            broken: String::new(),
            before: String::new(),
        };
        build(6, 9091, "", "")?;
        variants.before = before(&sample, share)?;
        let code = sample.dir()?.join("python-app/src/app.py");
        let text = fs::read_to_string(&code)?;
        fs::write(code, text.replacen("import os\n", "import os\nimport a_module_that_nobody_has\n", 1))?;
        variants.broken = build(5, 9091, "", "")?;
        Ok(variants)
    }
}

/// Release 6: what rpmbuild makes of the spec with scriptlets of before.
fn before(sample: &Checkout, share: &Utf8Path) -> anyhow::Result<String> {
    const POSTUN: &str = "%postun
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload >/dev/null 2>&1 || :
    if [ \"$1\" -ge 1 ]; then
        systemctl try-restart quality_report.service >/dev/null 2>&1 || :
    fi
fi
exit 0

";
    let top = sample.dir()?.join("dist/rpmbuild");
    run(&mut tool_in(&sample.dir()?, &["rpm", "--builder", "rpmbuild"]))?.text()?;
    let specs = list(&top.join("SPECS"))?;
    let spec = top.join("SPECS").join(specs.first().context("no spec")?);
    let text = fs::read_to_string(&spec)?;
    let (start, rest) = text.split_once("%postun\n").context("no %postun")?;
    let (_, end) = rest.split_once("%verifyscript\n").context("no %verifyscript")?;
    let start = start.replace("posttrans,", "");
    let start =
        start.lines().filter(|line| !line.contains("/run/quality_report.upgrade")).collect::<Vec<_>>().join("\n");
    fs::write(&spec, format!("{start}\n{POSTUN}%verifyscript\n{end}"))?;
    run(Command::new("rpmbuild").args(["--quiet", "-bb", "--define"]).arg(format!("_topdir {top}")).arg(&spec))?
        .text()?;
    let folder = top.join("RPMS/x86_64");
    let rpm = list(&folder)?.into_iter().find(|name| name.contains("-6.")).context("no RPM of release 6")?;
    fs::copy(folder.join(&rpm), share.join(&rpm))?;
    Ok(format!("/mnt/{rpm}"))
}
