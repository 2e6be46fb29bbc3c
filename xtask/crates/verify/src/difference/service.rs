//! What an upgrade does to the service, from the units and scriptlets of both packages.

use crate::{Evidence, units};
use std::collections::BTreeSet;
use wheelhaul_systemd::UnitText;

/// The units of a package that matter here.
struct Units<'a> {
    service: Option<UnitText<'a>>,
    socket: Option<UnitText<'a>>,
}

impl<'a> Units<'a> {
    fn of(evidence: &'a Evidence) -> Self {
        let unit = |end: &str| {
            let path = format!("{}{}.{end}", units::FOLDER, evidence.described.name);
            evidence.texts.get(&path).map(|text| UnitText::parse(&path, text))
        };
        Self { service: unit("service"), socket: unit("socket") }
    }

    /// Everything of the socket that says where it listens.
    fn listens(&self) -> Option<Vec<&str>> {
        self.socket.as_ref().map(|socket| socket.all("Socket", "ListenStream"))
    }

    fn values(&self, section: &str, key: &str) -> Vec<&str> {
        self.service.as_ref().map(|service| service.all(section, key)).unwrap_or_default()
    }

    fn last(&self, key: &str) -> &str {
        self.values("Service", key).pop().unwrap_or("root")
    }
}

/// The port of a command that listens by itself: a number behind the last colon of a word, or behind `--port`.
fn ports(commands: &[&str]) -> Vec<String> {
    let mut ports = Vec::new();
    for command in commands {
        let words: Vec<&str> = command.split_whitespace().map(|word| word.trim_matches('"')).collect();
        for (place, word) in words.iter().enumerate() {
            let after_option = place > 0 && matches!(words[place - 1], "--port" | "-p");
            let port = word.strip_prefix("--port=").or_else(|| word.rsplit_once(':').map(|(_, port)| port));
            let port = port.or(after_option.then_some(*word));
            ports.extend(port.filter(|port| port.parse::<u16>().is_ok()).map(str::to_owned));
        }
    }
    ports
}

/// Something that happens to the service, in a sentence without a final dot.
pub(super) struct Effect {
    pub said: String,
    /// whether somebody has to do something, or loses something
    pub matters: bool,
}

fn quiet(said: impl Into<String>) -> Effect {
    Effect { said: said.into(), matters: false }
}

fn loud(said: impl Into<String>) -> Effect {
    Effect { said: said.into(), matters: true }
}

/// What happens to the service; never empty.
pub(super) fn effects(old: &Evidence, new: &Evidence) -> Vec<Effect> {
    let (before, now) = (Units::of(old), Units::of(new));
    let name = &new.described.name;
    let mut said = Vec::new();
    if old.described.name != *name {
        let old_name = &old.described.name;
        return vec![quiet(format!(
            "`{old_name}` is not touched: rpm takes `{name}` for another package, and both may be installed"
        ))];
    }
    match (&before.service, &now.service) {
        (None, None) => return vec![quiet("neither package has a service of its name")],
        (None, Some(_)) => return vec![loud("the service is new, and nothing starts it")],
        (Some(_), None) => {
            return vec![loud("the service's unit goes: what runs goes on running with the old code until it ends")];
        }
        (Some(_), Some(_)) => {}
    }
    // On an upgrade rpm runs `%post` of the new package, then `%postun` of the old one, then `%posttrans` of the new one.
    let restarts = |script: &str, evidence: &Evidence| {
        let text = evidence.described.scriptlets.get(script);
        let word = format!("restart {name}.service");
        text.is_some_and(|text| text.lines().any(|line| line.contains("systemctl") && line.contains(&word)))
    };
    match restarts("postun", old) || restarts("post", new) || restarts("posttrans", new) {
        true => said.push(quiet("a service that runs is restarted; one that is stopped stays so")),
        false => said.push(loud("nothing restarts the service: it runs the old code until somebody does")),
    }
    said.extend(listening(&before, &now));
    let (old_user, new_user) = (before.last("User"), now.last("User"));
    if old_user != new_user {
        said.push(loud(format!(
            "it runs as `{new_user}` instead of `{old_user}`: what it has written belongs to the old one, and has to be given over"
        )));
    }
    if let (Some(old), Some(new)) = (&old.target, &new.target)
        && old.python() != new.python()
    {
        let package = new.interpreter.package.as_deref();
        let needs = package.map(|name| format!(", which the package `{name}` brings")).unwrap_or_default();
        said.push(loud(format!("it runs by Python {} instead of {}{needs}", new.python(), old.python())));
    }
    let had: BTreeSet<&str> = before.values("Unit", "AssertPathExists").into_iter().collect();
    said.extend(
        now.values("Unit", "AssertPathExists")
            .into_iter()
            .filter(|path| !had.contains(path))
            .map(|path| loud(format!("it does not start without `{path}`, which it did not need before"))),
    );
    said
}

/// Where it listens, and what that means for requests.
fn listening(before: &Units<'_>, now: &Units<'_>) -> Option<Effect> {
    match (before.listens(), now.listens()) {
        (Some(old), Some(new)) if old == new => {
            Some(quiet("requests wait at the socket, which stays open, and none is lost"))
        }
        (Some(old), Some(new)) => Some(loud(format!(
            "the socket moves from {} to {}: requests are lost meanwhile, and those who ask must ask there",
            old.join(", "),
            new.join(", ")
        ))),
        (None, Some(new)) => {
            Some(loud(format!("systemd listens now, at {}: requests of this restart are lost", new.join(", "))))
        }
        (Some(_), None) => {
            Some(loud("the service listens by itself now, without a socket: requests during a restart are lost"))
        }
        (None, None) => {
            let (old, new) =
                (ports(&before.values("Service", "ExecStart")), ports(&now.values("Service", "ExecStart")));
            Some(match old == new {
                true => quiet("it listens by itself: requests during the restart are lost"),
                false => loud(format!(
                    "it listens at port {} instead of {}: those who ask must ask there",
                    new.join(", "),
                    old.join(", ")
                )),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_of_commands_that_listen_by_themselves() {
        #[rustfmt::skip]
        let cases = [
            ("/usr/bin/python3.11 /opt/x/bin/waitress-serve --listen=0.0.0.0:9092 x:app", vec!["9092"]),
            ("uvicorn --host :: --port 80 x:app",                                         vec!["80"]),
            ("hypercorn --bind \"[::]:443\" x:app",                                       vec!["443"]),
            ("own --port=1",                                                              vec!["1"]),
            ("own x:99999",                                                               vec![]),
            ("",                                                                          vec![]),
        ];
        for (command, expected) in cases {
            assert_eq!(ports(&[command]), expected, "{command}");
        }
    }
}
