//! `target` for people: the boxes, one of them, or a script for one.

use super::Shown;
use wheelhaul_boxes::BOXES;
use wheelhaul_engine::target::{AllReport, Described, Report, ScriptReport};
use wheelhaul_host::Verbosity;

impl Shown for ScriptReport {
    fn text(&self) -> String {
        self.script.clone()
    }
}

impl Shown for AllReport {
    fn text(&self) -> String {
        let mut text = String::new();
        if !self.targets.is_empty() {
            text.push_str("targets of `dist/package.toml`:\n");
            text.extend(self.targets.iter().map(|target| format!("  {}", line(target))));
            text.push('\n');
        }
        text.push_str(
            "known boxes, each on x86_64 and aarch64 (the box's own Python first, which lives as long as the box):\n",
        );
        for row in BOXES {
            let mut pythons: Vec<_> = row.pythons.iter().collect();
            pythons.sort_by_key(|python| python.version != row.default_python);
            let pythons: Vec<String> = pythons.into_iter().map(|python| row.in_words(python)).collect();
            let (major, minor) = row.glibc;
            text.push_str(&format!(
                "  {:<7} glibc {major}.{minor}, manylinux_{major}_{minor}, systemd {}, until {}\n          Python {}\n",
                row.id,
                row.systemd,
                row.until,
                pythons.join(", ")
            ));
        }
        text.push_str("\nanother box describes itself: `cargo xtask target --help`\n");
        text
    }

    fn talk(&self, _: Verbosity) -> String {
        warnings(&self.warnings)
    }
}

impl Shown for Report {
    fn text(&self) -> String {
        let (shown, target) = (&self.target, &self.target.described);
        let mut text = String::new();
        if shown.range.is_some() {
            let package = target.python_package.as_ref().map(|package| format!(" of {package}")).unwrap_or_default();
            text.push_str(&line(target));
            text.push_str(&format!("python: {}{package}\nrelease: .{}\n\n", target.python_path, target.release));
        }
        for marker in shown.markers.iter().flatten() {
            let value = marker.value.as_ref();
            let value = value.map_or("(only the box itself knows)".to_owned(), |value| format!("{value:?}"));
            text.push_str(&format!("{:<31} {value}\n", marker.name));
        }
        text.extend(shown.tags.iter().flatten().map(|tag| format!("{tag}\n")));
        if let Some((number, best, worst)) = &shown.range {
            text.push_str(&format!("\n{number} wheel tags, from {best} to {worst}: see --tags\n"));
        }
        text
    }

    fn talk(&self, _: Verbosity) -> String {
        warnings(&self.warnings)
    }
}

fn warnings(warnings: &[String]) -> String {
    warnings.iter().map(|warning| format!("warning: {warning}\n")).collect()
}

fn line(target: &Described) -> String {
    format!(
        "{}: Python {}, glibc {}, {}, systemd {} ({})\n",
        target.name, target.python_full, target.glibc, target.highest_platform, target.systemd, target.title
    )
}
