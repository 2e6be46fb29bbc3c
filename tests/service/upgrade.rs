//! Upgrades to a release that does not start, and between releases of which one restarts the service in `%postun`.

use crate::machine::{Steps, wait_for};
use crate::scenario::Scenario;
use crate::{NAME, SOCKET, UNIT};
use anyhow::ensure;
use std::time::Duration;

/// A box with no repository at all.
const DNF: &str = "dnf --assumeyes --releasever=1 --disablerepo='*'";

impl Scenario<'_> {
    /// How often the service was started so far.
    fn starts(&self) -> anyhow::Result<usize> {
        let lines = self.machine.text(&["journalctl", "--quiet", "--no-pager", "--output=cat", "--unit", UNIT])?;
        Ok(lines.lines().filter(|line| line.starts_with("Starting ")).count())
    }

    /// Runs it, wants so many starts meanwhile, and gives what it said of this package.
    fn changes(&self, line: &str, starts: usize) -> anyhow::Result<Vec<String>> {
        let before = self.starts()?;
        let finished = self.machine.run(&["bash", "-c", &format!("{line} 2>&1")])?;
        let found = self.starts()? - before;
        ensure!(finished.succeeded() && found == starts, "{found} starts: {finished}");
        let own = finished.stdout.lines().map(str::trim).filter(|line| line.starts_with(&format!("{NAME}: ")));
        Ok(own.map(str::to_owned).collect())
    }

    pub fn tells_of_a_release_that_does_not_start(&self, steps: &mut Steps<'_>) -> anyhow::Result<()> {
        let good = &self.variants.with_socket;
        let (broken, before) = (&self.variants.broken, &self.variants.before);
        steps.check("a downgrade to a release of before restarts once, and so does the upgrade from it", || {
            for rpm in [before, good] {
                let said = self.changes(&format!("rpm --upgrade --oldpackage {rpm}"), 1)?;
                ensure!(said.is_empty(), "{said:?}");
                self.is_active(UNIT, "active")?;
                self.answers_now()?;
            }
            Ok(())
        });
        steps.check("dnf shows one line of a service that does not start: where to look, and the way back", || {
            let said = self.changes(&format!("{DNF} upgrade {broken}"), 1)?;
            ensure!(said.len() == 1 && said[0].contains("journalctl -e -u quality_report"), "{said:?}");
            ensure!(said[0].contains("dnf downgrade ./quality_report-OLDER.rpm"), "{said:?}");
            Ok(())
        });
        steps.check("it ends as failed, its socket closes, and nobody who asks is kept waiting", || {
            wait_for(Duration::from_secs(300), || self.is_active(UNIT, "failed"))?;
            self.is_active(SOCKET, "failed")?;
            self.port(crate::PORT, false)
        });
        steps.must("the way back starts it", || {
            let said = self.changes(&format!("{DNF} downgrade {good}"), 1)?;
            ensure!(said.is_empty(), "{said:?}");
            self.is_active(UNIT, "active")?;
            self.is_active(SOCKET, "active")?;
            self.answers_now()
        })?;
        steps.check("the same from a release of before, which has restarted it already", || {
            self.changes(&format!("rpm --upgrade --oldpackage {before}"), 1)?;
            // Release 5 is older than that one.
            let said = self.changes(&format!("rpm --upgrade --oldpackage {broken}"), 1)?;
            ensure!(said.len() == 1 && said[0].contains("the service does not start now"), "{said:?}");
            Ok(())
        });
        self.install(steps, "and back", good)?;
        steps.check("what is stopped stays so, without a word", || {
            self.machine.text(&["systemctl", "stop", SOCKET, UNIT])?;
            for rpm in [broken, good] {
                let said = self.changes(&format!("rpm --upgrade --oldpackage {rpm}"), 0)?;
                ensure!(said.is_empty(), "{said:?}");
            }
            let notes = self.machine.script("find /run -maxdepth 1 -name 'quality_report*'")?;
            ensure!(notes.is_empty(), "left: {notes}");
            self.machine.text(&["systemctl", "start", UNIT]).map(drop)
        });
        Ok(())
    }
}
