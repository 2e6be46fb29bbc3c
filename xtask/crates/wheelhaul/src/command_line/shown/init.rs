//! `init` for people: what was written, what will go wrong, and the commands that come next.

use super::Shown;
use wheelhaul_engine::init::{LeftFile, Report};

impl Shown for Report {
    fn text(&self) -> String {
        if self.next.is_empty() {
            return "nothing was written\n".to_owned();
        }
        let mut text = String::new();
        text.extend(self.written.iter().map(|line| format!("wrote {line}\n")));
        for LeftFile { path, lines } in &self.left {
            text.push_str(&format!("left {path} as it is"));
            text.push_str(&if lines.is_empty() {
                "\n".to_owned()
            } else {
                format!("; add to it:\n{}", indented(lines))
            });
        }
        if !self.notes.is_empty() {
            text.push_str("\nbefore it works:\n");
            text.extend(self.notes.iter().map(|note| format!("  - {}\n    {}\n", note.what, note.cure)));
        }
        text.push_str("\nnext:\n");
        text.extend(self.next.iter().map(|line| format!("  {line}\n")));
        text
    }
}

fn indented(lines: &str) -> String {
    lines.lines().map(|line| format!("    {line}\n")).collect()
}
