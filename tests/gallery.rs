//! Published applications, packed from locks of the tests for two boxes, verified, and started as their unit starts
//! them on the machine that is nearest to the first of the boxes.

use anyhow::{Context, bail, ensure};
use camino::Utf8Path;
use machine::{Machine, Root, Steps, wait_for};
use rows::{APPLICATIONS, Application};
use std::sync::Mutex;
use std::time::Duration;

#[allow(dead_code, reason = "each test that checks the sample out uses a part of it")]
mod checkout;
#[allow(dead_code, unused_imports, reason = "the install test uses the rest")]
mod machine;

#[path = "gallery/packing.rs"]
mod packing;
#[path = "gallery/page.rs"]
mod page;
#[path = "gallery/rows.rs"]
mod rows;

/// Python 3.11, rpm 4.18 and systemd 252: nearest to el9.
const SUITE: &str = "bookworm";
/// The package that the machines' own tests are about; the constants that their parts ask for.
#[allow(dead_code, reason = "the service test uses the rest")]
mod of_sample {
    pub const NAME: &str = "quality_report";
    pub const UNIT: &str = "quality_report.service";
    pub const STATE: &str = "/var/lib/quality_report";
    pub const CONFIG: &str = "/opt/quality_report/config.yaml";
    pub const URL: &str = "https://localhost:9091";
    pub const PORT: &str = "9091";
    pub const EDITED_NAME: &str = "Edited on this box";
}
use of_sample::{CONFIG, EDITED_NAME, NAME, PORT, STATE, UNIT, URL};
/// How long an application may take after its start until a page says what it should, and how often it is asked.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_secs(1);

/// One after the other: each has a machine, and some need gigabytes of memory.
static TURN: Mutex<()> = Mutex::new(());

macro_rules! applications {
    ($($name:ident),*) => {
        $(
            #[test]
            #[ignore = "needs root, systemd-nspawn and mmdebstrap; `cargo xtask ci` installs them and runs it"]
            fn $name() -> anyhow::Result<()> {
                try_out(stringify!($name))
            }
        )*

        #[test]
        fn every_application_is_tried() {
            let rows: Vec<&str> = APPLICATIONS.iter().map(|application| application.name).collect();
            assert_eq!(rows, [$(stringify!($name)),*]);
        }
    };
}

applications!(datasette, django, weasyprint, jupyterlab, gradio, mlflow, airflow, superset);

/// Runs the steps of one application, and writes its line into the guide where the part of `ci` asks for that.
fn try_out(name: &'static str) -> anyhow::Result<()> {
    // A failure of another application does not matter here.
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    machine::needs::check()?;
    let application = APPLICATIONS.iter().find(|application| application.name == name).context("no such row")?;
    let mut tried = page::Tried::default();
    let outcome = steps_of(application, &mut tried);
    page::write_down(application, &tried, outcome.is_ok())?;
    outcome
}

fn steps_of(application: &'static Application, tried: &mut page::Tried) -> anyhow::Result<()> {
    let mut steps = Steps::on(application.name);
    let share = tempfile::tempdir()?;
    let shared = Utf8Path::from_path(share.path()).context("the temporary folder is not UTF-8")?;
    let packing = steps.must("take the lock", || packing::Packing::of(application))?;
    tried.release = packing.release.clone();
    tried.packages = packing.packages;
    for task in ["lock", "rpm", "verify"] {
        let warnings = steps.must(task, || packing.task(task))?;
        steps.check(&format!("`{task}` warns of what the row knows alone"), || {
            ensure!(warnings.is_empty(), "{}", warnings.join("\n"));
            Ok(())
        });
    }
    let rpm = steps.must("take the RPM of the first box", || packing.take(shared))?;
    tried.bytes = shared.join(&rpm).metadata()?.len();
    let rpm = format!("/mnt/{rpm}");
    drop(packing);

    let root = steps.must("prepare the root", || match application.debian {
        [] => Root::prepare(SUITE),
        packages => Root::prepare_with(SUITE, packages),
    })?;
    let machine = steps.must("boot", || Machine::boot(&root, shared))?;
    let unit = application.package();
    steps.watch(&machine, &unit);
    steps.must("tell rpm what the machine has", || machine::provides::install(&machine))?;
    steps.must("install", || machine.text(&["rpm", "--install", &rpm]))?;
    for command in application.before {
        steps.must(&format!("run `{}` as the service", command.join(" ")), || {
            let run = format!("/usr/bin/{unit}-run");
            machine.text(&[&[run.as_str()], *command].concat())
        })?;
    }
    if let [program, words @ ..] = application.beside {
        steps.must(&format!("run `{program}` beside the service"), || {
            let run = format!("/usr/bin/{unit}-run");
            machine.text(&[&["systemd-run", "--quiet", run.as_str(), *program], words].concat())
        })?;
    }
    steps.must("start", || machine.text(&["systemctl", "start", &unit]))?;
    for (request, says) in application.pages {
        steps.check(&format!("`{}` says `{says}`", request.join(" ")), || {
            wait_for(PATIENCE, || {
                let says_so = |answer: String| match answer.contains(says) {
                    true => Ok(()),
                    false => bail!("it says: {}", answer.chars().take(2000).collect::<String>()),
                };
                ask(&machine, request).and_then(says_so).inspect_err(|_| std::thread::sleep(PAUSE))
            })
        });
    }
    steps.check("the service is the one that was started", || {
        let restarts = machine.property(&format!("{unit}.service"), "NRestarts")?;
        ensure!(restarts == "0", "it was started again {restarts} times");
        Ok(())
    });
    steps.check("`rpm -V` is silent", || {
        let said = machine.run(&["rpm", "--verify", &unit])?;
        ensure!(said.succeeded() && said.stdout.is_empty(), "{said}");
        Ok(())
    });
    steps.finish()
}

/// The answer of a page. The last word of a request is its path, those before are for curl.
fn ask(machine: &Machine, request: &[&str]) -> anyhow::Result<String> {
    let (path, words) = request.split_last().context("a request needs a path")?;
    let url = format!("http://127.0.0.1:{}{path}", rows::PORT);
    let own = ["curl", "--silent", "--show-error", "--fail-with-body", "--max-time", "60"];
    machine.text(&[&own[..], words, &[url.as_str()]].concat())
}
