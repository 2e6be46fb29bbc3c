//! The other builder: the real rpmbuild makes the native RPM again, from the spec and the sources, and from
//! the source package as another user without a network.

mod checkout;

use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};
use checkout::command::run;
use checkout::{Checkout, list, repository, tool_in};
use fs_err as fs;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// The tags that differ from the native RPM, each with the reason; `xtask/README.md` has the same list.
const DIFFERENCES: &[(&[&str], &str)] = &[
    (&["RPMVERSION"], "who wrote it"),
    (&["PLATFORM"], "the build host's name for the processor and the vendor"),
    (&["OPTFLAGS"], "flags of a compiler that nobody calls"),
    (
        &["CLASSDICT", "FILECLASS", "FILECOLORS"],
        "what libmagic says of each file; rpm uses it between packages of 32 and 64 bits",
    ),
    (
        &["PAYLOADDIGEST", "PAYLOADSHA256", "PAYLOADDIGESTALT", "PAYLOADSHA256ALT"],
        "compressed in one stream, in the order of paths",
    ),
    (
        &["SHA1HEADER", "SHA256HEADER", "SIGMD5", "HDRID", "PKGID", "SIGSIZE", "LONGSIGSIZE"],
        "of other bytes; the native one has no MD5 and SHA-1",
    ),
    (&["COOKIE"], "the build host and time once more"),
    (&["BUILDTIME"], "the changelog's day where SOURCE_DATE_EPOCH is not set"),
];
/// `REQUIREFLAGS` and `PROVIDEFLAGS`: that rpmbuild found `config(NAME)` by itself, which the spec says.
const CONFIG: u64 = 1 << 28;

/// A query that failed has to fail the test, and not to compare nothing with nothing.
fn said(program: &str, words: &[&str]) -> anyhow::Result<String> {
    run(Command::new(program).args(words))
        .with_context(|| format!("`{program}` is needed: `cargo xtask ci` installs it"))?
        .text()
}

/// Every tag that rpm knows → its values in the RPM.
fn tags_of(rpm: &Utf8Path) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    const SEPARATOR: &str = "\u{1}";
    // Regions of the header as such, and signatures.
    let known = said("rpm", &["--querytags"])?;
    let is_value = |tag: &&str| !tag.starts_with("HEADER") && !tag.ends_with("PGP") && !tag.ends_with("GPG");
    let tags: Vec<&str> = known.lines().filter(is_value).collect();
    assert!(tags.len() > 150, "rpm tells {} tags", tags.len());
    let format: String = tags.iter().map(|tag| format!("{SEPARATOR}{tag}[\u{2}%{{{tag}}}]")).collect();
    let text = said("rpm", &["-qp", "--qf", &format, rpm.as_str()])?;
    let mut found = BTreeMap::new();
    for part in text.split(SEPARATOR).filter(|part| !part.is_empty()) {
        let mut values = part.split('\u{2}').map(str::to_owned);
        let tag = values.next().context("a tag has a name")?;
        let values = values.map(|value| match tag.as_str() {
            "REQUIREFLAGS" | "PROVIDEFLAGS" => value.parse::<u64>().map(|bits| (bits & !CONFIG).to_string()).unwrap(),
            _ => value,
        });
        found.insert(tag.clone(), values.collect());
    }
    Ok(found)
}

/// Holds an RPM against the native one; gives the tags that differ.
fn compare(native: &Utf8Path, other: &Utf8Path) -> anyhow::Result<BTreeSet<String>> {
    let (expected, found) = (tags_of(native)?, tags_of(other)?);
    for tag in [
        "FILENAMES",
        "FILEMODES",
        "FILEUSERNAME",
        "FILEGROUPNAME",
        "FILEDIGESTS",
        "FILEMTIMES",
        "REQUIRENAME",
        "PREIN",
        "CHANGELOGTEXT",
    ] {
        assert!(expected[tag].iter().any(|value| value != "(none)"), "{native} has no {tag}");
    }
    let reasons: BTreeSet<&str> = DIFFERENCES.iter().flat_map(|(tags, _)| tags.iter().copied()).collect();
    let differing: BTreeSet<String> = expected.keys().filter(|tag| expected[*tag] != found[*tag]).cloned().collect();
    let unexplained: Vec<String> = differing
        .iter()
        .filter(|tag| !reasons.contains(tag.as_str()))
        .map(|tag| {
            let mut pairs = expected[tag].iter().zip(&found[tag]);
            format!("{tag}: {:?}", pairs.find(|(a, b)| a != b))
        })
        .collect();
    assert!(unexplained.is_empty(), "{other} differs from the native one in {unexplained:#?}");
    Ok(differing)
}

