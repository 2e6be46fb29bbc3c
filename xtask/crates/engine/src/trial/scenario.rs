//! The life of a package on a machine, step by step.

use crate::trial::bench::{Bench, NEW, OLD, also_name};
use crate::trial::service::Service;
use crate::trial::steps::{Notes, Steps};
use crate::trial::unit::{Place, certificate, place_of, secrets};
use crate::trial::{facts, rpm};
use crate::verify::{Examined, Trial, TrialStep};
use anyhow::{Context as _, bail, ensure};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use wheelhaul_host::Sys;
use wheelhaul_rpmfile::{Opened, RpmMetadata};
use wheelhaul_systemd::UnitText;
use wheelhaul_trial::{Files, Machine};
use wheelhaul_verify::Evidence;

mod admin;
mod leftovers;

/// Those that need the package installed, in their order.
const LIFE: [&str; 11] = [
    "put what an administrator puts",
    "start",
    "answer",
    "rpm -V",
    "journal",
    "restart",
    "reboot",
    "change the configuration",
    "upgrade",
    "remove",
    "leftovers",
];

/// Why steps are skipped.
const NOT_BOOTED: &str = "without a booted systemd nothing of the package is run";
const NOT_INSTALLED: &str = "it is not installed";
const NOT_STARTED: &str = "it did not start before";
const SILENT: &str = "it did not answer before";

/// Whether the service may still answer, or why it cannot.
type Fate = Result<(), &'static str>;

/// All that the steps look at.
struct Life<'l> {
    machine: &'l Machine,
    evidence: &'l Evidence,
    service: Service<'l>,
    unit: UnitText<'l>,
    place: Option<Place>,
    /// whether an older release was there first
    old: Option<RpmMetadata>,
}

impl Bench {
    /// Lives through one package on a machine of its own.
    ///
    /// Where systemd cannot be booted nothing of the package runs, and the steps say so.
    ///
    /// - Fails: for a package that does not fit what was asked; what it does on the machine is in the steps.
    pub(super) fn live_through(&self, sys: &Sys, examined: &Examined) -> anyhow::Result<Trial> {
        let share = self.share();
        sys.say(format!("living through {} in {}", examined.shown, self.wish.root));
        fs_err::copy(&examined.path, share.join(NEW))?;
        let began = Instant::now();
        let title = if self.root.facts.title.is_empty() { "an unnamed system" } else { self.root.facts.title.as_str() };
        let root = format!("{} ({title})", self.wish.root);
        let machine = self.boot(sys, &share);
        let booted = machine.is_ok();
        let steps = match machine {
            Ok(machine) => tell(sys, self, &machine, examined, began.elapsed())?,
            Err(why) => untold(sys, reason(&why)),
        };
        Ok(Trial { root, system: title.to_owned(), booted, steps })
    }
}

/// Why systemd was not booted, with what to do.
fn reason(why: &anyhow::Error) -> String {
    let hints: String = wheelhaul_base::problem::hints_of(why).iter().map(|hint| format!("; {hint}")).collect();
    format!("systemd was not booted: {why:#}{hints}")
}

/// The steps where no machine was booted: nothing of the package ran.
fn untold(sys: &Sys, why: String) -> Vec<TrialStep> {
    let mut steps = Steps::new(sys);
    steps.not_made("boot", why);
    steps.skip(&["dependencies", "install"], NOT_BOOTED);
    steps.skip(&LIFE, NOT_BOOTED);
    steps.finish()
}

