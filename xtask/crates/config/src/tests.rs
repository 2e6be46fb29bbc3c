//! Mistakes in `package.toml`, and what is said of each.

use super::*;
use wheelhaul_base::problem::hints_of;

const GOOD: &str = "[package]\nname = \"quality_report\"\nrelease = \"1\"\n[app]\npath = \"python-app\"\nlock = \"python-app/Pipfile.lock\"\n\
    [[target]]\nname = \"el9-x86_64\"\npython = \"3.11\"\n[service]\ncommand = [\"gunicorn\", \"src.app:app\"]\nport = 9091\ntls = \"self-signed\"\n";

#[test]
fn a_good_file_is_read() {
    let config = Config::parse(GOOD).unwrap();
    assert_eq!(config.service.tls, Tls::SelfSigned);
    assert_eq!(config.targets(&Probes::new()).unwrap()[0].python(), "3.11");
    let given = GOOD.replace("\"self-signed\"", "{ cert = \"/etc/pki/a.crt\", key = \"/etc/pki/a.key\" }");
    assert!(matches!(Config::parse(&given).unwrap().service.tls, Tls::Given { .. }));
}

fn said(text: &str) -> (String, String) {
    let error = Config::parse(text).unwrap_err();
    (format!("{error:#}"), hints_of(&error).join("\n"))
}

#[test]
fn the_release_is_a_number_a_text_or_one() {
    for (line, release) in [("release = \"1\"", "1"), ("release = 3", "3"), ("release = \"1.2\"", "1.2"), ("", "1")] {
        let config = Config::parse(&GOOD.replacen("release = \"1\"", line, 1)).unwrap();
        assert_eq!(config.package.release, release, "{line}");
    }
}