/// Rebuilds a source package in a folder of its own, as another user, without a network.
fn rebuild(source: &Utf8Path, folder: &Utf8Path, arch: &str) -> anyhow::Result<Utf8PathBuf> {
    fs::create_dir_all(folder)?;
    let mut command = Command::new("unshare");
    command.args([
        "--user",
        "--net",
        "--map-user=1234",
        "--map-group=1234",
        "bash",
        "-c",
        "umask 077; exec \"$@\"",
        "-",
    ]);
    command.args([
        "rpmbuild",
        "--target",
        arch,
        "--define",
        &format!("_topdir {folder}"),
        "--rebuild",
        source.as_str(),
    ]);
    command.env("HOME", folder).env("TZ", "Asia/Kathmandu").env("LC_ALL", "C").env_remove("SOURCE_DATE_EPOCH");
    run(&mut command)?.text()?;
    let made = folder.join("RPMS").join(arch);
    let names = list(&made)?;
    assert_eq!(names.len(), 1, "{names:?}");
    Ok(made.join(&names[0]))
}

fn tool(folder: &Utf8Path, words: &[&str]) -> anyhow::Result<serde_json::Value> {
    let told = run(&mut tool_in(folder, &[words, &["--format", "json"]].concat()))?.text()?;
    Ok(serde_json::from_str(&told)?)
}

/// Compressed a little: how well is other tests' business, and that both do it alike is seen at any level.
const LEVEL: [&str; 2] = ["--level", "3"];

/// Builds by rpmbuild, and tells what was made.
fn build_other(folder: &Utf8Path) -> anyhow::Result<serde_json::Value> {
    tool(folder, &[["rpm", "--builder"], ["rpmbuild", "--source"], LEVEL].concat())
}

/// Builds natively and by rpmbuild, and gives the paths of both RPMs and of the source package, a target each.
fn build_both(folder: &Utf8Path) -> anyhow::Result<Vec<[Utf8PathBuf; 3]>> {
    let natives = tool(folder, &[&["rpm"], LEVEL.as_slice()].concat())?;
    let kept = folder.join("target/native");
    fs::create_dir_all(&kept)?;
    let mut all = Vec::new();
    for rpm in natives["rpms"].as_array().context("no RPMs")? {
        let path = Utf8Path::new(rpm["path"].as_str().context("no path")?);
        let native = kept.join(path.file_name().context("no name")?);
        fs::rename(folder.join(path), &native)?;
        all.push(native);
    }
    let told = build_other(folder)?;
    let built = told["rpms"].as_array().context("no RPMs")?;
    assert_eq!(built.len(), all.len());
    let path = |value: &serde_json::Value| value["path"].as_str().map(|path| folder.join(path)).context("no path");
    all.into_iter().zip(built).map(|(native, rpm)| Ok([native, path(rpm)?, path(&rpm["source"])?])).collect()
}

