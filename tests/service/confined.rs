//! Ordinary programs under the real unit: what a confinement breaks shows only there.

use crate::SUITE;
use crate::checkout::command::run;
use crate::checkout::{git, list, tool_in};
use crate::machine::{self, Machine, Root, Steps};
use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

/// The application, whose pages are the probes.
const CONFINED: &str = include_str!("../python/confined.py");
const PROBES: [&str; 8] = ["chown", "psutil", "prometheus", "psycopg", "celery", "numpy", "multiprocessing", "system"];

/// An application that takes a while to load, for a server that does not say when it is ready.
const OLDER: &str = r#"
import time

time.sleep(4)


def app(environ, start_response):
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"older"]
"#;

/// A package without a build backend: one module, and a lock of the tests.
struct Package {
    name: &'static str,
    module: &'static str,
    lock: &'static str,
    /// more of `[service]`
    service: &'static str,
}

#[rustfmt::skip]
const PACKAGES: [Package; 2] = [
    Package { name: "confined", module: CONFINED, lock: include_str!("../locks/confined.txt"),
              service: "command = [\"gunicorn\", \"confined:app\", \"--timeout\", \"150\", \"--bind\", \"unix:/run/confined/web.sock\"]\n\
                        port = 8000\n[service.unit]\nRuntimeDirectory = \"confined\"\n" },
    Package { name: "older", module: OLDER, lock: include_str!("../locks/gunicorn-19.txt"),
              service: "command = [\"gunicorn\", \"older:app\"]\nport = 8001\n" },
];

impl Package {
    /// Builds the RPM into `share`, and gives its place on the machine.
    fn build(&self, share: &Utf8Path) -> anyhow::Result<String> {
        let folder = tempfile::Builder::new().prefix("confined-").tempdir()?;
        let folder = Utf8PathBuf::try_from(folder.path().canonicalize()?)?;
        let name = self.name;
        fs::create_dir_all(folder.join("dist"))?;
        fs::write(folder.join(format!("{name}.py")), self.module)?;
        fs::write(folder.join("requirements.txt"), self.lock)?;
        fs::write(folder.join(".gitignore"), "/dist/wheels/\n/dist/out/\n/target/\n")?;
        fs::write(
            folder.join("dist/package.toml"),
            format!(
                "[package]\nname = \"{name}\"\nrelease = \"1\"\nlicense = \"MIT\"\n[app]\npath = \".\"\nlock = \"requirements.txt\"\n\
                 modules = [\"{name}.py\"]\nversion = \"1.0\"\n[[target]]\nname = \"el9-x86_64\"\npython = \"3.11\"\n\
                 [service]\naddress = \"127.0.0.1\"\ntls = \"off\"\n{}",
                self.service
            ),
        )?;
        git(&folder, &["init", "--quiet"])?;
        let commit = || {
            git(&folder, &["add", "--all"])?;
            git(&folder, &["commit", "--quiet", "--no-verify", "--message", name])
        };
        commit()?;
        run(&mut tool_in(&folder, &["lock"]))?.text()?;
        commit()?;
        run(&mut tool_in(&folder, &["rpm"]))?.text()?;
        let out = folder.join("dist/out");
        let rpm = list(&out)?.into_iter().find(|file| file.ends_with(".rpm")).context("no RPM")?;
        fs::copy(out.join(&rpm), share.join(&rpm))?;
        Ok(format!("/mnt/{rpm}"))
    }
}

