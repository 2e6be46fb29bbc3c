//! gpg: the user's own, with its agent, cards and settings. No key is read here, and no passphrase.

use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use wheelhaul_base::problem::Problem;
use wheelhaul_host::{Program, Sys, on_path, private};
use wheelhaul_rpmfile::Signature;

/// A found gpg, and the key that it signs with.
#[derive(Debug)]
pub(crate) struct Gpg<'a> {
    sys: &'a Sys,
    program: Utf8PathBuf,
    key: &'a str,
    digest: &'static str,
}

impl<'a> Gpg<'a> {
    /// Takes gpg from the PATH.
    ///
    /// - Takes: `key` as gpg takes it: an id, a fingerprint, an e-mail address.
    /// - Fails: without gpg, where it knows no such key or only its public part, and for an expired key.
    pub(crate) fn find(sys: &'a Sys, key: &'a str) -> anyhow::Result<Self> {
        let program = ["gpg", "gpg2"].into_iter().find_map(on_path).ok_or_else(|| {
            Problem::with_hint(
                "there is no `gpg` on the PATH to sign with",
                "install GnuPG (`apt-get install gnupg`, `dnf install gnupg2`); or leave signing to another machine: `cargo xtask dist --no-sign`",
            )
        })?;
        let gpg = Self { sys, program, key, digest: "SHA256" };
        let listed = gpg.run(&["--list-secret-keys", "--with-colons", "--", key]).map_err(|error| {
            Problem::around(
                error,
                format!("gpg has no secret key `{key}` to sign with"),
                "`gpg --list-secret-keys` shows what it has; of a smart card, `gpg --card-status` fetches what it has; `GNUPGHOME` says where gpg looks; `[sign] key` in `dist/package.toml` or `--key` names the key; `cargo xtask dist --no-sign` leaves signing to another machine",
            )
        })?;
        let primary: Vec<&str> = rows(&listed, &["sec"]).filter_map(|row| row.get(4).copied()).collect();
        if primary.len() > 1 {
            return Err(Problem::with_hint(
                format!("gpg has {} secret keys for `{key}`: {}", primary.len(), primary.join(", ")),
                "name one by its fingerprint: `gpg --list-secret-keys` shows them",
            ));
        }
        if let Some((why, cure)) = unfit(&listed) {
            return Err(Problem::with_hint(format!("gpg cannot sign with the key `{key}`: {why}"), cure));
        }
        Ok(Self { digest: digest_for(&listed), ..gpg })
    }

    /// Signs bytes, detached and in binary; the person may be asked for passphrase or card.
    pub(crate) fn sign(&self, bytes: &[u8], what: &str) -> anyhow::Result<Signature> {
        let (_keep, folder) = scratch()?;
        let (input, output) = (folder.join("header"), folder.join("header.sig"));
        fs_err::write(&input, bytes)?;
        self.detached(&["--no-armor"], &input, &output, what)?;
        Signature::parse(fs_err::read(&output)?)
            .with_context(|| format!("what gpg made with the key `{}` cannot go into an RPM", self.key))
    }

    /// Signs a file, detached and armored, into `FILE.asc`.
    pub(crate) fn sign_beside(&self, file: &Utf8Path) -> anyhow::Result<()> {
        self.detached(
            &["--armor"],
            file,
            &Utf8PathBuf::from(format!("{file}.asc")),
            file.file_name().unwrap_or_default(),
        )
    }

    /// The public key, armored and without the signatures of others.
    ///
    /// - Takes: `issuer`, the fingerprint or id of what signed; where it is empty, all that the key's name finds.
    pub(crate) fn public_key(&self, issuer: &str) -> anyhow::Result<String> {
        let wanted = if issuer.is_empty() { self.key } else { issuer };
        let words = ["--armor", "--no-emit-version", "--export-options", "export-minimal", "--export", "--", wanted];
        let text = self.run(&words)?;
        ensure!(text.contains("BEGIN PGP PUBLIC KEY BLOCK"), "gpg exported no public key for `{wanted}`");
        Ok(text)
    }