#[test]
fn rpmbuild_makes_the_native_rpm_again_for_each_box() -> anyhow::Result<()> {
    let sample = Checkout::new("rpmbuild-")?;
    let folder = sample.dir()?.canonicalize_utf8()?;
    let config = folder.join("dist/package.toml");
    let more = "[[target]]\nname = \"el8-x86_64\"\npython = \"3.11\"\nrequires = [\"redis >= 6\"]\nobsoletes = [\"older-app\"]\n\n[[target]]\nname = \"el9-aarch64\"\npython = \"3.11\"\n\n[service]";
    let optional = "optional-libraries = [\"libpthread.so.0\"]\n\
        requires = [\"redis >= 6\", \"openssl\", \"libmagic.so.1()(64bit)\", \"(mariadb >= 1:10.3~rc1 or  mysql)\", \"font(:lang=en)\"]\n\
        recommends = [\"(app-selinux if selinux-policy)\", \"logrotate\"]\nconflicts = [\"nginx < 1.20^2\", \"/usr/bin/gs\"]\n\
        obsoletes = [\"old-app < 2\"]\n\n[app]";
    let text = fs::read_to_string(&config)?.replacen("[service]", more, 1).replacen("[app]", optional, 1);
    fs::write(&config, text)?;
    run(&mut tool_in(&folder, &["lock"]))?.text()?;
    sample.commit("three boxes")?;
    let all = build_both(&folder)?;
    for rpm in &all[0][..2] {
        let suggested = said("rpm", &["-qp", "--suggests", rpm.as_str()])?;
        assert_eq!(suggested.trim(), "libpthread.so.0(GLIBC_2.2.5)(64bit)", "{rpm}");
    }
    for (rpm, obsoleted) in [(&all[0], "old-app < 2"), (&all[1], "old-app < 2\nolder-app")] {
        for (list, expected) in [
            ("--recommends", "(app-selinux if selinux-policy)\nlogrotate"),
            ("--conflicts", "/usr/bin/gs\nnginx < 1.20^2"),
            ("--obsoletes", obsoleted),
        ] {
            assert_eq!(said("rpm", &["-qp", list, rpm[0].as_str()])?.trim(), expected, "{}", rpm[0]);
        }
        let required = said("rpm", &["-qp", "--requires", rpm[0].as_str()])?;
        for one in
            ["redis >= 6", "(mariadb >= 1:10.3~rc1 or mysql)", "rpmlib(RichDependencies) <= 4.12.0-1", "font(:lang=en)"]
        {
            assert!(required.lines().any(|line| line == one), "{one}: {required}");
        }
    }
    let name_of = |path: &Utf8Path| path.file_name().unwrap_or_default().to_owned();
    let names: Vec<[String; 2]> = all.iter().map(|[_, built, source]| [name_of(built), name_of(source)]).collect();
    // Two boxes of one release have a source package each.
    let expected = [
        ["quality_report-0.0.1-1.el9.x86_64.rpm", "quality_report-0.0.1-1.el9.x86_64.src.rpm"],
        ["quality_report-0.0.1-1.el8.x86_64.rpm", "quality_report-0.0.1-1.el8.src.rpm"],
        ["quality_report-0.0.1-1.el9.aarch64.rpm", "quality_report-0.0.1-1.el9.aarch64.src.rpm"],
    ];
    assert_eq!(names, expected);
    assert_eq!(list(&folder.join("dist/rpmbuild/SPECS"))?, ["el8-x86_64", "el9-aarch64", "el9-x86_64"]);
    run(&mut tool_in(&folder, &["verify"]))?.text()?;
    let mut differing = BTreeSet::new();
    for ([native, built, source], (arch, compressor)) in
        all.iter().zip([("x86_64", "zstd"), ("x86_64", "gzip"), ("aarch64", "zstd")])
    {
        assert_eq!(tags_of(built)?["PAYLOADCOMPRESSOR"], [compressor], "{built}");
        differing.extend(compare(native, built)?);
        let rebuilt = rebuild(source, &folder.join("target").join(name_of(source)), arch)?;
        differing.extend(compare(native, &rebuilt)?);
        run(&mut tool_in(&folder, &["verify", rebuilt.as_str()]))?.text()?;
    }
    // A list of differences that nobody sees any more would hide the next one.
    for tag in ["RPMVERSION", "FILECLASS", "PAYLOADDIGEST", "BUILDTIME"] {
        assert!(differing.contains(tag), "{tag} differs no more");
    }
    let documented = fs::read_to_string(repository().join("xtask/README.md"))?;
    for tag in DIFFERENCES.iter().flat_map(|(tags, _)| tags.iter()) {
        assert!(documented.contains(&format!("`{tag}`")), "xtask/README.md does not tell of {tag}");
    }

    let read = || all.iter().flatten().map(fs::read).collect::<Result<Vec<_>, _>>();
    let before = read()?;
    build_other(&folder)?;
    assert!(before == read()?, "a second run made other bytes");
    Ok(())
}

