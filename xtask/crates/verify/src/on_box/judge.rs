//! The checks of what a box said. What the box did not tell is not made, and never passes.

use crate::on_box::{Mode, OnBox};
use crate::units::FOLDER;
use crate::{Evidence, Finding, Outcome, count, no_target};
use wheelhaul_base::problem::shortened;

/// The digest algorithm of files that the document has, as rpm numbers it: SHA-256.
const SHA256: u32 = 8;

/// What a check has seen so far.
#[derive(Default)]
struct Seen {
    looked_at: Vec<String>,
    findings: Vec<Finding>,
    /// why something could not be judged
    lacks: Vec<String>,
}

impl Seen {
    fn error(&mut self, path: impl Into<String>, found: impl Into<String>, expected: &str, cure: &str) {
        self.findings.push(Finding::error(path, found, expected, cure));
    }

    fn warning(&mut self, path: impl Into<String>, found: impl Into<String>, expected: &str, cure: &str) {
        self.findings.push(Finding::error(path, found, expected, cure).warning());
    }

    /// Faults count whatever else is not known; without one, what is not known keeps the check from passing.
    fn outcome(mut self) -> Outcome {
        match (self.findings.is_empty(), self.lacks.is_empty()) {
            (true, false) => Outcome::not_asked(self.lacks.join("; ")),
            (_, _) => {
                self.looked_at.append(&mut self.lacks);
                Outcome::Made { looked_at: self.looked_at.join(", "), findings: self.findings }
            }
        }
    }
}

fn on_box(evidence: &Evidence, judge: fn(&Evidence, &OnBox) -> Outcome) -> Outcome {
    match &evidence.on_box {
        Some(on_box) => judge(evidence, on_box),
        None => Outcome::not_asked("there is no document of a box"),
    }
}

/// `box-package`
pub(crate) fn package(evidence: &Evidence) -> Outcome {
    on_box(evidence, |evidence, on_box| {
        const CURE: &str = "give the RPM that is installed there; or install this one, and run the script again";
        let Some(installed) = &on_box.package else { return Outcome::not_asked(on_box.why("package")) };
        let described = &evidence.described;
        let of = |epoch: Option<u32>, name: &str, version: &str, release: &str, arch: &str| {
            let epoch = epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
            shortened(&format!("{name}-{epoch}{version}-{release}.{arch}"))
        };
        let there = of(installed.epoch, &installed.name, &installed.version, &installed.release, &installed.arch);
        let here = of(described.origin.epoch, &described.name, &described.version, &described.release, &described.arch);
        let mut seen = Seen::default();
        seen.looked_at.push(format!("{there}, on {}", on_box.day()));
        if there != here {
            seen.error("", format!("`{there}` is installed"), &format!("`{here}`, as this RPM is"), CURE);
        } else {
            match &installed.header_sha256 {
                Some(digest) if *digest != evidence.bytes.header => {
                    let found = format!("another build of it is installed, with the header {}", shortened(digest));
                    seen.error("", found, &format!("the header {}", evidence.bytes.header), CURE);
                }
                Some(_) => {}
                None => seen.looked_at.push("its rpm does not tell the header's digest".to_owned()),
            }
        }
        seen.outcome()
    })
}

/// `box-release`
pub(crate) fn release(evidence: &Evidence) -> Outcome {
    on_box(evidence, |evidence, on_box| {
        const CURE: &str = "build the RPM for that box, or run the script on one that it is for";
        let Some(target) = &evidence.target else { return no_target() };
        let mut seen = Seen::default();
        let text = |text: &Option<String>| shortened(text.as_deref().unwrap_or("a release without a name"));
        match &on_box.os {
            None => seen.lacks.push(on_box.why("os")),
            Some(os) => {
                seen.looked_at.push(text(&os.name));
                match (target.row(), &os.version) {
                    (None, _) => seen.looked_at.push("the target has no releases to compare with".to_owned()),
                    (_, None) => seen.lacks.push("/etc/os-release of the box has no VERSION_ID".to_owned()),
                    (Some((row, python)), Some(version)) => {
                        let is_it = match row.release {
                            Some(release) => version.split('.').next() == Some(&release.to_string()),
                            None => os.id.as_deref() == Some("amzn") && row.id == format!("al{version}"),
                        };
                        let since = row.since(python);
                        if !is_it {
                            seen.error("", format!("the box is {}", text(&os.name)), row.title, CURE);
                        } else if let Some(since) = since.filter(|since| is_older(version, since)) {
                            let found = format!("the box is at {}", shortened(version));
                            let expected = format!("{since} or later, since Python {} came with it", target.python());
                            seen.error("", found, &expected, "update the box, or build for an older Python");
                        }
                    }
                }
            }
        }
        let machine = shortened(&on_box.machine);
        if machine != target.arch {
            seen.error("", format!("its processor is `{machine}`"), &format!("`{}`", target.arch), CURE);
        }
        match &on_box.interpreter {
            None => seen.lacks.push(on_box.why("interpreter")),
            Some(running) => {
                let path = shortened(&running.path);
                match &running.version {
                    None => seen.warning(path, "the service's process is no Python", "a Python", "look at the unit"),
                    Some(version) => {
                        let minor: Vec<&str> = version.splitn(3, '.').take(2).collect();
                        seen.looked_at.push(format!("Python {}", shortened(version)));
                        if minor.join(".") != target.python() {
                            let found = format!("the service runs by Python {}", shortened(version));
                            seen.error(path, found, &format!("Python {}", target.python()), CURE);
                        }
                    }
                }
            }
        }
        seen.looked_at.push(format!("kernel {}", shortened(&on_box.kernel)));
        seen.looked_at.push(match on_box.fips {
            Some(true) => "in FIPS mode".to_owned(),
            Some(false) => "not in FIPS mode".to_owned(),
            None => on_box.why("fips"),
        });
        seen.outcome()
    })
}