/// Makes every step.
///
/// - Takes: `took`, how long the boot did.
fn tell(
    sys: &Sys,
    bench: &Bench,
    machine: &Machine,
    examined: &Examined,
    took: Duration,
) -> anyhow::Result<Vec<TrialStep>> {
    let mut steps = Steps::new(sys);
    steps.passed("boot", took, vec!["systemd is process 1".to_owned()]);
    steps.make("no network", Vec::new, || no_network(machine));
    if !steps.make("no way to the host", Vec::new, || no_way_to_the_host(machine)) {
        steps.skip(&["dependencies", "install"], "the machine does not hold what runs in it");
        steps.skip(&LIFE, NOT_INSTALLED);
        return Ok(steps.finish());
    }
    steps.make("facts of the root", Vec::new, || facts::note(machine, &bench.root.facts, examined));
    let Ok(evidence) = &examined.evidence else {
        steps.not_made("install", "the package cannot be read");
        return Ok(steps.finish());
    };
    if !bench.wish.also.is_empty() {
        let files: Vec<String> = (0..bench.wish.also.len()).map(|index| format!("/mnt/{}", also_name(index))).collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let names = || bench.wish.also.iter().filter_map(|path| path.file_name()).map(str::to_owned).collect();
        if !steps.make("install what it needs", Vec::new, || rpm::upgrade(machine, &[], &files).map(|()| names())) {
            steps.skip(&["dependencies", "install"], "what it needs is not installed");
            steps.skip(&LIFE, NOT_INSTALLED);
            return Ok(steps.finish());
        }
    }
    let old = bench.wish.from.as_ref().map(|path| -> anyhow::Result<RpmMetadata> {
        let file = fs_err::File::open(sys.root.join(path))?;
        Ok(Opened::read(file).with_context(|| format!("`--from {path}`"))?.metadata)
    });
    let old = old.transpose()?;
    if let Some(old) = &old {
        ensure!(old.name == evidence.described.name, "`--from` is `{}`, another package", old.name);
    }
    let life = Life::new(machine, evidence, old)?;
    life.tell(&mut steps)?;
    Ok(steps.finish())
}

fn no_network(machine: &Machine) -> anyhow::Result<Notes> {
    let said = machine.text(&["cat", "/proc/net/dev"])?;
    let links: Vec<&str> = said.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name.trim()).collect();
    // the kernel's own tunnels are in every network namespace, and lead nowhere
    let is_idle = |name: &&str| {
        let line = said.lines().find(|line| line.trim_start().starts_with(&format!("{name}:"))).unwrap_or_default();
        line.split_once(':').is_some_and(|(_, counts)| counts.split_whitespace().all(|count| count == "0"))
    };
    let foreign: Vec<&str> = links.iter().copied().filter(|name| *name != "lo" && !is_idle(name)).collect();
    ensure!(foreign.is_empty(), "there are links: {}", foreign.join(", "));
    let routes = machine.text(&["cat", "/proc/net/route"])?;
    ensure!(routes.lines().count() <= 1, "there are routes:\n{routes}");
    Ok(vec!["loopback only, and no route".to_owned()])
}

/// Scriptlets run as the machine's root: whether that one can neither write the kernel's settings nor load modules.
fn no_way_to_the_host(machine: &Machine) -> anyhow::Result<Notes> {
    // capabilities(7): their numbers
    const MOST_DANGEROUS: [(&str, u32); 3] = [("CAP_SYS_MODULE", 16), ("CAP_SYS_RAWIO", 17), ("CAP_SYS_TIME", 25)];
    let mounts = machine.text(&["cat", "/proc/self/mountinfo"])?;
    let is_read_only = |line: &str| {
        let mut words = line.split(' ').skip(4);
        words.next() == Some("/proc/sys")
            && words.next().is_some_and(|options| options.split(',').any(|word| word == "ro"))
    };
    ensure!(mounts.lines().any(is_read_only), "/proc/sys, which is the host's, can be written");
    // what is run here, and what systemd starts
    for file in ["/proc/self/status", "/proc/1/status"] {
        let status = machine.text(&["cat", file])?;
        let held = status.lines().find_map(|line| line.strip_prefix("CapBnd:")).context("no `CapBnd`")?;
        let held = u64::from_str_radix(held.trim(), 16).context("`CapBnd` is no number")?;
        let dangerous = MOST_DANGEROUS.iter().filter(|(_, bit)| held >> bit & 1 == 1).map(|(name, _)| *name);
        let dangerous: Vec<&str> = dangerous.collect();
        ensure!(dangerous.is_empty(), "`{file}`: it has the host's {}", dangerous.join(", "));
    }
    Ok(vec!["/proc/sys is read-only, and the host's capabilities are not there".to_owned()])
}

impl<'l> Life<'l> {
    fn new(machine: &'l Machine, evidence: &'l Evidence, old: Option<RpmMetadata>) -> anyhow::Result<Self> {
        let name = evidence.described.name.as_str();
        let text = |kind: &str| evidence.texts.get(&format!("/usr/lib/systemd/system/{name}.{kind}"));
        let unit = UnitText::parse("x.service", text("service").map(String::as_str).unwrap_or_default());
        let socket = text("socket").map(|text| UnitText::parse("x.socket", text));
        let place = place_of(&unit, socket.as_ref());
        let python = evidence.target.as_ref().map_or("/usr/bin/python3", |target| target.interpreter.path.as_str());
        let service = Service::new(machine, name, python);
        Ok(Self { machine, evidence, service, unit, place, old })
    }

