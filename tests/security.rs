//! `verify --fips` and `verify --audit` against the real thing: wheels from the index, keys of gpg, packages of
//! rpmbuild, and pip-audit's own classes.

#[allow(dead_code)]
#[path = "hostile/boxes.rs"]
mod boxes;
#[allow(dead_code)]
mod checkout;
#[allow(dead_code)]
#[path = "signing/keys.rs"]
mod keys;
#[allow(dead_code)]
#[path = "hostile/zip.rs"]
mod zip;

use anyhow::{Context as _, ensure};
use boxes::{Draft, open, pack, pack_wheels};
use camino::{Utf8Path, Utf8PathBuf};
use checkout::command::run;
use checkout::{list, repository, tool_in};
use fs_err as fs;
use keys::Keys;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Cursor, Write as _};
use std::process::{Command, Stdio};
use wheelhaul_rpmfile::SignatureFacts;
use wheelhaul_verify::advisories::Advisories;
use wheelhaul_verify::{Audit, Evidence, Finding, Fips, Outcome, Severity, installed, judge};

/// The Python of an environment, from the lock of this name in `tests/locks`.
fn python(name: &str, lock: &str) -> anyhow::Result<Utf8PathBuf> {
    let script = repository().join("tests/python/tools.py");
    let folder = repository().join("target/xtask").join(name);
    let python = run(Command::new("python3").arg("-B").arg(script).arg(folder).arg(lock))
        .context("hint: `apt-get install python3 python3-venv`")?;
    Ok(python.text()?.into())
}

/// Over what a check was made, and its findings.
fn said_by(evidence: &Evidence, name: &str) -> anyhow::Result<(String, Vec<Finding>)> {
    let judged = judge(evidence).into_iter().find(|judged| judged.check.name == name).context("it was not made")?;
    match judged.outcome {
        Outcome::Made { looked_at, findings } => Ok((looked_at, findings)),
        Outcome::NotMade { why, .. } => anyhow::bail!("not made: {why}"),
    }
}

fn gathered(rpm: &[u8], allowed: &[&str]) -> anyhow::Result<Evidence> {
    let allowed = allowed.iter().map(|name| name.parse()).collect::<Result<_, _>>()?;
    Evidence::gather_with(Cursor::new(rpm), Some(Fips { allowed }))
}

#[test]
fn cryptography_in_wheels_is_found_by_what_is_in_them() -> anyhow::Result<()> {
    #[rustfmt::skip]
    let rows: [(&str, &[&str]); 8] = [ // pin, and for each file what is found
        ("cryptography==45.0.7",    &["it has OpenSSL 3.5."]),
        ("psycopg2-binary==2.9.10", &["it is a libcrypto of its own (OpenSSL ", "it is a libk5crypto of its own (AES)", "it is a libssl of its own"]),
        ("pycryptodome==3.23.0",    &["it has AES within"]),
        ("pynacl==1.6.2",           &["it has libsodium within"]),
        ("wreq==0.13.0",            &["it has BoringSSL within"]),
        ("bcrypt==4.3.0",           &[]),
        ("markupsafe==3.0.2",       &[]),
        ("orjson==3.10.18",         &[]),
    ];
    let folder = repository().join("target/xtask/test-crypto");
    let mut pip = Command::new(python("test-tools", "comparing")?);
    pip.args([
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--only-binary",
        ":all:",
    ]);
    pip.args(["--python-version", "3.11", "--implementation", "cp", "--abi", "cp311", "--abi", "abi3"]);
    for minor in [34, 28, 27, 26, 17] {
        pip.args(["--platform", &format!("manylinux_2_{minor}_x86_64")]);
    }
    pip.args(["--platform", "manylinux2014_x86_64", "--dest", folder.as_str()]).args(rows.iter().map(|(pin, _)| pin));
    run(&mut pip)?.text()?;
    let files = list(&folder)?;
    for (pin, expected) in rows {
        let (name, version) = pin.split_once("==").context("a pin")?;
        let start = format!("{}-{version}-", name.replace('-', "_"));
        let file = files.iter().find(|file| file.to_lowercase().starts_with(&start)).context("no wheel")?;
        let wheels = [open(file, fs::read(folder.join(file))?)?, Draft::app().open()?];
        let rpm = pack_wheels(&wheels)?.1;
        let (looked_at, findings) = said_by(&gathered(&rpm, &[])?, "fips")?;
        let errors: Vec<&Finding> = findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
        let fits = errors.len() == expected.len()
            && errors.iter().zip(expected).all(|(finding, start)| finding.found.starts_with(start));
        ensure!(fits, "{pin}: {findings:#?}");
        ensure!(errors.iter().all(|finding| finding.cure.contains(&format!("--fips-allow {name}"))), "{findings:#?}");
        println!("{pin}: {looked_at}: {:?}", errors.iter().map(|finding| &finding.found).collect::<Vec<_>>());
        let (looked_at, findings) = said_by(&gathered(&rpm, &[name])?, "fips")?;
        ensure!(findings.iter().all(|finding| finding.severity == Severity::Warning), "{pin}: {findings:#?}");
        let says_so = looked_at.ends_with(&format!("; allowed: {name}"));
        let warns = findings.iter().any(|finding| finding.found.contains("allows nothing"));
        ensure!(says_so != expected.is_empty() && warns == expected.is_empty(), "{pin}: {looked_at}, {findings:#?}");
    }
    Ok(())
}

