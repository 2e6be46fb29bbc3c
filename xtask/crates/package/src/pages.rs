//! What people read of a package: install notes, and the description that `rpm -qi` shows.

use crate::rpm::{PackageFacts, lines, one_line, rpm_version};
use crate::templates::templates;
use minijinja::context;
use wheelhaul_base::calendar::{Day, Month};
use wheelhaul_boxes::Target;
use wheelhaul_config::{Config, Tls};
use wheelhaul_wheel::Metadata;

/// What rpm's and dnf's lists show of a line.
const WIDTH: usize = 79;

/// What they are made from.
pub struct Pages<'a> {
    config: &'a Config,
    target: &'a Target,
    /// `/opt/NAME`
    pub root: String,
    /// one line about the application
    pub summary: String,
    /// what is to be said of the support of the box's Python, as of the commit
    support: Option<String>,
}

impl<'a> Pages<'a> {
    /// Takes the summary from `package.toml`, else from the wheel's metadata.
    ///
    /// `epoch` is the time of the commit, in seconds since 1970.
    pub fn new(config: &'a Config, target: &'a Target, metadata: &Metadata, epoch: u32) -> Self {
        let package = &config.package;
        let line = |text: &Option<String>| text.as_deref().and_then(one_line);
        let summary = line(&package.summary).or_else(|| line(&metadata.summary));
        let summary = summary.unwrap_or_else(|| package.name.clone());
        let support = target.end_of_support(Month::of(Day::at(epoch)));
        Self { config, target, root: package.root(), summary, support }
    }

    /// The notes to install, start, check, configure, upgrade and remove this package.
    ///
    /// `signed`: whether the package is known to be signed. The notes inside it are made before it can be.
    pub fn install_notes(&self, facts: &PackageFacts<'_>, signed: bool) -> anyhow::Result<String> {
        self.render("INSTALL.md", facts, signed)
    }

    /// The same in short, for `rpm -qi`.
    pub fn description(&self, facts: &PackageFacts<'_>) -> anyhow::Result<String> {
        let text = self.render("description.txt", facts, false)?;
        Ok(lines(&text.trim_end().lines().map(|line| wrapped(line) + "\n").collect::<String>()))
    }

    /// What those who list packages would cut off, in words.
    pub fn fault_of_summary(&self) -> Option<String> {
        let length = self.summary.chars().count();
        (length > WIDTH).then(|| {
            format!("the summary has {length} characters, and lists show {WIDTH}: `package.summary` can say it shorter")
        })
    }

    fn render(&self, template: &str, facts: &PackageFacts<'_>, signed: bool) -> anyhow::Result<String> {
        let service = &self.config.service;
        let given = match &service.tls {
            Tls::Given { cert, key } => Some((cert.to_string(), key.to_string())),
            _ => None,
        };
        let unit = crate::service::ServiceFacts {
            name: facts.name,
            summary: &self.summary,
            root: &self.root,
            service,
            target: self.target,
            server_version: None,
        };
        let config: Vec<String> = self.config.app.config.iter().map(|path| format!("{}/{path}", self.root)).collect();
        let text = templates().get_template(template)?.render(context! {
            name => facts.name,
            version => rpm_version(facts.version).1,
            release => facts.full_release(),
            file => facts.file_name(),
            needs => facts.needs(),
            title => &self.target.distribution.title,
            arch => &self.target.arch,
            summary => &self.summary,
            support => &self.support,
            root => &self.root,
            port => service.port,
            open_port => service.address != "127.0.0.1" && service.address != "::1",
            scheme => if service.tls == Tls::Off { "http" } else { "https" },
            tls => service.tls != Tls::Off,
            self_signed => service.tls == Tls::SelfSigned,
            given => given.is_some(),
            cert => given.as_ref().map_or("", |given| &given.0),
            key => given.as_ref().map_or("", |given| &given.1),
            config => config,
            signed => signed,
            public_key => public_key_name(facts.name),
            secrets => service.secrets.iter().cloned().collect::<Vec<_>>(),
            credentials => unit.credentials_folder(),
            loads_credentials => unit.loads_credentials(),
            socket => unit.is_socket_activated(),
            renews => unit.renews(),
        })?;
        Ok(text)
    }
}

/// The name of the file with the public key, as in `/etc/pki/rpm-gpg`.
pub fn public_key_name(package: &str) -> String {
    format!("RPM-GPG-KEY-{package}")
}

/// The file for `/etc/yum.repos.d`, with a place for the repository that an administrator fits.
pub fn repository_file(package: &str, signed: bool) -> anyhow::Result<String> {
    let template = templates().get_template("NAME.repo")?;
    Ok(template.render(context! { name => package, signed => signed, public_key => public_key_name(package) })?)
}

/// Breaks a line at its spaces where it is too wide; a word that is wider stays whole.
fn wrapped(line: &str) -> String {
    let mut text = String::new();
    let mut width = 0;
    for word in line.split_inclusive(' ') {
        let length = word.trim_end().chars().count();
        if width > 0 && width + length > WIDTH {
            text.truncate(text.trim_end().len());
            text.push('\n');
            width = 0;
        }
        text.push_str(word);
        width += word.chars().count();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_are_too_wide_are_broken() {
        let long = "word ".repeat(40);
        #[rustfmt::skip]
        let cases = [
            ("",                        vec![0]),
            ("Start:   systemctl start", vec![24]),
            (&long[..79],               vec![79]),
            (&long[..199],              vec![79, 79, 39]),
            (&"x".repeat(100),          vec![100]),
        ];
        for (line, widths) in cases {
            let broken = wrapped(line);
            assert_eq!(broken.split('\n').map(|part| part.chars().count()).collect::<Vec<_>>(), widths, "{broken}");
        }
    }
}
