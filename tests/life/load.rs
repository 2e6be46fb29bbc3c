//! A restart and an upgrade while the page is asked for again and again.

use anyhow::{bail, ensure};

use super::scenario::rpm_upgrade;
use crate::machine::releases::NEW_ON_THE_PAGE;
use crate::machine::service::page_has;
use crate::machine::suites::Suite;
use crate::machine::{Machine, Releases, Steps};
use crate::{HOME, NAME, PORT, TITLE, UNIT, URL};

/// Asks until /run/load-stop is there, one connection a request; then says how many answers had which text, and
/// every failure.
const CLIENT: &str = r#"
import os, ssl, sys, time, urllib.request
url, new = sys.argv[1], sys.argv[2]
context = ssl._create_unverified_context()
old_pages = new_pages = 0
failures = []
while not os.path.exists("/run/load-stop"):
    try:
        page = urllib.request.urlopen(url, timeout=30, context=context).read().decode()
        if new in page:
            new_pages += 1
        else:
            old_pages += 1
    except Exception as error:
        failures.append("%.2f %r" % (time.time(), error))
        time.sleep(0.02)
    if old_pages == 20:
        open("/run/load-started", "w").close()
print(old_pages, new_pages, len(failures))
print("\n".join(failures[:5]))
"#;

/// Upgrades from release 1 to 2 under load.
pub fn is_borne(steps: &mut Steps<'_>, machine: &Machine, suite: &Suite) -> anyhow::Result<()> {
    let [first, second] = [1, 2].map(|release| Releases::inside(NAME, suite, release));
    rpm_upgrade(steps, machine, "load: install release 1", &[], &first)?;
    steps.must("load: start", || machine.text(&["systemctl", "start", UNIT]))?;
    steps.must("load: the page answers", || page_has(machine, &[TITLE]))?;
    let said = steps.must("load: restart and upgrade meanwhile", || {
        let new = NEW_ON_THE_PAGE[1];
        machine.script(&format!(
            "cat > /run/load-client.py <<'END'\n{CLIENT}\nEND\n\
             python3 -I /run/load-client.py {URL}/ '{new}' > /run/load-said &\n\
             for _ in $(seq 300); do [ ! -e /run/load-started ] || break; sleep 0.1; done\n\
             [ -e /run/load-started ]\n\
             systemctl restart {UNIT}\n\
             rpm --upgrade {second} 2>/dev/null\n\
             sleep 3\n\
             touch /run/load-stop\n\
             wait\n\
             cat /run/load-said\n\
             rm /run/load-*"
        ))
    })?;
    steps.check("load: no request fails", || judge(&said));
    steps.check("load: `stop` of service and socket closes the port", || {
        machine.text(&["systemctl", "stop", &format!("{NAME}.socket"), UNIT])?;
        let listening = machine.text(&["ss", "-Hltn", &format!("sport = :{PORT}")])?;
        ensure!(listening.is_empty(), "somebody listens:\n{listening}");
        Ok(())
    });
    steps.must("load: start again", || machine.text(&["systemctl", "start", UNIT]))?;
    steps.must("load: remove", || machine.text(&["rpm", "--erase", NAME]))?;
    steps.check("load: nothing is left", || {
        let left = machine.run(&["ls", HOME])?;
        ensure!(!left.succeeded(), "{left}");
        Ok(())
    });
    Ok(())
}

fn judge(said: &str) -> anyhow::Result<()> {
    let counts: Vec<u32> = said.lines().next().unwrap_or_default().split(' ').flat_map(str::parse).collect();
    let [old, new, failed] = counts[..] else { bail!("the client said `{said}`") };
    let context = || format!("{old} old pages, {new} new ones, {failed} failures:\n{said}");
    ensure!(old >= 20 && new >= 3, "too few answers: {}", context());
    ensure!(failed == 0, "requests failed: {}", context());
    Ok(())
}