#[test]
fn faults_name_the_whole_key_the_line_and_the_line_to_write() {
    #[rustfmt::skip]
    let cases = [ // replaced               by                            in the error                         in the hint
        ("release = \"1\"",         "relase = \"1\"",             "line 3: unknown key `package.relase`", "line 3: did you mean `release`?"),
        ("port = 9091",             "port = \"x\"",               "line 12: key `service.port` is the text `\"x\"`", "write `port = 8000`"),
        ("port = 9091",             "port = \"9091\"",            "a number from 1 to 65535, without quotes", "write `port = 9091`"),
        ("port = 9091",             "port = 70000",               "line 12: key `service.port` is the number 70000", "write `port = 8000`"),
        ("port = 9091",             "port = 0",                   "line 12: key `service.port` is the number 0", "write `port = 8000`"),
        ("port = 9091",             "port = [9091]",              "line 12: key `service.port` is a list", "write `port = 8000`"),
        ("port = 9091",             "",                           "key `service.port` is missing",     "under `[service]` (line 10): write `port = 8000`"),
        ("[\"gunicorn\", \"src.app:app\"]", "\"gunicorn -w 4 src.app:app\"", "key `service.command` is the text", "write `command = [\"gunicorn\", \"-w\", \"4\", \"src.app:app\"]`"),
        ("[\"gunicorn\", \"src.app:app\"]", "[\"gunicorn\", \"-w\", 4]", "key `service.command` is a list", "write `command = [\"gunicorn\", \"-w\", \"4\"]`"),
        ("[\"gunicorn\", \"src.app:app\"]", "[]",               "key `service.command` is empty",    "`command = [\"gunicorn\", \"app:app\"]`"),
        ("\"gunicorn\", ",          "\"gunicorn -w 4\", ",        "is more than one word",             "`command = [\"gunicorn\", \"-w\", \"4\", \"src.app:app\"]`"),
        ("[package]",               "[package",                   "line 1: `[package` is not TOML",    "`[app]`"),
        ("port = 9091",             "port: 9091",                 "line 12: `port: 9091` is not TOML", "`key = value`"),
        ("port = 9091",             "port = 1\nport = 2",         "line 13: `port = 2` is not TOML: duplicate key", "leave one of the two out"),
        ("name = \"quality_report\"\n", "",                       "key `package.name` is missing",     "under `[package]` (line 1): write `name = \"my-app\"`"),
        ("\"quality_report\"",      "\"Quality Report\"",         "line 2: key `package.name`: `Quality Report` cannot name", "lower-case"),
        ("\"quality_report\"",      "5",                          "key `package.name` is the number 5", "write `name = \"5\"`"),
        ("\"python-app\"",          "\"../other\"",               "line 5: key `app.path`: `../other` does not lie below", "without `.` and `..`"),
        ("\"python-app\"",          "[\"python-app\"]",           "line 5: key `app.path` is a list",  "write `path = \"python-app\"`"),
        ("[app]",                   "[application]",              "unknown table `[application]`",     "the application has the table `[app]`"),
        ("[service]",               "[services]",                 "unknown table `[services]`",        "did you mean `service`?"),
        ("[service]",               "[Service]",                  "unknown table `[Service]`",         "write it as `service`"),
        ("[[target]]",              "[target]",                   "line 7: `[target]` is one table",   "write `[[target]]`"),
        ("[[target]]",              "[targets]",                  "line 7: unknown table `[targets]`", "did you mean `target`?"),
        ("[[target]]\nname = \"el9-x86_64\"\npython = \"3.11\"\n", "", "there is no `[[target]]`", "add `[[target]]` with `name = \"el9-x86_64\"`"),
        ("[[target]]\nname = \"el9-x86_64\"\npython = \"3.11\"\n", "[[targets]]\nname = 1\n", "unknown table `[[targets]]`", "add `[[target]]`"),
        ("[service]",               "[[service]]",                "line 10: `[[service]]` is a list of tables", "write `[service]`"),
        ("[service]",               "[server]",                   "there is no `[service]`",           "add `[service]` with `command = [\"gunicorn\", \"app:app\"]` and `port = 8000`"),
        ("name = \"el9-x86_64\"\n", "",                            "key `target.name` is missing",      "under `[[target]]` (line 7): write `name = \"el9-x86_64\"`"),
        ("el9-x86_64",              "el9-x86-64",                 "line 7: `[[target]]` `el9-x86-64`: unknown target `el9-x86-64`", "did you mean `el9-x86_64`?"),
        ("\"3.11\"",                "\"3.13\"",                   "has no Python 3.13",                "it has 3.9, 3.11"),
        ("\"3.11\"",                "3.10",                       "line 9: key `target.python` is the number 3.10", "write `python = \"3.10\"`"),
        ("\"self-signed\"",         "\"selfsigned\"",             "line 13: key `service.tls` is the text `\"selfsigned\"`, and has to be `\"self-signed\"` or `\"off\"` or a table", "did you mean \"self-signed\"?"),
        ("\"self-signed\"",         "false",                      "key `service.tls` is `false`",      "write `tls = \"off\"`"),
        ("\"self-signed\"",         "{ cert = \"a\", key = \"/b\" }", "key `service.tls.cert`: `a` is not one of the absolute paths", "from the root on"),
        ("\"self-signed\"",         "{ cert = \"/a\" }",          "key `service.tls.key` is missing",  "`key = \"/etc/pki/tls/private/my-app.key\"`"),
        ("release = \"1\"",         "release = \"1.el9\"",        "`1.el9` names a distribution",      "leave `.el9` out"),
        ("release = \"1\"",         "release = \"1-2\"",          "`1-2` is not a release",            "for example"),
        ("release = \"1\"",         "release = 1.5",              "key `package.release` is the number 1.5", "write `release = \"1.5\"`"),
        ("release = \"1\"",         "release = -1",               "key `package.release` is the number -1", "write `release = "),
        ("release = \"1\"",         "release = \"1\"\nprefix = \"opt\"",  "line 4: key `package.prefix`: `opt` is no place", "an absolute path"),
        ("release = \"1\"",         "release = \"1\"\nprefix = \"/etc\"", "key `package.prefix`: `/etc` is no place", "/opt"),
        ("release = \"1\"",         "byte-code = \"yes\"",        "key `package.byte-code` is the text", "write `byte-code = true`"),
        ("release = \"1\"",         "byte_code = true",           "unknown key `package.byte_code`",   "write it as `byte-code`"),
        ("release = \"1\"",         "compression-level = 20",     "key `package.compression-level` is the number 20, and has to be a number from 1 to 19", "write `compression-level = 9`"),
        ("release = \"1\"",         "lock = \"a\"",               "unknown key `package.lock`",        "`lock` belongs under `[app]`"),
        ("[service]",               "[sign]\nkey = \"\"\n[service]", "key `sign.key` is empty",          "--list-secret-keys"),
        ("[service]",               "[sign]\nkeys = \"a\"\n[service]", "unknown key `sign.keys`",        "did you mean `key`?"),
        ("[app]",                   "optional-libraries = [\"libcuda\"]\n[app]", "key `package.optional-libraries`: `libcuda`", "libyaml"),
        ("[app]",                   "license = \"BSD\"\n[app]",    "line 4: key `package.license`: `BSD` is no SPDX expression", "\"MIT\""),
        ("[app]",                   "license = { text = \"MIT\" }\n[app]", "key `package.license` is a table", "`license = \"MIT\"`"),
        ("[app]",                   "[licenses]\na = \"free\"\n[app]", "key `licenses.a`: ",            "\"MIT\""),
        ("[app]",                   "[licenses]\n\"a b\" = \"MIT\"\n[app]", "key `licenses.a b`: `a b` is not the name of a package", "as the lock does"),
        ("[app]",                   "[sdist]\nbuild = \"pyyaml\"\n[app]", "key `sdist.build` is the text `\"pyyaml\"`", "write `build = [\"pyyaml\"]`"),
        ("[app]",                   "[sdist]\nbuild = [\"a b\"]\n[app]", "key `sdist.build`: `a b` is not the name", ""),
        ("[app]",                   "[app]\nextras = \"web\"",     "key `app.extras` is the text",      "write `extras = [\"web\"]`"),
        ("[app]",                   "[app]\ngroups = [\"a b\"]",   "key `app.groups`: `a b` is not a name", "project file"),
        ("[app]",                   "[app]\nconfig = [\"/etc/x\"]", "key `app.config`: `/etc/x` does not lie below", "relative"),
        ("release = \"1\"",         "requires = [\"redis>=6\"]",    "line 3: key `package.requires`: `redis>=6` has no blanks", "line 3: write a name, or a name"),
        ("release = \"1\"",         "obsoletes = [\"(a or b)\"]",   "key `package.obsoletes`: `(a or b)` is not the name", "old-app < 2"),
        ("release = \"1\"",         "conflicts = [\"(a if b)\"]",   "key `package.conflicts`: `(a if b)` is no rich", "brackets around each"),
        ("release = \"1\"",         "requires = [\"a\", \"b\"]\nconflicts = [\"b\"]", "key `package.conflicts`: `b` is required as well", "say which versions"),
        ("release = \"1\"",         "requires = \"redis\"",         "key `package.requires` is the text", "write `requires = [\"redis\"]`"),
        ("name = \"el9-x86_64\"",   "name = \"el9-x86_64\"\nrecommends = [\"a b\"]", "key `target.recommends`: `a b` is not one dependency", "redis >= 6"),
        ("port = 9091",             "port = 1\nsecrets = [\"a/b\"]", "`a/b` cannot name a secret",      "the secret itself stays out"),
        ("port = 9091",             "port = 1\naddress = \"localhost\"", "`localhost` is not an IP address", "write `address = \"127.0.0.1\"`"),
        ("port = 9091",             "port = 1\nenvironment = { A = 1 }", "key `service.environment.A` is the number 1", "write `A = \"1\"`"),
        ("port = 9091",             "port = 1\nenvironment = [\"A=1\"]", "key `service.environment` is a list", "`[service.environment]`"),
        ("port = 9091",             "port = 1\nenvironment = { 1A = \"\" }", "`1A` is no name of a variable", "letters"),
        ("port = 9091",             "port = 1\nenvironment = { A = \"b\\nc\" }", "`A` has a control character", ""),
        ("port = 9091",             "port = 1\nenvironment = { PYTHONPATH = \"/x\" }", "would have no effect", "leave it out"),
        ("port = 9091",             "port = 1\nenvironment = { LISTEN_FDS = \"1\" }", "is set by systemd", "leave it out"),
        ("port = 9091",             "port = 1\nunit = { Nice = [] }", "`service.unit.Nice` is an empty list", "resets"),
        ("port = 9091",             "port = 1\nunit = { Nice = \"1\\nUser=root\" }", "has a line break",  "a list"),
        ("port = 9091",             "port = 1\nunit = { Nice = \"1\\\\\" }", "at its end",               "a list"),
        ("port = 9091",             "port = 1\nunit = { Nice = 5 }", "key `service.unit.Nice` is the number 5, and has to be a text in quotes or a list", "write `Nice = \"5\"`"),
        ("name = \"el9-x86_64\"",   "name = \"x\"\npython-full = \"3.11.2\"\nbox = { payload = \"xz\" }", "key `target.box.payload` is the text `\"xz\"`, and has to be `\"gzip\"` or `\"zstd\"`", "write `payload = \"zstd\"`"),
    ];
    for (from, to, says, cure) in cases {
        assert!(GOOD.contains(from), "{from}");
        let (text, hints) = said(&GOOD.replacen(from, to, 1));
        assert!(text.contains(says), "{to}: {text}");
        assert!(hints.contains(cure), "{to}: {hints}");
        for raw in ["TOML parse error", "invalid type", "missing field", "unknown field", "untagged", "unknown variant"]
        {
            assert!(!text.contains(raw), "{to}: {text}");
        }
    }
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let text = "[package]\nname = \"A B\"\nworkers = 4\n[app]\npath = \"/abs\"\nlock = 5\n[[target]]\nname = \"el9\"\n\
        [[target]]\npython = 3.11\n[service]\ncommand = \"gunicorn app:app\"\n[licenses]\na = \"free\"\n";
    let (text, hints) = said(text);
    insta::assert_snapshot!(format!("{text}\n\n{hints}"));
}

