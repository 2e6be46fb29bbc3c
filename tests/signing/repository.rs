//! The main job with a key: what is in the bundle, and what dnf takes from the repository.

use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use std::process::Command;

use crate::checkout::command::{Finished, run};
use crate::checkout::{Checkout, list, tool_in};
use crate::keys::{Keys, Trust};
use crate::{ED25519, RSA, at, places, sign, temporary};

const NAME: &str = "quality_report";
const FIRST: &str = "quality_report-0.0.1-1.el9.x86_64.rpm";
const SECOND: &str = "quality_report-0.0.1-2.el9.x86_64.rpm";
const PUBLIC: &str = "RPM-GPG-KEY-quality_report";
const CONFIG: &str = "dist/package.toml";

/// The sample, signed by a key that is named in its configuration.
fn sample(kind: &str) -> anyhow::Result<Checkout> {
    let sample = Checkout::new("signed-")?;
    edit(&sample.dir()?.join(CONFIG), "[service]", &format!("[sign]\nkey = \"{}\"\n\n[service]", at(kind)))?;
    sample.commit("sign it")?;
    Ok(sample)
}

fn edit(path: &Utf8Path, from: &str, to: &str) -> anyhow::Result<()> {
    let text = fs::read_to_string(path)?;
    ensure!(text.contains(from), "`{from}` is not in `{path}`");
    Ok(fs::write(path, text.replace(from, to))?)
}

fn dist(keys: &Keys, folder: &Utf8Path, words: &[&str]) -> anyhow::Result<Finished> {
    let words = [&["dist", "--locked"], words].concat();
    run(tool_in(folder, &words).env("GNUPGHOME", keys.home()?))
}

/// A box for dnf: a root without anything, and packages that say they are all that the RPM requires.
struct Client {
    _keep: tempfile::TempDir,
    folder: Utf8PathBuf,
}

impl Client {
    fn for_rpm(rpm: &Utf8Path) -> anyhow::Result<Self> {
        let keep = tempfile::Builder::new().prefix("dnf-").tempdir()?;
        let folder = Utf8PathBuf::try_from(keep.path().to_owned())?;
        let requires = run(Command::new("rpm").args(["-qp", "--requires", rpm.as_str()]))?.text()?;
        let provides: String = requires
            .lines()
            .filter(|line| !line.starts_with("rpmlib(") && !line.starts_with("config("))
            .map(|line| format!("Provides: {}\n", line.replace(">=", "=")))
            .collect();
        ensure!(provides.contains("python(abi)"), "the RPM requires no Python:\n{requires}");
        let spec = format!(
            "Name: needs\nVersion: 1\nRelease: 1\nSummary: x\nLicense: MIT\nBuildArch: noarch\n{provides}%description\nx\n%files\n"
        );
        fs::write(folder.join("needs.spec"), spec)?;
        let (top, into) = (format!("_topdir {folder}/top"), format!("_rpmdir {folder}/needs"));
        let words = ["--quiet", "-bb", "--define", &top, "--define", &into];
        run(Command::new("rpmbuild").args(words).arg(folder.join("needs.spec")))?.text()?;
        run(Command::new("createrepo_c").args(["--quiet", folder.join("needs").as_str()]))?.text()?;
        Ok(Self { _keep: keep, folder })
    }

    /// `dnf WORDS` in a new root, with the repository by its own `NAME.repo`, fitted as an administrator does.
    fn dnf(&self, repository: &Utf8Path, words: &[&str]) -> anyhow::Result<Finished> {
        let root = self.folder.join("root");
        if root.is_dir() {
            fs::remove_dir_all(&root)?;
        }
        let repos = self.folder.join("repos");
        fs::create_dir_all(&repos)?;
        let needs = format!("[needs]\nname=needs\nbaseurl=file://{}/needs\ngpgcheck=0\n", self.folder);
        fs::write(repos.join("needs.repo"), needs)?;
        let own = repos.join(format!("{NAME}.repo"));
        fs::copy(repository.join(format!("{NAME}.repo")), &own)?;
        edit(&own, "file:///srv/quality_report", &format!("file://{repository}"))?;
        if fs::read_to_string(&own)?.contains("gpgcheck=1") {
            edit(&own, "file:///etc/pki/rpm-gpg", &format!("file://{repository}"))?;
        }
        // Root of a namespace of its own is enough to unpack into a root.
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "dnf", "--assumeyes", "--releasever=1", "--quiet"]);
        // The host's own settings stay out.
        let settings = self.folder.join("dnf.conf");
        fs::write(&settings, "[main]\n")?;
        command.args([format!("--config={settings}"), format!("--installroot={root}")]);
        // Its caches and logs lie in the root, and go with it.
        command.args([&format!("--setopt=reposdir={repos}"), "--setopt=tsflags=noscripts"]);
        run(command.args(words).env("LC_ALL", "C.UTF-8"))
    }

    fn installs(&self, repository: &Utf8Path) -> anyhow::Result<()> {
        self.dnf(repository, &["install", NAME])?.text()?;
        let file = self.folder.join("root/opt/quality_report/src/app.py");
        ensure!(file.is_file(), "dnf was content, and `{file}` is not there");
        Ok(())
    }
}

