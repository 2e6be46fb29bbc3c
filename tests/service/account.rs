//! Which existing accounts `%pre` takes for the service's user, run by the shells of this host with the programs that
//! know accounts replaced.

use crate::checkout::command::run;
use std::process::Command;
use wheelhaul_boxes::Target;
use wheelhaul_config::Config;
use wheelhaul_package::service::{ServiceFacts, ServiceProgram};

const CONFIG: &str = "[package]\nname = \"shop\"\nrelease = \"1\"\n[app]\npath = \".\"\nlock = \"requirements.txt\"\n\
    [[target]]\nname = \"el9-x86_64\"\n[service]\ncommand = [\"gunicorn\", \"a:b\"]\nport = 9091\n";

#[test]
fn an_account_of_a_person_or_of_root_is_refused_and_any_other_is_taken() -> anyhow::Result<()> {
    let config = Config::parse(CONFIG)?;
    let target = Target::find("el9-x86_64", None, None)?;
    let facts = ServiceFacts {
        name: "shop",
        summary: "",
        root: "/opt/shop",
        service: &config.service,
        target: &target,
        server_version: None,
    };
    let script = facts.scriptlets(ServiceProgram::Script)?.pre;
    let folder = tempfile::tempdir()?;
    let defaults = folder.path().join("login.defs");
    #[rustfmt::skip]
    let cases = [ // the account                                       /etc/login.defs              is taken
        (None,                                                        "UID_MIN 1000\n",            true),
        (Some("shop:x:990:990:Service:/var/lib/shop:/sbin/nologin"),  "UID_MIN 1000\n",            true),
        (Some("shop:x:990:990::/home/shop:/bin/bash"),                "UID_MIN 1000\n",            true),
        (Some("shop:*:1500123:5::/home/shop:/usr/sbin/nologin"),      "UID_MIN 1000\n",            true),
        (Some("shop:*:1000:5::/:/bin/false"),                         "",                          true),
        (Some("shop:x:1000:1000:A Person,,,:/home/shop:/bin/bash"),   "UID_MIN 1000\n",            false),
        (Some("shop:x:999:999::/home/shop:/bin/bash"),                "UID_MIN\t\t 500 # old\n",  false),
        (Some("shop:x:1500:1500::/home/shop:/bin/sh"),                "#UID_MIN 5\nUID_MIN 2000\n", true),
        (Some("shop:x:1500:1500::/home/shop:/bin/sh"),                "UID_MIN many\nUID_MAX 9\n", false),
        (Some("shop:*:1500123:5:Directory:/home/shop:"),              "UID_MIN 1000\n",            false),
        (Some("shop:x:0:0:root:/root:/sbin/nologin"),                 "UID_MIN 1000\n",            false),
    ];
    for (account, text, is_taken) in cases {
        fs_err::write(&defaults, text)?;
        let script = script.replace("/etc/login.defs", &defaults.display().to_string());
        let getent = account.map_or("return 2".to_owned(), |line| format!("[ $1 = group ] || echo '{line}'"));
        let known = format!("getent() {{ {getent}; }}; useradd() {{ :; }}; groupadd() {{ :; }}\n{script}");
        for shell in ["dash", "bash"] {
            let finished = run(Command::new(shell).args(["-u", "-c", &known]))?;
            assert_eq!(finished.succeeded(), is_taken, "{shell}: {account:?}, {text:?}: {finished}");
            if !is_taken {
                let uid = account.and_then(|line| line.split(':').nth(2)).unwrap_or_default();
                assert!(finished.stderr.contains(&format!("the account shop (uid {uid},")), "{finished}");
                assert!(finished.stderr.contains("hint: rename that account"), "{finished}");
            } else {
                assert!(finished.stderr.is_empty(), "{finished}");
            }
        }
    }
    Ok(())
}