/// A package of the real rpmbuild whose files have digests of an algorithm.
fn build(folder: &Utf8Path, algorithm: u32) -> anyhow::Result<Utf8PathBuf> {
    let spec = folder.join("plain.spec");
    let text = "Name: plain\nVersion: 1\nRelease: 1.el9\nSummary: x\nLicense: MIT\nBuildArch: noarch\n%description\nx\n\
        %install\nmkdir -p %{buildroot}/opt/plain\nseq 9999 > %{buildroot}/opt/plain/numbers\n%files\n/opt/plain\n";
    fs::write(&spec, text)?;
    let top = format!("_topdir {folder}/top{algorithm}");
    let digests = format!("_binary_filedigest_algorithm {algorithm}");
    let words = ["--quiet", "-bb", "--define", &top, "--define", "_rpmdir %_topdir", "--define", &digests];
    run(Command::new("rpmbuild").args(words).arg(&spec))?.text()?;
    Ok(folder.join(format!("top{algorithm}/noarch/plain-1-1.el9.noarch.rpm")))
}

#[test]
fn digests_and_signatures_are_what_rpm_says_of_them() -> anyhow::Result<()> {
    let keep = tempfile::tempdir()?;
    let folder = Utf8Path::from_path(keep.path()).context("UTF-8")?;
    let found = |rpm: &Utf8Path| -> anyhow::Result<(Vec<String>, Evidence)> {
        let evidence = gathered(&fs::read(rpm)?, &[])?;
        Ok((said_by(&evidence, "fips")?.1.into_iter().map(|finding| finding.found).collect(), evidence))
    };
    let (md5, _) = found(&build(folder, 1)?)?;
    ensure!(md5 == ["files have MD5 digests", "it is not signed"], "{md5:?}");
    let unsigned = build(folder, 8)?;
    let (sha256, _) = found(&unsigned)?;
    ensure!(sha256 == ["it is not signed"], "{sha256:?}");

    #[rustfmt::skip]
    let rows = [ // key, what rpm calls it (rpm 4.18 has no ECDSA), what is found
        ("rsa3072",  "RSA/SHA",              None),
        ("rsa1024",  "RSA/SHA",              Some("and a key of some 10")),
        ("dsa2048",  "DSA/SHA",              Some("it is signed by DSA with SHA-")),
        ("nistp384", "(not an OpenPGP sign", None),
        ("ed25519",  "EdDSA/SHA",            Some("it is signed by EdDSA with SHA-")),
    ];
    let keys = Keys::of(&rows.map(|(kind, _, _)| kind))?;
    for (kind, start, expected) in rows {
        let rpm = folder.join(format!("{kind}.rpm"));
        fs::copy(&unsigned, &rpm)?;
        let key = format!("{kind}@example.invalid");
        let words = ["sign", rpm.as_str(), "--key", &key];
        run(tool_in(folder, &words).env("GNUPGHOME", keys.home()?))?.text()?;
        let (found, evidence) = found(&rpm)?;
        ensure!(found.len() == expected.iter().count(), "{kind}: {found:?}");
        ensure!(found.iter().zip(expected).all(|(found, part)| found.contains(part)), "{kind}: {found:?}");
        let format = "%|RSAHEADER?{%{RSAHEADER:pgpsig}}:{%{DSAHEADER:pgpsig}}|";
        let theirs = run(Command::new("rpm").args(["-qp", "--nosignature", "--qf", format, rpm.as_str()]))?.text()?;
        let titles: Vec<String> = evidence.signatures.packets.iter().flatten().map(SignatureFacts::title).collect();
        let title = titles.join(" ").replace(" with ", "/").replace("SHA-", "SHA");
        let is_unknown = kind == "nistp384" && title.starts_with("ECDSA/SHA");
        ensure!(theirs.starts_with(start), "{kind}: {theirs}");
        ensure!(is_unknown || theirs.starts_with(&format!("{title},")), "{theirs}, {titles:?}");
    }
    Ok(())
}

