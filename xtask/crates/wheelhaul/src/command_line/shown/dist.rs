//! `dist` for people: what `verify` says, what was made, and what is to be carried over.

use super::summary::table;
use super::{Shown, rpm, verify};
use wheelhaul_engine::dist::{Filled, Made, Report, Stale};
use wheelhaul_engine::report::{count, size};
use wheelhaul_host::Verbosity;

/// Says so of a verdict of an earlier run.
const BEFORE: &str = "  verified before: the same bytes, by the same tool and programs of this host\n";

impl Shown for Report {
    fn text(&self) -> String {
        match self {
            Self::Stale(stale) => of_stale(stale),
            Self::Made(made) => of_made(made, false),
        }
    }

    fn quiet_text(&self) -> String {
        match self {
            Self::Stale(stale) => of_stale(stale),
            Self::Made(made) if self.findings() => of_made(made, true),
            Self::Made(_) => String::new(),
        }
    }

    fn findings(&self) -> bool {
        self.findings()
    }

    fn talk(&self, _: Verbosity) -> String {
        match self {
            Self::Stale(_) => String::new(),
            // Not with the result: no two runs take as long.
            Self::Made(made) => table(&made.summary),
        }
    }

    fn paint(text: &str) -> String {
        verify::paint(text)
    }
}

fn of_stale(stale: &Stale) -> String {
    let cure = match stale.is_team_lock_stale {
        true => "after that, run `cargo xtask lock`, and commit both",
        false => "run `cargo xtask lock` and commit the result",
    };
    format!("stale locks:\n  {}\n{cure}\n", stale.stale.join("\n  "))
}

fn of_made(made: &Made, quiet: bool) -> String {
    let mut text = String::new();
    for (judged, rpm) in made.verify.iter().zip(&made.rpms) {
        let said = verify::of_rpm(judged, quiet);
        text.push_str(&said);
        if rpm.verified_before && !said.is_empty() {
            text.push_str(BEFORE);
        }
    }
    text.extend(made.rpms.iter().map(|rpm| rpm::lines(&rpm.file)));
    let Some(delivery) = &made.delivery else {
        text.push_str(
            "no bundle was made, since not every check passed; what lies in `dist/out` is not to be shipped\n",
        );
        return text;
    };
    text.push_str(&format!("{}: {}, to carry over\n", delivery.bundle.path, size(delivery.bundle.size)));
    if made.leaves_out_signing {
        let names: Vec<&str> = made.rpms.iter().map(|rpm| rpm.file.path.as_str()).collect();
        let names = names.join(" ");
        text.push_str(&format!(
            "NOT SIGNED, as `--no-sign` asks; where the key is: `cargo xtask sign {names} --key KEY`\n"
        ));
    }
    if let Some((issuer, algorithm)) = made.issuer.as_ref().zip(made.algorithm.as_ref()) {
        text.push_str(&format!(
            "signed by {issuer} ({algorithm}): tell the box's administrators by another way than the bundle\n"
        ));
    }
    text.extend(delivery.repositories.iter().map(of_repository));
    text
}

fn of_repository(filled: &Filled) -> String {
    let how = if filled.signed { "signed" } else { "NOT SIGNED: gpgcheck and repo_gpgcheck have to be off" };
    let kept = match filled.rpms.len() - filled.added {
        0 => String::new(),
        kept => format!(", {} there already", count(kept, "RPM")),
    };
    format!("{}: {} added{kept}, {how}\n", filled.path, count(filled.added, "RPM"))
}
