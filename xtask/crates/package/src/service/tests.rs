//! Commands, units and scriptlets, target by target.

mod sockets;

use super::*;
use pep440_rs::Version;
use std::collections::{BTreeMap, BTreeSet};
use wheelhaul_base::problem::hints_of;
use wheelhaul_boxes::{Target, known_targets};
use wheelhaul_config::{Lines, Service, Tls};
use wheelhaul_systemd::command_line;

fn service(command: &[&str], port: u16, tls: Tls) -> Service {
    Service {
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        port,
        address: "0.0.0.0".to_owned(),
        tls,
        socket_activation: None,
        secrets: BTreeSet::new(),
        environment: BTreeMap::new(),
        unit: BTreeMap::new(),
    }
}

fn facts<'a>(service: &'a Service, target: &'a Target) -> ServiceFacts<'a> {
    ServiceFacts {
        name: "report",
        summary: "A report at 100%",
        root: "/opt/report",
        service,
        target,
        server_version: None,
    }
}

#[test]
fn a_server_may_be_told_where_to_listen_by_its_environment() {
    let target = Target::find("el9-x86_64", Some("3.11"), None).unwrap();
    let mut service = service(&["airflow", "standalone"], 8080, Tls::Off);
    let refused = facts(&service, &target).command(ServiceProgram::Script).unwrap_err();
    assert!(refused.to_string().contains("does not say where the port goes"), "{refused}");
    assert!(hints_of(&refused).concat().contains("[service.environment]"));
    service.environment.insert("LISTEN".to_owned(), "{address}:{port}".to_owned());
    let unit = facts(&service, &target).unit(ServiceProgram::Script).unwrap();
    assert!(unit.contains("\nEnvironment=LISTEN=0.0.0.0:8080\n"), "{unit}");
    // A server that is known takes it by its options.
    service.command = vec!["gunicorn".to_owned(), "a:b".to_owned()];
    let command = facts(&service, &target).command(ServiceProgram::Script).unwrap();
    assert!(command.ends_with(&["--bind", "0.0.0.0:8080", "a:b"].map(str::to_owned)), "{command:?}");
}

#[test]
fn commands_get_address_and_certificate_as_their_server_takes_them() {
    let target = Target::find("el9-x86_64", Some("3.11"), None).unwrap();
    let python = "/usr/bin/python3.11 -ISB /opt/report/bin/python";
    #[rustfmt::skip]
    let cases = [ // command                                tls              program            ExecStart
        (vec!["gunicorn", "a:b"],                           Tls::Off,        ServiceProgram::Script, format!("{python} /opt/report/bin/gunicorn --bind 0.0.0.0:9091 a:b")),
        (vec!["gunicorn", "a:b"],                           Tls::SelfSigned, ServiceProgram::Script, format!("{python} /opt/report/bin/gunicorn --bind 0.0.0.0:9091 --certfile /var/lib/report/tls.crt --keyfile /var/lib/report/tls.key a:b")),
        (vec!["uvicorn", "a:b"],                            Tls::Off,        ServiceProgram::Module, format!("{python} -m uvicorn --fd 3 a:b")),
        (vec!["own", "--at", "{address}:{port}", "50% \"x\""], Tls::Off,     ServiceProgram::Binary, "/opt/report/bin/own --at 0.0.0.0:9091 \"50%% \\\"x\\\"\"".to_owned()),
    ];
    for (command, tls, program, line) in cases {
        let service = service(&command, 9091, tls);
        assert_eq!(command_line(&facts(&service, &target).command(program).unwrap()), line);
    }
    for (command, tls) in [(vec!["own"], Tls::Off), (vec!["waitress-serve", "a:b"], Tls::SelfSigned)] {
        let service = service(&command, 9091, tls);
        assert!(facts(&service, &target).command(ServiceProgram::Script).is_err(), "{command:?}");
    }
}

#[test]
fn an_old_systemd_gets_what_it_knows_and_its_state_from_the_scriptlet() {
    for (name, protect, filters, makes) in
        [("el7-x86_64", "ProtectSystem=full\n", false, true), ("el8-x86_64", "ProtectSystem=strict\n", true, false)]
    {
        let target = Target::find(name, None, None).unwrap();
        let service = service(&["gunicorn", "a:b"], 9091, Tls::SelfSigned);
        let facts = facts(&service, &target);
        let unit = facts.unit(ServiceProgram::Script).unwrap();
        assert!(unit.contains(protect) && unit.contains("@system-service") == filters, "{name}:\n{unit}");
        let pre = facts.scriptlets(ServiceProgram::Script).unwrap().pre;
        assert!(pre.contains("chown report:report /var/lib/report") == makes && !pre.contains("STATE"), "{pre}");
        assert!(pre.ends_with("exit 0\n"), "{pre}");
    }
}

