//! What rpm runs around install, upgrade, removal and verification.
//!
//! Scriptlets are plain `systemctl` with a daemon-reload of their own, the same on every target: RHEL's
//! `%systemd_*` macros leave reloading to file triggers of systemd's package, which some rpm versions
//! run too late or not at all.

use crate::service::command::{ServiceProgram, application_modules, is_dotted};
use crate::service::facts::ServiceFacts;
use crate::templates::templates;
use minijinja::context;

impl ServiceFacts<'_> {
    /// The scriptlets.
    pub fn scriptlets(&self, program: ServiceProgram) -> anyhow::Result<Scriptlets> {
        // Where systemd does not make the folder of the state, `%pre` does.
        let state = if self.target.knows("Service", "StateDirectory") { "" } else { STATE };
        let (units, links, reload, moved, gone) = match self.is_socket_activated() {
            true => ("NAME.service NAME.socket", LINKS_WITH_SOCKET, RELOAD_WITH_SOCKET, MOVED, GONE),
            false => ("NAME.service", LINK, RELOAD, "", ""),
        };
        let timer = if self.renews() { " NAME-certificate.timer" } else { "" };
        let fill = |text: &str| {
            let text = text.replace("STATE", state).replace("GONE", gone).replace("RELOAD", reload);
            let text = text.replace("MOVED", moved);
            text.replace("TIMER", timer).replace("UNITS", units).replace("LINKS", links).replace("NAME", self.name)
        };
        Ok(Scriptlets {
            pre: fill(PRE),
            post: fill(POST),
            preun: fill(PREUN),
            postun: fill(POSTUN),
            posttrans: fill(POSTTRANS),
            verify: self.verify_script(program)?,
        })
    }

    /// `%verifyscript`: whether interpreter, server, compiled code and application are there and fit.
    fn verify_script(&self, program: ServiceProgram) -> anyhow::Result<String> {
        let word = &self.service.command[0];
        let (major, minor) = self.target.interpreter.version;
        Ok(templates().get_template("verify.sh")?.render(context! {
            name => self.name,
            root => self.root,
            interpreter => &self.target.interpreter.path,
            major,
            minor,
            script => if program == ServiceProgram::Script { word.as_str() } else { "" },
            module => if program == ServiceProgram::Module && is_dotted(word) { word.as_str() } else { "" },
            applications => application_modules(self.service).join(" "),
        })?)
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
    /// when all packages of the transaction are in place, and the release before is gone
    pub posttrans: String,
    /// at `rpm -V`; silent where all is well
    pub verify: String,
}

/// An account of the name that a person may log in with, or root, is not the service's: it would own the service's
/// files and secrets, and the service its. Accounts of a directory with a high uid and no login shell are fine.
const PRE: &str = "\
if account=$(getent passwd NAME); then
    uid=${account#*:*:}
    uid=${uid%%:*}
    least=1000
    if [ -r /etc/login.defs ]; then
        while read -r key value _; do
            case $key:$value in
                *:*[!0-9]* | *:) ;;
                UID_MIN:*) least=$value ;;
            esac
        done </etc/login.defs
    fi
    case ${account##*:} in
        */nologin | */false) logs_in=no ;;
        *) logs_in=yes ;;
    esac
    if [ \"$uid\" -eq 0 ] || { [ \"$uid\" -ge \"$least\" ] && [ $logs_in = yes ]; }; then
        echo \"NAME: the account NAME (uid $uid, shell ${account##*:}) is a person's or root's, and the service would run as it\" >&2
        echo \"hint: rename that account, or build the package under another package.name; if the account is for this service alone: usermod -s /sbin/nologin NAME\" >&2
        exit 1
    fi
fi
getent group NAME >/dev/null || groupadd -r NAME || exit 1
getent passwd NAME >/dev/null || \\
    useradd -r -g NAME -d /var/lib/NAME -M -s /sbin/nologin -c \"Service NAME\" NAME || exit 1
STATEexit 0
";
const STATE: &str = "\
[ -d /var/lib/NAME ] || mkdir -m 0750 /var/lib/NAME || exit 1
chown NAME:NAME /var/lib/NAME || exit 1
";
/// An upgrade leaves a note in `/run/NAME.upgrade`: `STATE SOCKET STARTED`. The restart itself waits for `%posttrans`, when no file of
/// the release before is left and its `%postun` has run.
///
/// STATE is `active`, `meant` for a service that is meant to run and does not (it is being started again and again, or it
/// failed and is enabled), else `left`. SOCKET is `moved` where this release listens elsewhere. STARTED tells one start of the
/// main process from the next, also where systemd has no `InvocationID`.
const POST: &str = "\
if [ \"$1\" -eq 1 ]; then
    systemctl --no-reload preset UNITS >/dev/null 2>&1 || :
fi
if [ -d /run/systemd/system ]; then
    enabled=$(systemctl is-enabled NAME.service 2>/dev/null)
    case $enabled:$(systemctl is-active NAME.service 2>/dev/null) in
        masked*) state=left ;;
        *:active | *:reloading) state=active ;;
        *:activating | enabled*:failed) state=meant ;;
        *) state=left ;;
    esac
    started=$(systemctl show --property=ExecMainStartTimestampMonotonic NAME.service 2>/dev/null)
    socket=stays