    fn name(&self) -> &'l str {
        &self.evidence.described.name
    }

    fn tell(&self, steps: &mut Steps<'_>) -> anyhow::Result<()> {
        let before = Files::list(self.machine)?;
        let new = format!("/mnt/{NEW}");
        let first = if self.old.is_some() { format!("/mnt/{OLD}") } else { new.clone() };
        let fits = |file: &str| rpm::takes(self.machine, file).map(|()| Notes::new());
        let mut installed = steps.make("dependencies", Vec::new, || fits(&new));
        if installed && self.old.is_some() {
            installed = steps.make("dependencies of the older release", Vec::new, || fits(&first));
        }
        if installed {
            installed = steps.make("install", Vec::new, || {
                rpm::upgrade(self.machine, &[], &[&first])?;
                let which = self.old.as_ref().unwrap_or(&self.evidence.described);
                Ok(vec![format!("{}-{}-{}", which.name, which.version, which.release)])
            });
        } else {
            steps.skip(&["install"], "the root lacks what it needs");
        }
        if !installed {
            steps.skip(&LIFE, NOT_INSTALLED);
            return Ok(());
        }
        steps.make(LIFE[0], Vec::new, || admin::puts(self));
        let started = self.step(steps, "start", || self.starts());
        let fate = if started { Ok(()) } else { Err(NOT_STARTED) };
        if !started {
            // what systemd tries again and again holds up the upgrade, and fails it a second time
            let _ = self.service.stop();
        }
        match self.old.is_some() {
            // what counts is how the new one lives
            true => {
                let upgraded = self.changes_and_upgrades(steps, fate, &new);
                let stopped = !upgraded && !self.service.is_active().unwrap_or(false);
                let fate = if stopped { fate.and(Err("it does not run since the upgrade")) } else { fate };
                // nothing comes after it that needs an answer
                let _ = self.lives(steps, fate);
            }
            false => {
                let fate = self.lives(steps, fate);
                self.changes_and_upgrades(steps, fate, &new);
            }
        }
        self.goes(steps, &before, started)
    }

    /// A step after whose failure the journal is of use.
    fn step(&self, steps: &mut Steps<'_>, name: &'static str, step: impl FnOnce() -> anyhow::Result<Notes>) -> bool {
        steps.make(name, || self.service.journal(), step)
    }

    fn starts(&self) -> anyhow::Result<Notes> {
        if let Some(place) = &self.place {
            ensure!(self.service.is_closed(place)?, "something else answers at {place} before the service is started");
        }
        self.service.start().map(|()| Notes::new())
    }

    /// From the first answer to a reboot.
    ///
    /// - Gives: whether it may answer after these.
    fn lives(&self, steps: &mut Steps<'_>, mut fate: Fate) -> Fate {
        match fate {
            Ok(()) if !self.step(steps, "answer", || self.answers()) => fate = Err(SILENT),
            Ok(()) => {}
            Err(why) => steps.skip(&["answer"], why),
        }
        steps.make("rpm -V", Vec::new, || {
            let edited = if self.old.is_some() { admin::configs(self) } else { Vec::new() };
            rpm::verifies(self.machine, self.name(), &edited).map(|()| Notes::new())
        });
        self.step(steps, "journal", || self.has_no_errors());
        if let Err(why) = fate {
            steps.skip(&["restart", "reboot"], why);
            return fate;
        }
        let restarted = self.step(steps, "restart", || {
            let before = self.service.invocation()?;
            self.service.restart()?;
            ensure!(self.service.invocation()? != before, "it was not restarted");
            self.answers()
        });
        if !restarted {
            steps.skip(&["reboot"], SILENT);
        } else if !self.step(steps, "reboot", || self.reboots()) {
            return Err(SILENT);
        }
        if restarted { Ok(()) } else { Err(SILENT) }
    }

    fn answers(&self) -> anyhow::Result<Notes> {
        match &self.place {
            Some(place) => {
                let notes = self.service.asks(place)?;
                ensure!(self.service.is_active()?, "{place} answered, and the service does not run");
                Ok(notes)
            }
            None => bail!("the units do not say where it answers"),
        }
    }

    fn has_no_errors(&self) -> anyhow::Result<Notes> {
        let errors = self.service.errors()?;
        ensure!(errors.is_empty(), "the journal has errors of its unit:\n{}", errors.join("\n"));
        Ok(Notes::new())
    }

    /// What an administrator enabled comes back by itself.
    fn reboots(&self) -> anyhow::Result<Notes> {
        self.machine.text(&["systemctl", "enable", &format!("{}.service", self.name())])?;
        self.machine.reboot()?;
        let mut notes = self.answers()?;
        notes.push("started by itself".to_owned());
        Ok(notes)
    }

    /// Upgrades to the new release, or reinstalls where there is no older one.
    ///
    /// - Gives: whether that passed.
    fn changes_and_upgrades(&self, steps: &mut Steps<'_>, fate: Fate, new: &str) -> bool {
        let configs = admin::configs(self);
        let mut edited = Vec::new();
        let changed = steps.make("change the configuration", Vec::new, || {
            edited = admin::edits(self, &configs)?;
            Ok(match configs.is_empty() {
                true => vec!["there is none".to_owned()],
                false => configs.iter().map(|path| (*path).to_owned()).collect(),
            })
        });
        if !changed {
            steps.skip(&["upgrade"], "the configuration was not changed");
            return false;
        }
        self.step(steps, "upgrade", || {
            let running = fate != Err(NOT_STARTED) && self.service.is_active()?;
            let before = self.service.invocation()?;
            let options = if self.old.is_some() { &[][..] } else { &["--replacepkgs"] };
            rpm::upgrade(self.machine, options, &[new])?;
            let mut notes = vec![match &self.old {
                Some(old) => format!("from {}-{}", old.version, old.release),
                None => "by itself, with `--replacepkgs`: give an older release with `--from`".to_owned(),
            }];
            notes.extend(admin::edits_are_kept(self, &edited)?);
            if running {
                ensure!(self.service.is_active()?, "it does not run any more");
                ensure!(self.service.invocation()? != before, "it was not restarted, and runs the old code");
                notes.push("restarted by the package".to_owned());
            }
            match fate {
                Ok(()) => notes.extend(self.answers()?),
                Err(why) => notes.push(format!("not asked: {why}")),
            }
            Ok(notes)
        })
    }

    fn goes(&self, steps: &mut Steps<'_>, before: &Files, started: bool) -> anyhow::Result<()> {
        let gone = self.step(steps, "remove", || {
            let ended = self.machine.run(&["rpm", "-e", self.name()])?;
            let warned = ended.stderr.lines().any(|line| line.contains("warning:") && !line.contains(" saved as "));
            ensure!(ended.succeeded() && !warned, "{ended}");
            self.is_gone(started)
        });
        if !gone {
            steps.skip(&["leftovers"], "it is not removed");
            return Ok(());
        }
        steps.make("leftovers", Vec::new, || {
            let after = Files::list(self.machine)?;
            leftovers::judge(&after.changed_since(before), self.evidence, &self.put_by_hand())
        });
        Ok(())
    }

    /// What this tool put there itself, as an administrator does.
    fn put_by_hand(&self) -> BTreeSet<String> {
        let certificate = certificate(&self.unit).map(|(cert, key)| [cert, key]).into_iter().flatten();
        secrets(&self.unit).into_iter().chain(certificate).collect()
    }

    fn is_gone(&self, started: bool) -> anyhow::Result<Notes> {
        let name = self.name();
        ensure!(!self.machine.run(&["rpm", "-q", name])?.succeeded(), "it is still installed");
        let state = self.machine.property(&format!("{name}.service"), "LoadState")?;
        ensure!(state == "not-found", "its unit is still `{state}`");
        // what never had the port did not open it
        if let Some(place) = self.place.as_ref().filter(|_| started) {
            ensure!(self.service.is_closed(place)?, "{place} still answers");
        }
        let user = self.unit.last("Service", "User").unwrap_or(name);
        let alive = self.processes_of(user)?;
        ensure!(alive.is_empty(), "processes of `{user}` go on: {}", alive.join(", "));
        Ok(vec!["unit, port and processes are gone".to_owned()])
    }

    /// Those of a user, from /proc: a root may lack `ps`.
    fn processes_of(&self, user: &str) -> anyhow::Result<Vec<String>> {
        let id = self.machine.run(&["id", "-u", user])?;
        if !id.succeeded() {
            return Ok(Vec::new());
        }
        let script = "for p in /proc/[0-9]*; do while read -r key real rest; do \
                      [ \"$key\" != Uid: ] || [ \"$real\" != \"$1\" ] || echo \"${p#/proc/}\"; done < $p/status; \
                      done 2>/dev/null || :";
        let said = self.machine.text(&["sh", "-c", script, "sh", id.stdout.trim()])?;
        Ok(said.lines().map(str::to_owned).collect())
    }
}