/// Whether a release such as `9.1` comes before another; without a minor (a rolling one such as Stream) it does not.
fn is_older(version: &str, since: &str) -> bool {
    let minor = |text: &str| text.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok());
    matches!((minor(version), minor(since)), (Some(at), Some(since)) if at < since)
}

/// `box-service`
pub(crate) fn service(evidence: &Evidence) -> Outcome {
    on_box(evidence, |evidence, on_box| {
        let Some(unit) = &on_box.unit else { return Outcome::not_asked(on_box.why("unit")) };
        let name = format!("{}.service", evidence.described.name);
        let path = format!("{FOLDER}{name}");
        let property = |key: &str| shortened(unit.properties.get(key).map_or("", |value| value.as_str()));
        let mut seen = Seen::default();
        let state = format!("{} ({})", property("ActiveState"), property("SubState"));
        let journal = format!("look at `journalctl -u {name}` on the box");
        seen.looked_at.push(state.clone());
        if property("Id") != name {
            let found = format!("the document is about `{}`", property("Id"));
            seen.error("", found, &format!("`{name}`"), "run the script with the name of this package");
        }
        if property("ActiveState") != "active" {
            let (result, status) = (property("Result"), property("ExecMainStatus"));
            let found = format!("the service is {state}; result `{result}`, exit status `{status}`");
            seen.error(&path, found, "active", &journal);
        }
        if let Some(restarts) = Some(property("NRestarts")).filter(|number| !["", "0"].contains(&number.as_str())) {
            seen.warning(&path, format!("systemd has restarted it {restarts} times"), "0 times", &journal);
        }
        if property("NeedDaemonReload") == "yes" {
            let found = "systemd has not read the unit as it is on the disk";
            seen.warning(&path, found, "what is on the disk", "run `systemctl daemon-reload` and restart the service");
        }
        let row = evidence.described.files.get(&path).filter(|_| evidence.described.file_digest_algorithm == SHA256);
        match (row, &unit.sha256) {
            (None, _) => seen.lacks.push("the RPM has no unit of its name with a SHA-256".to_owned()),
            (_, None) => seen.lacks.push("the box does not tell the digest of the unit".to_owned()),
            (Some(row), Some(digest)) if *digest != row.digest => {
                let found = format!("systemd reads another unit, `{}`", property("FragmentPath"));
                seen.error(&path, found, "the unit of the RPM", "put changes into a drop-in: `systemctl edit`");
            }
            (Some(_), Some(_)) => {}
        }
        if !property("DropInPaths").is_empty() {
            seen.looked_at.push(format!("with the drop-ins {}", property("DropInPaths")));
        }
        seen.looked_at.push(match on_box.exposure {
            Some(level) => format!("exposure {level:.1}"),
            None => on_box.why("exposure"),
        });
        seen.outcome()
    })
}

