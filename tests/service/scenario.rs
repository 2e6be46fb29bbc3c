//! What happens to the service on the machine, step by step.

use crate::load::none_fails;
use crate::machine::service::{has_no_failed_unit, is_healthy, is_unit, verifies};
use crate::machine::{Machine, Steps, wait_for};
use crate::variants::{VARIABLE, Variants};
use crate::{HOME, NAME, PORT, SOCKET, STATE, UNIT};
use anyhow::{Context, bail, ensure};
use std::time::Duration;
use wheelhaul_systemd::{unit_key_since, unit_keys};

const UNITS: &str = "/usr/lib/systemd/system/quality_report*";

pub struct Scenario<'m> {
    pub machine: &'m Machine,
    pub variants: &'m Variants,
}

impl<'m> Scenario<'m> {
    pub fn new(machine: &'m Machine, variants: &'m Variants) -> Self {
        Self { machine, variants }
    }

    /// `rpm -U`, in any direction; a scriptlet that fails is a warning to rpm.
    pub fn install(&self, steps: &mut Steps<'_>, name: &str, rpm: &str) -> anyhow::Result<()> {
        steps.must(name, || {
            let finished = self.machine.run(&["rpm", "--upgrade", "--oldpackage", "--replacepkgs", rpm])?;
            let warned = finished.stderr.lines().any(|line| line.contains("scriptlet") || line.contains("warning"));
            ensure!(finished.succeeded() && !warned, "{finished}");
            Ok(())
        })
    }

    pub fn is_active(&self, unit: &str, expected: &str) -> anyhow::Result<()> {
        let found = self.machine.property(unit, "ActiveState")?;
        ensure!(found == expected, "{unit} is {found}, not {expected}");
        Ok(())
    }

    /// Wants a port open, or nobody at it.
    pub fn port(&self, port: &str, open: bool) -> anyhow::Result<()> {
        let listening = self.machine.text(&["ss", "-Hltn", &format!("sport = :{port}")])?;
        ensure!(listening.is_empty() != open, "port {port}: `{listening}`");
        Ok(())
    }

    /// The table of keys against what this systemd itself prints.
    pub fn knows_every_key(&self, steps: &mut Steps<'_>) {
        steps.check("the table of keys is this systemd's", || {
            let printed = self.machine.text(&["/lib/systemd/systemd", "--dump-configuration-items"])?;
            let version: u16 = {
                let said = self.machine.text(&["systemctl", "--version"])?;
                said.split_whitespace().nth(1).context("no version")?.parse()?
            };
            for section in ["Unit", "Service", "Socket", "Timer"] {
                let of_section = printed.split("\n\n").find(|part| part.starts_with(&format!("[{section}]")));
                let known: Vec<&str> = of_section
                    .context("no such section")?
                    .lines()
                    .filter_map(|line| line.split_once('='))
                    .map(|(key, _)| key)
                    .collect();
                ensure!(known.len() > 10, "[{section}] has {} keys", known.len());
                let wrong: Vec<&str> = unit_keys(section)
                    .filter(|key| {
                        let since = unit_key_since(section, key).unwrap_or(u16::MAX);
                        known.contains(key) != (since <= version)
                    })
                    .collect();
                ensure!(wrong.is_empty(), "[{section}] is wrong about {wrong:?}");
                if section == "Service" {
                    let lacks: Vec<_> = known.iter().filter(|key| unit_key_since(section, key).is_none()).collect();
                    ensure!(lacks.iter().all(|key| key.starts_with("ManagedOOM")), "[{section}] lacks {lacks:?}");
                }
            }
            Ok(())
        });
    }

    pub fn installs_without_a_socket(&self, steps: &mut Steps<'_>) -> anyhow::Result<()> {
        self.install(steps, "install without a socket", &self.variants.without_socket)
    }

    pub fn starts_without_a_socket(&self, steps: &mut Steps<'_>) -> anyhow::Result<()> {
        steps.must("enable and start", || self.machine.text(&["systemctl", "enable", "--now", UNIT]))?;
        steps.check("it answers as soon as `systemctl start` returns", || self.answers_now());
        Ok(())
    }

    pub fn answers_now(&self) -> anyhow::Result<()> {
        let url = format!("https://localhost:{PORT}/healthz");
        self.machine.text(&["curl", "--insecure", "--silent", "--show-error", "--fail", &url]).map(drop)
    }

