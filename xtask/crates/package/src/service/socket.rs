//! The units beside the service's own: the socket that systemd listens on, and what renews the certificate.

use crate::service::facts::ServiceFacts;
use wheelhaul_base::problem::Problem;
use wheelhaul_config::Tls;
use wheelhaul_systemd::{UnitSection, command_line};

impl ServiceFacts<'_> {
    /// Whether systemd listens, and the server takes over what it opened (systemd.socket(5)).
    ///
    /// A command that says by itself where to listen is left alone, unless `service.socket-activation` is true.
    pub fn is_socket_activated(&self) -> bool {
        let can = self.server().is_some_and(|server| server.inherits.is_some());
        can && self.service.socket_activation.unwrap_or(!self.binds_itself())
    }

    /// Whether the command names a place of its own to listen at, as its server takes it.
    fn binds_itself(&self) -> bool {
        let Some(server) = self.server() else { return false };
        let words = &self.service.command;
        let place_of = |at: usize| {
            let of_option = |option: &&str| match words[at].strip_prefix(*option)? {
                "" => words.get(at + 1).map(String::as_str),
                joined => joined.strip_prefix('=').or_else(|| Some(joined).filter(|_| !option.starts_with("--"))),
            };
            server.places.iter().find_map(of_option)
        };
        let is_ours = |place: &str| place == "{address}:{port}" && !server.is_told_of_sockets();
        (1..words.len()).filter_map(place_of).any(|place| !is_ours(place))
    }

    pub(super) fn check_socket(&self) -> anyhow::Result<()> {
        if self.service.socket_activation != Some(true) {
            return Ok(());
        }
        let word = &self.service.command[0];
        match self.server().filter(|server| server.inherits.is_some()) {
            Some(server) if server.is_told_of_sockets() && self.binds_itself() => Err(Problem::with_hint(
                format!(
                    "key `service.socket-activation`: `service.command` says where `{word}` listens, and so does systemd"
                ),
                "leave the place out of `service.command`, or `socket-activation`",
            )),
            Some(_) => Ok(()),
            None => Err(Problem::with_hint(
                format!("key `service.socket-activation`: `{word}` is not known to take sockets from systemd"),
                "leave it out: the server listens by itself; gunicorn, hypercorn and uvicorn take them",
            )),
        }
    }

    /// `NAME.socket`.
    pub(super) fn socket(&self) -> String {
        let name = self.name;
        let unit = self.about(&format!("Socket of {name}"));
        let mut socket = UnitSection::new("Socket", self.target.distribution.systemd);
        let (address, port) = (&self.service.address, self.service.port);
        match address.as_str() {
            "::" => {
                socket.add("ListenStream", format!("[::]:{port}"));
                // Whatever the kernel's default is.
                socket.add("BindIPv6Only", "both");
            }
            "0.0.0.0" => socket.add("ListenStream", format!("0.0.0.0:{port}")),
            _ => {
                socket.add("ListenStream", format!("{}:{port}", self.bound_address()));
                // Sockets are opened before the network is up.
                socket.add("FreeBind", "yes");
            }
        }
        socket.add("NoDelay", "yes");
        let mut install = UnitSection::new("Install", self.target.distribution.systemd);
        install.add("WantedBy", "sockets.target");
        [unit.text(), socket.text(), install.text()].join("\n")
    }

    /// Whether a timer looks after the certificate: where systemd can skip a start (`ExecCondition`).
    /// Elsewhere it is renewed at a start of the service only.
    pub fn renews(&self) -> bool {
        self.service.tls == Tls::SelfSigned && self.target.knows("Service", "ExecCondition")
    }

    /// `NAME-certificate.service`: restarts the service where its certificate is due, which makes it anew.
    pub(super) fn renewal(&self) -> String {
        let name = self.name;
        let mut unit = self.about(&format!("Renewal of the certificate of {name}"));
        unit.add("StartLimitIntervalSec", "0");
        let mut service = UnitSection::new("Service", self.target.distribution.systemd);
        service.add("Type", "oneshot");
        self.add_user(&mut service);
        service.add("ExecCondition", command_line(&self.certificate_command(&["--is-due"])));
        // `+`: outside of what confines the rest. No variable of the service reaches this unit.
        service.add("ExecStart", ServiceFacts::restart_command(name));
        self.add_confinement(&mut service);
        [unit.text(), service.text()].join("\n")
    }

    /// `NAME-certificate.timer`: runs while the service does, so there is nothing to enable.
    pub(super) fn timer(&self) -> String {
        let name = self.name;
        let mut unit = self.about(&format!("Daily look at the certificate of {name}"));
        unit.add("PartOf", format!("{name}.service"));
        // It is started with each start of the service: one that was started too often would be failed until the next.
        unit.add("StartLimitIntervalSec", "0");
        let mut timer = UnitSection::new("Timer", self.target.distribution.systemd);
        timer.add("OnCalendar", "daily");
        timer.add("RandomizedDelaySec", "1h");
        [unit.text(), timer.text()].join("\n")
    }
}