#[test]
fn a_unit_has_only_keys_that_its_systemd_knows() {
    for target in known_targets() {
        if target.interpreter.version < (3, 4) {
            continue;
        }
        let mut service = service(&["gunicorn", "a:b"], 80, Tls::SelfSigned);
        service.secrets.insert("token".to_owned());
        for activation in [None, Some(false)] {
            service.socket_activation = activation;
            for (file, text) in facts(&service, &target).units(ServiceProgram::Script).unwrap() {
                let mut section = "";
                for line in text.lines() {
                    match line.split_once('=') {
                        Some((key, _)) => assert!(target.knows(section, key), "{}: {file}: {line}", target.name),
                        None => section = line.trim_matches(['[', ']']),
                    }
                }
            }
        }
    }
}

#[test]
fn root_runs_one_command_in_a_unit_without_the_services_variables() {
    for target in known_targets() {
        let mut service = service(&["gunicorn", "a:b"], 9091, Tls::SelfSigned);
        service.environment.insert("PATH".to_owned(), "/var/lib/report/bin".to_owned());
        for (file, text) in facts(&service, &target).units(ServiceProgram::Script).unwrap() {
            let commands = text.lines().filter(|line| line.starts_with("Exec")).filter_map(|line| line.split_once('='));
            let raised: Vec<&str> = commands
                .filter(|(_, value)| value.trim_start_matches(['-', '@', ':']).starts_with(['+', '!']))
                .map(|(_, value)| value)
                .collect();
            if file == "report-certificate.service" {
                assert_eq!(raised, ["+/usr/bin/systemctl --no-block try-restart report.service"], "{}", target.name);
                assert!(!text.contains("Environment"), "{text}");
            } else {
                assert!(raised.is_empty(), "{}: {file} {raised:?}", target.name);
            }
        }
    }
}

#[test]
fn secrets_are_read_from_one_place_on_every_target() {
    let mut service = service(&["gunicorn", "a:b"], 9091, Tls::Off);
    service.secrets.insert("db-password".to_owned());
    let asserted = "AssertPathExists=/etc/report/credentials/db-password\n";
    let loaded = "LoadCredential=db-password:/etc/report/credentials/db-password\n";
    let named = "Environment=CREDENTIALS_DIRECTORY=/etc/report/credentials\n";
    for (name, loads) in [("el7-x86_64", false), ("el8-x86_64", false), ("el9-x86_64", true), ("el10-x86_64", true)] {
        let target = Target::find(name, None, None).unwrap();
        let unit = facts(&service, &target).unit(ServiceProgram::Script).unwrap();
        assert!(unit.contains(asserted), "{unit}");
        assert_eq!((unit.contains(loaded), unit.contains(named)), (loads, !loads), "{unit}");
    }
}

