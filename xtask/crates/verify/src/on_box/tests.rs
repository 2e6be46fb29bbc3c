use super::*;
use crate::{CHECKS, Evidence, Outcome, Verdict, When, judge as judge_all};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use wheelhaul_boxes::Target;
use wheelhaul_rpmfile::{FileRow, RpmMetadata};

/// What a good box says of the package of [`evidence`].
fn document() -> Value {
    json!({
        "evidence": 1, "made": "2026-12-01T03:53:23Z", "root": true, "python": "3.9.18", "name": "shop",
        "kernel": "5.14.0-503.el9.x86_64", "machine": "x86_64",
        "os": {"id": "rhel", "version": "9.5", "name": "Red Hat Enterprise Linux 9.5 (Plow)"},
        "package": {"name": "shop", "epoch": null, "version": "1.0", "release": "2.el9", "arch": "x86_64", "header-sha256": "ab"},
        "rpm-verify": {"lines": [], "unread": 0},
        "unit": {"sha256": "cd", "properties": {
            "Id": "shop.service", "LoadState": "loaded", "ActiveState": "active", "SubState": "running", "Result": "success",
            "NRestarts": "0", "NeedDaemonReload": "no", "ExecMainStatus": "0", "DropInPaths": "",
            "FragmentPath": "/usr/lib/systemd/system/shop.service",
        }},
        "interpreter": {"path": "/usr/bin/python3.11", "version": "3.11.9", "by": "process"},
        "selinux-mode": "enforcing", "domain": "system_u:system_r:unconfined_service_t:s0", "selinux-denials": [],
        "fapolicyd": "active", "fapolicyd-denials": [], "fips": true, "exposure": 1.2,
        "answer": {"url": "https://127.0.0.1:9091/", "status": 200, "error": null}, "absent": {},
    })
}

fn evidence(document: &Value) -> Evidence {
    let target = Target::find("el9-x86_64", Some("3.11"), None).unwrap();
    let mut described = RpmMetadata::default();
    (described.name, described.version, described.release) = ("shop".into(), "1.0".into(), "2.el9".into());
    (described.arch, described.file_digest_algorithm) = ("x86_64".into(), 8);
    let row = FileRow { mode: 0o100_644, digest: "cd".into(), ..FileRow::default() };
    described.files.insert("/usr/lib/systemd/system/shop.service".into(), row);
    let mut evidence = Evidence::of_files("/opt/shop".into(), target, described, BTreeMap::new(), BTreeMap::new());
    evidence.bytes.header = "ab".into();
    evidence.on_box = Some(OnBox::parse(&document.to_string()).unwrap());
    evidence
}

/// The checks that do not pass, each with what it says.
fn not_passed(document: &Value) -> Vec<(&'static str, Verdict, String)> {
    let judged = judge_all(&evidence(document)).into_iter().filter(|one| one.check.when == When::OnBox);
    let said = |outcome: &Outcome| match outcome {
        Outcome::Made { findings, .. } => {
            findings.iter().map(|finding| format!("{} {}", finding.path, finding.found)).collect()
        }
        Outcome::NotMade { why, .. } => why.clone(),
    };
    judged
        .map(|one| (one.check.name, one.outcome.verdict(), said(&one.outcome)))
        .filter(|(_, verdict, _)| *verdict != Verdict::Ok)
        .collect()
}

const AVC: &str = "type=AVC msg=audit(1:2): avc:  denied  { execmem } for  pid=7 comm=\"python3.11\" \
                   scontext=system_u:system_r:unconfined_service_t:s0 tcontext=system_u:system_r:other_t:s0 tclass=process";

