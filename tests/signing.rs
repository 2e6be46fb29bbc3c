//! Signed RPMs and repositories, under the eyes of the real rpm, rpmsign and dnf.

mod checkout;
#[path = "signing/keys.rs"]
mod keys;
#[path = "signing/repository.rs"]
mod repository;

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use checkout::command::{Finished, run};
use checkout::tool_in;
use fs_err as fs;
use keys::{Keys, Trust};

const RSA: &str = "rsa3072";
const ED25519: &str = "ed25519";
const SIGNATURE_HEADER: usize = 96;

/// An RPM of the real rpmbuild, with a file in it; `release` without the distribution.
fn build(folder: &Utf8Path, release: &str) -> anyhow::Result<Utf8PathBuf> {
    let spec = folder.join("plain.spec");
    let text = format!(
        "Name: plain\nVersion: 1\nRelease: {release}\nSummary: x\nLicense: MIT\nBuildArch: noarch\n\
         %description\nx\n%install\nmkdir -p %{{buildroot}}/opt/plain\nseq 9999 > %{{buildroot}}/opt/plain/numbers\n%files\n/opt/plain\n"
    );
    fs::write(&spec, text)?;
    let top = format!("_topdir {folder}/top");
    run(Command::new("rpmbuild").args([
        "--quiet",
        "-bb",
        "--define",
        &top,
        "--define",
        "_rpmdir %_topdir",
        spec.as_str(),
    ]))?
    .text()?;
    Ok(folder.join(format!("top/noarch/plain-1-{release}.noarch.rpm")))
}

fn temporary() -> anyhow::Result<(tempfile::TempDir, Utf8PathBuf)> {
    let folder = tempfile::tempdir()?;
    let path = Utf8PathBuf::try_from(folder.path().to_owned())?;
    Ok((folder, path))
}

/// `sign` with a home of gpg.
fn sign(keys: &Keys, rpm: &Utf8Path, key: &str) -> anyhow::Result<Finished> {
    let folder = rpm.parent().unwrap_or(rpm);
    run(tool_in(folder, &["sign", rpm.as_str(), "--key", key]).env("GNUPGHOME", keys.home()?))
}

fn at(kind: &str) -> String {
    format!("{kind}@example.invalid")
}

/// Where the header and the payload of an RPM start.
fn places(bytes: &[u8]) -> (usize, usize) {
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let end = |at: usize| at + 16 + number(at + 8) * 16 + number(at + 12);
    let header = end(SIGNATURE_HEADER).next_multiple_of(8);
    (header, end(header))
}

#[test]
fn rpm_verifies_what_is_signed_and_nothing_that_was_changed() -> anyhow::Result<()> {
    let keys = Keys::of(&[RSA, ED25519])?;
    let (rsa, ed25519) = (keys.public(RSA)?, keys.public(ED25519)?);
    let (_keep, folder) = temporary()?;
    let unsigned = build(&folder, "1.el9")?;
    let before = fs::read(&unsigned)?;
    let both = Trust::of(&[&rsa, &ed25519])?;
    assert!(!both.vouches_for(&unsigned)?, "an unsigned one passes for signed");
    for (kind, title, own, other) in [(RSA, "RSA", &rsa, &ed25519), (ED25519, "EdDSA", &ed25519, &rsa)] {
        let rpm = folder.join(format!("{kind}.rpm"));
        fs::copy(&unsigned, &rpm)?;
        fs::set_permissions(&rpm, std::os::unix::fs::PermissionsExt::from_mode(0o640))?;
        let told = sign(&keys, &rpm, &at(kind))?.text()?;
        assert!(told.contains(&format!("({title})")), "{told}");
        let trust = Trust::of(&[own])?;
        assert!(trust.vouches_for(&rpm)?, "{kind}");
        let shown = trust.signatures(&rpm)?;
        let start = format!("Header V4 {title}/SHA256 Signature, key ID ");
        assert!(shown.len() == 1 && shown[0].starts_with(&start) && shown[0].ends_with(": OK"), "{shown:?}");
        assert!(!Trust::of(&[other])?.vouches_for(&rpm)?, "{kind}: another key vouches for it");
        // Lead, header and payload are what they were.
        let after = fs::read(&rpm)?;
        assert_eq!(after[..SIGNATURE_HEADER], before[..SIGNATURE_HEADER]);
        assert!(after[places(&after).0..] == before[places(&before).0..], "{kind}: header or payload differ");
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&rpm)?.permissions()) & 0o777, 0o640);

        let (header, payload) = places(&after);
        let packet = after.windows(2).position(|pair| matches!(pair, [0x88 | 0x89, _])).unwrap();
        for place in [packet + 30, header + 16, header + 600, payload - 20, payload + 100, after.len() - 1] {
            let mut changed = after.clone();
            changed[place] ^= 1;
            let damaged = folder.join("damaged.rpm");
            fs::write(&damaged, changed)?;
            assert!(!trust.vouches_for(&damaged)?, "{kind}: byte {place} of {} may change", after.len());
        }
    }
    Ok(())
}

