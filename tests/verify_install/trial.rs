//! Small packages with one fault each, made by the host's rpmbuild: a unit, and a server of a few lines.

use std::process::Command;

use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use crate::checkout::command::run;

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    Good,
    DoesNotStart,
    MissingRequires,
    /// the good one beside `Occupier`
    PortInUse,
    /// another package whose service has the port from its installation on
    Occupier,
    FailingScriptlet,
    Leftover,
    AnswersWithAnError,
    ChangesItself,
    /// its scriptlet fails where it has what only the host's root ought to have
    ReachesForTheHost,
}

/// A setting of the host's kernel that nothing depends on.
pub const OF_THE_HOST: &str = "/proc/sys/kernel/printk_ratelimit_burst";

/// Capability 16 is CAP_SYS_MODULE.
const REACHES: &str = "\
held=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
[ $(( 0x$held >> 16 & 1 )) = 0 ] || exit 1
if sh -c 'echo 11 > /proc/sys/kernel/printk_ratelimit_burst' 2>/dev/null; then exit 1; fi
";

/// Where they are built.
pub struct Trial {
    folder: tempfile::TempDir,
}

const SERVER: &str = "\
import http.server, sys
FAULT
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(CODE)
        self.end_headers()
        self.wfile.write(b'trial')
http.server.HTTPServer(('127.0.0.1', 9099), Handler).serve_forever()
";

const SPEC: &str = "\
Name: NAME
Version: 1
Release: 1
Summary: A trial
License: MIT
BuildArch: noarch
AutoReqProv: no
REQUIRES
%define _binary_payload w3.gzdio
%description
A trial.
%install
mkdir -p %{buildroot}/opt/NAME %{buildroot}/usr/lib/systemd/system %{buildroot}/usr/lib/games
echo NAME > %{buildroot}/usr/lib/games/NAME
cp %{_sourcedir}/server.py %{_sourcedir}/settings.conf %{buildroot}/opt/NAME
cp %{_sourcedir}/NAME.service %{buildroot}/usr/lib/systemd/system
%post
systemctl daemon-reload >/dev/null 2>&1 || :
POST
%preun
if [ $1 -eq 0 ]; then systemctl disable --now NAME.service >/dev/null 2>&1 || :; fi
%postun
systemctl daemon-reload >/dev/null 2>&1 || :
if [ $1 -ge 1 ]; then systemctl try-restart NAME.service >/dev/null 2>&1 || :; fi
%files
/opt/NAME/server.py
%dir /opt/NAME
%config(noreplace) /opt/NAME/settings.conf
/usr/lib/systemd/system/NAME.service
# RHEL's `filesystem` brings this folder, and the root lacks it.
/usr/lib/games/NAME
";

const UNIT: &str = "[Unit]\nDescription=A trial\n[Service]\n\
                    ExecStart=/usr/bin/python3 -B /opt/NAME/server.py --host 127.0.0.1 --port 9099\n\
                    [Install]\nWantedBy=multi-user.target\n";

impl Trial {
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self { folder: tempfile::tempdir()? })
    }

    pub fn build(&self, variant: Variant) -> anyhow::Result<Utf8PathBuf> {
        let name = if variant == Variant::Occupier { "occupier" } else { "trial" };
        let top = Utf8Path::from_path(self.folder.path()).context("not UTF-8")?.join(format!("{variant:?}"));
        let sources = top.join("SOURCES");
        fs::create_dir_all(&sources)?;
        let fault = match variant {
            Variant::DoesNotStart => "raise RuntimeError('no database')",
            Variant::ChangesItself => "open(__file__, 'a').write('#')",
            _ => "",
        };
        let code = if variant == Variant::AnswersWithAnError { "500" } else { "200" };
        let requires = if variant == Variant::MissingRequires { "Requires: a-library-nobody-has" } else { "" };
        let post = match variant {
            Variant::FailingScriptlet => "exit 1",
            Variant::Leftover => "mkdir -p /opt/trial/cache; : > /opt/trial/cache/made-by-a-scriptlet",
            Variant::ReachesForTheHost => REACHES,
            Variant::Occupier => "systemctl start occupier.service; sleep 2",
            _ => "",
        };
        fs::write(sources.join("server.py"), SERVER.replace("FAULT", fault).replace("CODE", code))?;
        fs::write(sources.join("settings.conf"), "colour = blue\n")?;
        fs::write(sources.join(format!("{name}.service")), UNIT.replace("NAME", name))?;
        let spec = SPEC.replace("NAME", name).replace("REQUIRES", requires).replace("POST", post);
        fs::write(top.join("trial.spec"), spec)?;
        run(Command::new("rpmbuild")
            .args(["--quiet", "-bb", "--define", &format!("_topdir {top}"), "--define", "_rpmfilename built.rpm"])
            .arg(top.join("trial.spec")))?
        .text()?;
        Ok(top.join("RPMS/built.rpm"))
    }
}