/// A file whose every key is there, and one more.
fn with_wish(table: &str, key: &str) -> String {
    let wished = format!("{key:?} = \"x\"\n");
    match table {
        "" => format!("{wished}{GOOD}"),
        "target" => GOOD.replacen("[[target]]\n", &format!("[[target]]\n{wished}"), 1),
        table => GOOD.replacen(&format!("[{table}]\n"), &format!("[{table}]\n{wished}"), 1),
    }
}

#[test]
fn a_key_that_is_wished_for_has_an_answer() {
    let mut asked = 0;
    for row in wishes::ROWS {
        assert!(!row.keys.is_empty() && !row.tables.is_empty() && !row.answer.is_empty());
        let mut is_reached = false;
        let any = ["", "package", "app", "service"];
        for table in if row.tables == ["*"] { &any[..] } else { row.tables } {
            for key in row.keys {
                let earlier = wishes::ROWS.iter().take_while(|other| !std::ptr::eq(*other, row));
                if earlier
                    .filter(|other| other.keys.contains(key))
                    .any(|o| o.tables == ["*"] || o.tables.contains(table))
                {
                    continue;
                }
                let file = with_wish(table, key);
                assert!(file.len() > GOOD.len(), "{table}");
                let of_table = &if table.is_empty() { schema() } else { &schema()["properties"][table] };
                let of_table = if *table == "target" { &of_table["items"] } else { of_table };
                let known = of_table["properties"].as_object().unwrap();
                if known
                    .keys()
                    .any(|known| known == key || unknown::is_plural(known, key) || unknown::is_plural(key, known))
                {
                    continue;
                }
                let (text, hints) = said(&file);
                let whole = if table.is_empty() { (*key).to_owned() } else { format!("{table}.{key}") };
                assert!(text.contains(&format!("unknown key `{whole}`")), "{whole}: {text}");
                assert!(hints.contains(row.answer) || hints.contains("write it as"), "{whole}: {hints}");
                (asked, is_reached) = (asked + 1, true);
            }
        }
        assert!(is_reached, "nothing reaches the row of {:?}", row.keys);
    }
    assert!(asked > 500, "{asked}");
    // And as tables.
    let (text, hints) = said(&format!("{GOOD}[env]\nA = \"1\"\n"));
    assert!(text.contains("unknown table `[env]`") && hints.contains("[service.environment]"), "{text} {hints}");
}