#[test]
fn what_is_wrong_on_a_box_is_found_by_its_check_alone() {
    assert_eq!(not_passed(&document()), []);
    let other = AVC.replace("unconfined_service_t", "chronyd_t");
    let (failed, warned, unmade) = (Verdict::Failed, Verdict::Warning, Verdict::Unasked);
    #[rustfmt::skip]
    let cases = [ // in the document              by                       the check       comes to  and says
        ("/package/name",                    json!("shops"),           "box-package",  failed, "`shops-1.0-2.el9.x86_64` is installed"),
        ("/package/version",                 json!("1.1"),             "box-package",  failed, "shop-1.1-2"),
        ("/package/release",                 json!("1.el9"),           "box-package",  failed, "shop-1.0-1.el9"),
        ("/package/epoch",                   json!(1),                 "box-package",  failed, "shop-1:1.0"),
        ("/package/arch",                    json!("aarch64"),         "box-package",  failed, "aarch64"),
        ("/package/header-sha256",           json!("ac"),              "box-package",  failed, "another build"),
        ("/package",                         json!(null),              "box-package",  unmade, "does not tell `package`"),
        ("/os/version",                      json!("9.1"),             "box-release",  failed, "the box is at 9.1"),
        ("/os/version",                      json!("8.10"),            "box-release",  failed, "the box is Red Hat"),
        ("/os/version",                      json!("90"),              "box-release",  failed, "the box is Red Hat"),
        ("/os/version",                      json!(null),              "box-release",  unmade, "VERSION_ID"),
        ("/os",                              json!(null),              "box-release",  unmade, "`os`"),
        ("/machine",                         json!("aarch64"),         "box-release",  failed, "processor is `aarch64`"),
        ("/interpreter/version",             json!("3.9.18"),          "box-release",  failed, "runs by Python 3.9.18"),
        ("/interpreter/version",             json!("3.1"),             "box-release",  failed, "runs by Python 3.1"),
        ("/interpreter/version",             json!(null),              "box-release",  warned, "no Python"),
        ("/interpreter",                     json!(null),              "box-release",  unmade, "`interpreter`"),
        ("/unit/properties/ActiveState",     json!("failed"),          "box-service",  failed, "the service is failed (running)"),
        ("/unit/properties/ActiveState",     json!("activating"),      "box-service",  failed, "activating"),
        ("/unit/properties",                 json!({}),                "box-service",  failed, "the service is  ()"),
        ("/unit/properties/Id",              json!("shops.service"),   "box-service",  failed, "about `shops.service`"),
        ("/unit/properties/NRestarts",       json!("3"),               "box-service",  warned, "restarted it 3 times"),
        ("/unit/properties/NeedDaemonReload", json!("yes"),            "box-service",  warned, "has not read the unit"),
        ("/unit/sha256",                     json!("ce"),              "box-service",  failed, "another unit, `/usr/lib"),
        ("/unit/sha256",                     json!(null),              "box-service",  unmade, "digest of the unit"),
        ("/unit",                            json!(null),              "box-service",  unmade, "`unit`"),
        ("/selinux-denials",                 json!([AVC]),             "box-selinux",  failed, "SELinux denied: type=AVC"),
        ("/selinux-denials",                 json!([other]),           "box-selinux",  warned, "something else on the box"),
        ("/selinux-denials",                 json!([format!("{other} path=\"/opt/shop/x\"")]), "box-selinux", failed, "SELinux denied: "),
        ("/selinux-denials",                 json!([format!("{other} path=\"/opt/shops/x\"")]), "box-selinux", warned, "something else"),
        ("/selinux-denials",                 json!(null),              "box-selinux",  unmade, "`selinux-denials`"),
        ("/selinux-mode",                    json!(null),              "box-selinux",  unmade, "`selinux-mode`"),
        ("/selinux-mode",                    json!("disabled"),        "box-selinux",  unmade, "disabled on the box"),
        ("/fapolicyd-denials",               json!(["type=FANOTIFY exe=\"/opt/shop/bin/x\""]), "box-fapolicy", failed, "fapolicyd denied"),
        ("/fapolicyd-denials",               json!(["type=FANOTIFY exe=\"/home/x\""]), "box-fapolicy", warned, "something else"),
        ("/fapolicyd-denials",               json!(null),              "box-fapolicy", unmade, "`fapolicyd-denials`"),
        ("/fapolicyd",                       json!("inactive"),        "box-fapolicy", unmade, "fapolicyd is `inactive`"),
        ("/fapolicyd",                       json!(null),              "box-fapolicy", unmade, "`fapolicyd`"),
        ("/rpm-verify/lines",                json!(["S.5....T.    /opt/shop/app.py"]), "box-files", failed, "/opt/shop/app.py `rpm -V` says"),
        ("/rpm-verify/lines",                json!(["S.5....T.  c /opt/shop/a.ini"]), "box-files", warned, "/opt/shop/a.ini `rpm"),
        ("/rpm-verify/lines",                json!(["missing   c /opt/shop/a.ini"]), "box-files", failed, "/opt/shop/a.ini `rpm"),
        ("/rpm-verify/lines",                json!(["shop: `import x` fails"]), "box-files", failed, "`import x` fails"),
        ("/rpm-verify/unread",               json!(2),                 "box-files",    unmade, "2 files could not be compared"),
        ("/rpm-verify",                      json!(null),              "box-files",    unmade, "`rpm-verify`"),
        ("/answer",                          json!({"url": "http://x/", "status": null, "error": "refused"}), "box-answer", failed, "no answer from http://x/: refused"),
        ("/answer/status",                   json!(null),              "box-answer",   failed, "no answer"),
        ("/answer/status",                   json!(502),               "box-answer",   failed, "answered with 502"),
        ("/answer",                          json!(null),              "box-answer",   unmade, "`answer`"),
    ];
    let tried: BTreeSet<&str> = cases.iter().map(|case| case.2).collect();
    let known = CHECKS.iter().filter(|check| check.when == When::OnBox).map(|check| check.name);
    assert_eq!(tried, known.collect());
    for (place, value, check, verdict, says) in cases {
        let mut document = document();
        *document.pointer_mut(place).unwrap() = value.clone();
        let found = not_passed(&document);
        let [(name, comes_to, said)] = found.as_slice() else { panic!("{place} {value}: {found:?}") };
        assert!((*name, *comes_to) == (check, verdict) && said.contains(says), "{place} {value}: {found:?}");
    }
    // A 401 is an answer, and other releases than those of RHEL's kind are compared as they are.
    for (place, value) in [("/answer/status", json!(401)), ("/os/version", json!("9")), ("/exposure", json!(null))] {
        let mut document = document();
        *document.pointer_mut(place).unwrap() = value;
        assert_eq!(not_passed(&document), [], "{place}");
    }
}

