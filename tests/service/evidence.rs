//! The script of `target --evidence` on the machine, and what `verify --box` makes of it.

use crate::checkout::command::run;
use crate::machine::Steps;
use crate::scenario::Scenario;
use crate::{NAME, STATE, UNIT};
use anyhow::{Context, ensure};
use camino::Utf8Path;
use fs_err as fs;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;
use wheelhaul_engine::templates::evidence;
use wheelhaul_trial::Files;

const SCRIPT: &str = "sh /mnt/evidence.sh quality_report";
const AS_ANOTHER: &str = "setpriv --reuid 65534 --regid 65534 --clear-groups";

impl Scenario<'_> {
    /// - Takes: `share`, the folder of the host that the machine has as /mnt.
    pub fn tells_how_it_does(&self, steps: &mut Steps<'_>, share: &Utf8Path) -> anyhow::Result<()> {
        fs::write(share.join("evidence.sh"), evidence())?;
        let (with_socket, without) = (&self.variants.with_socket, &self.variants.without_socket);
        steps.check("evidence for root passes where the machine can tell, and changes nothing", || {
            let before = Files::list(self.machine)?;
            let judged = self.judged(share, SCRIPT, with_socket)?;
            let changes = Files::list(self.machine)?.changed_since(&before);
            let own = |path: &str| path.starts_with("/var/log/") || path.starts_with(STATE);
            let changes: Vec<_> = changes.into_iter().filter(|(path, _)| !own(path)).collect();
            ensure!(changes.is_empty(), "{changes:?}");
            // The machine is Debian, without SELinux and fapolicyd.
            is(&judged, &[("failed", "box-release"), ("not made", "box-selinux"), ("not made", "box-fapolicy")])?;
            let release = judged["box-release"].to_string();
            ensure!(release.contains("the box is Debian") && release.contains("Python 3.11"), "{release}");
            ensure!(!release.contains("runs by Python"), "{release}");
            let service = judged["box-service"].to_string();
            ensure!(service.contains("active (running)") && service.contains("exposure 1."), "{service}");
            let answer = judged["box-answer"].to_string();
            ensure!(answer.contains("https://127.0.0.1:9091/ answered with 200"), "{answer}");
            Ok(())
        });
        steps.check("evidence for another user says what root would add", || {
            let judged = self.judged(share, &format!("{AS_ANOTHER} {SCRIPT}"), with_socket)?;
            is(
                &judged,
                &[
                    ("failed", "box-release"),
                    ("not made", "box-selinux"),
                    ("not made", "box-fapolicy"),
                    ("not made", "box-files"),
                ],
            )?;
            ensure!(judged["box-files"].to_string().contains("run the script as root"), "{:#}", judged["box-files"]);
            Ok(())
        });
        steps.check("evidence of another release, a drop-in's unit and a stopped service is found", || {
            let judged = self.judged(share, SCRIPT, without)?;
            ensure!(judged["box-package"]["result"] == "failed", "{:#}", judged["box-package"]);
            self.machine.script(&format!(
                "mkdir -p /run/systemd/system && sed 's/^Description=.*/Description=x/' /usr/lib/systemd/system/{UNIT} \
                 > /run/systemd/system/{UNIT} && systemctl daemon-reload && systemctl stop {NAME}.socket {UNIT}"
            ))?;
            let judged = self.judged(share, SCRIPT, with_socket);
            self.machine.script(&format!(
                "rm /run/systemd/system/{UNIT} && systemctl daemon-reload && systemctl start {NAME}.socket {UNIT}"
            ))?;
            let judged = judged?;
            let service = judged["box-service"].to_string();
            ensure!(service.contains("the service is inactive (dead)"), "{service}");
            ensure!(service.contains("another unit, `/run/systemd/system/"), "{service}");
            ensure!(judged["box-answer"].to_string().contains("no answer from https://"), "{:#}", judged["box-answer"]);
            Ok(())
        });
        Ok(())
    }

    /// The checks of the box, by name.
    fn judged(&self, share: &Utf8Path, script: &str, rpm: &str) -> anyhow::Result<BTreeMap<String, Value>> {
        let document = self.machine.text(&["bash", "-c", script])?;
        fs::write(share.join("box.json"), document)?;
        let rpm = share.join(rpm.trim_start_matches("/mnt/"));
        let mut tool = Command::new(env!("CARGO_BIN_EXE_started"));
        tool.args(["--format", "json", "verify", rpm.as_str(), "--box", share.join("box.json").as_str()]);
        let finished = run(&mut tool)?;
        let report: Value = serde_json::from_str(&finished.stdout).with_context(|| finished.to_string())?;
        let checks = report["rpms"][0]["checks"].as_array().with_context(|| finished.to_string())?;
        let of_box = checks.iter().filter_map(|check| Some((check["name"].as_str()?.to_owned(), check.clone())));
        Ok(of_box.filter(|(name, _)| name.starts_with("box-")).collect())
    }
}

/// Wants every check to have passed but these.
fn is(judged: &BTreeMap<String, Value>, but: &[(&str, &str)]) -> anyhow::Result<()> {
    ensure!(judged.len() == 7, "{judged:#?}");
    for (name, check) in judged {
        let expected = but.iter().find(|(_, of)| of == name).map_or("ok", |(result, _)| result);
        ensure!(check["result"] == expected, "{name} is not `{expected}`: {check:#}");
    }
    Ok(())
}