    pub fn gets_a_socket_by_an_upgrade(&self, steps: &mut Steps<'_>) -> anyhow::Result<()> {
        self.install(steps, "upgrade to one with a socket", &self.variants.with_socket)?;
        steps.check("service and socket are active", || {
            self.is_active(UNIT, "active")?;
            self.is_active(SOCKET, "active")?;
            is_healthy(self.machine)
        });
        steps.check("systemd listens", || {
            let who = self.machine.text(&["ss", "-Hltnp", &format!("sport = :{PORT}")])?;
            ensure!(who.contains("\"systemd\""), "{who}");
            Ok(())
        });
        steps.check("variables reach the application as they are written", || {
            let main = self.machine.property(UNIT, "MainPID")?;
            let (name, value) = VARIABLE;
            let found = self.machine.script(&format!("tr '\\0' '\\n' < /proc/{main}/environ | grep ^{name}="))?;
            ensure!(found == format!("{name}={value}"), "`{found}`");
            ensure!(self.machine.property(UNIT, "MemoryMax")? == "1073741824", "MemoryMax");
            Ok(())
        });
        Ok(())
    }

    pub fn is_confined(&self, steps: &mut Steps<'_>) {
        steps.check("systemd-analyze verify is silent", || {
            let finished = self.machine.run(&["bash", "-c", &format!("systemd-analyze verify {UNITS}")])?;
            ensure!(finished.succeeded() && finished.stdout.is_empty() && finished.stderr.is_empty(), "{finished}");
            Ok(())
        });
        steps.check("exposure is 1.5 at most", || {
            let units = "/usr/lib/systemd/system/quality_report.service /usr/lib/systemd/system/quality_report-certificate.service";
            let line = format!("systemd-analyze security --no-pager --offline=true --threshold=15 {units}");
            self.machine.script(&line).map(drop)
        });
    }

    pub fn loses_no_request(&self, steps: &mut Steps<'_>) -> anyhow::Result<()> {
        let upgrade = format!("rpm --upgrade --replacepkgs {}", self.variants.with_socket);
        for (what, script) in [
            ("a restart", "systemctl restart quality_report"),
            ("an upgrade", upgrade.as_str()),
            ("a reload", "systemctl reload quality_report"),
        ] {
            steps.check(&format!("no request fails during {what}"), || none_fails(self.machine, PORT, script));
        }
        steps.check("a request fails while it is stopped, so the load can tell", || {
            ensure!(
                none_fails(
                    self.machine,
                    PORT,
                    "systemctl stop quality_report.socket quality_report; systemctl start quality_report"
                )
                .is_err(),
                "none"
            );
            Ok(())
        });
        Ok(())
    }

    pub fn survives(&self, steps: &mut Steps<'_>) -> anyhow::Result<()> {
        steps.check("`stop` of the service leaves the port open, and a request starts it again", || {
            self.machine.text(&["systemctl", "stop", UNIT])?;
            self.is_active(UNIT, "inactive")?;
            self.port(PORT, true)?;
            self.answers_now()
        });
        steps.check("`disable --now` of both closes the port, `enable --now` of the service opens it", || {
            self.machine.text(&["systemctl", "disable", "--now", SOCKET, UNIT])?;
            self.port(PORT, false)?;
            self.is_active(UNIT, "inactive")?;
            self.machine.text(&["systemctl", "enable", "--now", UNIT])?;
            self.is_active(SOCKET, "active")?;
            self.answers_now()
        });
        steps.check("`stop` of both closes the port, `start` opens it", || {
            self.machine.text(&["systemctl", "stop", SOCKET, UNIT])?;
            self.port(PORT, false)?;
            self.is_active(SOCKET, "inactive")?;
            self.is_active("quality_report-certificate.timer", "inactive")?;
            self.machine.text(&["systemctl", "start", UNIT])?;
            self.is_active("quality_report-certificate.timer", "active")?;
            self.answers_now()
        });
        steps.check("it comes back after a crash", || {
            let before = self.machine.property(UNIT, "MainPID")?;
            self.machine.text(&["kill", "-KILL", &before])?;
            wait_for(Duration::from_secs(20), || {
                self.is_active(UNIT, "active")?;
                ensure!(self.machine.property(UNIT, "MainPID")? != before, "still process {before}");
                self.answers_now()
            })
        });
        steps.check("a start that cannot succeed fails, and the next good one works", || {
            self.machine.script(&format!(
                "mkdir -p /etc/sysconfig; echo 'QUALITY_REPORT_CONFIG=/nowhere' > /etc/sysconfig/{NAME}"
            ))?;
            let finished = self.machine.run(&["systemctl", "restart", UNIT])?;
            ensure!(!finished.succeeded(), "{finished}");
            self.machine.text(&["rm", &format!("/etc/sysconfig/{NAME}")])?;
            self.machine.text(&["systemctl", "restart", UNIT])?;
            self.answers_now()
        });
        steps.must("reboot", || self.machine.reboot())?;
        steps.check("both are back after a reboot", || {
            wait_for(Duration::from_secs(20), || self.is_active(UNIT, "active"))?;
            self.is_active(SOCKET, "active")?;
            is_healthy(self.machine)?;
            has_no_failed_unit(self.machine)
        });
        Ok(())
    }

