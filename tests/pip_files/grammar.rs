//! Requirements files, made from pieces: what is usual, what is odd, and what is wrong.

use crate::packaging::comparison::Lcg;
use std::collections::BTreeMap;

pub const VARIABLES: [(&str, &str); 3] = [("SET", "1.0"), ("HOST", "u:p@index.example"), ("EMPTY", "")];

const NAMES: [&str; 5] = ["flask", "Zope.Interface", "a_b", "x-y2", "A"];
const EXTRAS: [&str; 9] = ["", "", "", "", "[e]", "[E,f]", " [ e , f ] ", "[]", "[e"];
const VERSIONS: [&str; 14] = [
    "==1.0",
    "==1.0",
    "==1.0",
    " == 1.0",
    "===1.0",
    " (==1.0)",
    "==1!2.0.post1+l.1",
    "==1.0rc1",
    ">=1",
    "==1.*",
    "",
    "=1",
    "==${SET}",
    "==1.0,>=1",
];
const MARKERS: [&str; 12] = [
    "",
    "",
    "",
    "",
    " ; python_version >= '3'",
    ";os_name=='posix'",
    " ; (sys_platform == \"linux\" or os_name == 'nt') and python_version<'4'",
    " ; sys_platform == 'a;b # c'",
    " ;",
    " ; nonsense",
    " ; os_name == 'posix",
    " ; 'linux' in sys_platform",
];
/// `H` stands for a digest.
const OPTIONS: [&str; 22] = [
    "",
    "",
    " --hash=sha256:H",
    " --hash=sha256:H",
    " \\\n    --hash=sha256:H",
    " \\\r\n    --hash sha256:H \\\r\n    --hash sha256:H",
    "  --hash  sha256:H",
    " --ha=sha256:H",
    " --hash='sha256:H'",
    " --ha\"sh=sha256\":H",
    " --hash=sha512:H",
    " --hash=md5:H",
    " --hash=sha256",
    " --hash",
    "\t--hash=sha256:H",
    " --hash=sha256:H --pre stray",
    " -C a=b --config-settings=c=d",
    " --config-settings a",
    " --global-option=x",
    " --hash=sha256:H \\",
    " \\ --hash=sha256:H",
    " --hash=sha256:H -r missing.txt -i https://u:p@index.example/",
];
const COMMENTS: [&str; 7] = ["", "", "", " # comment", "\t#comment \\", " \\\n# comment", "#attached"];
const ENDS: [&str; 8] = ["\n", "\n", "\n", "\r\n", "\r", "\n\n", "\x0b", "\u{2028}"];
/// `N` stands for a name of its own, `H` for a digest.
const LINES: [&str; 78] = [
    "-i https://u:p@index.example/simple",
    "-ihttps://u:p@index.example/simple",
    "-i=https://u:p@index.example/simple",
    "--index-url=https://${HOST}/simple",
    "--index https://index.example/simple",
    "--pypi https://index.example/simple",
    "--extra-index-url https://index.example/simple --no-index",
    "--no-index",
    "--no",
    "--no-index=x",
    "--no-binary :all:",
    "--no-binary=a,b",
    "--no-binary -x",
    "--only-binary=:all:",
    "--prefer",
    "--pre",
    "--pre=x",
    "--pr",
    "--require-hashes",
    "--require",
    "--no-require-hashes",
    "--trusted-host index.example",
    "--use-feature fast-deps",
    "--find-links wheels",
    "-f wheels",
    "-fwheels",
    "-f",
    "-x",
    "--unknown=x",
    "-",
    "--",
    "-- -r missing.txt",
    "--hash=sha256:H",
    "-e .",
    "-e ./app",
    "-eapp",
    "-e 'app'",
    "-e \"app",
    "-e app[x]",
    "-e lib",
    "-e missing",
    "--edit app",
    "-e git+https://index.example/x.git#egg=N",
    "-e app -r missing.txt",
    "./app",
    "app/",
    ".",
    "./lib",
    "./missing",
    "-r more.txt",
    "-rmore.txt",
    "-r=more.txt",
    "-r 'more.txt'",
    "--requirement=sub/../more.txt",
    "--requirem sub/deep.txt",
    "-r sub/deep.txt -r missing.txt",
    "-c limits.txt",
    "--constraint limits.txt -r more.txt",
    "-r missing.txt",
    "-r requirements.txt",
    "-r sub/loop.txt",
    "./vendor/N-1.0-py3-none-any.whl --hash=sha256:H",
    "N-1.0-py3-none-any.whl[e] ; os_name == 'posix' --hash=sha256:H",
    "file:vendor/N-1.0-py3-none-any.whl#sha256=H",
    "./vendor/N-1.0-py3-none-any.whl",
    "N @ https://u:p@index.example/N-1.0-py3-none-any.whl#sha256=H",
    "N[e] @ https://${HOST}/N-1.0-py3-none-any.whl#sha256=H ; os_name == 'posix'",
    "N@https://index.example/N-1.0-py3-none-any.whl#sha256=H;os_name=='posix'",
    "https://index.example/N-1.0-py3-none-any.whl#sha256=H ; os_name == 'posix'",
    "https://index.example/N-1.0-py3-none-any.whl;os_name=='posix' --hash=sha256:H",
    "N @ https://index.example/N-1.0.tar.gz --hash=sha256:H",
    "N @ https://index.example/N-1.0.tar.gz",
    "N @ https://index.example/N-1.0.tar.gz#md5=H",
    "N @ https://index.example/archive/main --hash=sha256:H",
    "N @ git+https://index.example/x.git",
    "git+https://index.example/x.git#egg=N",
    "N @ git+https://index.example/x.git ; os_name == 'nt'",
    "a b",
];