#[test]
fn a_digest_that_is_gone_is_missed() -> anyhow::Result<()> {
    let good = pack(&[Draft::of("demo"), Draft::app()])?.1;
    #[rustfmt::skip]
    let rows = [ // tag, kind      what is found without it
        (273_u32,  6_u32, "the header has no SHA-256 digest"),
        (5092,     8,     "the payload has no digest"),
        (5093,     4,     "the payload's digest is by the algorithm 0"),
    ];
    let found = |rpm: &[u8]| -> anyhow::Result<Vec<String>> {
        Ok(said_by(&gathered(rpm, &[])?, "fips")?.1.into_iter().map(|finding| finding.found).collect())
    };
    ensure!(found(&good)? == ["it is not signed"], "{:?}", found(&good)?);
    for (tag, kind, expected) in rows {
        let entry = [tag.to_be_bytes(), kind.to_be_bytes()].concat();
        let at = good.windows(8).position(|window| window == entry).context("the tag is not there")?;
        let mut changed = good.clone();
        changed[at..at + 4].copy_from_slice(&9_999_u32.to_be_bytes());
        let found = found(&changed)?;
        ensure!(found.iter().any(|text| text == expected), "tag {tag}: {found:?}");
    }
    Ok(())
}

/// Records by hand, in the shape of OSV's for PyPI.
fn records() -> Value {
    let record = |id: &str, aliases: &[&str], summary: &str, name: &str, versions: &[&str], events: Value| {
        json!({
            "schema_version": "1.7.0", "id": id, "modified": "2026-11-20T10:00:00Z", "published": "2026-11-01T00:00:00Z",
            "aliases": aliases, "summary": summary, "details": "A page.\n\n## More",
            "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L"}],
            "affected": [{
                "package": {"ecosystem": "PyPI", "name": name, "purl": format!("pkg:pypi/{name}")},
                "ranges": [
                    {"type": "GIT", "repo": "https://code.example/x", "events": [{"introduced": "0"}, {"fixed": "ab"}]},
                    {"type": "ECOSYSTEM", "events": events}
                ],
                "versions": versions, "ecosystem_specific": {}, "database_specific": {"source": "x"}
            }],
            "references": [{"type": "WEB", "url": "https://home.example"}]
        })
    };
    let to = |fixed: &str| json!([{"introduced": "0"}, {"fixed": fixed}]);
    let mut withdrawn = record("PYSEC-2026-5", &[], "Withdrawn", "gamma", &["1.0"], to("2.0"));
    withdrawn["withdrawn"] = json!("2026-11-21T00:00:00Z");
    json!([
        record("PYSEC-2026-1", &["CVE-2026-0001", "GHSA-aaaa"], "", "alpha", &["0.9", "1.0"], to("1.5")),
        record("GHSA-aaaa", &["CVE-2026-0001"], "A denial of service", "alpha", &["0.9", "1.0"], to("1.5.1")),
        record("GHSA-bbbb", &["CVE-2026-0002"], "Another one", "alpha", &["1.0"], to("1.2")),
        record("GHSA-cccc", &["CVE-2026-0003"], "Of before", "beta", &["0.9"], to("1.0")),
        record("MAL-2026-4", &[], "No fix", "gamma", &["1.0"], json!([{"introduced": "0"}, {"last_affected": "1.0"}])),
        withdrawn,
    ])
}