/// `box-selinux`
pub(crate) fn selinux(evidence: &Evidence) -> Outcome {
    on_box(evidence, |evidence, on_box| {
        const CURE: &str = "look at it on the box with `ausearch -m AVC -i`, and tell the makers of this package";
        let mode = match on_box.selinux_mode {
            None => return Outcome::not_asked(on_box.why("selinux-mode")),
            Some(Mode::Disabled) => return Outcome::not_asked("SELinux is disabled on the box"),
            Some(Mode::Permissive) => "permissive",
            Some(Mode::Enforcing) => "enforcing",
        };
        let Some(denials) = &on_box.selinux_denials else { return Outcome::not_asked(on_box.why("selinux-denials")) };
        let mut seen = Seen::default();
        seen.looked_at.push(mode.to_owned());
        seen.looked_at.push(match &on_box.domain {
            Some(label) => format!("the service's process is `{}`", shortened(label)),
            None => on_box.why("domain"),
        });
        let domain = on_box.domain.as_deref().and_then(|label| label.split(':').nth(2)).filter(|kind| !kind.is_empty());
        let source = domain.map(|kind| format!(":{kind}:"));
        denied(&mut seen, evidence, denials, "SELinux denied", CURE, |line| {
            let context = line.split("scontext=").nth(1).and_then(|rest| rest.split_whitespace().next());
            source.as_deref().is_some_and(|source| context.is_some_and(|of| format!("{of}:").contains(source)))
        });
        seen.outcome()
    })
}

/// `box-fapolicy`
pub(crate) fn fapolicy(evidence: &Evidence) -> Outcome {
    on_box(evidence, |evidence, on_box| {
        const CURE: &str = "look at it on the box with `ausearch -m FANOTIFY -i`, and tell the makers of this package";
        match on_box.fapolicyd.as_deref() {
            None => return Outcome::not_asked(on_box.why("fapolicyd")),
            Some("active") => {}
            Some(state) => return Outcome::not_asked(format!("fapolicyd is `{}` on the box", shortened(state))),
        }
        let Some(denials) = &on_box.fapolicyd_denials else {
            return Outcome::not_asked(on_box.why("fapolicyd-denials"));
        };
        let mut seen = Seen::default();
        seen.looked_at.push("active".to_owned());
        denied(&mut seen, evidence, denials, "fapolicyd denied", CURE, |_| false);
        seen.outcome()
    })
}

/// Denials of the service are errors; those of other programs on the box are to be looked at.
fn denied(
    seen: &mut Seen,
    evidence: &Evidence,
    denials: &[String],
    what: &str,
    cure: &str,
    is_own: impl Fn(&str) -> bool,
) {
    let name = evidence.described.name.as_str();
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let names_it = |line: &str| {
        line.match_indices(name)
            .any(|(at, _)| !line[..at].ends_with(is_part) && !line[at + name.len()..].starts_with(is_part))
    };
    seen.looked_at.push(format!("{} since the service was started", count(denials.len(), "denial")));
    for line in denials {
        if is_own(line) || names_it(line) {
            seen.error("", format!("{what}: {line}"), "no denials", cure);
        } else {
            seen.warning("", format!("{what} something else on the box: {line}"), "no denials", cure);
        }
    }
}

/// `box-files`
pub(crate) fn files(evidence: &Evidence) -> Outcome {
    on_box(evidence, |_, on_box| {
        let Some(said) = &on_box.rpm_verify else { return Outcome::not_asked(on_box.why("rpm-verify")) };
        let mut seen = Seen::default();
        seen.looked_at.push(format!("{} of `rpm -V`", count(said.lines.len(), "line")));
        for line in &said.lines {
            // `S.5....T.  c /etc/x`, `missing   c /etc/x`; other lines are what the package's own check says.
            let path = line.find(" /").map_or("", |at| &line[at + 1..]);
            let is_config = line.split_whitespace().nth(1) == Some("c") && !line.starts_with("missing");
            let found = format!("`rpm -V` says: {line}");
            match is_config {
                true => seen.warning(path, found, "silence", "see whether the change of this config file is meant"),
                false => {
                    seen.error(path, found, "silence", "install the RPM again, and find out what changed the file")
                }
            }
        }
        if said.unread > 0 {
            let unread = count(usize::try_from(said.unread).unwrap_or(usize::MAX), "file");
            seen.lacks.push(format!("{unread} could not be compared; run the script as root"));
        }
        seen.outcome()
    })
}

/// `box-answer`
pub(crate) fn answer(evidence: &Evidence) -> Outcome {
    on_box(evidence, |evidence, on_box| {
        let Some(answer) = &on_box.answer else { return Outcome::not_asked(on_box.why("answer")) };
        let cure = format!("look at `journalctl -u {}.service` on the box", evidence.described.name);
        let (url, mut seen) = (shortened(&answer.url), Seen::default());
        match answer.status {
            Some(status) => {
                seen.looked_at.push(format!("{url} answered with {status}"));
                if status >= 500 {
                    seen.error("", format!("{url} answered with {status}"), "a status below 500", &cure);
                }
            }
            None => {
                let why = shortened(answer.error.as_deref().unwrap_or("it is not said why"));
                seen.looked_at.push(url.clone());
                seen.error("", format!("no answer from {url}: {why}"), "an answer", &cure);
            }
        }
        seen.outcome()
    })
}
