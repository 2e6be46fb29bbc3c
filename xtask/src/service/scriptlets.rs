//! What rpm runs around install, upgrade and removal.
//!
//! Scriptlets are plain `systemctl` with a daemon-reload of their own, the same on every target: RHEL's
//! `%systemd_*` macros leave reloading to file triggers of systemd's package, which some rpm versions
//! run too late or not at all.

use crate::service::Facts;

impl Facts<'_> {
    /// The four scriptlets.
    pub fn scriptlets(&self) -> Scriptlets {
        let fill = |text: &str| text.replace("NAME", self.name);
        // Where systemd does not make the folder of the state, `%pre` does.
        let state = if self.target.knows("Service", "StateDirectory") { "" } else { STATE };
        Scriptlets {
            pre: fill(&PRE.replace("STATE", state)),
            post: fill(POST),
            preun: fill(PREUN),
            postun: fill(POSTUN),
        }
    }
}

/// The scriptlets, for `/bin/sh`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scriptlets {
    /// before the files are there
    pub pre: String,
    /// after the files are there
    pub post: String,
    /// before the files go
    pub preun: String,
    /// after the files are gone
    pub postun: String,
}

const PRE: &str = "\
getent group NAME >/dev/null || groupadd -r NAME || exit 1
getent passwd NAME >/dev/null || \\
    useradd -r -g NAME -d /var/lib/NAME -M -s /sbin/nologin -c \"Service NAME\" NAME || exit 1
STATEexit 0
";
const STATE: &str = "\
mkdir -p -m 0750 /var/lib/NAME && chown NAME:NAME /var/lib/NAME || exit 1
";
const POST: &str = "\
if [ \"$1\" -eq 1 ]; then
    systemctl --no-reload preset NAME.service >/dev/null 2>&1 || :
fi
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload >/dev/null 2>&1 || :
fi
exit 0
";
/// `disable` refuses a masked unit, whose link to its target would stay and enable the next installation.
const PREUN: &str = "\
if [ \"$1\" -eq 0 ]; then
    if [ -d /run/systemd/system ]; then
        systemctl --no-reload disable --now NAME.service >/dev/null 2>&1 || :
    else
        systemctl --no-reload disable NAME.service >/dev/null 2>&1 || :
    fi
    rm -f /etc/systemd/system/multi-user.target.wants/NAME.service
fi
exit 0
";
const POSTUN: &str = "\
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload >/dev/null 2>&1 || :
    if [ \"$1\" -ge 1 ]; then
        systemctl try-restart NAME.service >/dev/null 2>&1 || :
    fi
fi
exit 0
";