fn audited(data: &[u8], ignored: &[&str]) -> anyhow::Result<(String, Vec<Finding>)> {
    let drafts = ["alpha", "beta", "gamma"].map(Draft::of);
    let rpm = pack(&[&drafts[..], &[Draft::app()]].concat())?.1;
    let mut evidence = Evidence::gather(Cursor::new(rpm))?;
    // That of these packages has no wheels, so that all of them would be the application.
    evidence.lock = None;
    let wanted: BTreeSet<_> = installed(&evidence).0.into_iter().map(|dist| dist.name).collect();
    let advisories = Advisories::read(data.to_vec(), data.len() as u64, &wanted)?;
    let ignored = ignored.iter().map(|id| (*id).to_owned()).collect();
    evidence.audit = Some(Audit { advisories, ignored });
    said_by(&evidence, "audit")
}

#[test]
fn records_and_the_report_that_pip_audit_makes_of_them_say_the_same() -> anyhow::Result<()> {
    let python = python("test-pip-audit", "pip-audit")?;
    let mut program = Command::new(python);
    program.arg("-B").arg(repository().join("tests/python/pip_audit_says.py"));
    let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let dists = json!([["alpha", "1.0"], ["beta", "1.0"], ["gamma", "1.0"], ["demoapp", "1.0"]]);
    let question = json!({"dists": dists, "records": records()}).to_string();
    child.stdin.take().context("a pipe")?.write_all(question.as_bytes())?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "pip-audit's classes failed");

    let (of_records, findings) = audited(records().to_string().as_bytes(), &[])?;
    let (of_report, by_pip_audit) = audited(&output.stdout, &[])?;
    ensure!(of_records == "4 distributions, 6 advisories, the newest of 2026-11-20", "{of_records}");
    ensure!(of_report == "4 distributions, a report of pip-audit on 4 packages", "{of_report}");
    // pip-audit has no scores, and of a group each of its members has the summary of its own.
    let short = |findings: &[Finding]| -> Vec<[String; 4]> {
        let ids = |finding: &Finding| finding.found.split(':').next().unwrap_or_default().to_owned();
        findings.iter().map(|f| [f.path.clone(), ids(f), f.expected.clone(), f.cure.clone()]).collect()
    };
    ensure!(short(&findings) == short(&by_pip_audit), "{findings:#?}\npip-audit: {by_pip_audit:#?}");
    insta::assert_snapshot!("audit", format!("{findings:#?}"));

    let (looked_at, rest) = audited(records().to_string().as_bytes(), &["ghsa-aaaa", "CVE-2026-0003"])?;
    let warnings: Vec<&str> =
        rest.iter().filter(|f| f.severity == Severity::Warning).map(|f| f.found.as_str()).collect();
    ensure!(looked_at.ends_with("; ignored: ghsa-aaaa") && rest.len() == findings.len(), "{looked_at}: {rest:#?}");
    ensure!(matches!(warnings[..], [one] if one.contains("CVE-2026-0003")), "{warnings:?}");
    Ok(())
}

#[test]
fn a_report_on_something_else_is_told() -> anyhow::Result<()> {
    let report = |rows: &[(&str, &str)]| {
        let row = |(name, version): &(&str, &str)| match *version {
            "" => json!({"name": name, "skip_reason": "not on the index"}),
            version => json!({"name": name, "version": version, "vulns": []}),
        };
        json!({"dependencies": rows.iter().map(row).collect::<Vec<_>>(), "fixes": []}).to_string()
    };
    let all = [("alpha", "1.0.0"), ("beta", "1.0"), ("Gamma", "1"), ("demoapp", "1.0")];
    let (_, findings) = audited(report(&all).as_bytes(), &[])?;
    ensure!(findings.is_empty(), "{findings:#?}");
    let (_, findings) = audited(report(&[("alpha", "1.1"), ("beta", ""), ("demoapp", "1.0")]).as_bytes(), &[])?;
    let found: Vec<(&str, Severity)> = findings.iter().map(|f| (f.found.as_str(), f.severity)).collect();
    let expected = [
        ("the report of pip-audit is of 1.1, and the package has 1.0", Severity::Error),
        ("pip-audit left it out: not on the index", Severity::Warning),
        ("the report of pip-audit does not have it", Severity::Error),
    ];
    ensure!(found == expected, "{found:#?}");
    let error = audited(report(&[("other", "1.0")]).as_bytes(), &[]).unwrap_err().to_string();
    ensure!(error.contains("of other packages"), "{error}");
    Ok(())
}
