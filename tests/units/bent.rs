//! A good package with one thing bent: the check that ought to find it does.

use crate::boxes::{Draft, pack};
use std::io::Cursor;
use std::sync::Arc;
use wheelhaul_rpmfile::{FileOwner, FileRow};
use wheelhaul_verify::{Evidence, Outcome, ParsedBy, ScriptFault, Severity, judge};

const UNIT: &str = "/usr/lib/systemd/system/demo.service";
const CONFIG: &str = "/opt/demo/config.yaml";
const MODULE: &str = "/opt/demo/demoapp.py";

fn good() -> Evidence {
    let (_, bytes) = pack(&[Draft::of("demo"), Draft::app()]).unwrap();
    let mut evidence = Evidence::gather(Cursor::new(bytes)).unwrap();
    evidence.host.parsed_by = Some(ParsedBy { by: "sh".to_owned(), scripts: 5, said: Vec::new() });
    evidence
}

fn row<'a>(evidence: &'a mut Evidence, path: &str) -> &'a mut FileRow {
    evidence.described.files.get_mut(path).unwrap_or_else(|| panic!("{path} is not there"))
}

fn owner<'a>(evidence: &'a mut Evidence, path: &str) -> &'a mut FileOwner {
    Arc::make_mut(&mut row(evidence, path).owner)
}

fn text(evidence: &mut Evidence, path: &str, change: impl FnOnce(&str) -> String) {
    let text = evidence.texts.get_mut(path).unwrap_or_else(|| panic!("{path} is no text"));
    *text = change(text);
}

fn script(evidence: &mut Evidence, name: &'static str, change: impl FnOnce(&str) -> String) {
    let text = change(&evidence.described.scriptlets[name]);
    evidence.described.scriptlets.insert(name, text);
}

/// A second path like another one.
fn copy(evidence: &mut Evidence, from: &str, to: &str) {
    let row = evidence.described.files[from].clone();
    evidence.described.files.insert(to.to_owned(), row);
}

/// The checks that found something, and what.
fn found(evidence: &Evidence) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for judged in judge(evidence) {
        match judged.outcome {
            Outcome::Made { findings, .. } => {
                found.extend(
                    findings
                        .into_iter()
                        .map(|finding| (judged.check.name, format!("{}: {}", finding.path, finding.found))),
                );
            }
            Outcome::NotMade { severity: Severity::Warning, .. } => {}
            Outcome::NotMade { why, .. } => found.push((judged.check.name, why)),
        }
    }
    found
}

