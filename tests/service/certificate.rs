//! The program that makes the self-signed certificate, in every state that it may find, by each Python of the host.

use crate::checkout::command::run;
use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use std::process::Command;
use wheelhaul_package::templates;

const NAME: &str = "shop";
const MARK: &str = "self-signed by the service shop";
/// For the certificates of the states: any name and any span of time.
const CONFIG: &str = "[ca]\ndefault_ca = own\n[own]\ndatabase = index\nserial = serial\nnew_certs_dir = .\ndefault_md = sha256\n\
    policy = any\nx509_extensions = v3\nunique_subject = no\n[any]\ncommonName = optional\norganizationalUnitName = optional\n\
    [req]\ndistinguished_name = name\n[name]\n[v3]\n";

/// What becomes of certificate and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// both stay
    Stay,
    /// a certificate is made for the key that is there
    Renewed,
    /// both are made
    Made,
    /// both stay, and the start fails
    Refused,
}
use Then::*;

/// A folder like `/var/lib/NAME`, and the tools to bring it into a state.
struct Bed {
    folder: Utf8PathBuf,
    program: Utf8PathBuf,
    python: String,
}

impl Bed {
    /// With the certificate that the program makes where there is none.
    fn make(folder: Utf8PathBuf, program: &Utf8Path, python: &str) -> anyhow::Result<Self> {
        fs::create_dir(&folder)?;
        let bed = Self { folder, program: program.to_owned(), python: python.to_owned() };
        let (due, made) = bed.run()?;
        ensure!(due == Some(0) && made.succeeded(), "{due:?} {made}");
        let words = ["x509", "-in", "tls.crt", "-noout", "-ext", "subjectAltName"];
        let said = run(Command::new("/usr/bin/openssl").args(words).current_dir(&bed.folder))?.text()?;
        let names = said.lines().last().unwrap_or_default().trim().replace("IP Address:", "IP:");
        fs::write(bed.folder.join("names"), names)?;
        Ok(bed)
    }

    fn copy(&self, folder: Utf8PathBuf) -> anyhow::Result<Self> {
        fs::create_dir(&folder)?;
        for file in ["names", "tls.crt", "tls.key"] {
            fs::copy(self.folder.join(file), folder.join(file))?;
        }
        Ok(Self { folder, program: self.program.clone(), python: self.python.clone() })
    }

    fn openssl(&self, words: &[&str]) -> anyhow::Result<()> {
        run(Command::new("/usr/bin/openssl").args(words).current_dir(&self.folder))?.text().map(drop)
    }

    fn key(&self, file: &str) -> anyhow::Result<()> {
        self.openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", file])
    }

    /// A certificate for `tls.key`, signed by the key of `issuer` (itself without one), from and to a date
    /// such as `260101`.
    fn certificate(&self, subject: &str, issuer: Option<&str>, span: (&str, &str)) -> anyhow::Result<()> {
        let names = self.names()?;
        fs::write(self.folder.join("ca.cnf"), format!("{CONFIG}subjectAltName = {names}\n"))?;
        fs::write(self.folder.join("index"), "")?;
        fs::write(self.folder.join("serial"), "01\n")?;
        self.openssl(&["req", "-new", "-config", "ca.cnf", "-key", "tls.key", "-subj", subject, "-out", "csr"])?;
        let (from, to) = (format!("{}000000Z", span.0), format!("{}000000Z", span.1));
        let mut words = vec!["ca", "-batch", "-notext", "-config", "ca.cnf", "-in", "csr", "-out", "tls.crt"];
        words.extend(["-startdate", &from, "-enddate", &to]);
        match issuer {
            None => words.extend(["-selfsign", "-keyfile", "tls.key"]),
            Some(subject) => {
                self.key("ca.key")?;
                self.openssl(&[
                    "req", "-x509", "-config", "ca.cnf", "-key", "ca.key", "-subj", subject, "-out", "ca.crt",
                ])?;
                words.extend(["-keyfile", "ca.key", "-cert", "ca.crt"]);
            }
        }
        self.openssl(&words)
    }

    /// The names that the program wants on this host, from what it made.
    fn names(&self) -> anyhow::Result<String> {
        let text = fs::read_to_string(self.folder.join("names"))?;
        Ok(text.trim().to_owned())
    }

