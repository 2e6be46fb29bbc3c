//! pip: the downloader, with the user's own index, proxy, certificates and credentials.

use crate::tools::client_hints;
use crate::tools::client_hints::{OTHER_BYTES, REFUSES_METADATA};
use crate::tools::python;
use camino::{Utf8Path, Utf8PathBuf};
use wheelhaul_base::problem::{Problem, ProgramFailure};
use wheelhaul_boxes::Target;
use wheelhaul_host::{Program, Stop, Sys};
use wheelhaul_lockfiles::FileLocation;
use wheelhaul_select::Candidate;

/// The first pip that knows `manylinux_X_Y` in full and takes direct URLs for another platform.
const LEAST: (u32, u32) = (22, 2);

/// A found pip.
#[derive(Debug)]
pub(crate) struct Pip {
    python: Utf8PathBuf,
}

impl Pip {
    /// Takes the pip of the host's Python if it is new enough, else that of the private environment.
    pub(crate) fn find(sys: &Sys) -> anyhow::Result<Self> {
        match python::first().and_then(|python| Self::of(sys, &python)) {
            Some(found) => Ok(found),
            None => Ok(Self { python: python::private_environment(sys, &python::PIP)?.join("python") }),
        }
    }

    /// The pip of a Python, if it is new enough.
    fn of(sys: &Sys, python: &Utf8Path) -> Option<Self> {
        // `pip --version` takes four times as long, since it starts all of pip.
        let asked =
            Program::new(python).args(["-c", "import pip, sys; print('pip', pip.__version__); print(sys.executable)"]);
        let printed = sys.run(&asked).map(|said| said.out).unwrap_or_default();
        if !python::is_at_least(&printed, LEAST) {
            return None;
        }
        // What is on the PATH may be a launcher, which takes its time at each start and stands between pip and its end.
        let itself = printed.lines().nth(1).map(str::trim).filter(|path| !path.is_empty());
        Some(Self { python: itself.map_or(python.to_owned(), Utf8PathBuf::from) })
    }

    /// Downloads files by their URLs into `folder`; pip checks their sha256.
    ///
    /// The target's full version and its whole list of platforms are given, since pip judges even a
    /// direct URL by them, and takes `3.11` for 3.11.0.
    ///
    /// - Fails: soon after it is to `stop` as well.
    pub(crate) fn download(
        &self,
        sys: &Sys,
        files: &[&Candidate],
        target: &Target,
        folder: &Utf8Path,
        stop: &Stop,
    ) -> anyhow::Result<()> {
        let mut words = words_for(folder);
        let full = target.python_full.to_string();
        words.extend(["--implementation", "cp", "--python-version", &full].map(str::to_owned));
        words.extend(target.abis().into_iter().flat_map(|abi| ["--abi".to_owned(), abi]));
        words.extend(target.platforms().into_iter().flat_map(|platform| ["--platform".to_owned(), platform]));
        self.fetch(sys, &words, files, stop)
    }

    /// The same for this host.
    pub(crate) fn download_here(
        &self,
        sys: &Sys,
        files: &[&Candidate],
        folder: &Utf8Path,
        stop: &Stop,
    ) -> anyhow::Result<()> {
        self.fetch(sys, &words_for(folder), files, stop)
    }

    fn fetch(&self, sys: &Sys, words: &[String], files: &[&Candidate], stop: &Stop) -> anyhow::Result<()> {
        // URLs can hold credentials: they go through a file that only its owner reads.
        let (_keep, scratch) = sys.scratch()?;
        let list = scratch.join("urls.txt");
        let lines = files
            .iter()
            .map(|file| direct_reference(sys, &file.at, &file.sha256, None))
            .collect::<anyhow::Result<String>>()?;
        fs_err::write(&list, lines)?;
        let with = |python: &Utf8Path| {
            let command = Program::new(python).args(words).args(["--requirement", list.as_str()]);
            sys.run(&command.until(stop)).map(drop)
        };
        let tried = with(&self.python).or_else(|error| match &error {
            // Old pips take a file whose connection was cut for one with other bytes; all else pip tries again itself.
            error if ProgramFailure::says(error, &[OTHER_BYTES]) => {
                sys.say("a wheel came with other bytes than were locked; asking once more");
                with(&self.python)
            }
            error if ProgramFailure::says(error, &[REFUSES_METADATA]) => {
                sys.detail("pip refuses the metadata of an old release: an older pip fetches it");
                with(&python::private_environment(sys, &python::PIP_OF_OLD)?.join("python"))
            }
            _ => Err(error),
        });
        tried.map_err(|error| {
            let cure = client_hints::for_pip(ProgramFailure::of(&error).map_or("", |failure| &failure.said));
            Problem::around(error, "pip could not download the wheels", cure)
        })
    }
}

fn words_for(folder: &Utf8Path) -> Vec<String> {
    let words =
        ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"];
    let words = words.into_iter().chain(["--no-deps", "--dest", folder.as_str(), "--only-binary", ":all:"]);
    // Who requires another Python is told of by the walk of the closure, all at once.
    words.chain(["--ignore-requires-python"]).map(str::to_owned).collect()
}

/// A line of a requirements file that names a file, its sha256, and the folder of it that is built.
pub(crate) fn direct_reference(
    sys: &Sys,
    at: &FileLocation,
    sha256: &str,
    subdirectory: Option<&Utf8Path>,
) -> anyhow::Result<String> {
    let below = |folder: &Utf8Path| format!("&subdirectory={}", percent_encoded(folder.as_str()));
    match (at, subdirectory) {
        (FileLocation::Url(url), folder) => {
            Ok(format!("{}#sha256={sha256}{}\n", plain_url(url)?, folder.map(below).unwrap_or_default()))
        }
        // Between a name and `--hash` pip takes a path as it is written.
        (FileLocation::Path(path), None) => Ok(format!("{} --hash=sha256:{sha256}\n", sys.root.join(path))),
        (FileLocation::Path(path), Some(folder)) => {
            Ok(format!("{}#sha256={sha256}{}\n", file_url(&sys.root.join(path)), below(folder)))
        }
    }
}

/// An absolute path as a URL.
pub(crate) fn file_url(path: &Utf8Path) -> String {
    let path = path.as_str().replace('\\', "/");
    format!("{}{}", if path.starts_with('/') { "file://" } else { "file:///" }, percent_encoded(&path))
}

/// A path as a part of a URL (RFC 3986, section 2.1).
fn percent_encoded(path: &str) -> String {
    let mut encoded = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b':' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(byte.into())
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
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