    fn run(&self, words: &[&str]) -> anyhow::Result<String> {
        // Neither asks anybody anything.
        Ok(self.sys.run(&Program::new(&self.program).args(["--batch", "--no-tty"]).args(words.iter().copied()))?.out)
    }

    /// A detached signature; what gpg says for programs goes to a file, so that its words for people stay readable.
    fn detached(&self, form: &[&str], input: &Utf8Path, output: &Utf8Path, what: &str) -> anyhow::Result<()> {
        let (_keep, folder) = scratch()?;
        let status = folder.join("status");
        let words = ["--yes", "--status-file", status.as_str(), "--digest-algo", self.digest, "--local-user", self.key];
        let command = Program::new(&self.program)
            .args(words)
            .args(form.iter().copied())
            .args(["--output", output.as_str(), "--detach-sign", "--", input.as_str()])
            .asks();
        self.sys.run(&command).map(drop).map_err(|error| {
            let said = fs_err::read_to_string(&status).unwrap_or_default();
            let (cause, cure) = reason(&said);
            Problem::around(error, format!("gpg could not sign `{what}` with the key `{}`: {cause}", self.key), cure)
        })
    }
}

/// A folder that only its owner enters, outside of any repository.
fn scratch() -> anyhow::Result<(tempfile::TempDir, Utf8PathBuf)> {
    let folder = private("xtask-sign-").tempdir()?;
    let path = Utf8PathBuf::try_from(folder.path().to_owned())?;
    Ok((folder, path))
}

const EXPIRED: (&str, &str) = (
    "the key has expired",
    "prolong it: `gpg --quick-set-expire FINGERPRINT 1y`, and hand out its public key again; or name another key",
);
const REVOKED: (&str, &str) = ("the key is revoked", "name another key");

/// The rows of keys and subkeys in `--with-colons`, each as its fields (GnuPG's `doc/DETAILS`).
fn rows<'a>(listed: &'a str, kinds: &'a [&str]) -> impl Iterator<Item = Vec<&'a str>> {
    listed.lines().map(|line| line.split(':').collect::<Vec<_>>()).filter(move |row| kinds.contains(&row[0]))
}

/// Why none of the listed keys can sign, as far as the list tells.
fn unfit(listed: &str) -> Option<(&'static str, &'static str)> {
    let states: Vec<&str> = rows(listed, &["sec"]).map(|row| row.get(1).copied().unwrap_or_default()).collect();
    let every = |state: &str| !states.is_empty() && states.iter().all(|found| *found == state);
    if every("e") {
        return Some(EXPIRED);
    }
    every("r").then_some(REVOKED)
}

/// SHA-256; for a curve that asks for more, SHA-512.
fn digest_for(listed: &str) -> &'static str {
    let is_long = |row: Vec<&str>| {
        let field = |at: usize| row.get(at).and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
        field(3) == 19 && field(2) > 256
    };
    if rows(listed, &["sec", "ssb"]).any(is_long) { "SHA512" } else { "SHA256" }
}

