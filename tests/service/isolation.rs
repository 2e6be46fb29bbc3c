//! Modules planted wherever a Python may look, and a real interpreter that must not take them.

use crate::checkout::command::run;
use crate::checkout::unpack::unpack;
use crate::checkout::{Checkout, list, tool_in};
use crate::installers::Tools;
use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use std::process::Command;

/// Of dependencies, of the application, of the server, of the standard library.
const PLANTED: [&str; 8] =
    ["click.py", "flask.py", "gunicorn.py", "json.py", "requests.py", "src.py", "ssl.py", "sitecustomize.py"];

/// The sample as it lies on a box, but below a folder of ours, and an interpreter with planted modules.
struct Bed {
    _checkout: Checkout,
    folder: Utf8PathBuf,
    /// an environment, whose site-packages stand for the system's
    python: Utf8PathBuf,
    root: Utf8PathBuf,
}

impl Bed {
    fn make() -> anyhow::Result<Self> {
        let tools = Tools::prepare()?;
        let checkout = Checkout::new("isolated-")?;
        let copy = checkout.dir()?.canonicalize_utf8()?;
        tools.describe_host(&copy)?;
        checkout.commit("for a box like this host")?;
        run(tools.first_on_path(&mut tool_in(&copy, &["dist"])))?.text()?;
        let out = copy.join("dist/out");
        let rpm = list(&out)?.into_iter().find(|name| name.ends_with(".rpm")).context("no RPM")?;
        let box_root = copy.join("target/box");
        unpack(&out.join(rpm), &box_root)?;

        let folder = copy.join("target/planted");
        fs::create_dir_all(&folder)?;
        let environment = folder.join("environment");
        run(Command::new("python3").args(["-m", "venv", "--without-pip", environment.as_str()]))?.text()?;
        let bed = Self {
            _checkout: checkout,
            python: environment.join("bin/python"),
            root: box_root.join("opt/quality_report"),
            folder,
        };
        let site =
            run(Command::new(&bed.python).args(["-c", "import site; print(site.getsitepackages()[0])"]))?.text()?;
        let user = format!(
            "home/.local/lib/{}/site-packages",
            Utf8Path::new(&site).parent().and_then(Utf8Path::file_name).context("no version")?
        );
        for place in [Utf8Path::new(&site), &bed.folder.join("path"), &bed.folder.join("here"), &bed.folder.join(user)]
        {
            fs::create_dir_all(place)?;
            for module in PLANTED {
                let text =
                    format!("open({:?}, 'a').write(__file__ + '\\n')\nraise ImportError('planted')\n", bed.taken());
                fs::write(place.join(module), text)?;
            }
        }
        fs::write(bed.folder.join("startup.py"), format!("open({:?}, 'a').write('startup')\n", bed.taken()))?;
        bed.point_launchers_here()?;
        Ok(bed)
    }

    /// Where planted modules tell that they were imported.
    fn taken(&self) -> Utf8PathBuf {
        self.folder.join("taken")
    }

    /// Puts this place and this interpreter into the scripts, as another prefix would.
    fn point_launchers_here(&self) -> anyhow::Result<()> {
        for name in list(&self.root.join("bin"))? {
            let path = self.root.join("bin").join(name);
            let text = fs::read_to_string(&path)?;
            let text = text.replace("/opt/quality_report", self.root.as_str());
            fs::write(&path, text.replacen("#!/usr/bin/python3 ", &format!("#!{} ", self.python), 1))?;
        }
        Ok(())
    }

