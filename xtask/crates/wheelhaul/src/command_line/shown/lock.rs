//! `lock` for people: what became of each lock, and why it is stale.

use super::Shown;
use wheelhaul_base::text::line;
use wheelhaul_engine::lock::{Explained, Report, Status, TargetLock};
use wheelhaul_engine::report::count;

impl Shown for Report {
    fn text(&self) -> String {
        let mut text = String::new();
        if let Some(reason) = self.stale_team_lock() {
            text.push_str(&line(&format!("{}: {reason}", self.team_lock)));
        }
        match self.upgraded.as_deref() {
            None => {}
            Some([]) => text.push_str(&line(&format!("{}: nothing newer", self.team_lock))),
            Some(changes) => text.extend(changes.iter().map(|change| line(change))),
        }
        text.extend(self.targets.iter().map(of_target));
        text.push_str(match (self.stale_team_lock().is_some(), self.has_stale()) {
            (true, _) => "after that, run `cargo xtask lock`, and commit both\n",
            (false, true) => "run `cargo xtask lock` and commit the result\n",
            (false, false) => "",
        });
        text
    }

    fn findings(&self) -> bool {
        self.findings()
    }
}

fn of_target(target: &TargetLock) -> String {
    let status = match target.status {
        Status::Current => "current",
        Status::Written => "written",
        Status::Stale => "stale",
    };
    let packages = target.packages.as_ref().map(|packages| count(packages.len(), "package"));
    let held = packages.map(|packages| format!(", {packages}, {} dropped", target.dropped.len())).unwrap_or_default();
    let mut text = format!("{}: {status}{held}\n", target.lock);
    let reasons = target.reasons.iter().flatten();
    text.extend(reasons.map(|reason| format!("  {}\n", reason.replace('\n', "\n    "))));
    text
}

impl Shown for Explained {
    fn text(&self) -> String {
        self.targets.iter().map(|told| told.to_text(&self.package)).collect()
    }
}
