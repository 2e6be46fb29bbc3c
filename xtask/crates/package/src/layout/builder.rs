//! Wheels + application + config + service → [`Tree`].

use crate::layout::parts::{Layout, Parts, library};
use crate::service::{ServiceFacts, ServiceProgram, run_program, server_of};
use crate::templates::templates;
use crate::tree::{BoxPath, Content, EntryKind, Role, Tree, TreeEntry};
use minijinja::context;
use pep440_rs::Version;
use rawzip::ReaderAt;
use wheelhaul_base::problem::{Problem, all_of, nearest};
use wheelhaul_boxes::{TagRanks, Target};
use wheelhaul_config::{ACCEPTED_FILE, Tls};
use wheelhaul_pylock::Lock;
use wheelhaul_wheel::{Tops, check_namespaces};

/// Refuses an interpreter that the launchers cannot be isolated with, or that the service cannot see.
pub fn check_interpreter(target: &Target) -> anyhow::Result<()> {
    // `ProtectHome=` and `PrivateTmp=` of the unit, systemd.exec(5).
    const HIDDEN: [&str; 5] = ["/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/"];
    let path = &target.interpreter.path;
    if let Some(hidden) = HIDDEN.iter().find(|folder| path.starts_with(**folder)) {
        return Err(Problem::with_hint(
            format!("`{}`: its Python `{path}` is below `{hidden}`, which the service cannot see", target.name),
            "install it elsewhere on the box, such as below /opt, and say so: `python-path` in `[target.box]`, or a new probe by that Python",
        ));
    }
    Ok(())
}

/// Lays out everything that lands on the box.
///
/// # Errors
/// Once, naming every wheel that does not fit or cannot be laid out; for two sources of one path; for a service command
/// that is neither a script nor a module of the wheels.
pub fn lay_out<R: ReaderAt>(parts: &Parts<'_, R>) -> anyhow::Result<Layout> {
    check_interpreter(parts.target)?;
    let name = &parts.config.package.name;
    let root = BoxPath::new(parts.config.package.root())?;
    let mut builder =
        Builder { parts, root: &root, name, ranks: TagRanks::new(parts.target.tags()), tree: Tree::default() };
    let last = parts.wheels.len() - 1;
    let mut faults = Vec::new();
    for (index, wheel) in parts.wheels.iter().enumerate() {
        let folder = library(&root, index == last)?;
        if let Err(fault) = builder.add_wheel(index, wheel, &folder) {
            faults.push(fault.context(format!("`{}`", wheel.name)));
        }
    }
    let tops: Vec<Tops> = parts.wheels.iter().map(|wheel| Tops::of(&wheel.name, &wheel.contents.files)).collect();
    faults.extend(check_namespaces(&tops).err());
    all_of("wheels cannot be laid out", faults)?;
    builder.add_config_files()?;
    builder.add_launchers()?;
    builder.add_run()?;
    let program = builder.find_program()?;
    builder.add_service(program)?;
    builder.add_documents()?;
    let mut tree = builder.tree;
    for folder in parts.config.package.prefix_folders() {
        tree.claim(BoxPath::new(folder)?, TreeEntry::folder(parts.epoch))?;
    }
    for folder in
        [root, BoxPath::new(format!("/usr/share/licenses/{name}"))?, BoxPath::new(format!("/usr/share/doc/{name}"))?]
    {
        tree.own_folders(&folder, parts.epoch)?;
    }
    Ok(Layout { tree, program })
}

/// A tree while it is laid out.
pub(super) struct Builder<'a, R> {
    pub(super) parts: &'a Parts<'a, R>,
    pub(super) root: &'a BoxPath,
    pub(super) name: &'a str,
    pub(super) ranks: TagRanks,
    pub(super) tree: Tree,
}

