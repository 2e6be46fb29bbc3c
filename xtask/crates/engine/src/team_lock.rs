//! The team's lock, read from the repository.

use anyhow::{Context as _, ensure};
use camino::Utf8Path;
use std::io::Read as _;
use std::sync::OnceLock;
use wheelhaul_base::problem::Problem;
use wheelhaul_config::App;
use wheelhaul_host::{Sys, with_lf};
use wheelhaul_lockfiles::{Application, LockTexts, Pins, Selection};

/// The team's lock, which is read once: a large one takes longer than all else that `lock --check` does.
#[derive(Debug, Default)]
pub(crate) struct TeamLock(OnceLock<(LockTexts, Pins)>);

impl TeamLock {
    /// Its texts, and the pins in it.
    pub(crate) fn read(&self, sys: &Sys, app: &App) -> anyhow::Result<&(LockTexts, Pins)> {
        match self.0.get() {
            Some(read) => Ok(read),
            None => {
                let read = pins_of(sys, app)?;
                Ok(self.0.get_or_init(|| read))
            }
        }
    }
}

/// The texts of the team's lock, and the pins in it.
pub(crate) fn pins_of(sys: &Sys, app: &App) -> anyhow::Result<(LockTexts, Pins)> {
    let lock = &app.lock;
    wheelhaul_lockfiles::LockFormat::of(lock).context("key `app.lock` of `dist/package.toml`")?;
    let texts = wheelhaul_lockfiles::texts_of(lock, |path| text_of(sys, path, path == lock))?;
    let selection = Selection::of(app);
    let source = wheelhaul_lockfiles::LockSource {
        lock,
        app: application(sys, app),
        texts: &texts,
        selection: &selection,
        variable: &|name| std::env::var(name).ok(),
    };
    let pins = wheelhaul_lockfiles::parse(&source).with_context(|| format!("failed to read the lock `{lock}`"))?;
    Ok((texts, pins))
}

/// The application as entries of the team's lock can name it.
fn application<'a>(sys: &Sys, app: &'a App) -> Application<'a> {
    let read = |name: &str| sys.read_text(&sys.root.join(&app.path).join(name)).ok();
    let name = read("pyproject.toml").and_then(|text| Application::name_in_pyproject(&text));
    let name = name.or_else(|| Application::name_in_setup(&read("setup.cfg")?));
    let canonical = sys.root.canonicalize_utf8().ok();
    let checkouts = [Some(sys.root.clone()), canonical].into_iter().flatten().collect();
    Application { folder: &app.path, name, checkouts }
}

/// A text of the repository; none for a file that is not there and does not have to be.
fn text_of(sys: &Sys, path: &Utf8Path, must: bool) -> anyhow::Result<Option<String>> {
    let whole = sys.root.join(path);
    let read = || {
        let mut bytes = Vec::new();
        let opened = if must { Some(sys.open(&whole)?) } else { sys.open_if_there(&whole)? };
        let Some(mut file) = opened else { return Ok(None) };
        file.read_to_end(&mut bytes)?;
        // Line ends are the work tree's and not the lock's.
        decoded(bytes).map(with_lf).map(Some).with_context(|| format!("`{path}`"))
    };
    read().map_err(|error| {
        Problem::around(
            error,
            format!("the team's lock `{path}` cannot be read"),
            "lock the dependencies if it is not there; it is UTF-8 text, or UTF-16 with a byte order mark; or correct `app.lock` in `dist/package.toml`",
        )
    })
}

/// A text as locks are written: UTF-8, or UTF-16 with a byte order mark, as PowerShell's `>` writes it.
fn decoded(bytes: Vec<u8>) -> anyhow::Result<String> {
    let unit: fn([u8; 2]) -> u16 = match bytes.get(..2) {
        Some([0xff, 0xfe]) => u16::from_le_bytes,
        Some([0xfe, 0xff]) => u16::from_be_bytes,
        _ => return Ok(String::from_utf8(bytes)?),
    };
    ensure!(bytes.len().is_multiple_of(2), "it is UTF-16 that was cut short");
    let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    Ok(String::from_utf16(&units)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_decoded_by_their_mark() {
        let units: Vec<u16> = "a==1 # é\r\n".encode_utf16().collect();
        let little: Vec<u8> =
            [0xff, 0xfe].into_iter().chain(units.iter().flat_map(|unit| unit.to_le_bytes())).collect();
        let big: Vec<u8> = [0xfe, 0xff].into_iter().chain(units.iter().flat_map(|unit| unit.to_be_bytes())).collect();
        for bytes in [little.clone(), big, "a==1 # é\r\n".as_bytes().to_vec()] {
            assert_eq!(decoded(bytes).unwrap(), "a==1 # é\r\n");
        }
        assert!(decoded(little[..5].to_vec()).is_err());
        assert!(decoded(vec![0xff, 0xfe, 0, 0xd8]).is_err());
        assert!(decoded(vec![b'a', 0xe9]).is_err());
    }
}