#[test]
#[ignore = "needs root, systemd-nspawn and mmdebstrap; `cargo xtask ci` installs them and runs it"]
fn ordinary_programs_work_under_the_unit() -> anyhow::Result<()> {
    machine::needs::check()?;
    let mut steps = Steps::on(SUITE);
    let share = tempfile::tempdir()?;
    let shared = Utf8Path::from_path(share.path()).context("the temporary folder is not UTF-8")?;
    let mut rpms = Vec::new();
    for package in &PACKAGES {
        rpms.push(steps.must(&format!("build `{}`", package.name), || package.build(shared))?);
    }
    let root = steps.must("prepare the root", || Root::prepare(SUITE))?;
    let machine = steps.must("boot", || Machine::boot(&root, shared))?;
    steps.watch(&machine, "confined.service");
    steps.must("tell rpm what the machine has", || machine::provides::install(&machine))?;
    for rpm in &rpms {
        steps.must("install", || machine.text(&["rpm", "--install", rpm]))?;
    }
    steps.must("start", || machine.text(&["systemctl", "start", "confined"]))?;
    for probe in PROBES {
        steps.check(&format!("{probe} works"), || {
            let said = ask(&machine, probe)?;
            ensure!(said == format!("{probe} works"), "{said}");
            Ok(())
        });
    }
    steps.check("every probe of the application is asked for", || {
        let all = ask(&machine, "")?;
        ensure!(all.split(' ').count() == PROBES.len() && PROBES.iter().all(|probe| all.contains(probe)), "{all}");
        Ok(())
    });
    steps.check("gunicorn gives its unix socket to its user, and answers there", || {
        machine.text(&["curl", "--silent", "--unix-socket", "/run/confined/web.sock", "http://localhost/"])?;
        let owner = machine.text(&["stat", "--format=%U", "/run/confined/web.sock"])?;
        ensure!(owner == "confined", "it is {owner}'s");
        Ok(())
    });
    steps.check("the exposure is what the guide says", || {
        let said = machine.text(&["systemd-analyze", "security", "--no-pager", "confined.service"])?;
        let measured = said.lines().find(|line| line.contains("Overall exposure level")).context("no overall level")?;
        let guide = fs::read_to_string(crate::checkout::repository().join("xtask/docs/services.md"))?;
        let written = guide.split_once(" rates it ").and_then(|(_, rest)| rest.split_once(" on el9"));
        let (written, _) = written.context("the guide names no level")?;
        ensure!(measured.contains(&format!(": {written} ")), "the guide has {written}, and {measured}");
        Ok(())
    });
    breaks_where_it_is_confined_further(&machine, &mut steps);
    waits_for_an_older_server(&machine, &mut steps);
    steps.finish()
}

/// The answer of a page, whatever its status.
fn ask(machine: &Machine, page: &str) -> anyhow::Result<String> {
    let url = format!("http://127.0.0.1:8000/{page}");
    machine.text(&["curl", "--silent", "--show-error", "--max-time", "140", &url])
}

/// The probes see what they are for: with the keys of before they fail.
fn breaks_where_it_is_confined_further(machine: &Machine, steps: &mut Steps<'_>) {
    #[rustfmt::skip]
    let cases = [ // keys                                                                          the probe     what it says
        ("ProcSubset=pid",                                                                         "prometheus", "AssertionError"),
        ("ProcSubset=pid",                                                                         "psutil",     "/proc/"),
        ("ProtectProc=invisible",                                                                  "psutil",     "NoSuchProcess"),
        ("SystemCallFilter=~@resources",                                                           "system",     "PermissionError"),
        ("RestrictAddressFamilies=\nRestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",             "psutil",     "Error"),
    ];
    for (keys, probe, says) in cases {
        steps.check(&format!("{probe} fails with {}", keys.replace('\n', ", ")), || {
            drop_in(machine, keys)?;
            machine.text(&["systemctl", "restart", "confined"])?;
            let said = ask(machine, probe)?;
            ensure!(said.contains("Traceback") && said.contains(says), "{said}");
            Ok(())
        });
    }
    steps.check("gunicorn does not start where it may not give its socket to its user", || {
        drop_in(machine, "SystemCallFilter=~@chown\nTimeoutStartSec=10")?;
        let finished = machine.run(&["systemctl", "restart", "confined"])?;
        ensure!(!finished.succeeded(), "{finished}");
        machine
            .script("rm -r /run/systemd/system/confined.service.d; systemctl daemon-reload; systemctl stop confined")?;
        Ok(())
    });
}

fn drop_in(machine: &Machine, keys: &str) -> anyhow::Result<()> {
    let folder = "/run/systemd/system/confined.service.d";
    machine
        .script(&format!(
            "mkdir -p {folder}; printf '[Service]\n{keys}\n' > {folder}/test.conf; systemctl daemon-reload"
        ))
        .map(drop)
}

/// gunicorn 19 never says that it is ready, and systemd holds its socket.
fn waits_for_an_older_server(machine: &Machine, steps: &mut Steps<'_>) {
    steps.check("a start of gunicorn 19 ends with an answer, also one of 404", || {
        ensure!(machine.property("older.service", "Type")? == "simple", "Type");
        let took = machine.script(
            "before=$(date +%s%N)
             systemctl start older
             after=$(date +%s%N)
             curl --silent --show-error --max-time 1 http://127.0.0.1:8001/ >&2
             echo $(( (after - before) / 1000000 ))",
        )?;
        ensure!((4000..30_000).contains(&took.parse::<u32>()?), "the start took {took} ms");
        Ok(())
    });
    steps.check("a start of an application that cannot be loaded fails", || {
        let finished = machine.run(&[
            "bash",
            "-c",
            "systemctl stop older.socket older; rm -r /opt/older/__pycache__
             echo 'raise ValueError' > /opt/older/older.py; systemctl start older",
        ])?;
        ensure!(!finished.succeeded(), "{finished}");
        Ok(())
    });
}
