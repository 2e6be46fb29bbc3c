//! What root does not do on behalf of the service: run what it planted, or hand it root's terminal and environment.

use crate::machine::Steps;
use crate::scenario::Scenario;
use crate::{HOME, NAME, SOCKET, STATE, UNIT};
use anyhow::ensure;

impl Scenario<'_> {
    /// What the service or its environment names never runs as root, whatever is done with the service.
    pub fn gives_root_nothing_of_its_own(&self, steps: &mut Steps<'_>) -> anyhow::Result<()> {
        steps.must("plant programs in the service's folder, and point its environment there", || {
            self.machine.script(&format!(
                "install -d -o {NAME} -g {NAME} {STATE}/bin
                 for program in cut env getent id kill openssl python3 python3.11 setsid sh systemctl; do
                     printf '#!/usr/bin/bash\n/usr/bin/id -u >> {STATE}/ran\nexit 0\n' > {STATE}/bin/$program
                     chmod 755 {STATE}/bin/$program
                 done
                 install -o {NAME} -g {NAME} -m 666 /dev/null {STATE}/ran
                 mkdir -p /etc/sysconfig
                 printf '%s\n' PATH={STATE}/bin:/usr/bin:/usr/sbin LD_DEBUG=files LD_DEBUG_OUTPUT={STATE}/loaded \
                     PYTHONPATH={STATE}/bin > /etc/sysconfig/{NAME}"
            ))
        })?;
        steps.check("no process of root takes them", || {
            self.machine.script(&format!(
                "set +e
                 systemctl restart {UNIT}; systemctl reload {UNIT}; systemctl start quality_report-certificate.service
                 rm {STATE}/tls.crt; systemctl start quality_report-certificate.service; sleep 2
                 systemctl stop {SOCKET} {UNIT}; systemctl start {UNIT}; systemctl stop {UNIT}; sleep 2
                 true"
            ))?;
            let ran = self.machine.text(&["cat", &format!("{STATE}/ran")])?;
            ensure!(!ran.lines().any(|user| user == "0"), "root ran what the service planted: {ran}");
            // The loader writes a file for each process that has its variables, as that process's user.
            let users = self.machine.script(&format!("stat --format=%U {STATE}/loaded.* | sort -u"))?;
            ensure!(users == NAME, "the service's LD_* reached processes of: {users}");
            self.machine.text(&["systemctl", "start", UNIT])?;
            self.answers_now()
        });
        self.machine.script(&format!(
            "rm -r {STATE}/bin {STATE}/ran {STATE}/loaded.* /etc/sysconfig/{NAME}
             systemctl reset-failed {UNIT}
             systemctl restart {UNIT}"
        ))?;
        Ok(())
    }

    /// What `rpm -V` imports is the code of others.
    pub fn imports_as_the_service(&self, steps: &mut Steps<'_>) {
        steps.check("what rpm -V imports has the user of the service, and neither terminal nor environment of root", || {
            self.machine.script(&format!(
                "cp -rp {HOME}/lib/gunicorn /run/kept
                 rm -r {HOME}/lib/gunicorn/__pycache__
                 cat >> {HOME}/lib/gunicorn/__init__.py <<'END'
import os
def _look():
    terminals = [name for name in os.listdir('/proc/self/fd') if os.path.exists('/proc/self/fd/' + name) and os.isatty(int(name))]
    try:
        os.open('/dev/tty', os.O_RDWR)
        terminals.append('/dev/tty')
    except OSError:
        pass
    with open('/tmp/looked', 'w') as out:
        out.write('%d %s %s' % (os.getuid(), terminals, sorted(os.environ)))
_look()
END"
            ))?;
            let said = self.machine.script(&format!(
                "OF_ROOT=secret script --quiet --return --command 'rpm --verify {NAME}' /dev/null < /dev/null || true
                 echo
                 id -u {NAME}
                 cat /tmp/looked"
            ))?;
            self.machine.script(&format!("rm -r /tmp/looked {HOME}/lib/gunicorn; mv /run/kept {HOME}/lib/gunicorn"))?;
            let lines: Vec<&str> = said.lines().rev().take(2).collect();
            let expected = format!("{} [] ['HOME', 'LANG', 'PATH']", lines.get(1).copied().unwrap_or_default());
            ensure!(lines.first() == Some(&expected.as_str()), "{said}");
            Ok(())
        });
    }
}