/// The tool's own and those of rpmsign take each other's place; what stays is one signature that is good.
#[test]
fn signing_again_replaces_as_rpmsign_does() -> anyhow::Result<()> {
    let keys = Keys::of(&[RSA, ED25519])?;
    let trust = Trust::of(&[&keys.public(RSA)?, &keys.public(ED25519)?])?;
    let (_keep, folder) = temporary()?;
    let rpm = build(&folder, "1.el9")?;
    let by_rpmsign = |kind: &str| {
        let name = format!("_gpg_name {}", at(kind));
        let mut command = Command::new("rpmsign");
        // Debian's looks for a `gpg2`.
        command.args(["--define", &name, "--define", "__gpg /usr/bin/gpg", "--addsign", rpm.as_str()]);
        run(command.env("GNUPGHOME", keys.home()?))?.text()
    };
    let expect = |title: &str| -> anyhow::Result<()> {
        assert!(trust.vouches_for(&rpm)?, "{title}");
        let shown = trust.signatures(&rpm)?;
        assert!(shown.iter().all(|line| line.contains(title)), "{shown:?}");
        Ok(())
    };
    let first = sign(&keys, &rpm, &at(RSA))?;
    assert!(!first.stderr.contains("in place of"), "{first}");
    expect("RSA")?;
    let second = sign(&keys, &rpm, &at(ED25519))?;
    assert!(second.succeeded() && second.stderr.contains("in place of the signature that it had"), "{second}");
    expect("EdDSA")?;
    by_rpmsign(RSA)?;
    expect("RSA")?;
    sign(&keys, &rpm, &at(ED25519))?.text()?;
    expect("EdDSA")?;
    assert_eq!(trust.signatures(&rpm)?.len(), 1, "rpmsign's second signature stayed");
    let (header, whole) = (places(&fs::read(&rpm)?).0, fs::read(&rpm)?);
    run(Command::new("rpmsign").args(["--delsign", rpm.as_str()]))?.text()?;
    let without = fs::read(&rpm)?;
    assert!(without[places(&without).0..] == whole[header..] && trust.signatures(&rpm)?.is_empty());
    assert!(trust.rpm(&["-K", rpm.as_str()])?.text()?.ends_with("digests OK"));
    Ok(())
}