/// What the schema says of a key is what the parser does.
#[test]
fn examples_of_the_schema_are_taken() {
    let mut lines = Vec::new();
    for (table, of) in schema()["properties"].as_object().unwrap() {
        let is_list = of["type"] == "array";
        let of = if is_list { &of["items"] } else { of };
        for (key, of_key) in of["properties"].as_object().into_iter().flatten() {
            assert!(of_key["description"].is_string(), "{table}.{key} is not described");
            for example in of_key["examples"].as_array().into_iter().flatten() {
                lines.push((table.clone(), key.clone(), lines::line(key, &lines::toml_of(example))));
            }
        }
    }
    assert!(lines.len() > 25, "{lines:?}");
    for (table, key, line) in lines {
        // Neither goes without the other.
        let line = match (table.as_str(), key.as_str()) {
            ("app", "modules") => format!("{line}\nversion = \"1\""),
            ("app", "version") => format!("{line}\nmodules = [\"app.py\"]"),
            _ => line,
        };
        let own = format!("[[target]]\nname = \"own\"\npython-full = \"3.11.9\"\n{line}\n[service]\n");
        let text = match table.as_str() {
            "target" if key == "recommends" || key == "requires" || key == "conflicts" || key == "obsoletes" => {
                GOOD.replacen("[service]\n", &format!("{line}\n[service]\n"), 1)
            }
            "target" if !["name", "python", "probe", "like", "python-full"].contains(&key.as_str()) => {
                GOOD.replacen("[service]\n", &own, 1)
            }
            "target" => GOOD.to_owned(),
            "accept" => {
                let others = ["check = \"elf\"", "path = \"lib/a\"", "why = \"x\""];
                let others = others.iter().filter(|other| !other.starts_with(&format!("{key} ="))).copied();
                format!("{GOOD}[[accept]]\n{}\n", others.chain([line.as_str()]).collect::<Vec<_>>().join("\n"))
            }
            "sdist" | "sign" => format!("{GOOD}[{table}]\n{line}\n"),
            _ => {
                let kept: Vec<&str> = GOOD.lines().filter(|known| !known.starts_with(&format!("{key} ="))).collect();
                format!("{}\n", kept.join("\n")).replacen(&format!("[{table}]\n"), &format!("[{table}]\n{line}\n"), 1)
            }
        };
        let text = if table == "package" && key == "name" {
            GOOD.replacen("\"quality_report\"", "\"my-app\"", 1)
        } else {
            text
        };
        Config::parse(&text).unwrap_or_else(|error| panic!("{line}: {error:#}"));
    }
}

#[test]
fn many_mistakes_take_time_in_proportion() {
    let start = std::time::Instant::now();
    let many: String = (0..20_000).map(|number| format!("key-{number} = {number}\n")).collect();
    let (text, _) = said(&GOOD.replacen("[service]\n", &format!("[service]\n{many}"), 1));
    assert!(text.contains("20000 mistakes") && text.len() < 100_000, "{}", text.len());
    let broken: String = (0..20_000).map(|number| format!("key {number}\n")).collect();
    let (text, _) = said(&format!("{GOOD}{broken}"));
    assert!(text.contains("line 14: `key 0` is not TOML"), "{text}");
    // Some seconds without optimisation, and minutes where each mistake reads the whole file.
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}
