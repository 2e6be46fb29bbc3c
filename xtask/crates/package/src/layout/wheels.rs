//! A wheel's files on the box: where each lands, with which mode, and the RECORD of what is installed.

use crate::layout::builder::Builder;
use crate::layout::parts::Wheel;
use crate::templates::templates;
use crate::tree::{BoxPath, Content, EntryKind, Role, TreeEntry};
use anyhow::{Context as _, bail};
use minijinja::context;
use rawzip::ReaderAt;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wheelhaul_base::problem::Problem;
use wheelhaul_boxes::{TagRanks, Target};
use wheelhaul_payload::cpio::LARGE_FILE;
use wheelhaul_wheel::{
    Archive, Contents, Digest, Mode, Placed, RecordRow, Scheme, WheelRecord, is_byte_code, sha256_of,
};

impl<R: ReaderAt> Builder<'_, R> {
    pub(super) fn add_wheel(&mut self, index: usize, wheel: &Wheel<R>, folder: &BoxPath) -> anyhow::Result<()> {
        check_fits(wheel, self.parts.target, &self.ranks)?;
        let source: Arc<str> = wheel.name.to_string().into();
        let mut record = WheelRecord::default();
        let licenses: BTreeMap<usize, &str> =
            license_files(&wheel.contents).into_iter().map(|(placed, name)| (placed.place, name)).collect();
        for placed in wheel.contents.files.iter().filter(|placed| !is_others_byte_code(placed)) {
            let path = self.path_of(wheel, placed, folder)?;
            let entry = self.entry_of(index, wheel, placed, &source)?;
            self.note_in_record(&mut record, folder, &path, &entry);
            if let Some(license) = licenses.get(&placed.place) {
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
            let entry = TreeEntry::made(text, wheel.mtime, &source).with_mode(0o755).of_wheel(index);
            self.note_in_record(&mut record, folder, &path, &entry);
            self.tree.claim(path, entry)?;
        }
        for (relative, compiled) in wheel.byte_code.iter().flat_map(|code| &code.files) {
            let path = folder.join(relative)?;
            let entry = TreeEntry {
                kind: EntryKind::File {
                    content: Content::ByteCode { wheel: index, place: compiled.place },
                    size: compiled.size,
                    sha256: compiled.sha256,
                    role: Role::Plain,
                },
                mode: 0o644,
                group: Cow::Borrowed("root"),
                mtime: wheel.mtime,
                source: Arc::clone(&source),
                wheel: Some(index),
            };
            // A module that two wheels share is compiled with each, and its time is that of the first.
            let shared = self.tree.get(&path).filter(|before| before.is_byte_code()).cloned();
            self.note_in_record(&mut record, folder, &path, shared.as_ref().unwrap_or(&entry));
            if shared.is_none() {
                self.tree.claim(path, entry)?;
            }
        }
        // RECORD lists what is installed, where it is installed ("Recording installed projects").
        let own = format!("{}/RECORD", wheel.contents.dist_info);
        record.rows.insert(own.clone(), RecordRow { digest: None, size: None });
        self.tree.claim(folder.join(&own)?, TreeEntry::made(record.to_text(), wheel.mtime, &source).of_wheel(index))
    }

    fn path_of(&self, wheel: &Wheel<R>, placed: &Placed, folder: &BoxPath) -> anyhow::Result<BoxPath> {
        match placed.scheme {
            Scheme::Library => folder.join(&placed.path),
            Scheme::Scripts => self.root.join("bin")?.join(&placed.path),
            Scheme::Data => self.root.join(&placed.path),
            Scheme::Headers => self.root.join("include")?.join(wheel.name.name.as_ref())?.join(&placed.path),
        }
    }

    fn entry_of(
        &self,
        index: usize,
        wheel: &Wheel<R>,
        placed: &Placed,
        source: &Arc<str>,
    ) -> anyhow::Result<TreeEntry> {
        let member = &wheel.archive.members()[placed.place];
        if member.size >= LARGE_FILE && !self.parts.target.knows_large_files() {
            return Err(Problem::with_hint(
                format!(
                    "`{}` has {} bytes, and the rpm of `{}` reads none of {LARGE_FILE} or more",
                    placed.path, member.size, self.parts.target.name
                ),
                "leave the file out of the wheel, or split it there; or bring it to the box beside the RPM",
            ));
        }
        let executable = member.mode == Mode::Executable || placed.scheme == Scheme::Scripts;
        let mode = if executable { 0o755 } else { 0o644 };
        if placed.scheme == Scheme::Scripts
            && let Some(text) = self.python_script(wheel, placed)?
        {
            return Ok(TreeEntry::made(text, wheel.mtime, source).with_mode(mode).of_wheel(index));
        }
        let is_config = placed.scheme == Scheme::Data && placed.path.starts_with("etc/");
        Ok(TreeEntry {
            kind: EntryKind::File {
                content: Content::Member { wheel: index, place: placed.place },
                size: member.size,
                sha256: sha256_of(&wheel.archive, placed)?,
                role: if is_config { Role::Config } else { Role::Plain },
            },
            mode,
            group: Cow::Borrowed("root"),
            mtime: wheel.mtime,
            source: Arc::clone(source),
            wheel: Some(index),
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

    fn note_in_record(&self, record: &mut WheelRecord, folder: &BoxPath, path: &BoxPath, entry: &TreeEntry) {
        let EntryKind::File { size, sha256, .. } = &entry.kind else { return };
        let below = |base: &BoxPath| path.as_str().strip_prefix(base.as_str()).and_then(|rest| rest.strip_prefix('/'));
        let relative = match (below(folder), below(self.root)) {
            (Some(rest), _) => rest.to_owned(),
            (None, Some(rest)) => format!("../{rest}"),
            (None, None) => path.to_string(),
        };
        record.rows.insert(relative, RecordRow { digest: Some(Digest::Sha256(*sha256)), size: Some(*size) });
    }
}

/// Whether a file is byte-code that somebody else compiled: for other paths, for a time that the source does
/// not have on the box, or from another source. Without it the module is the same.
fn is_others_byte_code(placed: &Placed) -> bool {
    placed.scheme == Scheme::Library && is_byte_code(&placed.path)
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

/// The licence files of a wheel, each with its name below the licences of the wheel.
///
/// PEP 639 has them in a folder of their own, as some builders had it before. Else they are beside the metadata: those
/// that `License-File` names, whose folders in the sources are gone there, and those with a name that is known.
fn license_files(contents: &Contents) -> Vec<(&Placed, &str)> {
    const KNOWN: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "AUTHORS", "UNLICENSE"];
    let below = |placed: &'_ Placed| placed.scheme == Scheme::Library;
    let files = || {
        contents
            .files
            .iter()
            .filter(|placed| below(placed))
            .filter_map(|placed| Some((placed, placed.path.strip_prefix(&contents.dist_info)?.strip_prefix('/')?)))
    };
    let own: Vec<_> = files().filter_map(|(placed, path)| Some((placed, path.strip_prefix("licenses/")?))).collect();
    // What stands beside the folder is there for older tools.
    if !own.is_empty() {
        return own;
    }
    let named: BTreeSet<&str> =
        contents.metadata.license_files.iter().map(|path| path.rsplit('/').next().unwrap_or(path)).collect();
    let is_license = |path: &str| {
        let upper = path.to_ascii_uppercase();
        KNOWN.iter().any(|name| upper.starts_with(name)) || named.contains(path)
    };
    files().filter(|(_, path)| is_license(path)).collect()
}

/// A licence's text is read up to this, in bytes.
const MOST_TEXT: u64 = 1 << 20;

/// The texts of a wheel's licence files, but of those that name people or ask for their names alone.
pub fn license_texts<R: ReaderAt>(archive: &Archive<R>, contents: &Contents) -> anyhow::Result<Vec<String>> {
    const OF_PEOPLE: [&str; 4] = ["AUTHORS", "CONTRIBUTORS", "COPYRIGHT", "NOTICE"];
    let mut texts = Vec::new();
    for (placed, name) in license_files(contents) {
        let upper = name.to_ascii_uppercase();
        if !OF_PEOPLE.iter().any(|word| upper.contains(word)) && archive.members()[placed.place].size <= MOST_TEXT {
            texts.push(String::from_utf8_lossy(&archive.read(placed.place)?).into_owned());
        }
    }
    Ok(texts)
}

fn check_digest(content: &[u8], digest: &Digest) -> anyhow::Result<()> {
    let found = match digest {
        Digest::Sha256(_) => Sha256::digest(content).to_vec(),
        Digest::Sha384(_) => Sha384::digest(content).to_vec(),
        Digest::Sha512(_) => Sha512::digest(content).to_vec(),
    };
    if found != digest.bytes() {
        bail!("it does not have the digest of RECORD");
    }
    Ok(())
}
