//! `dist/package.toml` of a draft, with a comment for each key.

use crate::discover::Draft;

/// Writes the file.
///
/// - Takes: `targets`, names of known boxes; `python`, the one of the first box and why it is that; the other boxes get
///   the same.
pub(crate) fn package_toml(draft: &Draft, targets: &[String], python: Option<(&str, &str)>) -> String {
    let mut file = Lines::default();
    file.comment(&format!(
        "What is packed into an RPM, and for which boxes; `{} schema` prints the JSON schema of this file.",
        draft.typed
    ));
    file.table("[package]");
    file.key(
        "the name of the RPM, of /opt/NAME, of the unit and of the user that runs it",
        "name",
        quoted(&draft.name),
    );
    file.key("raised when one version is packed again", "release", quoted("1"));
    file.table("[app]");
    file.key(
        "the application's folder; what is below is relative to it, but for the lock",
        "path",
        quoted(&draft.path),
    );
    let why = if draft.lock.why.is_empty() { String::new() } else { format!(": {}", draft.lock.why) };
    file.key(&format!("the team's lock{why}"), "lock", quoted(&draft.lock.path));
    match &draft.own {
        Some(own) => {
            let about = format!(
                "what the application needs when it runs, packed as it is ({}); a folder with all that git tracks in it",
                own.why
            );
            file.key(&about, "modules", list(&own.modules));
            let about = if own.version == "git" {
                "of the nearest tag, `1.2.0` or `v1.2.0`; or written down: \"1.2.0\""
            } else {
                "or \"git\": of the nearest tag, `1.2.0` or `v1.2.0`"
            };
            file.key(about, "version", quoted(&own.version));
        }
        None => file.comment("the wheel is built by the build backend of `pyproject.toml`, which says the version"),
    }
    let about = "files that an administrator edits on the box; an upgrade keeps them";
    match draft.config.is_empty() {
        true => file.off(about, "config = [\"config.yaml\"]"),
        false => file.key(about, "config", list(&draft.config)),
    }
    for target in targets {
        file.table("[[target]]");
        file.key(&format!("a box; `{} target` shows all that are known", draft.typed), "name", quoted(target));
        match python {
            Some((version, why)) => file.key(&format!("the box's interpreter: {why}"), "python", quoted(version)),
            None => file.off("the box's interpreter; its own if not given", "python = \"3.12\""),
        }
    }
    file.table("[service]");
    file.key(&format!("what is started; from {}", draft.command_from), "command", list(&draft.command));
    file.key("the port that is listened on", "port", "8000".to_owned());
    let behind = "behind a proxy on the box: address = \"127.0.0.1\" and tls = \"off\"";
    match draft.has_tls {
        true => file.key(
            &format!("or {{ cert = \"/etc/pki/…\", key = \"/etc/pki/…\" }}; {behind}"),
            "tls",
            quoted("self-signed"),
        ),
        false => {
            file.key("this server has no TLS: a proxy on the box serves it", "tls", quoted("off"));
            file.key("the address that is listened on", "address", quoted("127.0.0.1"));
        }
    }
    file.off(
        "passwords and keys: an administrator puts them on the box, the application reads $CREDENTIALS_DIRECTORY/NAME",
        "secrets = [\"db-password\"]",
    );
    match &draft.variables {
        None => file.off(
            "environment variables; /etc/sysconfig/NAME on the box has the last word",
            "[service.environment]\n# DEBUG = \"0\"",
        ),
        Some((path, names)) => {
            let lines: Vec<String> = names.iter().map(|name| format!("# {name} = \"…\"")).collect();
            let about = format!(
                "environment variables of `{path}` that are the same on every box; others go into /etc/sysconfig/NAME there"
            );
            file.off(&about, &format!("[service.environment]\n{}", lines.join("\n")));
        }
    }
    file.text
}

#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    fn comment(&mut self, about: &str) {
        // What a file is called may have any character in it.
        let about = about.replace(char::is_control, " ");
        self.text.push_str(&format!("# {about}\n"));
    }

    fn table(&mut self, header: &str) {
        self.text.push_str(&format!("\n{header}\n"));
    }

    fn key(&mut self, about: &str, key: &str, value: String) {
        self.comment(about);
        self.text.push_str(&format!("{key} = {value}\n"));
    }

    /// A key that is not set.
    fn off(&mut self, about: &str, line: &str) {
        self.comment(about);
        self.text.push_str(&format!("# {line}\n"));
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn list(texts: &[String]) -> String {
    let one_line = format!("[{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "));
    if one_line.chars().count() <= 100 {
        return one_line;
    }
    format!("[\n{}]", texts.iter().map(|text| format!("    {},\n", quoted(text))).collect::<String>())
}