impl<R: ReaderAt> Builder<'_, R> {
    fn add_config_files(&mut self) -> anyhow::Result<()> {
        for (path, bytes) in self.parts.config_files {
            let mut entry = TreeEntry::made(bytes.clone(), self.parts.epoch, "`app.config`")
                .with_mode(0o640)
                .with_role(Role::Config);
            entry.group = self.name.to_owned().into();
            self.tree.claim(self.root.join(path.as_str())?, entry).map_err(|error| {
                let cure = "leave the file out of the application's wheel: as a config file it is the administrator's";
                Problem::around(error, format!("the config file `{path}`"), cure)
            })?;
        }
        Ok(())
    }

    fn add_launchers(&mut self) -> anyhow::Result<()> {
        let values = context! { root => self.root.as_str(), name => self.name, interpreter => &self.parts.target.interpreter.path };
        let mut programs = vec![("launcher.py", "python")];
        if self.parts.config.service.tls == Tls::SelfSigned {
            programs.push(("certificate.py", "self-signed-certificate"));
        }
        if self.facts().waits() {
            programs.push(("wait_until_ready.py", "wait-until-ready"));
        }
        for (template, program) in programs {
            let text = templates().get_template(template)?.render(&values)?;
            let entry = TreeEntry::made(text, self.parts.epoch, "this tool's launchers").with_mode(0o755);
            self.tree.claim(self.root.join("bin")?.join(program)?, entry)?;
        }
        Ok(())
    }

    /// `NAME-run`, by which root runs a command as the service.
    fn add_run(&mut self) -> anyhow::Result<()> {
        // systemd's NEWS: `RuntimeDirectoryPreserve=` came with 235, `StandardInput=file:` with 236.
        let values = context! {
            name => self.name,
            interpreter => &self.parts.target.interpreter.path,
            knows_files => self.parts.target.distribution.systemd >= 236,
        };
        let text = templates().get_template("run.py")?.render(values)?;
        let entry = TreeEntry::made(text, self.parts.epoch, "this tool's launchers").with_mode(0o755);
        self.tree.claim(BoxPath::new(run_program(self.name))?, entry)
    }

    /// Finds what the first word of `service.command` is.
    fn find_program(&self) -> anyhow::Result<ServiceProgram> {
        let word = &self.parts.config.service.command[0];
        let bin = format!("{}/bin/", self.root);
        let scripts: Vec<&str> = self.tree.entries().filter_map(|(path, _)| path.as_str().strip_prefix(&bin)).collect();
        if scripts.contains(&word.as_str()) {
            return match &self.tree.get(&self.root.join("bin")?.join(word)?).map(|entry| &entry.kind) {
                Some(EntryKind::File { content: Content::Bytes(_), .. }) => Ok(ServiceProgram::Script),
                _ => Ok(ServiceProgram::Binary),
            };
        }
        let module = word.replace('.', "/");
        for folder in [self.root.clone(), self.root.join("lib")?] {
            for file in [format!("{module}.py"), format!("{module}/__main__.py")] {
                if folder.join(&file).is_ok_and(|path| self.tree.get(&path).is_some()) {
                    return Ok(ServiceProgram::Module);
                }
            }
        }
        let hint = match nearest(word, scripts.iter().copied()) {
            Some(near) => format!("did you mean `{near}`? "),
            None => String::new(),
        };
        Err(Problem::with_hint(
            format!(
                "`{word}` of `service.command` is neither a console script nor a module that can be run, of the application or its dependencies"
            ),
            format!("{hint}add it to your lock; console scripts there are: {}", scripts.join(", ")),
        ))
    }

    fn server_version(&self) -> Option<&Version> {
        let package = server_of(&self.parts.config.service)?.package;
        self.parts
            .wheels
            .iter()
            .map(|wheel| &wheel.name)
            .find(|name| name.name.as_ref() == package)
            .map(|name| &name.version)
    }

    fn facts(&self) -> ServiceFacts<'_> {
        ServiceFacts {
            name: self.name,
            summary: self.parts.summary,
            root: self.root.as_str(),
            service: &self.parts.config.service,
            target: self.parts.target,
            server_version: self.server_version(),
        }
    }

    fn add_service(&mut self, program: ServiceProgram) -> anyhow::Result<()> {
        let epoch = self.parts.epoch;
        let facts = self.facts();
        let made =
            |path: String, text: String| anyhow::Ok((BoxPath::new(path)?, TreeEntry::made(text, epoch, "the service")));
        let mut entries = vec![made(format!("/usr/lib/sysusers.d/{}.conf", self.name), facts.sysusers())?];
        for (file, text) in facts.units(program)? {
            entries.push(made(format!("/usr/lib/systemd/system/{file}"), text)?);
        }
        if !facts.service.secrets.is_empty() {
            let folder = BoxPath::new(facts.credentials_folder())?;
            entries.extend(folder.parent().map(|above| (above, TreeEntry::folder(epoch))));
            let mut entry = TreeEntry::folder(epoch).with_mode(0o750);
            entry.group = self.name.to_owned().into();
            entries.push((folder, entry));
        }
        entries.into_iter().try_for_each(|(path, entry)| self.tree.claim(path, entry))
    }

    fn add_documents(&mut self) -> anyhow::Result<()> {
        let folder = BoxPath::new(format!("/usr/share/doc/{}", self.name))?;
        let lock = Lock::file_name(&self.parts.target.name);
        let files = [
            ("INSTALL.md", self.parts.install_notes),
            (lock.as_str(), self.parts.lock_text),
            ("sbom.cdx.json", self.parts.sbom),
        ];
        let accepted = self.parts.config.accepted_text(&self.parts.target.name);
        for (file, text) in files.into_iter().chain(accepted.as_deref().map(|text| (ACCEPTED_FILE, text))) {
            let entry = TreeEntry::made(text, self.parts.epoch, "the documents").with_role(Role::Doc);
            self.tree.claim(folder.join(file)?, entry)?;
        }
        Ok(())
    }
}