#[test]
fn each_fault_is_found_by_the_check_that_ought_to() {
    assert_eq!(found(&good()), []);
    type Bend = fn(&mut Evidence);
    #[rustfmt::skip]
    let cases: &[(&str, &str, Bend)] = &[ // check, what is said, what is bent
        ("scriptlets", "%post is run by `<lua>`",            |e| drop(e.described.interpreters.insert("post", "<lua>".to_owned()))),
        ("scriptlets", "of the kind %pretrans",              |e| e.described.other_scriptlets.push("pretrans")),
        ("scriptlets", "%post ends with",                    |e| script(e, "post", |text| text.replace("exit 0", ""))),
        ("scriptlets", "is parsed by nobody",                |e| script(e, "post", |text| format!("# {}\n{text}", "x".repeat(300_000)))),
        ("scriptlets", "%pre: line 1: bad",                  |e| e.host.parsed_by.as_mut().unwrap().said.push(ScriptFault { path: String::new(), what: "%pre: line 1: bad".to_owned(), severity: Severity::Error })),
        ("units",      "`Restart` is `sometimes`",           |e| text(e, UNIT, |text| text.replace("Restart=on-failure", "Restart=sometimes"))),
        ("units",      "is not UTF-8",                       |e| copy(e, UNIT, "/usr/lib/systemd/system/demo.socket")),
        ("units",      "a second `User`",                    |e| text(e, UNIT, |text| text.replace("User=demo", "User=demo\nUser=demo"))),
        ("unit-keys",  "which no systemd knows",             |e| text(e, UNIT, |text| text.replace("Restart=", "Restrat="))),
        ("entry-point", "names `/opt/demo/bin/a b`",         |e| text(e, UNIT, |text| text.replace("ExecStart=", "ExecStart=\"/opt/demo/bin/a b\" "))),
        ("sysusers",   "it runs as root",                    |e| text(e, UNIT, |text| text.replace("User=demo\n", ""))),
        ("sysusers",   "its user `nobody` is not made by the sysusers file and %pre", |e| text(e, UNIT, |text| text.replace("User=demo", "User=nobody"))),
        ("sysusers",   "is not made by %pre",                |e| script(e, "pre", |text| text.replace("useradd", "usermod"))),
        ("sysusers",   "is not made by the sysusers file",   |e| text(e, "/usr/lib/sysusers.d/demo.conf", |text| text.replace("u demo", "g demo"))),
        ("sysusers",   "its group `other`",                  |e| owner(e, CONFIG).group = "other".to_owned()),
        ("config",     "everybody on the box may read it",   |e| row(e, CONFIG).mode = 0o100_644),
        ("config",     "an upgrade would take the place",    |e| row(e, CONFIG).flags = 1),
        ("config",     "the service cannot read it",         |e| owner(e, CONFIG).group = "root".to_owned()),
        ("config",     "the service owns its own",           |e| owner(e, CONFIG).user = "demo".to_owned()),
        ("config",     "is indented by a tab",               |e| text(e, CONFIG, |_| "a:\n\tb: 1\n".to_owned())),
        ("config",     "it is not UTF-8",                    |e| drop(e.texts.remove(CONFIG))),
        ("secrets",    "line 1: `password` has a value",     |e| text(e, CONFIG, |_| "password: abc\n".to_owned())),
        ("secrets",    "`DB_PASSWORD` has a value",          |e| text(e, UNIT, |text| text.replace("[Install]", "Environment=\"DB_PASSWORD=a b\"\n[Install]"))),
        ("secrets",    "a URL with a password",              |e| text(e, UNIT, |text| text.replace("[Install]", "Environment=DB=redis://:abc@db\n[Install]"))),
        ("secrets",    "%post, line 1: `API_TOKEN`",         |e| script(e, "post", |text| format!("API_TOKEN=abc\n{text}"))),
        ("secrets",    "a private key of SSH",               |e| copy(e, MODULE, "/opt/demo/demoapp/id_rsa")),
        ("secrets",    "a repository came along",            |e| copy(e, MODULE, "/opt/demo/.git/config")),
        ("places",     "a folder of RHEL's `filesystem`",    |e| copy(e, "/opt/demo", "/opt")),
        ("places",     "`openssh-server` has a unit",        |e| { copy(e, UNIT, "/usr/lib/systemd/system/sshd.service"); e.texts.insert("/usr/lib/systemd/system/sshd.service".to_owned(), e.texts[UNIT].clone()); }),
        ("places",     "`openssh` has a folder",             |e| copy(e, "/opt/demo", "/etc/ssh")),
        ("modes",      "it has the sticky bit",              |e| row(e, "/opt/demo").mode = 0o041_755),
        ("modes",      "the service cannot read it",         |e| row(e, MODULE).mode = 0o100_600),
        ("modes",      "a folder is not root's",             |e| owner(e, "/opt/demo").user = "demo".to_owned()),
    ];
    let mut faults = Vec::new();
    for (check, says, bend) in cases {
        let mut evidence = good();
        bend(&mut evidence);
        let found = found(&evidence);
        if !found.iter().any(|(name, what)| name == check && what.contains(says)) {
            faults.push(format!("{check}: {says}: {found:?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn texts_with_thousands_of_faults_are_judged_in_time_and_every_fault_is_counted() {
    let mut evidence = good();
    let lines = 20_000;
    text(&mut evidence, UNIT, |_| format!("[Service]\nUser=demo\nExecStart=/bin/true\n{}", "nonsense\n".repeat(lines)));
    text(&mut evidence, CONFIG, |_| "password: abc\n".repeat(lines));
    evidence.texts.insert("/usr/lib/sysusers.d/demo.conf".to_owned(), "u demo\n".to_owned() + &"x\n".repeat(lines));
    let start = std::time::Instant::now();
    let found = found(&evidence);
    let number = |check: &str| found.iter().filter(|(name, _)| *name == check).count();
    // A thousand are shown of each check, and one that says how many there are beside.
    assert_eq!((number("units"), number("sysusers"), number("secrets")), (1001, 1001, 50));
    for check in ["units", "sysusers"] {
        let rest = format!("{} findings more", lines - 1000);
        assert!(found.iter().any(|(name, what)| *name == check && what.contains(&rest)), "{check}: {rest}");
    }
    assert!(start.elapsed() < std::time::Duration::from_secs(20), "it took {:?}", start.elapsed());
}

#[test]
fn texts_with_random_faults_never_panic() {
    let mut evidence = good();
    let paths = [UNIT, CONFIG, "/usr/lib/sysusers.d/demo.conf"];
    let texts: Vec<Vec<u8>> = paths.iter().map(|path| evidence.texts[*path].clone().into_bytes()).collect();
    let pre = evidence.described.scriptlets["pre"].clone();
    let mut state = 0x1234_5678_9abc_def1_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    const ODD: [&[u8]; 12] = [b"\\", b"\"", b"'", b"%", b";", b"=", b"[", b"]", b"\n", b"\0", b"\xc3\xa9", b" "];
    for _ in 0..400 {
        for (path, text) in paths.iter().zip(&texts) {
            let mut text = text.clone();
            for _ in 0..1 + random(6) {
                let at = random(text.len());
                text.splice(at..at + random(2), ODD[random(ODD.len())].iter().copied());
            }
            evidence.texts.insert((*path).to_owned(), String::from_utf8_lossy(&text).into_owned());
        }
        let cut: String = pre.chars().take(random(pre.len())).collect();
        evidence.described.scriptlets.insert("pre", cut);
        found(&evidence);
    }
}
