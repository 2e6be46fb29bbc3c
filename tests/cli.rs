//! What the tool says: help, errors with their cures, exit codes. No network, no index.

mod checkout;

use camino::{Utf8Path, Utf8PathBuf};
use checkout::command::{Finished, run};
use checkout::{Checkout, tool_in};
use fs_err as fs;

fn xtask(folder: &Utf8Path, words: &[&str]) -> Finished {
    run(tool_in(folder, words).env("COLUMNS", "100")).unwrap()
}

/// Exit code, standard output and standard error, with the folder's name taken out.
fn shown(folder: &Utf8Path, finished: &Finished) -> String {
    let text = format!("exit {}\n{}{}", finished.code.unwrap(), finished.stdout, finished.stderr);
    text.replace(folder.canonicalize_utf8().unwrap().as_str(), "[folder]").replace(folder.as_str(), "[folder]")
}

#[test]
fn help_teaches() {
    let here = Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    for task in [
        "",
        "init",
        "lock",
        "wheel",
        "rpm",
        "verify",
        "dist",
        "diff",
        "rebuild",
        "trial",
        "sign",
        "checks",
        "target",
        "clean",
        "schema",
        "completions",
    ] {
        let words: Vec<&str> = [task, "--help"].into_iter().filter(|word| !word.is_empty()).collect();
        let help = xtask(&here, &words);
        assert_eq!(help.code, Some(0), "{help}");
        insta::assert_snapshot!(format!("help-{task}"), help.stdout);
    }
}

#[test]
fn the_checks_are_listed_with_their_reasons() {
    let here = Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    insta::assert_snapshot!("checks", xtask(&here, &["checks"]).stdout);
    let nowhere = tempfile::tempdir().unwrap();
    let nowhere = Utf8Path::from_path(nowhere.path()).unwrap();
    let explained = |name| shown(nowhere, &xtask(nowhere, &["checks", name]));
    insta::assert_snapshot!("explained", explained("sysusers"));
    insta::assert_snapshot!("unknown-check", explained("scriplets"));
    let schema = xtask(nowhere, &["verify", "--schema"]);
    assert_eq!(schema.stdout, format!("{:#}\n", wheelhaul::verify_schema()));
}

