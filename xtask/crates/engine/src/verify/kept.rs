//! Answers of this host's programs that are kept: each in a file with a digest, which is checked when it is read.

use crate::byte_code::KEPT;
use camino::Utf8Path;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use wheelhaul_base::hex::hex;
use wheelhaul_host::Sys;

#[derive(Serialize, Deserialize)]
struct Kept<T> {
    said: T,
    /// of `said`: what was damaged is made anew
    sha256: String,
}

/// What was kept; nothing where it is not there or is damaged.
pub fn read<T: Serialize + DeserializeOwned>(place: &Utf8Path) -> Option<T> {
    let file = fs_err::File::open(place).ok()?;
    let kept: Kept<T> = serde_json::from_reader(std::io::BufReader::new(&file)).ok()?;
    // By its time the cache knows what is still used.
    let _ = file.file().set_modified(std::time::SystemTime::now());
    (digest(&kept.said).ok()? == kept.sha256).then_some(kept.said)
}

/// Keeps what was said, and removes what was not used for long from beside it. Where that cannot be, it is asked again.
pub fn keep<T: Serialize>(sys: &Sys, place: &Utf8Path, said: &T) {
    let write = || -> anyhow::Result<()> {
        let kept = Kept { sha256: digest(said)?, said };
        sys.write(place, &serde_json::to_vec(&kept)?)
    };
    match write() {
        Ok(()) => place.parent().into_iter().for_each(|folder| KEPT.hold(folder)),
        Err(error) => sys.detail(format!("what a program said is not kept: {error:#}")),
    }
}

fn digest(said: &impl Serialize) -> anyhow::Result<String> {
    Ok(hex(&Sha256::digest(serde_json::to_vec(said)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wheelhaul_host::Verbosity;

    #[test]
    fn what_is_kept_is_read_unless_it_was_changed() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let sys = Sys { root: root.to_owned(), verbosity: Verbosity::Quiet, offline: false };
        let place = root.join("kept/a.json");
        assert_eq!(read::<Vec<String>>(&place), None);
        keep(&sys, &place, &vec!["fine".to_owned()]);
        assert_eq!(read::<Vec<String>>(&place), Some(vec!["fine".to_owned()]));
        let text = std::fs::read_to_string(&place).unwrap();
        for damaged in [text.replace("fine", "fina"), text.replace("]", ""), String::new()] {
            std::fs::write(&place, damaged).unwrap();
            assert_eq!(read::<Vec<String>>(&place), None);
        }
    }
}