    /// The program's exit code with `--is-due`, then without.
    fn run(&self) -> anyhow::Result<(Option<i32>, wheelhaul_host::Ended)> {
        let program = |options: &[&str]| {
            run(Command::new(&self.python)
                .args(["-ISB", self.program.as_str()])
                .args(options)
                .arg(&self.folder)
                .env("PATH", "/nowhere"))
        };
        Ok((program(&["--is-due"])?.code, program(&[])?))
    }

    fn reads(&self, file: &str) -> Option<Vec<u8>> {
        fs::read(self.folder.join(file)).ok()
    }

    /// Whether certificate and key fit, and the certificate is of this program and of now.
    fn is_good(&self) -> anyhow::Result<()> {
        self.openssl(&["x509", "-in", "tls.crt", "-noout", "-checkend", "60000000"])?;
        self.openssl(&["verify", "-CAfile", "tls.crt", "tls.crt"])?;
        let of = |words: &[&str]| run(Command::new("/usr/bin/openssl").args(words).current_dir(&self.folder))?.text();
        ensure!(
            of(&["x509", "-in", "tls.crt", "-noout", "-pubkey"])? == of(&["pkey", "-in", "tls.key", "-pubout"])?,
            "a foreign key"
        );
        ensure!(of(&["x509", "-in", "tls.crt", "-noout", "-subject"])?.contains(MARK), "no mark");
        Ok(())
    }
}

/// Brings the folder, with a good certificate and key, into a state.
type Change = fn(&Bed) -> anyhow::Result<()>;

const OWN: &str = "/CN=localhost/OU=self-signed by the service shop";
const NOW: (&str, &str) = ("250101", "480101");

#[rustfmt::skip]
const STATES: &[(&str, Then, Change)] = &[
    ("a good one",                                Stay,    |_| Ok(())),
    ("nothing",                                   Made,    |bed| { fs::remove_file(bed.folder.join("tls.crt"))?; Ok(fs::remove_file(bed.folder.join("tls.key"))?) }),
    ("a key alone",                               Renewed, |bed| Ok(fs::remove_file(bed.folder.join("tls.crt"))?)),
    ("own, about to end",                         Renewed, |bed| bed.certificate(OWN, None, ("250101", "261210"))),
    ("own, ended",                                Renewed, |bed| bed.certificate(OWN, None, ("240101", "250101"))),
    ("own, not valid yet",                        Renewed, |bed| bed.certificate(OWN, None, ("400101", "480101"))),
    ("own, for another host",                     Renewed, |bed| { fs::write(bed.folder.join("names"), "DNS:elsewhere")?; bed.certificate(OWN, None, NOW) }),
    ("own, without its key",                      Made,    |bed| Ok(fs::remove_file(bed.folder.join("tls.key"))?)),
    ("own, with an empty key",                    Made,    |bed| Ok(fs::write(bed.folder.join("tls.key"), "")?)),
    ("own, with a key of zeros",                  Made,    |bed| Ok(fs::write(bed.folder.join("tls.key"), [0; 512])?)),
    ("own, with a foreign key",                   Renewed, |bed| bed.key("tls.key")),
    ("own, with half a key",                      Made,    |bed| { let key = fs::read(bed.folder.join("tls.key"))?; Ok(fs::write(bed.folder.join("tls.key"), &key[..key.len() / 2])?) }),
    ("own, with a key that has a password",       Made,    |bed| { bed.openssl(&["pkey", "-in", "tls.key", "-aes128", "-passout", "pass:x", "-out", "locked"])?; Ok(fs::rename(bed.folder.join("locked"), bed.folder.join("tls.key"))?) }),
    ("an empty certificate",                      Renewed, |bed| Ok(fs::write(bed.folder.join("tls.crt"), "")?)),
    ("a certificate of zeros",                    Renewed, |bed| Ok(fs::write(bed.folder.join("tls.crt"), [0; 4096])?)),
    ("both empty",                                Made,    |bed| { fs::write(bed.folder.join("tls.key"), "")?; Ok(fs::write(bed.folder.join("tls.crt"), "\n")?) }),
    ("no certificate at all, but text",           Refused, |bed| Ok(fs::write(bed.folder.join("tls.crt"), "somebody's")?)),
    ("an administrator's",                        Stay,    |bed| bed.certificate("/CN=localhost/OU=ours", None, NOW)),
    ("an administrator's, ended",                 Stay,    |bed| bed.certificate("/CN=localhost", None, ("240101", "250101"))),
    ("an administrator's, not valid yet",         Stay,    |bed| bed.certificate("/CN=localhost", None, ("400101", "480101"))),
    ("an administrator's, with an empty key",     Stay,    |bed| { bed.certificate("/CN=localhost", None, NOW)?; Ok(fs::write(bed.folder.join("tls.key"), "")?) }),
    ("an administrator's, with a foreign key",    Stay,    |bed| { bed.certificate("/CN=localhost", None, NOW)?; bed.key("tls.key") }),
    ("an administrator's, without its key",       Refused, |bed| { bed.certificate("/CN=localhost", None, NOW)?; Ok(fs::remove_file(bed.folder.join("tls.key"))?) }),
    ("an authority's with the same unit, ended",  Stay,    |bed| bed.certificate(OWN, Some("/CN=authority"), ("240101", "250101"))),
    ("of a service whose name goes on, ended",    Stay,    |bed| bed.certificate("/CN=localhost/OU=self-signed by the service shop2", None, ("240101", "250101"))),
    ("the mark in another part, ended",           Stay,    |bed| bed.certificate("/CN=self-signed by the service shop/OU=x", None, ("240101", "250101"))),
    ("a link to an own one, ended",               Stay,    |bed| { bed.certificate(OWN, None, ("240101", "250101"))?; link(bed, "tls.crt") }),
    ("a link to nothing",                         Refused, |bed| { link(bed, "tls.crt")?; Ok(fs::remove_file(bed.folder.join("other"))?) }),
    ("own, with a link to an empty key",          Refused, |bed| { link(bed, "tls.key")?; Ok(fs::write(bed.folder.join("other"), "")?) }),
    ("own, with a link to a foreign key",         Renewed, |bed| { link(bed, "tls.key")?; bed.key("other") }),
];

