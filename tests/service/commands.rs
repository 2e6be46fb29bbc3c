//! `quality_report-run`: commands with everything that the service has, and nothing of root's.

use crate::machine::{Steps, service};
use crate::scenario::Scenario;
use crate::{HOME, NAME, SOCKET, STATE, UNIT};
use anyhow::{Context, ensure};

const RUN: &str = "/usr/bin/quality_report-run";

/// How a command ends: its words for bash, exit code, standard output, and what standard error has.
type Case<'a> = (&'a str, i32, &'a str, &'a str);

impl Scenario<'_> {
    /// Runs each line, in which `RUN` stands for the program.
    fn ends_as(&self, cases: &[Case<'_>]) -> anyhow::Result<()> {
        for (line, code, output, complaint) in cases {
            let finished = self.machine.run(&["bash", "-c", &line.replace("RUN", RUN)])?;
            let is_said =
                if complaint.is_empty() { finished.stderr.is_empty() } else { finished.stderr.contains(complaint) };
            ensure!(finished.code == Some(*code) && finished.stdout == *output && is_said, "`{line}`: {finished}");
        }
        Ok(())
    }

    /// Nothing is left of any command.
    fn nothing_is_left(&self) -> anyhow::Result<()> {
        let left = self.machine.script(
            "systemctl list-units --all --plain --no-legend 'quality_report-run*'; find /run/systemd/system -name 'quality*'",
        )?;
        ensure!(left.is_empty(), "left: {left}");
        Ok(())
    }

    pub fn runs_commands_before_its_first_start(&self, steps: &mut Steps<'_>) -> anyhow::Result<()> {
        steps.check("a command ends as it ends, and its words and streams arrive as they are", || {
            #[rustfmt::skip]
            let cases: [Case<'_>; 12] = [ // line                                                exit  output                    complaint
                ("RUN id -un",                                                                   0,   "quality_report\n",        ""),
                ("RUN pwd",                                                                      0,   "/opt/quality_report\n",   ""),
                ("RUN sh -c 'echo out; echo err >&2; exit 7'",                                   7,   "out\n",                   "err\n"),
                ("RUN sh -c 'exit 203'",                                                         203, "",                        ""),
                ("RUN sh -c 'kill -TERM $$'",                                                    143, "",                        ""),
                ("RUN no-such-program",                                                          127, "",                        "no-such-program"),
                (r#"RUN printf '<%s>' 'a b' '$HOME' '%n' 'q"q' "it's" '\x' '' 'ü' $'a\nb' ';'"#, 0,   "<a b><$HOME><%n><q\"q><it's><\\x><><ü><a\nb><;>", ""),
                (r"printf 'a\0\r\n\377' | RUN od -An -tx1",                                      0,   " 61 00 0d 0a ff\n",       ""),
                ("head -c 3000000 /dev/zero | RUN cat | wc -c",                                  0,   "3000000\n",               ""),
                ("RUN yes | head -n 1",                                                          0,   "y\n",                     ""),
                ("OF_ROOT=secret RUN sh -c 'echo $OF_ROOT$HOME'",                                0,   "/var/lib/quality_report\n", ""),
                ("setpriv --reuid nobody --clear-groups RUN id",                                 125, "",                        "hint: sudo quality_report-run id"),
            ];
            self.ends_as(&cases)
        });
        steps.check("it has the folders and the confinement of the service", || {
            let facts = self.machine.script(&format!(
                "{RUN} sh -c 'sed -n \"s/^\\(NoNewPrivs\\|Seccomp\\|CapBnd\\):\\s*/\\1 /p\" /proc/self/status; touch {HOME}/x {STATE}/x; ls /home' 2>&1 || true; \
                 stat --format='%a %U' {STATE} {STATE}/x; rm {STATE}/x"
            ))?;
            for part in ["CapBnd 0000000000000000", "NoNewPrivs 1", "Seccomp 2", "Read-only file system", "Permission denied",
                "750 quality_report\n600 quality_report"]
            {
                ensure!(facts.contains(part), "`{part}` is missing in:\n{facts}");
            }
            Ok(())
        });
        steps.check("it has a terminal of its own, and no way to root's", || {
            // What it types goes to its own terminal, and no further.
            self.machine.script(
                "printf 'import fcntl, os, termios\n\
                 for name in os.listdir(\"/proc/self/fd\"):\n    \
                     try:\n        print(\"held\", os.ttyname(int(name)))\n    except OSError: pass\n\
                 for fd in 0, 1, 2:\n    \
                     try:\n        for sign in b\"typed\\\\n\": fcntl.ioctl(fd, termios.TIOCSTI, bytes([sign]))\n    except OSError: pass\n' > /run/type.py
                 chmod 644 /run/type.py",
            )?;
            let said = self.machine.script(&format!(
                "script --quiet --return --command \"stty rows 33 columns 101; echo own $(tty); {RUN} stty size; {RUN} python3 /run/type.py; \
                 read -t 1 line; echo read:\\$line\" /dev/null </dev/null | tr -d '\\r'; rm /run/type.py"
            ))?;
            let own = said.lines().find_map(|line| line.strip_prefix("own ")).unwrap_or("not a tty").to_owned();
            let held: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("held ")).collect();
            ensure!(said.contains("33 101"), "the size is lost: {said}");
            ensure!(held.len() == 3 && held.iter().all(|name| *name != own), "{said}");
            ensure!(said.lines().any(|line| line == "read:"), "something was typed: {said}");
            Ok(())
        });
        steps.check("nothing is left of them, and the service was neither started nor enabled", || {
            self.nothing_is_left()?;
            self.is_active(UNIT, "inactive")?;
            service::is_unit(self.machine, "UnitFileState", "disabled")?;
            service::verifies(self.machine)
        });
        steps.check("a systemd without `StandardInput=file:` hands over a terminal, and that is said", || {
            self.machine.script(&format!("sed 's/^KNOWS_FILES = True/KNOWS_FILES = False/' {RUN} > /run/old-run; chmod 755 /run/old-run"))?;
            #[rustfmt::skip]
            let cases: [Case<'_>; 3] = [
                ("/run/old-run sh -c 'echo out; exit 7' < /dev/null",       7, "out\n",   "missing: output and errors apart"),
                ("echo x | /run/old-run sh -c 'cat; echo end'",             0, "end\n",   "missing: input that is no terminal"),
                ("/run/old-run head -c 70000 /dev/zero < /dev/null | wc -c", 0, "70000\n", "missing: output"),
            ];
            self.ends_as(&cases)?;
            self.machine.script("rm /run/old-run; test ! -e /usr/bin/old-run").map(drop)
        });
        Ok(())
    }

    pub fn runs_commands_beside_the_service(&self, steps: &mut Steps<'_>) -> anyhow::Result<()> {
        steps.check("what an administrator sets holds for commands as well, and the service is left alone", || {
            let before = self.machine.property(UNIT, "InvocationID")?;
            self.machine.script(&format!(
                "mkdir -p /etc/systemd/system/{UNIT}.d /etc/systemd/system/service.d /etc/sysconfig
                 printf '%s\n' '# comment' '[Unit]' 'Requires=no-such.service' '[Service]' 'Environment=A=1 \\' '; comment' '  \"B=two words\" N=%N.%n' \
                     'RuntimeDirectory=%N' 'Restart=always' 'ExecStartPre=/bin/false' 'ExecStart=' 'ExecStart=/bin/false' > /etc/systemd/system/{UNIT}.d/10-site.conf
                 printf '[Service]\nStandardOutput=journal\nNice=5\n' > /etc/systemd/system/service.d/10-all.conf
                 echo 'FROM_SYSCONFIG=\"of this box\"' > /etc/sysconfig/{NAME}
                 systemctl daemon-reload"
            ))?;
            let said = self.machine.script(&format!(
                "{RUN} sh -c 'echo \"$A,$B,$N,$FROM_SYSCONFIG,$(nice),$RUNTIME_DIRECTORY\"; touch /tmp/of-the-command'
                 test -d /run/{NAME}
                 nsenter --target $(systemctl show --value --property MainPID {UNIT}) --mount ls /tmp"
            ));
            self.machine.script(&format!(
                "rm -r /etc/systemd/system/{UNIT}.d /etc/systemd/system/service.d /etc/sysconfig/{NAME} /run/{NAME}; systemctl daemon-reload"
            ))?;
            let expected = "1,two words,quality_report.quality_report.service,of this box,5,/run/quality_report\nof-the-command";
            ensure!(said.as_ref().is_ok_and(|said| said == expected), "{said:?}");
            ensure!(self.machine.property(UNIT, "InvocationID")? == before, "the service was restarted");
            self.answers_now()
        });
        steps.check("what cannot be set up is told, with the step", || {
            self.machine.script(&format!(
                "mkdir -p /etc/systemd/system/{UNIT}.d; printf '[Service]\nWorkingDirectory=/nowhere\n' > /etc/systemd/system/{UNIT}.d/x.conf; systemctl daemon-reload"
            ))?;
            let told = self.ends_as(&[("RUN id", 125, "", "Failed at step CHDIR")]);
            self.machine.script(&format!("rm -r /etc/systemd/system/{UNIT}.d; systemctl daemon-reload"))?;
            told
        });
        steps.check("a command that is told to end does, with its exit code", || {
            let code = self
                .machine
                .script(&format!("{RUN} sleep 60 & sleep 2; kill -TERM $!; code=0; wait $! || code=$?; echo $code"))?;
            ensure!(code == "143", "{code}");
            self.nothing_is_left()
        });
        self.machine.run(&["systemctl", "reset-failed", UNIT, SOCKET]).map(drop).context("reset the starts")
    }

    pub fn runs_commands_with_secrets(&self, steps: &mut Steps<'_>) {
        steps.check("a command reads the secrets of the service, and a missing one is named", || {
            self.ends_as(&[("RUN sh -c 'cat $CREDENTIALS_DIRECTORY/db-password'", 0, "p ss", "")])?;
            let secret = format!("/etc/{NAME}/credentials/db-password");
            self.machine.text(&["mv", &secret, "/run/kept"])?;
            let told = self.ends_as(&[("RUN id", 125, "", &format!("`{secret}` is not there"))]);
            self.machine.text(&["mv", "/run/kept", &secret])?;
            told?;
            self.nothing_is_left()
        });
    }
}