#[test]
fn targets_are_shown_in_and_outside_of_a_repository() {
    let nowhere = tempfile::tempdir().unwrap();
    let nowhere = Utf8Path::from_path(nowhere.path()).unwrap();
    insta::assert_snapshot!("targets", shown(nowhere, &xtask(nowhere, &["target"])));
    insta::assert_snapshot!(
        "target-el7",
        shown(nowhere, &xtask(nowhere, &["target", "el7-x86_64", "--python", "3.6"]))
    );
    let tags = xtask(nowhere, &["target", "el8-aarch64", "--tags"]).stdout;
    assert!(tags.starts_with("cp36-cp36m-manylinux_2_28_aarch64\n"), "{tags}");
    let probe = xtask(nowhere, &["target", "--probe"]);
    assert!(probe.code == Some(0) && probe.stdout == wheelhaul_engine::templates::probe(), "{probe}");
    let evidence = xtask(nowhere, &["target", "--evidence"]);
    assert!(evidence.code == Some(0) && evidence.stdout == wheelhaul_engine::templates::evidence(), "{evidence}");
    let sample = Checkout::new("targets-").unwrap();
    let folder = sample.dir().unwrap();
    let own = "[[target]]\nname = \"own\"\nprobe = \"dist/own.json\"\n[service]";
    let path = folder.join("dist/package.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("[service]", own, 1)).unwrap();
    insta::assert_snapshot!("no-probe", shown(&folder, &xtask(&folder, &["target"])));
    fs::write(folder.join("dist/own.json"), "{\"probe\": 1}").unwrap();
    insta::assert_snapshot!("bad-probe", shown(&folder, &xtask(&folder, &["lock", "--check"])));
}

/// A file of the sample, what is replaced in it by what, and the words that are run.
type Case = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

#[test]
fn errors_name_the_cause_and_the_cure() {
    let package = "dist/package.toml";
    let lock = "python-app/Pipfile.lock";
    #[rustfmt::skip]
    let cases: &[Case] = &[
        ("unknown-key",     package, "release =", "relase =",                    &["lock", "--check"]),
        ("wrong-type",      package, "port = 9091", "port = \"9091\"",           &["lock", "--check"]),
        ("syntax",          package, "[app]", "[app",                            &["lock", "--check"]),
        ("unknown-target",  package, "el9-x86_64", "el9-amd64",                  &["lock", "--check"]),
        ("own-target",      package, "python = \"3.11\" ", "[target.box]\nglibc = \"2\" ", &["lock", "--check"]),
        ("python-2",        package, "\"el9-x86_64\"\npython = \"3.11\"", "\"el7-x86_64\"\npython = \"2.7\"", &["rpm"]),
        ("no-such-target",  package, "", "",                                     &["lock", "--check", "--target", "el10-x86_64"]),
        ("no-lock",         package, "Pipfile.lock", "Pipfile.lck.txt",          &["lock", "--check"]),
        ("unknown-format",  package, "Pipfile.lock", "Gemfile.lock",             &["lock", "--check"]),
        ("editable",        lock,    "\"version\": \"==1.9.0\"", "\"editable\": true, \"path\": \"./vendored\"", &["lock", "--check"]),
        ("bad-marker",      lock,    "python_version >= '3.9'", "python_version >= ", &["lock", "--check"]),
        ("stale",           lock,    "==1.9.0", "==1.8.0",                       &["lock", "--check"]),
        ("stale-locked",    lock,    "==1.9.0", "==1.8.0",                       &["dist", "--locked"]),
        ("stale-offline",   lock,    "==1.9.0", "==1.8.0",                       &["lock", "--offline"]),
        ("nothing-built",   package, "", "",                                     &["verify"]),
        ("no-rpm",          package, "", "",                                     &["verify", "dist/package.toml"]),
        ("json-error",      package, "port = 9091", "port = 0",                  &["lock", "--check", "--format", "json"]),
        ("bad-flag",        package, "", "",                                     &["lock", "--chek"]),
    ];
    for (name, file, from, to, words) in cases {
        let sample = Checkout::new("errors-").unwrap();
        let folder = sample.dir().unwrap();
        let path = folder.join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{name}: `{from}` is not in `{file}`");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        insta::assert_snapshot!(*name, shown(&folder, &xtask(&folder, words)));
    }
}

#[test]
fn outside_of_a_repository_the_error_says_where_to_go() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    insta::assert_snapshot!("no-repository", shown(folder, &xtask(folder, &["dist"])));
}

#[test]
fn without_a_network_a_missing_wheel_is_named_and_nothing_is_written() {
    let sample = Checkout::new("offline-").unwrap();
    let folder = sample.dir().unwrap();
    let _ = fs::remove_dir_all(folder.join("dist/wheels"));
    let refused = xtask(&folder, &["rpm", "--offline"]);
    assert_eq!(refused.code, Some(2), "{refused}");
    assert!(refused.stderr.contains("lacks 21 of the locked wheels") && refused.stderr.contains("hint:"), "{refused}");
    assert!(!folder.join("dist/out").exists());
}

#[test]
fn help_and_hints_name_the_command_that_was_typed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    // Beside the tests' own program, which is started as `cargo xtask`.
    let program = Utf8Path::new(env!("CARGO_BIN_EXE_started")).with_file_name("wheelhaul");
    let target = program.ancestors().nth(2).unwrap();
    let built = std::process::Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "wheelhaul", "--bin", "wheelhaul", "--target-dir", target.as_str()])
        .current_dir(checkout::repository())
        .status();
    assert!(built.unwrap().success());
    for words in
        [&["--help"][..], &["lock", "--help"], &["sign", "--help"], &["checks", "tags"], &["dist"], &["nothing"]]
    {
        let said = run(std::process::Command::new(&program).args(words).current_dir(folder)).unwrap().to_string();
        assert!(said.contains("wheelhaul") || words[0] == "dist", "{said}");
        assert!(!said.contains("cargo xtask"), "{said}");
    }
}