    /// The words of the unit's ExecStart, at home in this bed.
    fn service(&self) -> anyhow::Result<Vec<String>> {
        let box_root = self.root.parent().and_then(Utf8Path::parent).context("it is below /opt")?;
        let unit = fs::read_to_string(box_root.join("usr/lib/systemd/system/quality_report.service"))?;
        let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).context("no ExecStart")?;
        let line = line.replace("/opt/quality_report", self.root.as_str());
        let line = line.replacen("/usr/bin/python3 ", &format!("{} ", self.python), 1);
        Ok(line.split(' ').map(str::to_owned).collect())
    }

    /// Runs a command where modules are planted, with all that could lead there.
    fn run(&self, words: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).current_dir(self.folder.join("here"));
        command.env("PYTHONPATH", self.folder.join("path")).env("HOME", self.folder.join("home"));
        command
            .env("PYTHONSTARTUP", self.folder.join("startup.py"))
            .env("PYTHONUSERBASE", self.folder.join("home/.local"));
        // An interpreter that took it would not find its standard library.
        command.env("PYTHONHOME", self.folder.join("path"));
        command.env("QUALITY_REPORT_CONFIG", self.root.join("config.yaml"));
        run(&mut command)?.text()
    }
}

#[test]
fn planted_modules_never_stand_before_the_locked_ones() -> anyhow::Result<()> {
    let bed = Bed::make()?;
    let (python, root) = (bed.python.as_str(), bed.root.as_str());
    let launcher = format!("{root}/bin/python");
    let flask = format!("{root}/bin/flask");
    let mut service = bed.service()?;
    service.push("--check-config".to_owned());
    let service: Vec<&str> = service.iter().map(String::as_str).collect();
    let finds = "import flask, requests, src.app, gunicorn, json, ssl; print(flask.__file__)";
    // Whatever a program puts in front.
    let insists = format!("import sys; sys.path.insert(0, {:?}); {finds}", bed.folder.join("path"));
    #[rustfmt::skip]
    let cases: [(&str, Vec<&str>, &str); 7] = [
        ("the service",          service,                                                             ""),
        ("console script",       vec![&flask, "--app", "src.app", "routes"],                          "/healthz"),
        ("management command",   vec![&launcher, "-m", "flask", "--app", "src.app", "routes"],        "/healthz"),
        ("code",                 vec![&launcher, "-c", finds],                                        "/lib/flask/__init__.py"),
        ("code that insists",    vec![&launcher, "-c", &insists],                                     "/lib/flask/__init__.py"),
        ("a child of it",        vec![&launcher, "-c", "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import flask; print(flask.__file__)'], check=True)"], "/lib/flask/__init__.py"),
        ("not by the #! line",   vec![python, "-ISB", &launcher, "-m", "flask", "--version"],         "Flask "),
    ];
    for (what, words, says) in cases {
        let said = bed.run(&words).with_context(|| what.to_owned())?;
        ensure!(said.contains(says), "{what} says:\n{said}");
        let taken = fs::read_to_string(bed.taken()).unwrap_or_default();
        ensure!(taken.is_empty(), "{what} took planted modules:\n{taken}");
    }
    ensure!(list(&bed.root)?.iter().all(|name| name != "__pycache__"), "byte-code was written");
    Ok(())
}

/// What the other test proves: each plant is taken by a Python that is not isolated.
#[test]
fn planted_modules_are_taken_by_a_plain_interpreter() -> anyhow::Result<()> {
    let bed = Bed::make()?;
    #[rustfmt::skip]
    let cases = [ // started in              PYTHONPATH                       the file that is taken
        (bed.folder.clone(),       None,                            "environment/lib"),
        (bed.folder.clone(),       Some(bed.folder.join("path")),   "planted/path/flask.py"),
        (bed.folder.join("here"),  None,                            "here/flask.py"),
    ];
    for (here, path, place) in cases {
        let mut command = Command::new(&bed.python);
        command.args(["-c", "import flask"]).current_dir(here).env_remove("PYTHONPATH");
        command.envs(path.map(|path| ("PYTHONPATH", path)));
        ensure!(!run(&mut command)?.succeeded(), "{place}: nothing was planted");
        let taken = fs::read_to_string(bed.taken()).unwrap_or_default();
        ensure!(taken.lines().any(|line| line.contains(place)), "{place}: {taken}");
        fs::remove_file(bed.taken())?;
    }
    Ok(())
}
