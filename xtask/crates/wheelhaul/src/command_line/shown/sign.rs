//! `sign` for people: who signed each RPM, and how the public key is had.

use super::Shown;
use wheelhaul_engine::sign::{Report, SignedFile};

impl Shown for Report {
    fn text(&self) -> String {
        let line = |SignedFile { path, issuer, algorithm, .. }: &SignedFile| {
            format!("{path}: signed by {issuer} ({algorithm})\n")
        };
        let mut text: String = self.signed.iter().map(line).collect();
        text.push_str(&format!("the public key for `rpm --import`: `gpg --armor --export {}`\n", self.key));
        text
    }
}