/// A snapshot beside those of the other tests.
fn snapshot(name: &str, text: &str) {
    insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!(format!("signing__{name}"), text);
    });
}

#[test]
fn dnf_installs_from_the_signed_repository_and_refuses_what_was_changed() -> anyhow::Result<()> {
    let keys = Keys::of(&[RSA, ED25519])?;
    let sample = sample(RSA)?;
    let folder = sample.dir()?;
    let (_keep, share) = temporary()?;
    let repository = share.join("repository");
    let told = dist(&keys, &folder, &["--repo", repository.as_str(), "--format", "json"])?.text()?;
    let told: serde_json::Value = serde_json::from_str(&told)?;
    assert_eq!((&told["outcome"], &told["signed"]), (&"fine".into(), &true.into()), "{told:#}");
    assert_eq!(told["repositories"][0]["rpms"][0], FIRST, "{told:#}");
    assert_eq!(list(&repository)?, [PUBLIC, FIRST, "quality_report.repo", "repodata"]);
    snapshot("repo", &fs::read_to_string(repository.join("quality_report.repo"))?);
    assert!(list(&repository.join("repodata"))?.contains(&"repomd.xml.asc".to_owned()));
    let compressed = |name: &String| !name.starts_with("repomd.xml");
    assert!(
        list(&repository.join("repodata"))?
            .iter()
            .filter(|name| compressed(name))
            .all(|name| name.ends_with(".xml.gz"))
    );

    in_the_bundle(&folder, &keys)?;
    let dnf = Client::for_rpm(&repository.join(FIRST))?;
    dnf.installs(&repository)?;
    refusals(&dnf, &keys, &share, &repository)?;
    releases(&dnf, &keys, &sample, &repository)
}

/// The bundle's RPM is the signed one, its sums are true, and its key is the one that vouches for it.
fn in_the_bundle(folder: &Utf8Path, keys: &Keys) -> anyhow::Result<()> {
    let out = folder.join("dist/out");
    run(Command::new("tar").args(["-C", folder.as_str(), "-xzf", &format!("{out}/quality_report-dist-0.0.1.tar.gz")]))?
        .text()?;
    let bundle = folder.join("quality_report-dist-0.0.1");
    run(Command::new("sha256sum").args(["-c", "--quiet", "SHA256SUMS"]).current_dir(&bundle))?.text()?;
    assert!(Trust::of(&[&bundle.join(PUBLIC)])?.vouches_for(&bundle.join(FIRST))?);
    assert!(!Trust::of(&[&keys.public(ED25519)?])?.vouches_for(&bundle.join(FIRST))?);
    let notes = fs::read_to_string(bundle.join("INSTALL.el9-x86_64.md"))?;
    assert!(notes.contains("\n    sudo rpm --import RPM-GPG-KEY-quality_report\n\n    rpm -K "), "{notes}");
    // The signature changes nothing that the tool's own judgement looks at.
    let verified = run(&mut tool_in(folder, &["verify"]))?;
    assert!(verified.succeeded(), "{verified}");
    Ok(())
}

/// What is done to a copy of the repository.
type Deed<'a> = &'a dyn Fn(&Utf8Path) -> anyhow::Result<()>;

