//! `sign FILE…`: finished RPMs, signed in place through the user's gpg.

use crate::foreign::refuse_foreign;
use crate::tools::gpg::Gpg;
use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use std::cell::RefCell;
use std::io::Write as _;
use wheelhaul_base::problem::{Problem, all_of};
use wheelhaul_boxes::why_unverified;
use wheelhaul_config::Config;
use wheelhaul_host::{Sys, find_root, open_regular};
use wheelhaul_rpmfile::{Algorithm, Opened};

/// What signs; it asks gpg for the public key once.
pub(crate) struct Signer<'a> {
    sys: &'a Sys,
    gpg: Gpg<'a>,
    public: RefCell<Option<(String, String)>>,
}

/// A signed RPM.
pub(crate) struct Signed {
    /// in bytes
    pub size: u64,
    /// fingerprint or id of what signed
    pub issuer: String,
    /// what it signed with
    pub algorithm: Algorithm,
    /// whether another signature was there before
    pub replaced: bool,
    /// armored
    pub public_key: String,
}

impl<'a> Signer<'a> {
    /// Finds gpg, and sees that it has the key.
    pub(crate) fn find(sys: &'a Sys, key: &'a str) -> anyhow::Result<Self> {
        Ok(Self { sys, gpg: Gpg::find(sys, key)?, public: RefCell::new(None) })
    }

    /// Signs an RPM: the file appears whole by rename, with the mode that it had.
    ///
    /// - Takes: `shown`, its name in messages.
    pub(crate) fn sign(&self, path: &Utf8Path, shown: &str) -> anyhow::Result<Signed> {
        // A link stays one: what it leads to is signed.
        let path = &path.canonicalize_utf8().with_context(|| format!("`{shown}` cannot be signed"))?;
        let mut opened = open(path).with_context(|| format!("`{shown}` cannot be signed"))?;
        let preamble = opened.preamble().with_context(|| format!("`{shown}` cannot be signed"))?;
        let release = opened.metadata.release.clone();
        let signature = self.gpg.sign(preamble.header(), shown)?;
        if let Some(trouble) = why_unverified(signature.algorithm.title(), &release) {
            self.sys.say(format!("warning: `{shown}`: {trouble}"));
        }
        let mode = fs_err::metadata(path)?.permissions();
        let bytes = preamble.signed(&signature)?;
        let size = self.sys.create(path, |file| {
            file.write_all(&bytes)?;
            let payload = opened.copy_payload(file)?;
            file.set_permissions(mode)?;
            Ok(bytes.len() as u64 + payload)
        })?;
        let public_key = self.public_key(&signature.issuer)?;
        let replaced = preamble.is_signed();
        let again = if replaced { ", in place of the signature that it had" } else { "" };
        self.sys.say(format!("signed {shown}{again}"));
        Ok(Signed { size, algorithm: signature.algorithm, issuer: signature.issuer, replaced, public_key })
    }

    /// Signs a file, into `FILE.asc`.
    pub(crate) fn sign_beside(&self, file: &Utf8Path) -> anyhow::Result<()> {
        self.gpg.sign_beside(file)
    }

    fn public_key(&self, issuer: &str) -> anyhow::Result<String> {
        let mut known = self.public.borrow_mut();
        if let Some((_, text)) = known.as_ref().filter(|(of, _)| of == issuer) {
            return Ok(text.clone());
        }
        let text = self.gpg.public_key(issuer)?;
        *known = Some((issuer.to_owned(), text.clone()));
        Ok(text)
    }
}

/// Opens an RPM that a signature may be put into: what is damaged must not be vouched for.
pub(crate) fn open(path: &Utf8Path) -> anyhow::Result<Opened<fs_err::File>> {
    let opened = Opened::read(open_regular(path)?)?;
    let faults = &opened.digest_faults;
    if faults.is_empty() {
        return Ok(opened);
    }
    Err(Problem::with_hint(
        faults.join("; "),
        "if it is damaged, copy or build it again; if it is of a builder older than rpm 4.14, build it anew, since a signature over its header would not cover its payload",
    ))
}

/// What `sign` is asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// RPMs to sign
    pub rpms: Vec<Utf8PathBuf>,
    /// The key to sign with, as gpg takes it; `[sign] key` of `dist/package.toml` if not given
    pub key: Option<String>,
}

/// The RPMs that were signed.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// in the order that they were named in
    pub signed: Vec<SignedFile>,
    /// the key, as gpg takes it
    #[serde(skip)]
    pub key: String,
}

/// An RPM that was signed.
#[derive(Debug, Clone, Serialize)]
pub struct SignedFile {
    /// as it was named
    pub path: Utf8PathBuf,
    /// in bytes
    pub size: u64,
    /// fingerprint or id of what signed
    pub issuer: String,
    /// what it signed with
    pub algorithm: String,
    /// whether another signature was there before
    pub replaced: bool,
}

/// The task; files are relative to the root of `sys`.
pub(crate) fn run(sys: &Sys, options: &Options) -> anyhow::Result<Report> {
    let rpms = &options.rpms;
    let key = match &options.key {
        Some(key) => key.clone(),
        None => configured_key(sys)?,
    };
    // All are looked at before the first is signed.
    let faults = rpms.iter().filter_map(|path| {
        let looked_at = open(&sys.root.join(path)).and_then(|mut opened| opened.preamble());
        looked_at.err().map(|error| error.context(format!("`{path}` cannot be signed")))
    });
    all_of("RPMs cannot be signed", faults.collect())?;
    let signer = Signer::find(sys, &key)?;
    let mut all = Vec::new();
    for path in rpms {
        let Signed { size, issuer, algorithm, replaced, .. } = signer.sign(&sys.root.join(path), path.as_str())?;
        let algorithm = algorithm.title().to_owned();
        all.push(SignedFile { path: path.clone(), size, issuer, algorithm, replaced });
    }
    drop(signer);
    Ok(Report { signed: all, key })
}

/// `[sign] key` of the repository around.
fn configured_key(sys: &Sys) -> anyhow::Result<String> {
    let missing = || {
        Problem::with_hint("no key to sign with is named", "give `--key KEY`, or `[sign] key` in `dist/package.toml`")
    };
    let root = find_root(&sys.root).map_err(|_| missing())?;
    // It decides which of the user's keys signs.
    refuse_foreign(&Sys { root: root.clone(), ..sys.clone() }).context("no key to sign with is named")?;
    let text = sys.read_text(&root.join("dist/package.toml"))?;
    let config = Config::parse(&text).context("failed to read `dist/package.toml`")?;
    config.sign.map(|sign| sign.key).ok_or_else(missing)
}
