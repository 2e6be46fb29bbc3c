//! How to install, check and go back: commands with this very file's name and digest.

use crate::review::words::quoted;
use crate::review::{Delivered, Read};
use serde::Serialize;

/// One step.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    title: &'static str,
    /// what to know of it
    text: String,
    commands: Vec<String>,
}

/// The steps, in their order.
pub(super) fn steps(read: &Read, delivered: &Delivered, since: Option<&str>) -> Vec<Step> {
    let file = quoted(&delivered.file);
    let at = quoted(&format!("./{}", delivered.file));
    let name = quoted(&read.name);
    let (says, more) = match delivered.signature {
        None => ("`digests OK`", ""),
        _ => (
            "`digests signatures OK`",
            "; before that, compare the key's fingerprint with the one that you got by another way, and let rpm know it with `rpm --import`",
        ),
    };
    let previous = quoted(&format!("./{}", since.unwrap_or("PREVIOUS.rpm")));
    let sum = quoted(&format!("{}  {}", delivered.sha256, delivered.file));
    let mut check = vec![format!("systemctl status {name}"), format!("rpm -V {name}")];
    check.extend(read.place.address.iter().map(|address| format!("curl -k {address}")));
    vec![
        Step {
            title: "Is it this file?",
            text: format!("The first has to say `OK`, the second {says}{more}."),
            commands: vec![format!("echo {sum} | sha256sum -c"), format!("rpm -K {file}")],
        },
        Step {
            title: "Install, or upgrade",
            text:
                "What dnf asks for beside it, the box's own installation media has. A service that runs is restarted."
                    .to_owned(),
            commands: vec![format!("sudo dnf install {at}")],
        },
        Step {
            title: "Start",
            text: "An installation starts nothing by itself.".to_owned(),
            commands: vec![format!("sudo systemctl enable --now {name}")],
        },
        Step { title: "Check", text: "`rpm -V` is silent where all is well.".to_owned(), commands: check },
        Step {
            title: "Go back",
            text: "To the release before, whose file you keep for this. Data and changed configuration stay."
                .to_owned(),
            commands: vec![format!("sudo dnf downgrade {previous}")],
        },
        Step {
            title: "Go back without dnf",
            text: "The same by rpm alone.".to_owned(),
            commands: vec![format!("sudo rpm -Uvh --oldpackage {previous}")],
        },
        Step {
            title: "Take it off the box",
            text: "Data and changed configuration stay.".to_owned(),
            commands: vec![format!("sudo dnf remove {name}")],
        },
    ]
}