RELOAD    echo \"$state $socket $started\" >/run/NAME.upgrade
fi
exit 0
";
const RELOAD: &str = "    systemctl daemon-reload >/dev/null 2>&1 || :
";
const RELOAD_WITH_SOCKET: &str = "    \
    before=$(systemctl show --property=Listen NAME.socket 2>/dev/null)
    systemctl daemon-reload >/dev/null 2>&1 || :
    [ \"$before\" = \"$(systemctl show --property=Listen NAME.socket 2>/dev/null)\" ] || socket=moved
";
/// A release of before this scriptlet restarts the service in its `%postun`: STARTED tells.
///
/// - `reset-failed` gives a service that used up its starts new ones, and opens its socket again.
/// - `try-restart`: what somebody stopped meanwhile stays so.
const POSTTRANS: &str = "\
if [ -d /run/systemd/system ] && [ -e /run/NAME.upgrade ]; then
    read -r state socket started </run/NAME.upgrade
    rm -f /run/NAME.upgrade
    starts=yes
    if [ $state != left ]; then
        systemctl reset-failed UNITS >/dev/null 2>&1 || :
    fi
    case $state:$socket in
MOVED        active:*)
            if [ \"$started\" = \"$(systemctl show --property=ExecMainStartTimestampMonotonic NAME.service 2>/dev/null)\" ]; then
                systemctl try-restart NAME.service >/dev/null 2>&1 || starts=no
            else
                systemctl --quiet is-active NAME.service || starts=no
            fi ;;
        meant:*) systemctl restart NAME.service >/dev/null 2>&1 || starts=no ;;
    esac
    if [ $starts = no ]; then
        echo \"NAME: the service does not start now; journalctl -e -u NAME says why; the way back: dnf downgrade ./NAME-OLDER.rpm && systemctl restart NAME\" >&2
    fi
fi
exit 0
";
/// `systemctl` refuses to start a socket whose service runs, so both stop before they move.
const MOVED: &str = "        \
        active:moved | meant:moved)
            systemctl stop NAME.service NAME.socket >/dev/null 2>&1 || :
            systemctl start NAME.service >/dev/null 2>&1 || starts=no ;;
        left:moved) systemctl try-restart NAME.socket >/dev/null 2>&1 || : ;;
";
/// `disable` refuses a masked unit, whose link to its target would stay and enable the next installation.
const PREUN: &str = "\
if [ \"$1\" -eq 0 ]; then
    if [ -d /run/systemd/system ]; then
        systemctl --no-reload disable --now UNITSTIMER >/dev/null 2>&1 || :
        systemctl reset-failed UNITS >/dev/null 2>&1 || :
    else
        systemctl --no-reload disable UNITS >/dev/null 2>&1 || :
    fi
    rm -f LINKS
fi
exit 0
";
const LINK: &str = "/etc/systemd/system/multi-user.target.wants/NAME.service";
const LINKS_WITH_SOCKET: &str = "\
/etc/systemd/system/multi-user.target.wants/NAME.service \\
        /etc/systemd/system/sockets.target.wants/NAME.socket";
/// A release of before `%posttrans` leaves no note, and the restart to the one that goes.
const POSTUN: &str = "\
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload >/dev/null 2>&1 || :
    if [ \"$1\" -ge 1 ]; then
GONE        [ -e /run/NAME.upgrade ] || systemctl try-restart NAME.service >/dev/null 2>&1 || :
    fi
fi
exit 0
";
/// Before a version without a socket listens by itself, systemd must have stopped to.
const GONE: &str = "        \
        if [ ! -e /usr/lib/systemd/system/NAME.socket ]; then
            rm -f /etc/systemd/system/sockets.target.wants/NAME.socket
            systemctl stop NAME.socket >/dev/null 2>&1 || :
        fi
";