#[test]
fn texts_and_names_with_the_signs_of_specs_come_out_as_they_are() -> anyhow::Result<()> {
    let sample = Checkout::new("a longer name, with spaces, 100% and ümläuts - ")?;
    let folder = sample.dir()?.canonicalize_utf8()?;
    let config = folder.join("dist/package.toml");
    let text = fs::read_to_string(&config)?.replacen(
        "release = \"1\"",
        "release = \"1\"\nsummary = \"100% of %(touch oops) and %{name} # %if\"\nvendor = \"The %{vendor}, Ümläut & Co\"\nlicense = \"MIT AND LicenseRef-nil\"",
        1,
    );
    fs::write(
        &config,
        text.replacen("config = [\"config.yaml\"]", "config = [\"config.yaml\", \"my own [1] 5%.yaml\"]", 1),
    )?;
    fs::write(folder.join("python-app/my own [1] 5%.yaml"), "")?;
    let long = format!("src/static/css/{}", "a rather long name with spaces - ".repeat(4));
    fs::create_dir_all(folder.join("python-app").join(&long))?;
    for name in ["ä.css", "%files.css", "a*b?.css", "empty {x}.css"] {
        fs::write(
            folder.join("python-app").join(&long).join(name),
            if name.starts_with("empty") { "" } else { "x\n" },
        )?;
    }
    let project = folder.join("python-app/pyproject.toml");
    let all_below = fs::read_to_string(&project)?.replacen("static/css/*.css", "static/css/**/*.css", 1);
    fs::write(&project, all_below)?;
    sample.commit("odd names")?;
    let plain = tempfile::tempdir()?;
    let scratch = Utf8Path::from_path(plain.path()).context("not UTF-8")?.join("top");
    for [native, built, source] in build_both(&folder)? {
        let tags = tags_of(&native)?;
        assert_eq!(tags["SUMMARY"], ["100% of %(touch oops) and %{name} # %if"]);
        for name in ["my own [1] 5%.yaml", &format!("{long}/ä.css"), &format!("{long}/%files.css")] {
            let path = format!("/opt/quality_report/{name}");
            assert!(tags["FILENAMES"].contains(&path), "`{path}` is not in {:#?}", tags["FILENAMES"]);
        }
        compare(&native, &built)?;
        compare(&native, &rebuild(&source, &scratch, "x86_64")?)?;
        run(&mut tool_in(&folder, &["verify", built.as_str()]))?.text()?;
    }
    Ok(())
}

#[test]
fn metadata_of_any_shape_comes_out_alike() -> anyhow::Result<()> {
    let sample = Checkout::new("metadata-")?;
    let folder = sample.dir()?.canonicalize_utf8()?;
    let project = folder.join("python-app/pyproject.toml");
    let text = fs::read_to_string(&project)?;
    let author = r#"[{ name = "Several\n   people,\n\t100% of %{nil} and %(id) \\" }]"#;
    let text = text.replacen(r#"[{ name = "Quality Report maintainers" }]"#, author, 1);
    let summary = r##"description = "#1 of\tall %description \\""##;
    let text = text.replacen(
        "description = \"Shows how a platform's quality checks stand against their targets\"",
        summary,
        1,
    );
    fs::write(&project, text)?;
    sample.commit("odd metadata")?;
    for [native, built, _] in build_both(&folder)? {
        let tags = tags_of(&native)?;
        assert_eq!(tags["VENDOR"], ["Several people, 100% of %{nil} and %(id)"]);
        assert_eq!(tags["SUMMARY"], ["#1 of all %description"]);
        assert!(tags["DESCRIPTION"][0].starts_with("- #1 of all %description\n"), "{:?}", tags["DESCRIPTION"]);
        compare(&native, &built)?;
    }
    Ok(())
}

#[test]
fn without_rpmbuild_the_error_says_how_to_get_it_before_anything_is_made() -> anyhow::Result<()> {
    let sample = Checkout::new("no-rpmbuild-")?;
    for words in [&["rpm", "--builder", "rpmbuild"], &["rpm", "--source", "--offline"]] {
        let refused = run(tool_in(&sample.dir()?, words).env("PATH", ""))?;
        assert_eq!(refused.code, Some(2), "{refused}");
        assert!(refused.stderr.contains("`rpmbuild` is not on the PATH\nhint: install it"), "{refused}");
        assert!(!sample.dir()?.join("dist/out").exists());
    }
    Ok(())
}

#[test]
fn the_spec_reads_well_and_others_accept_it() -> anyhow::Result<()> {
    let sample = Checkout::new("spec-")?;
    let folder = sample.dir()?;
    let spec = run(&mut tool_in(&folder, &["rpm", "--spec-only"]))?.text()? + "\n";
    // The commit's name changes with each change of the sample.
    let shown =
        spec.lines().map(|line| if line.starts_with("- Built from commit ") { "- Built from commit …" } else { line });
    insta::assert_snapshot!("spec", shown.collect::<Vec<_>>().join("\n"));
    assert_eq!(tool(&folder, &["rpm", "--spec-only"])?["specs"][0]["spec"], spec);
    assert!(!folder.join("dist/rpmbuild").exists(), "`--spec-only` wrote");
    let path = folder.join("quality_report.spec");
    fs::write(&path, &spec)?;
    let parsed = said("rpmspec", &["--parse", path.as_str()])?;
    assert!(parsed.contains("Name:           quality_report") && !parsed.contains("%{"), "{parsed}");
    let judged = run(Command::new("rpmlint").arg(&path))?;
    assert!(judged.stdout.contains("1 specfiles checked; 0 errors"), "{judged}");
    Ok(())
}