    /// What the certificate that is served ends with: its serial number and the digest of its key.
    fn served(&self) -> anyhow::Result<(String, String)> {
        let asked = self.machine.script(&format!(
            "openssl s_client -connect localhost:{PORT} < /dev/null 2>/dev/null > /run/served
             openssl x509 -in /run/served -noout -serial
             openssl x509 -in /run/served -noout -pubkey | sha256sum"
        ))?;
        let (serial, key) = asked.split_once('\n').context("no certificate")?;
        Ok((serial.to_owned(), key.to_owned()))
    }

    pub fn renews_its_certificate(&self, steps: &mut Steps<'_>) -> anyhow::Result<()> {
        let renewal = "quality_report-certificate.service";
        let before = steps.must("look at the certificate", || self.served())?;
        steps.check("only the service reads certificate and key", || {
            let modes = self.machine.text(&[
                "stat",
                "--format=%a %U",
                &format!("{STATE}/tls.crt"),
                &format!("{STATE}/tls.key"),
            ])?;
            ensure!(modes == format!("600 {NAME}\n600 {NAME}"), "{modes}");
            Ok(())
        });
        steps.check("a good one stays, and the service is left alone", || {
            let invocation = self.machine.property(UNIT, "InvocationID")?;
            self.machine.text(&["systemctl", "start", renewal])?;
            ensure!(self.machine.property(UNIT, "InvocationID")? == invocation, "it was restarted");
            ensure!(self.served()? == before, "it was made anew");
            has_no_failed_unit(self.machine)
        });
        let due = |days: u32, subject: &str| {
            self.machine.script(&format!(
                "cd {STATE}
                 openssl req -x509 -key tls.key -days {days} -subj '{subject}' -addext 'subjectAltName=DNS:machine,DNS:localhost,IP:127.0.0.1,IP:::1' -out /run/due 2>/dev/null
                 cat /run/due > tls.crt"
            ))
        };
        let own = "/CN=machine/OU=self-signed by the service quality_report";
        steps.check("one that is about to end is made anew with the key it had, and no request fails", || {
            due(20, own)?;
            let ending = self.served()?;
            let script = format!("systemctl start {renewal}; sleep 3");
            none_fails(self.machine, PORT, &script)?;
            let after = self.served()?;
            ensure!(after.0 != ending.0 && after.1 == before.1, "{ending:?} became {after:?}");
            Ok(())
        });
        steps.check("an administrator's own is never touched", || {
            due(20, "/CN=machine/O=ours")?;
            let own = self.served()?;
            self.machine.text(&["systemctl", "restart", UNIT])?;
            ensure!(self.served()? == own, "it was made anew");
            Ok(())
        });
        steps.check("another name of the host: made anew at the next start", || {
            due(400, own)?;
            self.machine.text(&["hostname", "renamed.example"])?;
            self.machine.text(&["systemctl", "restart", UNIT])?;
            self.machine.script(&format!(
                "openssl x509 -in {STATE}/tls.crt -noout -text | grep 'DNS:renamed.example, DNS:renamed,'"
            ))?;
            self.machine.text(&["hostname", "machine"]).map(drop)
        });
        Ok(())
    }

    pub fn verifies_itself(&self, steps: &mut Steps<'_>) -> anyhow::Result<()> {
        steps.check("rpm -V is silent, and writes nothing", || {
            self.machine.text(&["touch", "/run/before"])?;
            verifies(self.machine)?;
            let written =
                self.machine.text(&["find", HOME, STATE, "/tmp", "/root", "-newer", "/run/before", "-type", "f"])?;
            ensure!(written.is_empty(), "{written}");
            Ok(())
        });
        #[rustfmt::skip]
        let faults = [ // broken by                                                          mended by                                               what it says
            ("mv /usr/bin/python3.11 /usr/bin/kept",                                         "mv /usr/bin/kept /usr/bin/python3.11",                 "its interpreter /usr/bin/python3.11 is not there"),
            ("mv /opt/quality_report/src/app.py /run/",                                      "mv /run/app.py /opt/quality_report/src/",              "the module `src.app` of the application is not there"),
            ("mv /opt/quality_report/lib/gunicorn /run/",                                    "mv /run/gunicorn /opt/quality_report/lib/",            "`import gunicorn.app.wsgiapp` fails"),
            ("f=$(echo /opt/quality_report/lib/markupsafe/_speedups*.so); mv $f /run/; echo > $f", "mv /run/_speedups*.so /opt/quality_report/lib/markupsafe/", "`import markupsafe._speedups` fails"),
        ];
        for (break_it, mend, says) in faults {
            steps.check(&format!("rpm -V says: {says}"), || {
                self.machine.script(break_it)?;
                let finished = self.machine.run(&["rpm", "--verify", NAME])?;
                self.machine.script(mend)?;
                ensure!(
                    !finished.succeeded() && format!("{}{}", finished.stdout, finished.stderr).contains(says),
                    "{finished}"
                );
                Ok(())
            });
        }
        self.imports_as_the_service(steps);
        steps.check("rpm -V is silent again but for times", || {
            let finished = self.machine.run(&["rpm", "--verify", "--nomtime", NAME])?;
            ensure!(finished.succeeded() && finished.stdout.is_empty(), "{finished}");
            Ok(())
        });
        Ok(())
    }

