//! `clean` for people: what was removed from each place.

use super::Shown;
use wheelhaul_base::text::line;
use wheelhaul_engine::clean::{LeftAlone, Removed, Report};
use wheelhaul_engine::report::{count, size};

impl Shown for Report {
    fn text(&self) -> String {
        let mut text = String::new();
        for Removed { path, files, bytes } in &self.removed {
            text.push_str(&line(&format!("{path}: {}, {}", count(*files, "file"), size(*bytes))));
        }
        text.extend(self.left_alone.iter().map(|LeftAlone { path, why }| format!("{path}: left alone: {why}\n")));
        text.push_str(&format!("{}\n", self.sum()));
        text
    }
}
