//! pip: the downloader, with the user's own index, proxy, certificates and credentials.

use crate::boxes::Target;
use crate::pins::Place;
use crate::problem::Problem;
use crate::sys::{Program, Stop, Sys};
use crate::tools::python;
use crate::wheel::Candidate;
use camino::{Utf8Path, Utf8PathBuf};

/// The first pip that knows `manylinux_X_Y` in full and takes direct URLs for another platform.
const LEAST: (u32, u32) = (22, 2);

/// A found pip.
#[derive(Debug)]
pub struct Pip {
    python: Utf8PathBuf,
}

impl Pip {
    /// Takes the pip of the host's Python if it is new enough, else that of the private environment.
    pub fn find(sys: &Sys) -> anyhow::Result<Self> {
        let host = python::find()?;
        // `pip --version` takes four times as long, since it starts all of pip.
        let asked =
            Program::new(&host).args(["-c", "import pip, sys; print('pip', pip.__version__); print(sys.executable)"]);
        let printed = sys.run(&asked).map(|said| said.out).unwrap_or_default();
        if python::is_at_least(&printed, LEAST) {
            // What is on the PATH may be a launcher, which takes its time at each start and stands between pip and its end.
            let python = printed.lines().nth(1).map(str::trim).filter(|path| !path.is_empty());
            return Ok(Self { python: python.map_or(host, Utf8PathBuf::from) });
        }
        Ok(Self { python: python::private_environment(sys, &python::PIP)?.join("python") })
    }

    /// Downloads files by their URLs into `folder`; pip checks their sha256.
    ///
    /// The target's full version and its whole list of platforms are given, since pip judges even a
    /// direct URL by them, and takes `3.11` for 3.11.0.
    ///
    /// - Fails: soon after it is to `stop` as well.
    pub fn download(
        &self,
        sys: &Sys,
        files: &[&Candidate],
        target: &Target,
        folder: &Utf8Path,
        stop: &Stop,
    ) -> anyhow::Result<()> {
        let mut command = self.downloader(folder).args([
            "--implementation",
            "cp",
            "--python-version",
            &target.python_full.to_string(),
        ]);
        for abi in target.abis() {
            command = command.args(["--abi", &abi]);
        }
        for platform in target.platforms() {
            command = command.args(["--platform", &platform]);
        }
        fetch(sys, command, files, stop)
    }

    /// The same for this host.
    pub fn download_here(&self, sys: &Sys, files: &[&Candidate], folder: &Utf8Path, stop: &Stop) -> anyhow::Result<()> {
        fetch(sys, self.downloader(folder), files, stop)
    }

    fn downloader(&self, folder: &Utf8Path) -> Program {
        Program::new(&self.python)
            .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"])
            .args(["--progress-bar", "off", "--no-deps"])
            // Who requires another Python is told of by the walk of the closure, all at once.
            .args(["--ignore-requires-python"])
            .args(["--dest", folder.as_str(), "--only-binary", ":all:"])
    }
}

fn fetch(sys: &Sys, command: Program, files: &[&Candidate], stop: &Stop) -> anyhow::Result<()> {
    // URLs can hold credentials: they go through a file that only its owner reads.
    let (_keep, scratch) = sys.scratch()?;
    let list = scratch.join("urls.txt");
    let lines =
        files.iter().map(|file| direct_reference(sys, &file.at, &file.sha256)).collect::<anyhow::Result<String>>()?;
    fs_err::write(&list, lines)?;
    let command = command.args(["--requirement", list.as_str()]).until(stop);
    let other_bytes = |error: &anyhow::Error| format!("{error:#}").contains("DO NOT MATCH THE HASHES");
    let tried = sys.run(&command).or_else(|error| match other_bytes(&error) {
        // Old pips take a file whose connection was cut for one with other bytes; all else pip tries again itself.
        true => {
            sys.say("a wheel came with other bytes than were locked; asking once more");
            sys.run(&command)
        }
        false => Err(error),
    });
    tried.map_err(|error| {
            let cure = match other_bytes(&error) {
                true => "the index serves other bytes than were locked: ask whoever runs it; where a release was replaced on purpose, `cargo xtask lock --refresh`",
                false => "without a network, use `--offline` with a filled `dist/wheels`; behind a proxy that inspects TLS, give pip your company's certificates: `pip config set global.cert FILE`; where the index changed, `cargo xtask lock --refresh`",
            };
            Problem::around(error, "pip could not download the wheels", cure)
        })?;
    Ok(())
}

/// A line of a requirements file that names a file and its sha256.
pub fn direct_reference(sys: &Sys, at: &Place, sha256: &str) -> anyhow::Result<String> {
    match at {
        Place::Url(url) => Ok(format!("{}#sha256={sha256}\n", plain_url(url)?)),
        // Between a name and `--hash` pip takes a path as it is written.
        Place::Path(path) => Ok(format!("{} --hash=sha256:{sha256}\n", sys.root.join(path))),
    }
}

/// A URL without its fragment, as it may stand in a requirements file.
///
/// pip puts environment variables in for `${NAME}` there: an index must not be able to ask for them.
fn plain_url(url: &str) -> anyhow::Result<String> {
    let url = url.split('#').next().unwrap_or(url);
    let odd = |c: char| c.is_whitespace() || c.is_control();
    anyhow::ensure!(!url.contains(odd), "the index gives a URL with white space in it: `{}`", url.escape_debug());
    Ok(url.replace('$', "%24").replace('{', "%7B").replace('}', "%7D"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_cannot_ask_for_the_environment() {
        assert_eq!(
            plain_url("https://index.example/a.whl?t=${HOME}#sha256=0").unwrap(),
            "https://index.example/a.whl?t=%24%7BHOME%7D"
        );
        assert!(plain_url("https://index.example/a.whl\n--index-url x").is_err());
    }
}
