//! How a repository is read: `dist/package.toml`, and with its mistakes whatever else is wrong around it.

use crate::early::Around;
use crate::project::Project;
use crate::required;
use crate::steps::Steps;
use crate::team_lock::TeamLock;
use anyhow::Context as _;
use wheelhaul_base::problem::Problem;
use wheelhaul_boxes::Target;
use wheelhaul_config::{Config, Mistakes, Probes};
use wheelhaul_host::Sys;

impl Project {
    /// Reads `dist/package.toml`, and keeps the targets named in `wanted`; all, if it is empty.
    pub(crate) fn load(sys: &Sys, wanted: &[String], wants_json: bool) -> anyhow::Result<Self> {
        required::hold(&sys.root)?;
        let steps = Steps::new();
        let path = sys.root.join("dist/package.toml");
        let config = Config::read(&sys.read_text(&path)?).map_err(|mistakes| told(sys, *mistakes))?;
        let mut probes = Probes::new();
        for path in config.probes() {
            let text = sys.read_text(&sys.root.join(path)).map_err(|error| {
                Problem::around(
                    error,
                    format!("the probe `{path}` of `dist/package.toml` cannot be read"),
                    "`cargo xtask target --help` shows how it is made on the box",
                )
            })?;
            probes.insert(path.to_owned(), text);
        }
        let every_target = config.targets(&probes).context("failed to read `dist/package.toml`")?;
        let known: Vec<String> = every_target.iter().map(|target| target.name.clone()).collect();
        if let Some(name) = wanted.iter().find(|name| !known.contains(name)) {
            return Err(Problem::with_hint(
                format!("`dist/package.toml` has no target `{name}`"),
                format!("it has {}", known.join(", ")),
            ));
        }
        let is_wanted = |target: &&Target| wanted.is_empty() || wanted.contains(&target.name);
        let targets = every_target.iter().filter(is_wanted).cloned().collect();
        let out = sys.root.join("dist/out");
        Ok(Self {
            sys: sys.clone(),
            config,
            targets,
            every_target,
            wants_json,
            wants_digests: wants_json,
            steps,
            out,
            team_lock: TeamLock::default(),
        })
    }
}

/// The mistakes of a `package.toml`, and what is wrong around it as far as it could be read.
fn told(sys: &Sys, mistakes: Mistakes) -> anyhow::Error {
    let probes = Probes::new();
    let targets: Vec<Target> = mistakes.targets.iter().filter_map(|table| table.target(&probes).ok()).collect();
    let around = Around {
        sys,
        app: mistakes.app.as_ref(),
        name: "",
        targets: &targets,
        service: mistakes.service.as_ref(),
        team_lock: &TeamLock::default(),
        lock_to_come: false,
    };
    let around = around.faults();
    let mut all = mistakes;
    all.faults.extend(around);
    anyhow::Error::from(all).context("failed to read `dist/package.toml`")
}
