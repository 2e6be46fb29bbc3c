//! A section of a unit on its way to text.

use crate::unit_keys::knows;

/// A section of a unit on its way to text; keys that the systemd of the box does not know are left out.
#[derive(Debug)]
pub struct UnitSection {
    name: &'static str,
    systemd: u16,
    lines: Vec<(String, String)>,
}

impl UnitSection {
    /// An empty section, for a version of systemd.
    pub fn new(name: &'static str, systemd: u16) -> Self {
        Self { name, systemd, lines: Vec::new() }
    }

    /// Adds a line, if the systemd knows the key.
    pub fn add(&mut self, key: &str, value: impl Into<String>) {
        if knows(self.systemd, self.name, key) {
            self.lines.push((key.to_owned(), value.into()));
        }
    }

    /// Puts lines in the place of those with the same key, or at the end.
    pub fn replace(&mut self, key: &str, values: &[String]) {
        let at = self.lines.iter().position(|(other, _)| other == key).unwrap_or(self.lines.len());
        self.lines.retain(|(other, _)| other != key);
        self.lines.splice(at..at, values.iter().map(|value| (key.to_owned(), value.clone())));
    }

    /// Its text, with its name first.
    pub fn text(&self) -> String {
        let lines: String = self.lines.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
        format!("[{}]\n{lines}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_replaced_keeps_its_place() {
        let mut section = UnitSection::new("Service", 239);
        for (key, value) in [("User", "a"), ("ProtectProc", "invisible"), ("Nice", "1"), ("Nice", "2"), ("UMask", "7")]
        {
            section.add(key, value);
        }
        section.replace("Nice", &["3".to_owned()]);
        section.replace("MemoryMax", &["1G".to_owned(), String::new()]);
        assert_eq!(section.text(), "[Service]\nUser=a\nNice=3\nUMask=7\nMemoryMax=1G\nMemoryMax=\n");
    }
}