#[test]
fn a_project_adds_to_the_unit_what_the_target_knows_and_what_is_not_the_tools_own() {
    #[rustfmt::skip]
    let cases = [ // target    key                  value   the error says                                       the hint says
        ("el9-x86_64", "MemoryMax",              "1G",    "",                                                     ""),
        ("el9-x86_64", "MemoryDenyWriteExecute", "yes",   "",                                                     ""),
        ("el9-x86_64", "PrivateUsers",           "no",    "",                                                     ""),
        ("el9-x86_64", "MemoryMax",              "1GB",   "`1GB` of `service.unit.MemoryMax` is nothing that systemd 252 takes", "takes bytes with K"),
        ("el9-x86_64", "PrivateUsers",           "maybe", "which would ignore it",                                "takes yes or no"),
        ("el7-x86_64", "ProtectSystem",          "strict", "nothing that systemd 219 takes",                      "takes yes, no, full"),
        ("el7-x86_64", "MemoryMax",              "1G",    "known from systemd 239 on, and `el7-x86_64` has 219",  "`MemoryLimit` is what systemd 219 knows"),
        ("el8-x86_64", "ExitType",               "main",  "known from systemd 252 on, and `el8-x86_64` has 239",  "systemctl edit"),
        ("el9-x86_64", "MemroyMax",              "1G",    "not a key of [Service] or [Unit] that is known",       "did you mean `MemoryMax`?"),
        ("el9-x86_64", "ExecStart",              "a",     "follows from `service.command`",                       "drop-in"),
        ("el9-x86_64", "User",                   "a",     "belong to the user",                                   "SupplementaryGroups"),
        ("el9-x86_64", "Type",                   "a",     "follows from the server",                              "leave it out"),
        ("el9-x86_64", "Environment",            "a",     "a table of their own",                                 "[service.environment]"),
        ("el9-x86_64", "LoadCredential",         "a",     "a list of their own",                                  "service.secrets"),
        ("el9-x86_64", "Requires",               "a.service", "",                                                 ""),
        ("el9-x86_64", "After",                  "a",     "`a` of `service.unit.After` is nothing that systemd 252 takes", "such as postgresql.service"),
        ("el9-x86_64", "Before",                 "",      "resets nothing in [Unit]",                             "leave the key out"),
        ("el9-x86_64", "Description",            "a",     "the package's summary",                                "package.summary"),
        ("el7-x86_64", "StartLimitIntervalSec",  "1min",  "known from systemd 239 on",                            "`StartLimitInterval` is what systemd 219 knows"),
    ];
    for (name, key, value, says, cure) in cases {
        let target = Target::find(name, None, None).unwrap();
        let mut service = service(&["gunicorn", "a:b"], 9091, Tls::Off);
        service.unit.insert(key.to_owned(), Lines(vec![value.to_owned(), value.to_owned()]));
        match facts(&service, &target).units(ServiceProgram::Script) {
            Ok(units) => {
                assert!(says.is_empty() && units[0].1.contains(&format!("\n{key}={value}\n{key}={value}\n")), "{key}")
            }
            Err(error) => {
                assert!(!says.is_empty() && format!("{error:#}").contains(says), "{key}: {error:#}");
                assert!(hints_of(&error).join("\n").contains(cure), "{key}: {:?}", hints_of(&error));
            }
        }
    }
}

#[test]
fn confinement_that_a_target_does_not_have_can_be_loosened_for_the_others() {
    let mut service = service(&["gunicorn", "a:b"], 9091, Tls::Off);
    service.unit.insert("ProtectProc".to_owned(), Lines(vec!["default".to_owned()]));
    for (name, lines) in [("el9-x86_64", 1), ("el8-x86_64", 0), ("el7-x86_64", 0)] {
        let target = Target::find(name, None, None).unwrap();
        let unit = facts(&service, &target).unit(ServiceProgram::Script).unwrap();
        assert_eq!(unit.matches("ProtectProc=").count(), lines, "{name}: {unit}");
        assert_eq!(unit.matches("ProtectProc=default\n").count(), lines, "{name}: {unit}");
    }
}

#[test]
fn an_empty_value_resets_a_key() {
    let target = Target::find("el9-x86_64", None, None).unwrap();
    let mut service = service(&["gunicorn", "a:b"], 9091, Tls::Off);
    for key in ["PrivateUsers", "SystemCallFilter"] {
        service.unit.insert(key.to_owned(), Lines(vec![String::new()]));
    }
    let unit = facts(&service, &target).unit(ServiceProgram::Script).unwrap();
    // systemd takes an empty list, and complains of an empty boolean.
    assert!(unit.contains("\nSystemCallFilter=\n") && !unit.contains("PrivateUsers"), "{unit}");
}

#[test]
fn readiness_is_told_by_the_versions_that_can_and_an_answer_is_waited_for() {
    let target = Target::find("el9-x86_64", Some("3.11"), None).unwrap();
    let wait = "ExecStartPost=/usr/bin/python3.11 -ISB /opt/report/bin/wait-until-ready";
    #[rustfmt::skip]
    let cases = [ // command                    version         tls              type       waited for
        (vec!["gunicorn", "a:b"],               None,           Tls::Off,        "notify",  "0.0.0.0 9091"),
        (vec!["gunicorn", "a:b"],               Some("23.0.0"), Tls::SelfSigned, "notify",  "0.0.0.0 9091 tls"),
        (vec!["gunicorn", "a:b"],               Some("20.0"),   Tls::Off,        "notify",  "0.0.0.0 9091"),
        (vec!["gunicorn", "a:b"],               Some("19.10.0"), Tls::Off,       "simple",  "0.0.0.0 9091"),
        (vec!["gunicorn", "a:b"],               Some("18.0"),   Tls::SelfSigned, "simple",  "0.0.0.0 9091 tls"),
        (vec!["uvicorn", "a:b"],                Some("0.34.0"), Tls::SelfSigned, "simple",  "0.0.0.0 9091 tls"),
        (vec!["uvicorn", "a:b"],                None,           Tls::Off,        "simple",  "0.0.0.0 9091"),
        (vec!["own", "{port}"],                 None,           Tls::SelfSigned, "simple",  "0.0.0.0 9091"),
        (vec!["own", "{port}", "{cert}"],       None,           Tls::SelfSigned, "simple",  "0.0.0.0 9091 tls"),
    ];
    for (command, version, tls, kind, waited) in cases {
        let service = service(&command, 9091, tls);
        let version: Option<Version> = version.map(|version| version.parse().unwrap());
        let facts = ServiceFacts { server_version: version.as_ref(), ..facts(&service, &target) };
        let unit = facts.unit(ServiceProgram::Module).unwrap();
        for line in [format!("Type={kind}"), format!("{wait} {waited}")] {
            assert!(unit.lines().any(|other| other == line), "{command:?} {version:?} lacks {line}\n{unit}");
        }
    }
}

