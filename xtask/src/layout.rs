//! Wheels + application + config + service → [`Tree`].

use crate::config::{Config, Tls};
use crate::lockfile::Lock;
use crate::problem::{Problem, all_of, nearest};
use crate::service::{Facts, Program};
use crate::target::{TagRanks, Target};
use crate::templates::templates;
use crate::tree::{BoxPath, Content, Entry, Kind, Role, Tree};
use crate::wheel::{Archive, Contents, Digest, DigestKind, Mode, Placed, Record, Row, Scheme, Scratch, WheelName};
use anyhow::{Context as _, bail};
use camino::Utf8PathBuf;
use minijinja::context;
use rawzip::ReaderAt;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// An opened wheel.
pub struct Wheel<R> {
    /// its name
    pub name: WheelName,
    /// its archive
    pub archive: Archive<R>,
    /// what it holds
    pub contents: Contents,
    /// the time of its files on the box, in seconds since 1970
    pub mtime: u32,
}

/// What a tree is laid out from.
pub struct Parts<'a, R> {
    /// `package.toml`
    pub config: &'a Config,
    /// the box
    pub target: &'a Target,
    /// the dependencies, then the application as the last
    pub wheels: &'a [Wheel<R>],
    /// the application's config files: path below its folder, and bytes
    pub config_files: &'a [(Utf8PathBuf, Vec<u8>)],
    /// the lock that travels in the package
    pub lock_text: &'a str,
    /// what people read on the box
    pub install_notes: &'a str,
    /// one line about the application
    pub summary: &'a str,
    /// the time of files that are made here, in seconds since 1970
    pub epoch: u32,
}

/// A tree, and what the writer has to know beside it.
#[derive(Debug)]
pub struct Layout {
    /// everything that lands on the box
    pub tree: Tree,
    /// how the service's program is started
    pub program: Program,
}

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
    if target.interpreter.version >= (3, 4) {
        return Ok(());
    }
    Err(Problem::with_hint(
        format!("`{}`: no RPM can be made for Python {}", target.name, target.python()),
        "what is packed starts isolated (`python -I`), which came with Python 3.4; choose another Python of this box. \
         `cargo xtask lock` works for this one too",
    ))
}

/// Lays out everything that lands on the box.
///
/// - Fails: once, naming every wheel that does not fit or cannot be laid out; for two sources of one
///   path; for a service command that is neither a script nor a module of the wheels.
pub fn lay_out<R: ReaderAt>(parts: &Parts<'_, R>) -> anyhow::Result<Layout> {
    check_interpreter(parts.target)?;
    let name = &parts.config.package.name;
    let root = BoxPath::new(format!("/opt/{name}"))?;
    let mut builder =
        Builder { parts, root: &root, name, ranks: TagRanks::new(parts.target.tags()), tree: Tree::default() };
    let last = parts.wheels.len() - 1;
    let mut faults = Vec::new();
    for (index, wheel) in parts.wheels.iter().enumerate() {
        let folder = if index == last { root.clone() } else { root.join("lib")? };
        if let Err(fault) = builder.add_wheel(index, wheel, &folder) {
            faults.push(fault.context(format!("`{}`", wheel.name)));
        }
    }
    all_of("wheels cannot be laid out", faults)?;
    builder.add_config_files()?;
    builder.add_launchers()?;
    let program = builder.find_program()?;
    builder.add_service(program)?;
    builder.add_documents()?;
    let mut tree = builder.tree;
    for folder in
        [root, BoxPath::new(format!("/usr/share/licenses/{name}"))?, BoxPath::new(format!("/usr/share/doc/{name}"))?]
    {
        tree.own_folders(&folder, parts.epoch)?;
    }
    Ok(Layout { tree, program })
}

struct Builder<'a, R> {
    parts: &'a Parts<'a, R>,
    root: &'a BoxPath,
    name: &'a str,
    ranks: TagRanks,
    tree: Tree,
}