#[test]
fn what_a_box_does_not_tell_passes_nowhere() {
    let mut silent = document();
    let keys: Vec<String> = silent.as_object().unwrap().keys().cloned().collect();
    for key in keys {
        if !["evidence", "made", "machine", "kernel", "absent"].contains(&key.as_str()) {
            silent.as_object_mut().unwrap().remove(&key);
        }
    }
    silent["absent"] = json!({"package": "there is no `rpm` on this box"});
    let found = not_passed(&silent);
    let checks = CHECKS.iter().filter(|check| check.when == When::OnBox).count();
    assert_eq!((found.len(), checks), (7, 7), "{found:?}");
    assert!(found.iter().all(|(_, verdict, _)| *verdict == Verdict::Unasked), "{found:?}");
    assert!(found[0].2.contains("there is no `rpm`") && found[2].2.contains("does not say why"), "{found:?}");
}

#[test]
fn what_the_script_does_not_print_is_refused_and_told() {
    let long = "x".repeat(1001);
    #[rustfmt::skip]
    let cases = [ // in the document       by                  in the error
        ("/evidence",                json!(2),                 "made by evidence script 2 instead of 1"),
        ("/evidence",                json!(-1),                "is not what the evidence script prints"),
        ("/made",                    json!("yesterday"),       "`made` is `yesterday`"),
        ("/made",                    json!("2026-13-01"),      "which is no time"),
        ("/absent",                  json!([]),                "invalid type"),
        ("/exposure",                json!("low"),             "invalid type"),
        ("/answer/status",           json!(70_000),            "invalid value"),
        ("/selinux-mode",            json!("on\u{1b}[2J"),     "unknown variant"),
        ("/selinux-denials",         json!([long]),            "more than 1000 characters"),
        ("/rpm-verify/lines",        json!([long]),            "more than 1000 characters"),
        ("/unit/properties",         json!({"a": 1}),          "invalid type"),
    ];
    for (place, value, says) in cases {
        let mut document = document();
        *document.pointer_mut(place).unwrap() = value.clone();
        let error = OnBox::parse(&document.to_string()).unwrap_err();
        let hints = wheelhaul_base::problem::hints_of(&error);
        assert!(error.to_string().contains(says) && hints[0].contains("target --evidence"), "{place}: {error}");
        assert!(!error.to_string().contains('\u{1b}') && error.to_string().len() < 400, "{place}: {error}");
    }
    for text in ["", "[]", "{}", "{\"evidence\": 1}", "\u{feff}", &"[".repeat(100_000)] {
        assert!(OnBox::parse(text).is_err());
    }
    assert!(OnBox::parse(&format!("\u{feff}{}", document())).is_ok());
}