/// Puts a file elsewhere, and a link into its place.
fn link(bed: &Bed, file: &str) -> anyhow::Result<()> {
    fs::rename(bed.folder.join(file), bed.folder.join("other"))?;
    Ok(std::os::unix::fs::symlink("other", bed.folder.join(file))?)
}

#[test]
fn a_certificate_repairs_itself_in_every_state_and_somebody_elses_is_never_touched() -> anyhow::Result<()> {
    let temporary = tempfile::tempdir()?;
    let temporary = Utf8Path::from_path(temporary.path()).context("the temporary folder is not UTF-8")?;
    let program = temporary.join("self-signed-certificate");
    let values = minijinja::context! { root => "/opt/shop", name => NAME, interpreter => "/usr/bin/python3" };
    fs::write(&program, templates().get_template("certificate.py")?.render(values)?)?;
    let mut wrong = Vec::new();
    for (number, python) in crate::pythons()?.into_iter().enumerate() {
        let made = Bed::make(temporary.join(format!("{number}")), &program, &python)?;
        for (index, (state, then, change)) in STATES.iter().enumerate() {
            let bed = made.copy(temporary.join(format!("{number}-{index}")))?;
            change(&bed).with_context(|| (*state).to_owned())?;
            let before = (bed.reads("tls.crt"), bed.reads("tls.key"));
            let (due, ended) = bed.run()?;
            let after = (bed.reads("tls.crt"), bed.reads("tls.key"));
            let found = match (ended.succeeded(), before.0 == after.0, before.1 == after.1) {
                (true, true, true) => Stay,
                (true, false, true) => Renewed,
                (true, false, false) => Made,
                (false, true, true) => Refused,
                other => anyhow::bail!("{python}: {state}: {other:?}: {ended}"),
            };
            let is_due = matches!(then, Renewed | Made);
            if found != *then
                || (due == Some(0)) != (is_due || (*then == Refused && state.contains("link to an empty key")))
            {
                wrong.push(format!("{python}: {state}: {found:?} instead of {then:?}, --is-due {due:?}\n{ended}"));
            } else if is_due && let Err(fault) = bed.is_good() {
                wrong.push(format!("{python}: {state}: {fault:#}"));
            }
            let has_password = before.1.is_some_and(|key| String::from_utf8_lossy(&key).contains("ENCRYPTED"));
            ensure!(!has_password || bed.reads("tls.key.unusable").is_some(), "{python}: {state}: the key is lost");
            let again = bed.reads("tls.crt");
            ensure!(
                found == Refused || (bed.run()?.1.succeeded() && bed.reads("tls.crt") == again),
                "{python}: {state}: not at rest"
            );
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
