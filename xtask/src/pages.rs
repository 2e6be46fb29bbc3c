//! What people read of a package: install notes, and the description that `rpm -qi` shows.

use crate::config::{Config, Tls};
use crate::rpm::{Facts, rpm_version};
use crate::target::Target;
use crate::templates::templates;
use crate::wheel::Metadata;
use minijinja::context;

/// What they are made from.
pub struct Pages<'a> {
    config: &'a Config,
    target: &'a Target,
    /// `/opt/NAME`
    pub root: String,
    /// one line about the application
    pub summary: String,
}

impl<'a> Pages<'a> {
    /// Takes the summary from `package.toml`, else from the wheel's metadata.
    pub fn new(config: &'a Config, target: &'a Target, metadata: &Metadata) -> Self {
        let package = &config.package;
        let summary = package.summary.clone().or(metadata.summary.clone()).unwrap_or_else(|| package.name.clone());
        let summary = summary.replace(char::is_control, " ");
        Self { config, target, root: package.root(), summary }
    }

    /// The notes to install, start, check, configure, upgrade and remove this package.
    pub fn install_notes(&self, facts: &Facts<'_>) -> anyhow::Result<String> {
        self.render("INSTALL.md", facts)
    }

    /// The same in short, for `rpm -qi`.
    pub fn description(&self, facts: &Facts<'_>) -> anyhow::Result<String> {
        Ok(self.render("description.txt", facts)?.trim_end().to_owned())
    }

    fn render(&self, template: &str, facts: &Facts<'_>) -> anyhow::Result<String> {
        let service = &self.config.service;
        let given = match &service.tls {
            Tls::Given { cert, key } => Some((cert.to_string(), key.to_string())),
            _ => None,
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
        })?;
        Ok(text)
    }
}