/// A repository with requirements files.
pub fn tree(taste: &mut Lcg, count: &mut usize) -> BTreeMap<String, String> {
    let mut tree = BTreeMap::new();
    let mut put = |path: &str, text: String| drop(tree.insert(path.to_owned(), text));
    put("requirements.txt", file(taste, count, 5));
    put("more.txt", file(taste, count, 1));
    put("sub/deep.txt", format!("-r ../more.txt\n{}", pin(taste, count)));
    put("sub/loop.txt", "-r ../requirements.txt\n".to_owned());
    put("limits.txt", constraints(taste, count));
    for folder in ["app", "lib"] {
        put(&format!("{folder}/pyproject.toml"), String::new());
    }
    tree
}

fn file(taste: &mut Lcg, count: &mut usize, most: usize) -> String {
    let mut text = taste.pick(&["", "", "", "\u{feff}", "# -*- coding: utf-8 -*-\n"]).to_owned();
    for _ in 0..=taste.below(most) {
        let line = if taste.one_in(3) { with_names(taste.pick(&LINES), count) } else { pin(taste, count) };
        text.push_str(taste.pick(&["", "", "", "  ", "\t"]));
        text.push_str(&line);
        text.push_str(taste.pick(&COMMENTS));
        text.push_str(taste.pick(&ENDS));
    }
    text
}

/// A line that is a pin, or nearly one.
fn pin(taste: &mut Lcg, count: &mut usize) -> String {
    // Rarely more than one oddity, so that a line is refused for one reason.
    let odd = taste.below(5);
    let few = |taste: &mut Lcg, of: &[&'static str], at: usize| if odd == at { taste.pick(of) } else { of[0] };
    let extras = few(taste, &EXTRAS, 0);
    let version = few(taste, &VERSIONS, 1);
    let marker = few(taste, &MARKERS, 2);
    let options = if odd == 3 { taste.pick(&OPTIONS) } else { OPTIONS[2 * taste.below(2)] };
    let name = taste.pick(&NAMES);
    *count += 1;
    with_names(&format!("{name}{count}{extras}{version}{marker}{options}"), count)
}

fn constraints(taste: &mut Lcg, count: &mut usize) -> String {
    let line = taste.pick(&[
        "N<2",
        "N==1.0 ; python_version < '4'",
        "N>=1,<2 # x",
        "N",
        "N[e]==1",
        "-e app",
        "N @ https://h/N-1.zip",
    ]);
    let usual = with_names("N~=1.1", count);
    format!("{usual}\n{}\n", with_names(line, count))
}

fn with_names(line: &str, count: &mut usize) -> String {
    *count += 1;
    let digest = format!("{:064x}", *count);
    line.replace('N', &format!("name{count}")).replace(":H", &format!(":{digest}")).replace("=H", &format!("={digest}"))
}

/// A file with a few characters changed.
pub fn mutated(text: &str, taste: &mut Lcg) -> String {
    const PIECES: [&str; 22] = [
        " ", "\t", "\n", "\r", "\\", "#", " #", ";", "; ", "-", "--", "=", "'", "\"", "@", "[", "]", "${SET}", "$",
        "/", ".", ",",
    ];
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..=taste.below(2) {
        let at = taste.below(characters.len() + 1);
        match taste.below(3) {
            0 if at < characters.len() => drop(characters.remove(at)),
            1 if at < characters.len() => {
                drop(characters.splice(at..=at, taste.pick(&PIECES).chars()));
            }
            _ => drop(characters.splice(at..at, taste.pick(&PIECES).chars())),
        }
    }
    characters.into_iter().collect()
}