#[test]
fn a_unit_that_is_shut_off_from_its_address_does_not_ask_itself() {
    let target = Target::find("el9-x86_64", None, None).unwrap();
    #[rustfmt::skip]
    let cases: &[(&[(&str, &str)], bool)] = &[ // keys                                    whether it waits
        (&[],                                                                              true),
        (&[("PrivateNetwork", "yes")],                                                     false),
        (&[("PrivateNetwork", "no")],                                                      true),
        (&[("IPAddressDeny", "any")],                                                      false),
        (&[("IPAddressDeny", "any"), ("IPAddressAllow", "localhost")],                     true),
        (&[("RestrictAddressFamilies", "AF_UNIX")],                                        false),
        (&[("RestrictAddressFamilies", "AF_INET AF_UNIX")],                                true),
    ];
    for (keys, waits) in cases {
        let mut service = service(&["gunicorn", "a:b"], 9091, Tls::Off);
        for (key, value) in *keys {
            service.unit.insert((*key).to_owned(), Lines(vec![(*value).to_owned()]));
        }
        let facts = facts(&service, &target);
        let unit = facts.unit(ServiceProgram::Script).unwrap();
        assert_eq!((facts.waits(), unit.contains("wait-until-ready")), (*waits, *waits), "{keys:?}");
    }
}

#[test]
fn an_address_of_the_host_is_waited_for() {
    let target = Target::find("el9-x86_64", None, None).unwrap();
    #[rustfmt::skip]
    let cases = [ // address      lines of the unit
        ("0.0.0.0",      "After=network.target report.socket\n"),
        ("127.0.0.1",    "After=network.target report.socket\n"),
        ("::1",          "After=network.target report.socket\n"),
        ("192.0.2.7",    "Wants=network-online.target\nWants=report.socket\nAfter=network-online.target report.socket\n"),
        ("2001:db8::1",  "Wants=network-online.target\nWants=report.socket\nAfter=network-online.target report.socket\n"),
    ];
    for (address, lines) in cases {
        let mut service = service(&["gunicorn", "a:b"], 9091, Tls::Off);
        service.address = address.to_owned();
        let unit = facts(&service, &target).unit(ServiceProgram::Script).unwrap();
        assert!(unit.contains(lines), "{address}: {unit}");
    }
}

#[test]
fn programs_of_the_package_are_first_on_the_path_of_every_target() {
    #[rustfmt::skip]
    let cases = [ // `PATH`                                     `ExecSearchPath`      PATH of the unit
        (None,                                                  None,                 "PATH=/opt/report/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"),
        (Some("/usr/pgsql-16/bin:/usr/bin"),                    None,                 "PATH=/opt/report/bin:/usr/pgsql-16/bin:/usr/bin"),
        (Some("/usr/bin:/opt/report/bin"),                      None,                 "PATH=/usr/bin:/opt/report/bin"),
        (Some(""),                                              None,                 "PATH=/opt/report/bin"),
        (Some("/usr/local/my programs"),                        None,                 "\"PATH=/opt/report/bin:/usr/local/my programs\""),
        (None,                                                  Some("/srv/bin"),     "PATH=/opt/report/bin:/srv/bin"),
    ];
    for target in known_targets().into_iter().filter(|target| target.interpreter.version >= (3, 4)) {
        for (path, searched, expected) in &cases {
            let mut service = service(&["gunicorn", "a:b"], 9091, Tls::Off);
            service.environment.extend(path.map(|path| ("PATH".to_owned(), path.to_owned())));
            if let Some(searched) = searched.filter(|_| target.knows("Service", "ExecSearchPath")) {
                service.unit.insert("ExecSearchPath".to_owned(), Lines(vec![searched.to_owned()]));
            } else if searched.is_some() {
                continue;
            }
            let unit = facts(&service, &target).unit(ServiceProgram::Script).unwrap();
            let paths: Vec<&str> = unit
                .lines()
                .filter_map(|line| line.strip_prefix("Environment="))
                .filter(|value| value.trim_start_matches('"').starts_with("PATH="))
                .collect();
            assert_eq!(paths, [*expected], "{}: {path:?}", target.name);
        }
    }
}