#[test]
fn what_cannot_be_signed_is_left_as_it_was_with_the_cause_and_the_cure() -> anyhow::Result<()> {
    let keys = Keys::of(&[RSA])?;
    keys.make(ED25519, "", "seconds=1")?;
    keys.make("nistp256", "secret", "never")?;
    let home = keys.home()?;
    // It ends at once, as one that finds no terminal does.
    fs::write(home.join("gpg-agent.conf"), "pinentry-program /bin/false\n")?;
    run(Command::new("gpgconf").env("GNUPGHOME", home).args(["--reload", "gpg-agent"]))?.text()?;
    run(Command::new("gpgconf").env("GNUPGHOME", home).args(["--kill", "gpg-agent"]))?.text()?;
    let (_keep, folder) = temporary()?;
    let rpm = build(&folder, "1.el8")?;
    let good = fs::read(&rpm)?;
    let mut damaged = good.clone();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    #[rustfmt::skip]
    let cases: [(&str, &[u8], &str, &[&str]); 6] = [
        ("an unknown key",  &good,            "nobody@example.invalid", &["has no secret key `nobody@example.invalid`", "--list-secret-keys"]),
        ("an expired key",  &good,            &at(ED25519),             &["has expired", "--quick-set-expire"]),
        ("no pinentry",     &good,            &at("nistp256"),          &["gpg could not sign", "pinentry"]),
        ("a damaged file",  &damaged,         &at(RSA),                 &["the payload has the SHA-256 digest", "copy or build it again"]),
        ("no RPM",          b"PK\x03\x04",    &at(RSA),                 &["it is no RPM"]),
        ("cut short",       &good[..300],     &at(RSA),                 &["cannot be signed"]),
    ];
    for (row, bytes, key, says) in cases {
        fs::write(&rpm, bytes)?;
        let refused = sign(&keys, &rpm, key)?;
        assert_eq!(refused.code, Some(2), "{row}: {refused}");
        for word in says {
            assert!(refused.stderr.contains(word), "{row}: `{word}` is not in {refused}");
        }
        assert!(fs::read(&rpm)? == bytes, "{row}: the file was changed");
    }
    fs::write(&rpm, &good)?;
    let no_gpg = run(tool_in(&folder, &["sign", rpm.as_str(), "--key", "x"]).env("PATH", folder.as_str()))?;
    assert!(no_gpg.code == Some(2) && no_gpg.stderr.contains("no `gpg` on the PATH"), "{no_gpg}");
    let no_key = run(&mut tool_in(&folder, &["sign", rpm.as_str()]))?;
    assert!(no_key.code == Some(2) && no_key.stderr.contains("`--key KEY`"), "{no_key}");
    Ok(())
}

/// The agent asks for the passphrase by its pinentry; a weak hash in gpg.conf is not taken; old boxes are named.
#[test]
fn the_agent_asks_and_the_hash_is_strong_whatever_the_settings() -> anyhow::Result<()> {
    let keys = Keys::new()?;
    let home = keys.home()?;
    let pinentry = home.join("pinentry");
    fs::write(
        &pinentry,
        "#!/bin/sh\necho OK hello\nwhile read word rest; do\n  case $word in\n  GETPIN) echo D secret; echo asked >> \"${0%/*}/asked\";;\n  BYE) exit 0;;\n  esac\n  echo OK\ndone\n",
    )?;
    fs::set_permissions(&pinentry, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    fs::write(home.join("gpg-agent.conf"), format!("pinentry-program {pinentry}\n"))?;
    fs::write(home.join("gpg.conf"), "digest-algo SHA1\npersonal-digest-preferences SHA1\narmor\n")?;
    keys.make(ED25519, "secret", "never")?;
    run(Command::new("gpgconf").env("GNUPGHOME", home).args(["--kill", "gpg-agent"]))?.text()?;
    let (_keep, folder) = temporary()?;
    let rpm = build(&folder, "1.el8")?;
    let signed = sign(&keys, &rpm, &at(ED25519))?;
    assert!(signed.succeeded() && home.join("asked").is_file(), "{signed}");
    assert!(
        signed.stderr.contains("warning:") && signed.stderr.contains("the rpm of el8 does not verify EdDSA"),
        "{signed}"
    );
    let trust = Trust::of(&[&keys.public(ED25519)?])?;
    assert!(trust.vouches_for(&rpm)?);
    assert!(trust.signatures(&rpm)?[0].contains("/SHA256 "));
    Ok(())
}
