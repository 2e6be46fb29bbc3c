//! What wheels claim on the box.

use crate::boxes::{Draft, pack, paths};
use crate::{Expected, Fine, Refused, Rows};
use wheelhaul_package::tree::{EntryKind, Role};

fn dependency(path: &str, content: &str) -> Vec<Draft> {
    vec![Draft::of("demo").with(path, content), Draft::app()]
}

fn application(path: &str, content: &str) -> Vec<Draft> {
    vec![Draft::of("demo"), Draft::app().with(path, content)]
}

fn scripts(line: &str) -> Vec<Draft> {
    dependency("demo-1.0.dist-info/entry_points.txt", &format!("[console_scripts]\n{line} = demo:main\n"))
}

#[test]
fn no_wheel_takes_a_path_that_is_not_its_own() {
    #[rustfmt::skip]
    let cases: Vec<(&str, Vec<Draft>, Expected)> = vec![
        ("the base",                              vec![Draft::of("demo"), Draft::app()],                     Fine),
        ("one file of two wheels, the same",      vec![Draft::of("demo").with("ns/__init__.py", ""), Draft::of("other").with("ns/__init__.py", ""), Draft::app()], Fine),
        ("one file of two wheels, another",       vec![Draft::of("demo").with("ns/__init__.py", ""), Draft::of("other").with("ns/__init__.py", "evil"), Draft::app()], Refused("claimed by demo-1.0-py3-none-any.whl and by other-1.0-py3-none-any.whl")),
        ("a module of another wheel",             vec![Draft::of("demo"), Draft::of("other").with("demo.py", "evil"), Draft::app()], Refused("/opt/demo/lib/demo.py")),
        ("the launcher, by an entry point",       scripts("python"),                                         Refused("/opt/demo/bin/python")),
        ("the launcher, by a script",             dependency("demo-1.0.data/scripts/python", "#!python\n"),  Refused("/opt/demo/bin/python")),
        ("the launcher, by data",                 dependency("demo-1.0.data/data/bin/python", "evil"),       Refused("it would lie in `bin/`")),
        ("the application's program",             scripts("serve"),                                          Refused("/opt/demo/bin/serve")),
        ("the config file, by data",              dependency("demo-1.0.data/data/config.yaml", "a: 1\n"),    Refused("/opt/demo/config.yaml")),
        ("the config file, by the application",   application("config.yaml", "a: 2\n"),                      Refused("/opt/demo/config.yaml")),
        ("the application's module, by data",     dependency("demo-1.0.data/data/demoapp.py", "evil"),       Refused("`demoapp.py` would be a module")),
        ("a dependency's module, by the app",     application("lib/demo.py", "evil"),                        Refused("/opt/demo/lib/demo.py")),
        ("its own RECORD, by purelib",            dependency("demo-1.0.data/purelib/demo-1.0.dist-info/RECORD", "evil"), Refused("would install a second distribution")),
        ("another package's metadata, by purelib", dependency("demo-1.0.data/purelib/other-1.0.dist-info/METADATA", "Name: other\nVersion: 1.0\n"), Refused("dist-info")),
        ("a scheme that is not known",            dependency("demo-1.0.data/unknown/x", "x"),                Refused("under no scheme that is known")),
        ("no scheme",                             dependency("demo-1.0.data/x", "x"),                        Refused("under no scheme that is known")),
        ("a script in a folder",                  dependency("demo-1.0.data/scripts/a/x", "x"),              Refused("under no scheme that is known")),
        ("a script outside",                      dependency("demo-1.0.data/scripts/../x", "x"),             Refused("a part `..`")),
        ("data outside",                          dependency("demo-1.0.data/data/../../etc/passwd", "x"),    Refused("a part `..`")),
        ("a file where a folder is",              dependency("demo-1.0.data/data/lib", "x"),                 Refused("`lib` has the name of a folder")),
        ("another's module, by data",             dependency("demo-1.0.data/data/yaml.py", "evil"),          Refused("`yaml.py` would be a module that stands before all dependencies")),
        ("another's package, by data",            dependency("demo-1.0.data/data/yaml/__init__.py", "evil"), Refused("`yaml/` would be a package")),
        ("a dependency's module, by data",        dependency("demo-1.0.data/data/lib/yaml.py", "evil"),      Refused("it would lie in `lib/`")),
        ("a dependency's module, by the app's data", application("demoapp-1.0.data/data/lib/yaml.py", "evil"), Refused("it would lie in `lib/`")),
        ("a part of another's namespace, by data", vec![Draft::of("demo").with("demo-1.0.data/data/ns/a.py", "evil"), Draft::of("other").with("ns/a.py", ""), Draft::app()], Refused("its data file `ns/a.py` would be a module of the package `ns` of `other-1.0-py3-none-any.whl`")),
        ("examples, by data",                     dependency("demo-1.0.data/data/share/demo/__init__.py", ""), Fine),
    ];
    let mut rows = Rows::default();
    for (row, drafts, expected) in cases {
        rows.check(row, expected, || pack(&drafts));
    }
    rows.finish();
}

