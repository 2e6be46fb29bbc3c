//! `wheel` for people: the wheel, in a line.

use super::Shown;
use wheelhaul_engine::report::{MadeFile, size};
use wheelhaul_engine::wheel::Report;

impl Shown for Report {
    fn text(&self) -> String {
        let MadeFile { path, size: bytes, sha256 } = &self.wheel;
        format!("{path}: {}, sha256 {sha256}\n", size(*bytes))
    }
}