impl<R: ReaderAt> Builder<'_, R> {
    fn add_wheel(&mut self, index: usize, wheel: &Wheel<R>, folder: &BoxPath) -> anyhow::Result<()> {
        check_fits(wheel, self.parts.target, &self.ranks)?;
        let source = wheel.name.to_string();
        let mut record = Record::default();
        // Metadata 2.4 has licences in a folder of their own; what stands beside it is there for older tools.
        let own_folder = format!("{}/licenses/", wheel.contents.dist_info);
        let has_own_folder = wheel.contents.files.iter().any(|file| file.path.starts_with(&own_folder));
        for placed in &wheel.contents.files {
            let path = self.path_of(wheel, placed, folder)?;
            let entry = self.entry_of(index, wheel, placed)?;
            self.note_in_record(&mut record, folder, &path, &entry);
            if let Some(license) = license_name(&wheel.contents.dist_info, has_own_folder, placed) {
                let copy = BoxPath::new(format!("/usr/share/licenses/{}/{}/{license}", self.name, wheel.name.name))?;
                self.tree.claim(copy, entry.clone().with_mode(0o644).with_role(Role::License))?;
            }
            self.tree.claim(path, entry)?;
        }
        for script in &wheel.contents.scripts {
            let text = templates().get_template("console_script.py")?.render(context! {
                root => self.root.as_str(),
                module => &script.module,
                first => script.function.split('.').next(),
                function => &script.function,
            })?;
            let path = self.root.join("bin")?.join(&script.name)?;
            let entry = Entry::made(text, wheel.mtime, &source).with_mode(0o755);
            self.note_in_record(&mut record, folder, &path, &entry);
            self.tree.claim(path, entry)?;
        }
        // RECORD lists what is installed, where it is installed ("Recording installed projects").
        let own = format!("{}/RECORD", wheel.contents.dist_info);
        record.rows.insert(own.clone(), Row { digest: None, size: None });
        self.tree.claim(folder.join(&own)?, Entry::made(record.to_text(), wheel.mtime, &source))
    }

    fn path_of(&self, wheel: &Wheel<R>, placed: &Placed, folder: &BoxPath) -> anyhow::Result<BoxPath> {
        match placed.scheme {
            Scheme::Library => folder.join(&placed.path),
            Scheme::Scripts => self.root.join("bin")?.join(&placed.path),
            Scheme::Data => self.root.join(&placed.path),
            Scheme::Headers => self.root.join("include")?.join(wheel.name.name.as_ref())?.join(&placed.path),
        }
    }

    fn entry_of(&self, index: usize, wheel: &Wheel<R>, placed: &Placed) -> anyhow::Result<Entry> {
        let member = &wheel.archive.members()[placed.place];
        let source = wheel.name.to_string();
        let executable = member.mode == Mode::Executable || placed.scheme == Scheme::Scripts;
        let mode = if executable { 0o755 } else { 0o644 };
        if placed.scheme == Scheme::Scripts
            && let Some(text) = self.python_script(wheel, placed)?
        {
            return Ok(Entry::made(text, wheel.mtime, &source).with_mode(mode));
        }
        let is_config = placed.scheme == Scheme::Data && placed.path.starts_with("etc/");
        Ok(Entry {
            kind: Kind::File {
                content: Content::Member { wheel: index, place: placed.place },
                size: member.size,
                sha256: sha256_of(wheel, placed)?,
                role: if is_config { Role::Config } else { Role::Plain },
            },
            mode,
            group: "root".to_owned(),
            mtime: wheel.mtime,
            source,
        })
    }

    /// A script that starts with `#!python`, with the launcher in its place.
    fn python_script(&self, wheel: &Wheel<R>, placed: &Placed) -> anyhow::Result<Option<Vec<u8>>> {
        // A program of many megabytes is none, and is not read whole to find that out.
        if wheel.archive.members()[placed.place].size > 1 << 20 {
            return Ok(None);
        }
        let content = wheel.archive.read(placed.place)?;
        check_digest(&content, &placed.digest).with_context(|| format!("`{}`", placed.path))?;
        let Some(rest) = content.strip_prefix(b"#!python") else { return Ok(None) };
        let line_end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let mut text = format!("#!{}/bin/python", self.root).into_bytes();
        text.extend_from_slice(&rest[line_end..]);
        Ok(Some(text))
    }

    fn note_in_record(&self, record: &mut Record, folder: &BoxPath, path: &BoxPath, entry: &Entry) {
        let Kind::File { size, sha256, .. } = &entry.kind else { return };
        let below = |base: &BoxPath| path.as_str().strip_prefix(base.as_str()).and_then(|rest| rest.strip_prefix('/'));
        let relative = match (below(folder), below(self.root)) {
            (Some(rest), _) => rest.to_owned(),
            (None, Some(rest)) => format!("../{rest}"),
            (None, None) => path.to_string(),
        };
        record.rows.insert(relative, Row { digest: Some(Digest::sha256(sha256)), size: Some(*size) });
    }

    fn add_config_files(&mut self) -> anyhow::Result<()> {
        for (path, bytes) in self.parts.config_files {
            let mut entry =
                Entry::made(bytes.clone(), self.parts.epoch, "`app.config`").with_mode(0o640).with_role(Role::Config);
            self.name.clone_into(&mut entry.group);
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
        for (template, program) in programs {
            let text = templates().get_template(template)?.render(&values)?;
            let entry = Entry::made(text, self.parts.epoch, "this tool's launchers").with_mode(0o755);
            self.tree.claim(self.root.join("bin")?.join(program)?, entry)?;
        }
        Ok(())
    }

    /// Finds what the first word of `service.command` is.
    fn find_program(&self) -> anyhow::Result<Program> {
        let word = &self.parts.config.service.command[0];
        let bin = format!("{}/bin/", self.root);
        let scripts: Vec<&str> = self.tree.entries().filter_map(|(path, _)| path.as_str().strip_prefix(&bin)).collect();
        if scripts.contains(&word.as_str()) {
            return match &self.tree.get(&self.root.join("bin")?.join(word)?).map(|entry| &entry.kind) {
                Some(Kind::File { content: Content::Bytes(_), .. }) => Ok(Program::Script),
                _ => Ok(Program::Binary),
            };
        }
        let module = word.replace('.', "/");
        for folder in [self.root.clone(), self.root.join("lib")?] {
            for file in [format!("{module}.py"), format!("{module}/__main__.py")] {
                if folder.join(&file).is_ok_and(|path| self.tree.get(&path).is_some()) {
                    return Ok(Program::Module);
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

    fn add_service(&mut self, program: Program) -> anyhow::Result<()> {
        let facts = Facts {
            name: self.name,
            summary: self.parts.summary,
            root: self.root.as_str(),
            service: &self.parts.config.service,
            target: self.parts.target,
        };
        let unit = Entry::made(facts.unit(program)?, self.parts.epoch, "the service");
        self.tree.claim(BoxPath::new(format!("/usr/lib/systemd/system/{}.service", self.name))?, unit)?;
        let sysusers = Entry::made(facts.sysusers(), self.parts.epoch, "the service");
        self.tree.claim(BoxPath::new(format!("/usr/lib/sysusers.d/{}.conf", self.name))?, sysusers)
    }

    fn add_documents(&mut self) -> anyhow::Result<()> {
        let folder = BoxPath::new(format!("/usr/share/doc/{}", self.name))?;
        let lock = Lock::file_name(&self.parts.target.name);
        for (file, text) in [("INSTALL.md", self.parts.install_notes), (lock.as_str(), self.parts.lock_text)] {
            let entry = Entry::made(text, self.parts.epoch, "the documents").with_role(Role::Doc);
            self.tree.claim(folder.join(file)?, entry)?;
        }
        Ok(())
    }
}

/// Refuses a wheel for another box or another Python.
fn check_fits<R: ReaderAt>(wheel: &Wheel<R>, target: &Target, ranks: &TagRanks) -> anyhow::Result<()> {
    if wheel.name.rank(ranks).is_none() {
        bail!("its tags do not fit {}", target.in_words());
    }
    match &wheel.contents.metadata.requires_python {
        Some(requires) if !requires.contains(&target.python_full) => {
            bail!("it requires Python {requires}, and the target has {}", target.python_full)
        }
        _ => Ok(()),
    }
}

/// The name of a licence file below the licences of its wheel, if the file is one (PEP 639).
fn license_name<'a>(dist_info: &str, has_own_folder: bool, placed: &'a Placed) -> Option<&'a str> {
    const KNOWN: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "AUTHORS"];
    if placed.scheme != Scheme::Library {
        return None;
    }
    let path = placed.path.strip_prefix(dist_info)?.strip_prefix('/')?;
    if has_own_folder {
        return path.strip_prefix("licenses/");
    }
    let upper = path.to_ascii_uppercase();
    KNOWN.iter().any(|name| upper.starts_with(name)).then_some(path)
}

/// RECORD's sha256, or for a stronger digest the sha256 of the file, once that digest matched.
fn sha256_of<R: ReaderAt>(wheel: &Wheel<R>, placed: &Placed) -> anyhow::Result<[u8; 32]> {
    if placed.digest.kind == DigestKind::Sha256 {
        return Ok(placed.digest.bytes.as_slice().try_into()?);
    }
    let mut sha256 = Sha256::new();
    let mut strong = (Sha384::new(), Sha512::new());
    wheel.archive.unpack(placed.place, &mut Scratch::default(), &mut |piece| {
        sha256.update(piece);
        match placed.digest.kind {
            DigestKind::Sha384 => strong.0.update(piece),
            _ => strong.1.update(piece),
        }
        Ok(())
    })?;
    let found = match placed.digest.kind {
        DigestKind::Sha384 => strong.0.finalize().to_vec(),
        _ => strong.1.finalize().to_vec(),
    };
    if found != placed.digest.bytes {
        bail!("`{}` does not have the digest of RECORD", placed.path);
    }
    Ok(sha256.finalize().into())
}

fn check_digest(content: &[u8], digest: &Digest) -> anyhow::Result<()> {
    let found = match digest.kind {
        DigestKind::Sha256 => Sha256::digest(content).to_vec(),
        DigestKind::Sha384 => Sha384::digest(content).to_vec(),
        DigestKind::Sha512 => Sha512::digest(content).to_vec(),
    };
    if found != digest.bytes {
        bail!("it does not have the digest of RECORD");
    }
    Ok(())
}