    pub fn moves_its_port(&self, steps: &mut Steps<'_>) -> anyhow::Result<()> {
        self.install(steps, "upgrade to another port", &self.variants.moved)?;
        steps.check("the socket moved", || {
            self.port(PORT, false)?;
            self.port("9092", true)?;
            self.is_active(UNIT, "active")?;
            self.machine.text(&["curl", "-ksSf", "https://localhost:9092/healthz"]).map(drop)
        });
        Ok(())
    }

    pub fn reads_a_secret(&self, steps: &mut Steps<'_>) -> anyhow::Result<()> {
        let folder = format!("/etc/{NAME}/credentials");
        self.install(steps, "upgrade to one that wants a secret", &self.variants.with_secret)?;
        steps.check("without the secret it does not start, and says which file is missing", || {
            let finished = self.machine.run(&["systemctl", "start", UNIT])?;
            ensure!(!finished.succeeded(), "{finished}");
            let status = self.machine.run(&["systemctl", "status", "--no-pager", UNIT])?.stdout;
            ensure!(status.contains(&format!("AssertPathExists={folder}/db-password was not met")), "{status}");
            Ok(())
        });
        steps.check("the folder of secrets is root's, for the group of the service", || {
            let facts = self.machine.text(&["stat", "--format=%a %U:%G", &folder])?;
            ensure!(facts == format!("750 root:{NAME}"), "{facts}");
            Ok(())
        });
        steps.must("put the secret there and start", || {
            self.machine.script(&format!("umask 077; echo -n 'p ss' > {folder}/db-password; systemctl start {UNIT}"))
        })?;
        steps.check("the service reads it, and only by its own folder", || {
            let main = self.machine.property(UNIT, "MainPID")?;
            let place = self
                .machine
                .script(&format!("tr '\\0' '\\n' < /proc/{main}/environ | sed -n s/^CREDENTIALS_DIRECTORY=//p"))?;
            // As the service sees its own files.
            let inside =
                format!("nsenter --target {main} --mount setpriv --reuid {NAME} --regid {NAME} --clear-groups");
            let secret = self.machine.script(&format!("{inside} cat {place}/db-password"))?;
            ensure!(secret == "p ss", "`{secret}` in `{place}`");
            if self.machine.run(&["bash", "-c", &format!("{inside} cat {folder}/db-password")])?.succeeded() {
                bail!("the file itself can be read by the service");
            }
            self.answers_now()
        });
        steps.check("rpm -V is silent with a secret there", || verifies(self.machine));
        Ok(())
    }

    pub fn loses_its_socket_by_a_downgrade(&self, steps: &mut Steps<'_>) -> anyhow::Result<()> {
        self.install(steps, "back to one without a socket", &self.variants.without_socket)?;
        steps.check("the server listens by itself again", || {
            wait_for(Duration::from_secs(10), || self.answers_now())?;
            self.is_active(UNIT, "active")?;
            self.is_active(SOCKET, "inactive")?;
            let who = self.machine.text(&["ss", "-Hltnp", &format!("sport = :{PORT}")])?;
            ensure!(!who.contains("\"systemd\""), "{who}");
            is_unit(self.machine, "UnitFileState", "enabled")
        });
        self.install(steps, "and once more to one with a socket", &self.variants.with_socket)?;
        steps.check("systemd listens again", || {
            self.is_active(SOCKET, "active")?;
            self.answers_now()
        });
        Ok(())
    }

    pub fn goes(&self, steps: &mut Steps<'_>) -> anyhow::Result<()> {
        steps.must("remove while it runs", || self.machine.text(&["rpm", "--erase", NAME]))?;
        steps.check("no unit, no link, no port is left; the secret stays", || {
            let units = self.machine.text(&[
                "systemctl",
                "list-units",
                "--all",
                "--plain",
                "--no-legend",
                "quality_report*",
            ])?;
            ensure!(units.is_empty(), "{units}");
            let links = self.machine.script("find /etc/systemd /run/systemd/system -name 'quality_report*'")?;
            ensure!(links.is_empty(), "{links}");
            self.port(PORT, false)?;
            self.machine.text(&["cat", &format!("/etc/{NAME}/credentials/db-password")]).map(drop)
        });
        Ok(())
    }
}
