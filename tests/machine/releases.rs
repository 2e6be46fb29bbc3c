//! What the machine gets to install: two releases of the sample, built by the tool.

use anyhow::bail;
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use crate::checkout::command::run;
use crate::checkout::{Checkout, list, tool_in};

const RPM: &str = "quality_report-0.0.1-{release}.el9.x86_64.rpm";

/// File, text in release 1, text in release 2.
///
/// - The default configuration changes, so that an edited one meets a changed default.
/// - The code changes without a change of size, and both commits have the same time: byte-code of
///   release 1 would pass for that of release 2.
#[rustfmt::skip]
const CHANGES: [(&str, &str, &str); 4] = [
    ("dist/package.toml",                    "release = \"1\"",            "release = \"2\""),
    ("python-app/config.yaml",               "app_name:",                  "colour: \"blue\"\napp_name:"),
    ("python-app/src/app.py",                "\"no backend configured\"",  "\"no backend yet chosen\""),
    ("python-app/src/templates/report.html", "</body>",                    "<p>Second release</p></body>"),
];

/// What only the page of release 2 says: the changed code and the changed template.
pub const NEW_ON_THE_PAGE: [&str; 2] = ["no backend yet chosen", "Second release"];

/// The sample, first as release 1 and then as release 2.
#[derive(Debug)]
pub struct Releases {
    checkout: Checkout,
}

impl Releases {
    /// Takes a copy of the sample as release 1.
    pub fn check_out() -> anyhow::Result<Self> {
        Ok(Self { checkout: Checkout::new("releases-")? })
    }

    /// Turns the copy into release 2 and commits that.
    pub fn change(&self) -> anyhow::Result<()> {
        for (path, old, new) in CHANGES {
            let path = self.checkout.dir()?.join(path);
            let text = fs::read_to_string(&path)?;
            if text.matches(old).count() != 1 {
                bail!("`{path}` does not hold `{old}` once\nhint: the sample changed; so must `CHANGES` in this test");
            }
            fs::write(&path, text.replace(old, new))?;
        }
        self.checkout.commit("release 2")
    }

    /// Builds the RPM of what is committed, and copies it to the folder `into`.
    pub fn build(&self, release: u32, into: &Utf8Path) -> anyhow::Result<Utf8PathBuf> {
        let copy = self.checkout.dir()?;
        run(&mut tool_in(&copy, &["rpm"]))?.text()?;
        let name = RPM.replace("{release}", &release.to_string());
        let built = copy.join("dist/out").join(&name);
        if !built.is_file() {
            let found: Vec<_> = list(&copy.join("dist/out"))?;
            bail!("the tool wrote no `dist/out/{name}` but: {}", found.join(", "));
        }
        fs::create_dir_all(into)?;
        fs::copy(&built, into.join(&name))?;
        Ok(into.join(name))
    }
}
