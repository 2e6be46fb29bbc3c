//! Faults of distributions: what the lock, the tags and the requirements say of them.

use crate::forge::{File, Forge};
use crate::{Base, Row, row};

const LOCK: &str = "/usr/share/doc/small/pylock.el9-x86_64.toml";
const SBOM: &str = "/usr/share/doc/small/sbom.cdx.json";
const MODULE: &str = "/opt/small/lib/gunicorn/app/base.py";

/// A whole distribution with one module.
fn add_dist(rpm: &mut Forge, name: &str, version: &str) {
    let info = format!("/opt/small/lib/{name}-{version}.dist-info");
    let wheel = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
    rpm.add(&info, File::folder());
    rpm.add(
        &format!("{info}/METADATA"),
        File::plain(format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")),
    );
    rpm.add(&format!("{info}/WHEEL"), File::plain(wheel));
    let rows = ["METADATA", "WHEEL"].map(|file| format!("{name}-{version}.dist-info/{file},sha256=,0\n")).concat();
    let module = format!("/opt/small/lib/{name}_{}.py", version.replace('.', "_"));
    let row = format!("{},sha256=,0\n", module.rsplit_once('/').unwrap().1);
    rpm.add(&module, File::plain("def main():\n    pass\n"));
    rpm.add(&format!("{info}/RECORD"), File::plain(format!("{row}{rows}{name}-{version}.dist-info/RECORD,,\n")));
}

/// Changes METADATA or WHEEL of a distribution.
fn edit(rpm: &mut Forge, dist: &str, file: &str, from: &str, to: &str) {
    let path = format!("{}/{file}", rpm.info_of(dist));
    rpm.replace(&path, from, to);
}

fn remove_of(rpm: &mut Forge, dist: &str, file: &str) {
    let path = format!("{}/{file}", rpm.info_of(dist));
    rpm.remove(&path);
}

/// Lets WHEEL have one tag.
fn retag(rpm: &mut Forge, dist: &str, tag: &str) {
    let path = format!("{}/WHEEL", rpm.info_of(dist));
    let kept: String =
        rpm.text(&path).lines().filter(|line| !line.starts_with("Tag:")).map(|line| format!("{line}\n")).collect();
    rpm.file(&path).content = format!("{}\nTag: {tag}\n", kept.trim_end()).into_bytes();
}

fn require(rpm: &mut Forge, dist: &str, line: &str) {
    let path = format!("{}/METADATA", rpm.info_of(dist));
    let text = rpm.text(&path);
    let (first, rest) = text.split_once('\n').unwrap();
    rpm.file(&path).content = format!("{first}\n{line}\n{rest}").into_bytes();
}

#[rustfmt::skip]
pub fn rows() -> Vec<Row> {
    vec![
        row("lock", "a distribution that is not locked", "evil", |rpm| add_dist(rpm, "evil", "1.0")),
        row("lock", "another version than the locked one", "gunicorn", |rpm| edit(rpm, "gunicorn", "METADATA", "Version: 27.0.1", "Version: 26.0.0")),
        row("lock", "two versions of one distribution", "packaging", |rpm| add_dist(rpm, "packaging", "25.0")),
        row("lock", "a locked distribution that is missing", "packaging", |rpm| rpm.remove_dist("packaging")),
        row("lock", "a module that was changed with its row of RECORD", "gunicorn", |rpm| rpm.append(MODULE, "import evil\n")),
        row("lock", "a module that was taken away with its row of RECORD", "gunicorn", |rpm| drop(rpm.remove(MODULE))),
        row("lock", "a module that was added with its row of RECORD", "gunicorn", |rpm| rpm.add_to("gunicorn", "/opt/small/lib/gunicorn/evil.py", File::plain("1\n"))),
        row("lock", "metadata that was changed with its row of RECORD", "gunicorn", |rpm| edit(rpm, "gunicorn", "METADATA", "Name: gunicorn", "Name: gunicorn\nKeywords: x")),
        row("lock", "a compiled module that was changed with its row of RECORD", "markupsafe", |rpm| { let path = rpm.path("markupsafe/_speedups.cpython-311-x86_64-linux-gnu.so"); rpm.append(&path, "\0\0\0\0") }),
        row("lock", "a stray module in lib", "stray.py", |rpm| rpm.add("/opt/small/lib/stray.py", File::plain("x = 1\n"))),
        row("lock", "a stray .pth file in lib", "stray.pth", |rpm| rpm.add("/opt/small/lib/stray.pth", File::plain("import os\n"))),
        row("lock", "another version in the lock", "gunicorn", |rpm| rpm.replace(LOCK, "27.0.1", "27.0.2")),
        row("lock", "no lock", "", |rpm| drop(rpm.remove(LOCK))),
        row("lock", "a lock that cannot be read", "", |rpm| rpm.append(LOCK, "[[[\n")),
        row("lock", "another version in the SBOM", "sbom", |rpm| rpm.replace(SBOM, "\"version\": \"27.0.1\"", "\"version\": \"27.0.2\"")),
        row("lock", "another digest in the SBOM", "sbom", |rpm| rpm.replace(SBOM, "\"content\": \"", "\"content\": \"0")),
        row("lock", "an SBOM without a distribution", "sbom", |rpm| rpm.replace(SBOM, "\"name\": \"greenlet\"", "\"name\": \"redlet\"")),
        row("lock", "numpy changed with its row of RECORD", "numpy", |rpm| rpm.append("/opt/small/lib/numpy/__init__.py", "\n")).on(Base::Large),

        row("tags", "a wheel of another Python", "cp312", |rpm| retag(rpm, "markupsafe", "cp312-cp312-manylinux_2_17_x86_64")),
        row("tags", "a wheel of another processor", "aarch64", |rpm| retag(rpm, "markupsafe", "cp311-cp311-manylinux_2_17_aarch64")),
        row("tags", "a wheel of another C library", "musllinux", |rpm| retag(rpm, "markupsafe", "cp311-cp311-musllinux_1_2_x86_64")),
        row("tags", "a wheel of a newer C library", "manylinux_2_39", |rpm| retag(rpm, "markupsafe", "cp311-cp311-manylinux_2_39_x86_64")),
        row("tags", "a wheel of another system", "win_amd64", |rpm| retag(rpm, "markupsafe", "cp311-cp311-win_amd64")),
        row("tags", "no WHEEL", "WHEEL: it is not there", |rpm| remove_of(rpm, "markupsafe", "WHEEL")),
        row("tags", "a WHEEL without tags", "WHEEL", |rpm| retag(rpm, "markupsafe", "")),
        row("tags", "numpy of another Python", "cp312", |rpm| retag(rpm, "numpy", "cp312-cp312-manylinux_2_27_x86_64")).on(Base::Large),

        row("requires", "a dependency is missing", "packaging", |rpm| { require(rpm, "gunicorn", "Requires-Dist: packaging"); rpm.remove_dist("packaging") }),
        row("requires", "a dependency that another one only brings for itself", "packaging", vendored),
        row("requires", "a dependency of a wrong version", "markupsafe", |rpm| require(rpm, "gunicorn", "Requires-Dist: markupsafe<2")),
        row("requires", "a dependency that nobody brings", "nothere", |rpm| require(rpm, "gunicorn", "Requires-Dist: nothere; sys_platform == 'linux'")),
        row("requires", "a Python that is too new", "3.12", |rpm| { edit(rpm, "markupsafe", "METADATA", "Requires-Python: >=3.9", "Requires-Python: >=3.12") }),
        row("requires", "metadata that is no text", "METADATA", |rpm| { let path = format!("{}/METADATA", rpm.info_of("markupsafe")); rpm.file(&path).content = b"Name: \xff\xfe\n".to_vec(); }),
        row("requires", "metadata without a name", "METADATA: it cannot be read", |rpm| edit(rpm, "markupsafe", "METADATA", "Name: ", "Nome: ")),
        row("requires", "a requirement that is none", "METADATA: ", |rpm| require(rpm, "gunicorn", "Requires-Dist: ==")),
    ]
}

/// Moves a distribution, as metadata alone, into another one that needs it.
fn vendored(rpm: &mut Forge) {
    require(rpm, "gunicorn", "Requires-Dist: packaging");
    let metadata = format!("{}/METADATA", rpm.info_of("packaging"));
    let metadata = rpm.files[&metadata].clone();
    rpm.remove_dist("packaging");
    rpm.add_to("gunicorn", "/opt/small/lib/gunicorn/_vendor/packaging-26.3.dist-info/METADATA", metadata);
}