/// Why gpg did not sign, and what to do, by its status lines (GnuPG's `doc/DETAILS`).
fn reason(status: &str) -> (&'static str, &'static str) {
    const OTHER: (&str, &str) = (
        "it says why below",
        "try it by hand: `echo | gpg --local-user KEY --sign > /dev/null`; gpg's agent asks on the terminal that `GPG_TTY` names (`export GPG_TTY=$(tty)`), and needs a pinentry",
    );
    const CANCELLED: (&str, &str) = ("it was cancelled", "run it again");
    let mut found = OTHER;
    for line in status.lines() {
        let words: Vec<&str> = line.trim_start_matches("[GNUPG:] ").split(' ').collect();
        // The last 16 bits of gpg-error's code say what it is.
        let code = |text: &str| text.parse::<u32>().map_or(0, |code| code & 0xffff);
        found = match words[..] {
            ["KEYEXPIRED", ..] | ["INV_SGNR", "5", ..] => EXPIRED,
            ["KEYREVOKED", ..] | ["INV_SGNR", "4", ..] => REVOKED,
            ["INV_SGNR", "1" | "9", ..] if found == OTHER => (
                "there is no such secret key",
                "`gpg --list-secret-keys` shows what it has; for a smart card, put it in and run `gpg --card-status`",
            ),
            ["INV_SGNR", "2", ..] => ("several keys fit that name", "name the key by its fingerprint"),
            ["INV_SGNR", "3", ..] => ("the key cannot sign", "name a key, or make a subkey, with the use `S`"),
            ["INV_SGNR", "13", ..] => ("the key is disabled", "enable it: `gpg --edit-key KEY enable save`"),
            ["SC_OP_FAILURE", "1", ..] => CANCELLED,
            ["FAILURE", "sign", last] if matches!(code(last), 99 | 198) => CANCELLED,
            ["SC_OP_FAILURE", "2", ..] => (
                "the card refused the PIN",
                "`gpg --card-status` shows how many tries are left; after none it is locked until its reset code or admin PIN is given (`gpg --card-edit`)",
            ),
            ["FAILURE", "sign", last] if code(last) == 11 => ("the passphrase is wrong", "run it again"),
            ["FAILURE", "sign", last] if matches!(code(last), 85 | 86) => (
                "the agent found no pinentry to ask with",
                "install one (`apt-get install pinentry-curses`), and `export GPG_TTY=$(tty)`; in CI, unlock the key beforehand with gpg-preset-passphrase",
            ),
            ["FAILURE", "sign", last] if code(last) == 112 => {
                ("the card is not there", "put it in, and see `gpg --card-status`")
            }
            _ => found,
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_lines_name_the_cause() {
        #[rustfmt::skip]
        let cases = [
            ("[GNUPG:] KEYEXPIRED 1700000000\n[GNUPG:] INV_SGNR 9 a@b\n[GNUPG:] FAILURE sign 17", "the key has expired"),
            ("[GNUPG:] INV_SGNR 9 ABCD\n[GNUPG:] FAILURE sign 17",                               "there is no such secret key"),
            ("[GNUPG:] INV_SGNR 2 ABCD",                                                        "several keys fit that name"),
            ("[GNUPG:] PINENTRY_LAUNCHED 1 tty\n[GNUPG:] FAILURE sign 83886179",                "it was cancelled"),
            ("[GNUPG:] FAILURE sign 67108949",                                                  "the agent found no pinentry to ask with"),
            ("[GNUPG:] FAILURE sign 11",                                                        "the passphrase is wrong"),
            ("[GNUPG:] SC_OP_FAILURE 2",                                                        "the card refused the PIN"),
            ("[GNUPG:] SC_OP_FAILURE 1",                                                        "it was cancelled"),
            ("",                                                                                "it says why below"),
            ("[GNUPG:] FAILURE sign x y",                                                       "it says why below"),
        ];
        for (status, expected) in cases {
            assert_eq!(reason(status).0, expected, "{status}");
        }
    }

    #[test]
    fn the_list_of_keys_tells_what_cannot_sign_and_which_hash() {
        #[rustfmt::skip]
        let cases = [
            ("sec:u:3072:1:68FC5669F10A4877:1:::u:::scSC:\nuid:u::",        None,                        "SHA256"),
            ("sec:u:255:22:61023312F0FB4614:1:::u:::scSC:",                  None,                        "SHA256"),
            ("sec:u:256:19:61023312F0FB4614:1:::u:::scSC:",                  None,                        "SHA256"),
            ("sec:u:3072:1:6102:1:::u:::cC:\nssb:u:384:19:61::::::s:",      None,                        "SHA512"),
            ("sec:e:3072:1:68FC5669F10A4877:1:2::u:::sc:",                   Some("the key has expired"), "SHA256"),
            ("sec:e:3072:1:68FC5669F10A4877:1:2::u:\nsec:u:3072:1:68:1:2:", None,                        "SHA256"),
            ("sec:r:3072:1:68FC5669F10A4877:1:2::u:::sc:",                   Some("the key is revoked"),  "SHA256"),
            ("sec",                                                          None,                        "SHA256"),
            ("",                                                             None,                        "SHA256"),
        ];
        for (listed, why, digest) in cases {
            assert_eq!((unfit(listed).map(|(why, _)| why), digest_for(listed)), (why, digest), "{listed}");
        }
    }
}
