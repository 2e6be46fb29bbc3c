//! Requirements files as teams write them, and what is said of those that cannot be packed.

use crate::{Application, FileLocation, LockSource, LockTexts, Pins, Selection, parse, parse_text, texts_of};
use camino::Utf8Path;

/// Reads `requirements.txt` of a repository, whose application is in `app`.
fn read(files: &[(&str, &str)], variable: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<Pins> {
    let lock = Utf8Path::new("requirements.txt");
    let find = |wanted: &Utf8Path| files.iter().find(|(path, _)| wanted == *path).map(|(_, text)| (*text).to_owned());
    let texts: LockTexts = texts_of(lock, |path| Ok(find(path)))?;
    let selection = Selection::default();
    let app = Application::in_folder(Utf8Path::new("app"));
    parse(&LockSource { lock, app, texts: &texts, selection: &selection, variable })
}

fn one(text: &str) -> anyhow::Result<Pins> {
    read(&[("requirements.txt", text)], &|_| None)
}

/// The pins in short, or what is wrong.
fn said(read: anyhow::Result<Pins>) -> String {
    match read {
        Ok(pins) => pins
            .pins
            .iter()
            .map(|pin| format!("{}=={} ({})", pin.name, pin.version, pin.place))
            .collect::<Vec<_>>()
            .join(" "),
        Err(error) => format!("{error:#}"),
    }
}

#[test]
fn pins_are_read_with_continuations_comments_and_hashes() {
    let one = "1".repeat(64);
    let two = "2".repeat(64);
    let text = format!(
        "\u{feff}# made by a tool\r\n\nflask==3.0.3 ; python_version >= '3.8' \\\n    --hash=sha256:{one} \\\n    --hash sha256:{two}\n    # via app\nsix==1.16.0  # old\r\nuvicorn[standard]==0.30.0"
    );
    let pins = parse_text("requirements.txt", &text).unwrap().pins;
    let names: Vec<_> = pins.iter().map(|pin| (pin.name.as_ref(), pin.place.as_str(), pin.hashes.len())).collect();
    assert_eq!(names, [("flask", "line 3", 2), ("six", "line 7", 0), ("uvicorn", "line 8", 0)]);
    assert_eq!(pins[0].marker.as_deref(), Some("python_version >= '3.8'"));
    assert_eq!(pins[2].extras[0].as_ref(), "standard");
}

#[test]
fn files_take_in_others_from_their_own_folder() {
    let files = [
        ("requirements.txt", "-r deps/base.txt\n-c deps/limits.txt\n-rdeps/base.txt"),
        ("deps/base.txt", "a==1\n--requirement=sub/more.txt\n-c limits.txt"),
        ("deps/sub/more.txt", "b==2\n-r ../../other.txt"),
        ("other.txt", "c==3"),
        ("deps/limits.txt", "A<2 ; python_version > '3'"),
    ];
    let pins = read(&files, &|_| None).unwrap();
    assert_eq!(
        said(Ok(pins.clone())),
        "a==1 (deps/base.txt line 1) b==2 (deps/sub/more.txt line 1) c==3 (other.txt line 1)"
    );
    assert_eq!(pins.constraints.len(), 1);
    assert_eq!(pins.constraints[0].place, "deps/limits.txt line 1");
    assert_eq!(pins.constraints[0].requirement.marker.as_deref(), Some("python_version > '3'"));

    #[rustfmt::skip]
    let cases = [ // requirements.txt         a.txt                      says
        ("-r a.txt",                  Some("-r requirements.txt"),  "a.txt line 1: `requirements.txt` takes itself in"),
        ("a==1\n-r a.txt",            None,                         "line 2: `a.txt` is not there"),
        ("-r ../a.txt",               None,                         "line 1: `../a.txt` is not in the repository"),
        ("-r /a.txt",                 None,                         "is not in the repository"),
        ("-c https://u:p@h/a.txt",    None,                         "it takes in a file from elsewhere"),
        ("-r ${X}.txt",               None,                         "depend on the variable `X`"),
        ("-c a.txt",                  Some("x[y]==1"),              "the constraint on `x` has extras"),
        ("-c a.txt",                  Some("-e ."),                 "cannot be editable"),
        ("-c a.txt",                  Some("x @ https://h/x.whl"),  "is no name with versions"),
    ];
    for (text, a, says) in cases {
        let mut files = vec![("requirements.txt", text)];
        files.extend(a.map(|text| ("a.txt", text)));
        let said = said(read(&files, &|_| None));
        assert!(said.contains(says), "{text}: {said}");
        assert!(!said.contains("u:p"), "{said}");
    }
}

#[test]
fn what_cannot_be_honoured_is_named_with_its_line() {
    #[rustfmt::skip]
    let cases = [
        ("flask>=3",                                        "line 1: `flask` is not pinned"),
        ("-e git+https://u:p@h/x#egg=x",                    "line 1: `git+https://…` is to be installed editable"),
        ("-e lib",                                          "line 1: `lib` is to be installed editable"),
        ("-e lib ; sys_platform == 'win32'",                ""),
        ("-e ./app",                                        ""),
        ("-e app[extra]",                                   ""),
        ("./app ; python_version > '3'",                    ""),
        ("file:app",                                        ""),
        ("-e file:app#egg=shop",                            ""),
        ("shop @ ./app",                                    ""),
        ("shop[web] @ app ; python_version > '3'",          ""),
        ("shop @ lib",                                      "`lib` comes from a folder"),
        ("-e file:///home/me/shop",                         "`file://…` is to be installed editable, by a path of the host"),
        ("shop @ file:///home/me/shop",                     "`file://…` comes from a folder, by a path of the host"),
        ("./lib",                                           "`./lib` comes from a folder"),
        ("./lib ; os_name == 'nt'",                         ""),
        ("x @ git+ssh://git@h/x",                           "comes from version control"),
        ("git+https://u:p@h/x",                             "`git+https://…` comes from version control"),
        ("x @ git+https://h/x ; os_name == 'nt'",           ""),
        ("x @ https://u:p@h/archive/main",                  "`x` comes from a URL that does not end in"),
        ("x @ ftp://h/x-1.zip",                             "none of `https:`"),
        ("x @ https://u:p@h/x-1.zip",                       "the file `x-1.zip` has no sha256"),
        ("x @ https://u:p@h/y-1-py3-none-any.whl",          "is a file of `y` and not of `x`"),
        ("file:///home/x-1-py3-none-any.whl",               "is not named by a path of the repository"),
        ("../x-1-py3-none-any.whl",                         "is not named by a path of the repository"),
        ("x==1 --global-option=y",                          "the option `--global-option` is none that pip knows"),
        ("x==1 --hash=md5:aa",                              "not a hash that pip takes"),
        ("requests-==1",                                    "does not end in a letter"),
        ("x==${V}",                                         "the variable `V` is not set"),
        ("x==1 ; os_name == '${V}'",                        "the variable `V` is not set"),
        ("# -*- coding: latin-1 -*-\n# é",                  "line 1: the file says that it is written in `latin-1`"),
        ("--require-hashes\nx==1",                          "line 2: `x` has no hash"),
    ];
    for (text, says) in cases {
        let said = said(one(text));
        assert!(said.contains(says) && (!says.is_empty() || said.is_empty()), "{text}: {said}");
        assert!(!said.contains("u:p"), "{said}");
    }
    let all = cases.iter().map(|(text, _)| text.lines().last().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let error = one(&all).unwrap_err().to_string();
    assert!(error.contains("line 1:") && error.contains("line 30:"), "{error}");
}

#[test]
fn the_application_is_known_by_its_name_and_by_the_path_of_this_checkout() {
    let texts: LockTexts = [("requirements.txt".into(), Some("SELF\na==1\n".to_owned()))].into();
    let app = Application {
        folder: Utf8Path::new("."),
        name: Some("my-shop".parse().unwrap()),
        checkouts: vec!["/home/me/shop".into()],
    };
    #[rustfmt::skip]
    let cases = [ // line                                            warnings
        ("-e file:///home/me/shop",                                  0),
        ("-e /home/me/shop[web]",                                    0),
        ("my_shop @ file:///home/you/clone",                         0),
        ("-e git+ssh://git@code.example/shop.git@0a1#egg=My.Shop",   0),
        ("my-shop @ git+https://code.example/shop.git@0a1",          0),
        ("my-shop==1.0",                                             1),
    ];
    for (line, warnings) in cases {
        let lock = Utf8Path::new("requirements.txt");
        let text = texts[lock].as_ref().map(|text| text.replace("SELF", line));
        let texts = LockTexts::from([(lock.to_owned(), text)]);
        let (selection, app) = (Selection::default(), app.clone());
        let source = LockSource { lock, app, texts: &texts, selection: &selection, variable: &|_| None };
        let pins = parse(&source).unwrap();
        assert_eq!((pins.pins.len(), pins.warnings.len()), (1, warnings), "{line}: {:?}", pins.warnings);
    }
}

#[test]
fn files_that_a_line_places_are_pins() {
    let digest = "ab".repeat(32);
    #[rustfmt::skip]
    let cases = [ // line, with # for the digest                                        place, file
        ("x[e] @ https://u:p@h/p/x-1.0-py3-none-any.whl?y=/z#sha256=#",          "https://u:p@h/p/x-1.0-py3-none-any.whl?y=/z"),
        ("x @ https://h/x-1.0-py3-none-any.whl ; os_name == 'posix' --hash=sha256:#", "https://h/x-1.0-py3-none-any.whl"),
        ("https://h/x-1.0.tar.gz#egg=x&sha256=# ; os_name == 'posix'",               "https://h/x-1.0.tar.gz"),
        ("./vendor/x-1.0-py3-none-any.whl --hash=sha256:#",                      "vendor/x-1.0-py3-none-any.whl"),
        ("x-1.0-py3-none-any.whl[e] ; os_name == 'posix' --hash=sha256:#",           "x-1.0-py3-none-any.whl"),
        ("x @ file:vendor/x-1.0-py3-none-any.whl --hash=sha256:#",               "vendor/x-1.0-py3-none-any.whl"),
        ("FILE:./a%20b/../x-1.0.zip#sha256=#",                                   "x-1.0.zip"),
    ];
    for (line, at) in cases {
        let pins = one(&line.replace("=#", &format!("={digest}")).replace(":#", &format!(":{digest}"))).unwrap();
        let pin = &pins.pins[0];
        assert_eq!((pin.name.as_ref(), pin.version.to_string().as_str()), ("x", "1.0"), "{line}");
        assert_eq!((pin.files.len(), pin.files[0].sha256.as_str()), (1, digest.as_str()), "{line}");
        assert_eq!(pin.extras.len(), usize::from(line.contains("[e]")), "{line}");
        assert_eq!(pin.marker.is_some(), line.contains("os_name"), "{line}");
        let found = match &pin.files[0].at {
            FileLocation::Url(url) => url.as_str(),
            FileLocation::Path(path) => path.as_str(),
        };
        assert_eq!(found, at, "{line}");
        assert!(!format!("{pins:?}").contains("u:p"));
    }
}

#[test]
fn values_of_variables_are_put_in_and_never_shown() {
    let variable = |name: &str| match name {
        "TOKEN" => Some("s3cr3t".to_owned()),
        "VERSION" => Some("1.0".to_owned()),
        _ => None,
    };
    let digest = "ab".repeat(32);
    let url = format!("x @ https://u:${{TOKEN}}@h/x-1-py3-none-any.whl#sha256={digest}\ny==${{VERSION}}");
    let pins = read(&[("requirements.txt", &url)], &variable).unwrap();
    assert!(matches!(&pins.pins[0].files[0].at, FileLocation::Url(url) if url.contains("u:s3cr3t@h")));
    assert_eq!(pins.pins[1].version.to_string(), "1.0");
    assert!(!format!("{pins:?}").contains("s3cr3t"));
    for line in [
        "x ${TOKEN}",
        "x @ https://h/${TOKEN}",
        "${TOKEN}",
        "--${TOKEN} x",
        "x==1 --hash=${TOKEN}",
        "x==1 ; os_name == '${TOKEN}'",
        "-e ${TOKEN}",
        "-r ${TOKEN}",
        "./${TOKEN}/y.whl",
    ] {
        let error = format!("{:?}", read(&[("requirements.txt", line)], &variable).unwrap_err());
        assert!(!error.contains("s3cr3t") && error.contains("TOKEN"), "{line}: {error}");
    }
    let pins = read(&[("requirements.txt", "-i https://${TOKEN}@h/simple\n-f ${UNSET}")], &variable).unwrap();
    assert_eq!(pins.warnings.len(), 2);
    assert!(pins.warnings.iter().any(|warning| warning.starts_with("line 1: `--index-url` is not honoured")));
    assert!(!pins.warnings.iter().any(|warning| warning.contains("s3cr3t")));
}

#[test]
fn what_has_no_effect_is_a_warning() {
    #[rustfmt::skip]
    let cases = [
        ("--index-url https://u:p@h/simple",  "`--index-url` is not honoured"),
        ("-f https://u:p@h/wheels",           "`--find-links` is not honoured"),
        ("-f ../wheels",                      "line 1: `--find-links` is not honoured: its folder is not one of the repository"),
        ("--no-index -f https://h/wheels",    "`--no-index` is not honoured"),
        ("-i https://h/a\n--index-url https://h/b",            "line 1 and line 2: `--index-url` is not honoured"),
        ("x==1 -C a=b\ny==1 -C a=b\nz==1 -C a=b\nw==1 -C a=b", "line 1, line 2 and 2 more: `--config-settings` is not honoured"),
        ("--no-index",                        "`--no-index` is not honoured"),
        ("--no-binary x",                     "`--no-binary` is not honoured"),
        ("x==1 -C a=b",                       "`--config-settings` is not honoured"),
        ("x==1 -r y.txt",                     "`--requirement` has no effect, as in pip"),
        ("--pre x==1",                        "words behind an option have no effect"),
        ("--hash=sha256:aa",                  "`--hash` has no effect"),
        ("--only-binary=:all: --prefer-binary --pre --use-feature=fast-deps", ""),
    ];
    for (text, says) in cases {
        let warnings = one(text).unwrap().warnings.join("\n");
        assert!(warnings.contains(says) && warnings.is_empty() == says.is_empty(), "{text}: {warnings}");
        assert!(!warnings.contains("u:p"), "{warnings}");
    }
}

#[test]
fn folders_of_the_repository_are_looked_in() {
    let files = [
        ("requirements.txt", "-r deps/base.txt\n--no-index"),
        ("deps/base.txt", "--find-links=./wheels\n-f ../more\n"),
    ];
    let pins = read(&files, &|_| None).unwrap();
    assert_eq!((pins.find_links, pins.no_index), (vec!["deps/wheels".into(), "more".into()], true));
    assert_eq!(pins.warnings, [""; 0]);
}

#[test]
fn lines_about_one_package_are_united_as_pip_does() {
    let (a, b) = (format!(" --hash=sha256:{}", "a".repeat(64)), format!(" --hash=sha256:{}", "b".repeat(64)));
    #[rustfmt::skip]
    let cases = [ // text                                       pins, hashes, extras
        ("x==1\nx==1.0".to_owned(),                               "1 0 0"),
        (format!("x[e]==1{a}\nx[e,f]==1{b}{a}"),                "1 1 2"),
        (format!("x==1{a}\nx==1"),                              "1 1 0"),
        (format!("x==1{a}\nx==1{b}"),                           "no hash of `x==1` in common"),
        (format!("x==1{a} \nx==2{b}"),                          "2 1 0"),
        ("x==1 ; os_name == 'a'\nx==1".to_owned(),                "2 0 0"),
    ];
    for (text, expected) in cases {
        let said = match one(&text) {
            Ok(pins) => format!("{} {} {}", pins.pins.len(), pins.pins[0].hashes.len(), pins.pins[0].extras.len()),
            Err(error) => format!("{error:#}"),
        };
        assert!(said.contains(expected), "{text}: {said}");
    }
    let limits = format!("x<2{b}");
    for (text, expected) in [(format!("-c c.txt\nx==1{a}{b}"), "1"), (format!("-c c.txt\nx==1{a}"), "no hash of")] {
        let read = read(&[("requirements.txt", &text), ("c.txt", &limits)], &|_| None);
        let said = read.map_or_else(|error| format!("{error:#}"), |pins| pins.pins[0].hashes.len().to_string());
        assert!(said.contains(expected), "{text}: {said}");
    }
}

/// Each file takes in two others twice: without memory this would be read 2^40 times.
#[test]
fn a_file_is_read_once_however_often_it_is_taken_in() {
    let names: Vec<String> = (0..40).map(|index| format!("{index}.txt")).collect();
    let texts: Vec<String> = (1..=40).map(|next| format!("-r {next}.txt\n-r {next}.txt\n-c {next}.txt")).collect();
    let mut files = vec![("requirements.txt", "-r 0.txt"), ("40.txt", "a==1")];
    files.extend(names.iter().map(String::as_str).zip(texts.iter().map(String::as_str)));
    assert_eq!(said(read(&files, &|_| None)), "a==1 (40.txt line 1)");
}