fn refusals(dnf: &Client, keys: &Keys, share: &Utf8Path, good: &Utf8Path) -> anyhow::Result<()> {
    let flip = |path: &Utf8Path, place: &dyn Fn(&[u8]) -> usize| -> anyhow::Result<()> {
        let mut bytes = fs::read(path)?;
        let place = place(&bytes);
        bytes[place] ^= 1;
        Ok(fs::write(path, bytes)?)
    };
    let index = |folder: &Utf8Path| -> anyhow::Result<()> {
        run(Command::new("createrepo_c").args(["--quiet", folder.as_str()]))?.text()?;
        let listed = folder.join("repodata/repomd.xml");
        let words = ["--yes", "--armor", "--local-user", &at(RSA), "--detach-sign", listed.as_str()];
        keys.gpg(&words)?.text().map(drop)
    };
    #[rustfmt::skip]
    let cases: [(&str, Deed<'_>, &str); 7] = [
        ("nothing done, and indexed by others", &|copy| index(copy), ""),
        ("payload changed after indexing",  &|copy| flip(&copy.join(FIRST), &|bytes| bytes.len() - 1), "has incorrect checksum"),
        ("header changed before indexing",  &|copy| { flip(&copy.join(FIRST), &|bytes| places(bytes).1 - 300)?; index(copy) }, "Problem opening package"),
        ("metadata changed",                &|copy| edit(&copy.join("repodata/repomd.xml"), "<revision>", "<revision>1"), "repomd.xml GPG signature verification error"),
        ("metadata not signed",             &|copy| Ok(fs::remove_file(copy.join("repodata/repomd.xml.asc"))?), "GPG signature is not available"),
        ("unsigned package",                &|copy| { run(Command::new("rpmsign").args(["--delsign", copy.join(FIRST).as_str()]))?.text()?; index(copy) }, "is not signed"),
        ("another's signature",             &|copy| { sign(keys, &copy.join(FIRST), &at(ED25519))?.text()?; index(copy) }, "Public key for quality_report-0.0.1-1.el9.x86_64.rpm is not installed"),
    ];
    for (row, deed, says) in cases {
        let copy = share.join("copy");
        if copy.is_dir() {
            fs::remove_dir_all(&copy)?;
        }
        run(Command::new("cp").args(["--recursive", good.as_str(), copy.as_str()]))?.text()?;
        deed(&copy).with_context(|| row.to_owned())?;
        let finished = dnf.dnf(&copy, &["install", NAME])?;
        // The first row shows that it is the deed that is refused.
        assert_eq!(finished.succeeded(), row.starts_with("nothing"), "{row}: {finished}");
        let said = format!("{}{}", finished.stdout, finished.stderr);
        assert!(said.contains(says), "{row}: `{says}` is not in {finished}");
    }
    Ok(())
}

/// A second release stands beside the first one; a second run changes nothing; who has changed a file keeps it.
fn releases(dnf: &Client, keys: &Keys, sample: &Checkout, repository: &Utf8Path) -> anyhow::Result<()> {
    let folder = sample.dir()?;
    let words = ["--repo", repository.as_str(), "--offline"];
    let contents = || -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        let mut files: Vec<String> =
            list(&repository.join("repodata"))?.iter().map(|n| format!("repodata/{n}")).collect();
        files.retain(|name| !name.ends_with(".asc"));
        files.extend([FIRST, PUBLIC].map(str::to_owned));
        files.into_iter().map(|name| Ok((name.clone(), fs::read(repository.join(name))?))).collect()
    };
    let before = contents()?;
    // The system's createrepo_c is one program, that of PyPI another: the private one is used without it.
    dist(keys, &folder, &words)?.text()?;
    assert!(before == contents()?, "a second run changed the repository");

    edit(&folder.join(CONFIG), "release = \"1\"", "release = \"2\"")?;
    sample.commit("release 2")?;
    fs::write(
        repository.join("quality_report.repo"),
        fs::read_to_string(repository.join("quality_report.repo"))? + "# ours\n",
    )?;
    let hidden = folder.join("target/without-createrepo");
    without_createrepo(&hidden)?;
    let mut command = tool_in(&folder, &["dist", "--locked", "--repo", repository.as_str()]);
    let told = run(command.env("GNUPGHOME", keys.home()?).env("PATH", &hidden))?;
    assert!(told.succeeded() && told.stderr.contains("kept `") && told.stderr.contains("have to be 1"), "{told}");
    assert!(list(&folder.join("target/xtask"))?.iter().any(|name| name.starts_with("tools-createrepo-c-")));
    let found = dnf.dnf(repository, &["repoquery", "--showduplicates", "--qf", "%{release}", NAME])?.text()?;
    assert_eq!(found, "1.el9\n2.el9");
    dnf.installs(repository)?;
    assert_eq!(list(repository)?, [PUBLIC, FIRST, SECOND, "quality_report.repo", "repodata"]);

    // Left for another machine, it says so; a repository of such RPMs works with gpgcheck off.
    let unsigned = folder.join("unsigned");
    let told = dist(keys, &folder, &["--no-sign", "--offline", "--repo", unsigned.as_str()])?;
    assert!(
        told.succeeded()
            && told.stdout.contains("NOT SIGNED, as `--no-sign` asks")
            && told.stdout.contains("sign dist/out/"),
        "{told}"
    );
    snapshot("repo-unsigned", &fs::read_to_string(unsigned.join("quality_report.repo"))?);
    dnf.installs(&unsigned)?;
    // `[sign] key` is the default where the repository is at hand.
    let later = run(tool_in(&folder, &["sign", &format!("dist/out/{SECOND}")]).env("GNUPGHOME", keys.home()?))?;
    assert!(
        later.succeeded()
            && Trust::of(&[&repository.join(PUBLIC)])?.vouches_for(&folder.join("dist/out").join(SECOND))?,
        "{later}"
    );
    Ok(())
}

/// A folder for PATH with a link to each program of this host but createrepo_c.
fn without_createrepo(folder: &Utf8Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    for place in std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()) {
        let Ok(place) = Utf8PathBuf::try_from(place) else { continue };
        let names = if place.is_dir() { list(&place)? } else { Vec::new() };
        for name in names.iter().filter(|name| *name != "createrepo_c") {
            let link = folder.join(name);
            if link.symlink_metadata().is_err() {
                fs::os::unix::fs::symlink(place.join(name), link)?;
            }
        }
    }
    Ok(())
}