#[test]
fn options_that_cannot_work_in_the_unit_are_refused_with_their_place() {
    let target = Target::find("el9-x86_64", None, None).unwrap();
    let unit = [("RuntimeDirectory", "report"), ("ReadWritePaths", "/srv/report")];
    #[rustfmt::skip]
    let cases = [ // command                                   GUNICORN_CMD_ARGS   keys of the unit   what is refused
        ("gunicorn a:b --daemon",                              "",                 false,             "key `service.command`: `--daemon` puts the server into the background"),
        ("gunicorn a:b",                                       "-D -w 4",          false,             "key `service.environment`: `GUNICORN_CMD_ARGS`: `-D` puts"),
        ("uvicorn a:b",                                        "-D -w 4",          false,             ""),
        ("gunicorn a:b --user www",                            "",                 false,             "`--user www` names another account than `report`"),
        ("gunicorn a:b -u report --group=report",              "",                 false,             ""),
        ("gunicorn a:b --initgroups",                          "",                 false,             "`--initgroups` sets the groups"),
        ("gunicorn a:b --pid x.pid",                           "",                 false,             "`--pid x.pid` writes where the service cannot"),
        ("gunicorn a:b --pid /opt/report/x.pid",               "",                 false,             "`--pid /opt/report/x.pid` writes"),
        ("gunicorn a:b -p /run/report/x.pid",                  "",                 false,             "`-p /run/report/x.pid` writes"),
        ("gunicorn a:b -p /run/report/x.pid",                  "",                 true,              ""),
        ("gunicorn a:b -p /run/report",                        "",                 true,              "`-p /run/report` writes"),
        ("gunicorn a:b -p /run/report/../x.pid",               "",                 true,              "`-p /run/report/../x.pid` writes"),
        ("gunicorn a:b --pid /srv/report/x",                   "",                 true,              ""),
        ("gunicorn a:b --pid /var/lib/report/x.pid",           "",                 false,             ""),
        ("gunicorn a:b --pid /tmp/x.pid",                      "",                 false,             ""),
        ("gunicorn a:b --access-logfile - --log-file /dev/stderr", "",             false,             ""),
        ("gunicorn a:b --access-logfile /var/log/report/a",    "",                 false,             "`--access-logfile /var/log/report/a` writes"),
        ("hypercorn a:b -p x.pid",                             "",                 false,             "`-p x.pid` writes"),
        ("twistd web --port {port}",                           "",                 false,             "`twistd` goes into the background by itself"),
        ("twistd --nodaemon --pidfile= web --port {port}",     "",                 false,             ""),
        ("own --user x --daemon {port}",                       "",                 false,             ""),
    ];
    for (command, arguments, has_keys, says) in cases {
        let words: Vec<&str> = command.split(' ').collect();
        let mut service = service(&words, 9091, Tls::Off);
        service.environment.insert("GUNICORN_CMD_ARGS".to_owned(), arguments.to_owned());
        if has_keys {
            service.unit.extend(unit.map(|(key, value)| (key.to_owned(), Lines(vec![value.to_owned()]))));
        }
        match facts(&service, &target).units(ServiceProgram::Script) {
            Ok(_) => assert!(says.is_empty(), "{command} is taken"),
            Err(error) => assert!(!says.is_empty() && format!("{error:#}").contains(says), "{command}: {error:#}"),
        }
    }
    let service = service(&["own", "--daemon", "{port}"], 9091, Tls::Off);
    let warned = facts(&service, &target).dangers();
    assert!(warned.len() == 1 && warned[0].what.contains("`service.command` has `--daemon`"), "{warned:?}");
}

#[test]
fn the_file_that_gunicorn_reads_is_found() {
    #[rustfmt::skip]
    let cases = [
        ("gunicorn a:b",                              Some("gunicorn.conf.py")),
        ("gunicorn a:b -c ./deploy/g.py",             Some("deploy/g.py")),
        ("gunicorn --config=file:g.py a:b",           Some("g.py")),
        ("gunicorn -cpython:shop.gunicorn_conf a:b",  Some("shop/gunicorn_conf.py")),
        ("uvicorn a:b -c g.py",                       None),
    ];
    for (command, file) in cases {
        let words: Vec<&str> = command.split(' ').collect();
        assert_eq!(settings_file(&service(&words, 9091, Tls::Off)).as_deref(), file, "{command}");
    }
}