/// Two licence files of one name, one old and one by PEP 639, are what several build backends write.
#[test]
fn licence_files_of_one_name_do_not_make_a_wheel_unusable() {
    let info = "demo-1.0.dist-info";
    let old_and_new = |old: &str, new: &str| {
        let draft = Draft::of("demo").with(&format!("{info}/LICENSE"), old);
        vec![draft.with(&format!("{info}/licenses/LICENSE"), new), Draft::app()]
    };
    let mut rows = Rows::default();
    rows.check("the same", Fine, || pack(&old_and_new("MIT", "MIT")));
    rows.check("different", Fine, || pack(&old_and_new("MIT", "MIT and BSD")));
    rows.finish();
}

#[test]
fn everything_lands_below_its_root_and_code_is_never_config() {
    let draft = Draft::of("demo")
        .with("demo-1.0.data/data/etc/demo.conf", "a = 1\n")
        .with("demo-1.0.data/data/opt/x", "x")
        .with("demo-1.0.data/data/usr/lib/systemd/system/evil.service", "x")
        .with("demo-1.0.data/headers/demo.h", "x")
        .with("demo-1.0.data/platlib/demo_more.py", "x")
        .with("demo-1.0.data/scripts/tool", "#!pythonw -x\nprint()\n")
        .with("other-1.0.data/scripts/stray", "x")
        .with("demo-1.0.dist-info/licenses/a/LICENSE", "x");
    let (layout, _) = pack(&[draft, Draft::app().with("lib/helpers.py", "x")]).unwrap();
    let own = ["/opt/demo", "/usr/share/doc/demo", "/usr/share/licenses/demo"];
    let service = ["/usr/bin/demo-run", "/usr/lib/systemd/system/demo.service", "/usr/lib/sysusers.d/demo.conf"];
    for (path, entry) in layout.tree.entries() {
        let text = path.as_str();
        let below = own.iter().any(|root| text == *root || text.starts_with(&format!("{root}/")));
        assert!(below || service.contains(&text), "{text}");
        assert_eq!(entry.mode & 0o7022, 0, "{text}");
        if let EntryKind::File { role: Role::Config, .. } = entry.kind {
            assert!(["/opt/demo/config.yaml", "/opt/demo/etc/demo.conf"].contains(&text), "{text}");
        }
    }
    for path in [
        "/opt/demo/bin/tool",
        "/opt/demo/opt/x",
        "/opt/demo/include/demo/demo.h",
        "/opt/demo/lib/demo_more.py",
        "/opt/demo/lib/helpers.py",
        "/opt/demo/lib/other-1.0.data/scripts/stray",
        "/usr/share/licenses/demo/demo/a/LICENSE",
    ] {
        assert!(paths(&layout).iter().any(|found| found == path), "{path} is not there");
    }
}
