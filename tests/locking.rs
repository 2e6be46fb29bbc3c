//! What `lock` decides, end to end with a real uv and pip, on an index of a folder: no network.

use anyhow::ensure;
use camino::Utf8Path;
use checkout::command::run;
use index::{write_sdist, write_wheel, write_wheel_with};
use repository::{PURE_SETUP, Repository, target_like_host};

#[allow(dead_code, reason = "each test that runs the tool uses a part of it")]
mod checkout;
#[allow(dead_code, reason = "the tests of ELF files use more of it")]
#[path = "forge/elf.rs"]
mod forge;
#[path = "locking/index.rs"]
mod index;
#[path = "locking/repository.rs"]
mod repository;
#[allow(dead_code, reason = "the hostile tests use more of it")]
#[path = "hostile/zip.rs"]
mod zip;

const EL9: &str = "[[target]]\nname = \"el9-x86_64\"\npython = \"3.11\"";

#[test]
fn what_a_dependency_misses_on_the_box_is_named_with_who_wants_it() -> anyhow::Result<()> {
    let repository = Repository::new(EL9, "alpha==1.0\nbeta==1.0\ngamma[fast]==1.0\n")?;
    let index = &repository.index;
    write_wheel(
        index,
        "alpha-1.0-py3-none-any.whl",
        &[
            "Requires-Dist: beta>=2",
            "Requires-Dist: gone ; sys_platform == 'linux'",
            "Requires-Dist: win ; os_name == 'nt'",
        ],
    )?;
    write_wheel(index, "beta-1.0-py3-none-any.whl", &["Requires-Python: >=3.12"])?;
    write_wheel(
        index,
        "gamma-1.0-py3-none-any.whl",
        &["Provides-Extra: fast", "Requires-Dist: delta ; extra == 'fast'"],
    )?;
    insta::assert_snapshot!("closure", repository.refused(&["lock"])?);
    ensure!(!repository.folder.join("dist/pylock.el9-x86_64.toml").exists(), "a lock was written");
    Ok(())
}

#[test]
fn a_package_without_a_wheel_names_the_nearest_release_and_the_ways_on() -> anyhow::Result<()> {
    let repository = Repository::new(EL9, "alpha==1.0\nbeta==1.0\n")?;
    let index = &repository.index;
    write_wheel(index, "alpha-1.0-cp311-cp311-win_amd64.whl", &[])?;
    write_wheel(index, "alpha-1.2-cp311-cp311-manylinux_2_17_x86_64.whl", &[])?;
    write_wheel(index, "alpha-1.4-py3-none-any.whl", &[])?;
    write_sdist(index, "alpha", "1.0", &[])?;
    write_wheel(index, "beta-1.0-cp312-cp312-manylinux_2_17_x86_64.whl", &[])?;
    write_wheel(index, "beta-0.9-cp312-cp312-manylinux_2_17_x86_64.whl", &[])?;
    insta::assert_snapshot!("no-wheel", repository.refused(&["lock"])?);
    Ok(())
}

#[test]
fn every_file_of_a_package_is_explained() -> anyhow::Result<()> {
    let lock = "alpha==1.0 ; python_version < '3.12'\nalpha==2.0 ; python_version >= '3.12'\nbeta==1.0\n";
    let both = format!("{EL9}\n[[target]]\nname = \"el10-aarch64\"");
    let repository = Repository::new(&both, lock)?;
    let index = &repository.index;
    for tags in [
        "py3-none-any",
        "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
        "cp311-cp311-manylinux_2_39_x86_64",
        "cp311-cp311-musllinux_1_2_x86_64",
        "cp310-abi3-macosx_11_0_arm64",
    ] {
        write_wheel(index, &format!("alpha-1.0-{tags}.whl"), &[])?;
    }
    write_wheel(index, "alpha-2.0-py3-none-any.whl", &[])?;
    write_sdist(index, "alpha", "1.0", &[])?;
    write_wheel(index, "beta-1.0-py3-none-any.whl", &["Requires-Dist: alpha>=1"])?;
    ensure!(repository.run(&["lock", "-q"])?.succeeded());
    let told = repository.run(&["lock", "--explain", "alpha"])?;
    ensure!(told.succeeded(), "{told}");
    insta::assert_snapshot!("explain", told.stdout);
    let json = repository.run(&["lock", "--explain", "alpha", "--format", "json"])?;
    let json: serde_json::Value = serde_json::from_str(&json.stdout)?;
    ensure!(json["targets"][0]["entries"][0]["files"][0]["verdict"] == "chosen", "{json:#}");
    ensure!(repository.refused(&["lock", "--explain", "alpa"])?.contains("did you mean `alpha`?"));
    Ok(())
}

#[test]
fn a_second_lock_starts_no_program() -> anyhow::Result<()> {
    let repository = Repository::new(EL9, "alpha==1.0\n")?;
    write_wheel(&repository.index, "alpha-1.0-py3-none-any.whl", &[])?;
    let first = repository.run(&["lock"])?;
    ensure!(first.succeeded(), "{first}");
    // Without a PATH no program is found, and the private uv is out of the way too.
    std::fs::rename(repository.folder.join("target"), repository.folder.join("elsewhere"))?;
    for words in [&["lock"][..], &["lock", "--check"], &["lock", "--offline"]] {
        let again = run(repository.command(words).env("PATH", ""))?;
        ensure!(again.succeeded() && again.stdout.contains(": current, 1 package"), "{again}");
    }
    let refreshed = run(repository.command(&["lock", "--refresh"]).env("PATH", ""))?;
    ensure!(!refreshed.succeeded(), "it asked nobody: {refreshed}");
    Ok(())
}

#[test]
fn a_wheel_is_built_from_an_sdist_where_that_is_allowed() -> anyhow::Result<()> {
    let target = target_like_host("2.40")?;
    let repository = Repository::new(&target, "")?;
    let index = &repository.index;
    let sha256 = write_sdist(index, "source", "1.0", &[("setup.py", PURE_SETUP), ("source.py", "X = 1\n")])?;
    repository.write("app/requirements.txt", &format!("source==1.0 --hash=sha256:{sha256}\n"))?;
    let refused = repository.refused(&["lock"])?;
    ensure!(refused.contains("`[sdist] build = [\"source\"]`"), "{refused}");
    repository.configure(&target, "[sdist]\nbuild = [\"source\"]\n")?;
    let locked = repository.run(&["lock"])?;
    ensure!(locked.succeeded(), "{locked}");
    let name = "source-1.0-py3-none-any.whl";
    ensure!(repository.wheels()? == [name], "{:?}", repository.wheels()?);
    let lock = repository.read(&format!("dist/pylock.own-{}.toml", std::env::consts::ARCH))?;
    ensure!(lock.contains("[packages.tool.xtask.built-from]") && lock.contains(&sha256), "{lock}");
    // Built again, and not taken from pip's cache, it is the same; otherwise the error would say so.
    std::fs::remove_dir_all(repository.folder.join("target/xtask/kept/pip"))?;
    std::fs::remove_file(repository.folder.join("dist/wheels").join(name))?;
    let again = repository.run(&["lock", "--refresh"])?;
    ensure!(again.succeeded(), "{again}");
    ensure!(repository.read(&format!("dist/pylock.own-{}.toml", std::env::consts::ARCH))? == lock, "the lock differs");
    Ok(())
}

const C_SETUP: &str = "\
import subprocess
from setuptools import Distribution, setup


class Compiled(Distribution):
    def has_ext_modules(self):
        return True


words = []
if open('flags.txt').read() == 'foreign':
    open('foreign.c', 'w').write('int foreign(void) { return 1; }')
    subprocess.check_call(['cc', '-shared', '-fPIC', '-o', 'libforeign.so', '-Wl,-soname,libforeign.so.1', 'foreign.c'])
    words = ['-L.', '-lforeign']
subprocess.check_call(['cc', '-shared', '-fPIC', '-o', 'native/native.so', 'native.c'] + words)
setup(name='native', version='VERSION', packages=['native'], package_data={'native': ['native.so']}, distclass=Compiled)
";

/// What is compiled on this host is judged for the box: symbols of glibc, and libraries that nobody brings.
#[test]
fn what_was_compiled_for_this_host_is_judged_for_the_box() -> anyhow::Result<()> {
    #[rustfmt::skip]
    let cases = [ // glibc   code                                                             flags   more of [sdist]                           in the error
        ("2.40", "int one(void) { return 1; }\n",                                              "",    "",                                       ""),
        ("2.17", "#include <stdio.h>\n#include <pthread.h>\nint f(void) { return pthread_create(0, 0, 0, 0) + printf(\"\"); }\n", "", "",     "asks for GLIBC_"),
        ("2.40", "int foreign(void); int g(void) { return foreign(); }\n", "foreign", "", "needs the library `libforeign.so.1`"),
        ("2.40", "int foreign(void); int g(void) { return foreign(); }\n", "foreign", "system-libraries = [\"libforeign.so.1\"]\n", ""),
    ];
    // One repository, so that what is built with is put there once; a release a case.
    let repository = Repository::new(&target_like_host("2.40")?, "")?;
    for (number, (glibc, code, flags, more, says)) in cases.into_iter().enumerate() {
        let target = target_like_host(glibc)?;
        let version = format!("{number}.0");
        let setup = C_SETUP.replace("VERSION", &version);
        repository.write("app/requirements.txt", &format!("native=={version}\n"))?;
        let files =
            [("setup.py", setup.as_str()), ("native.c", code), ("flags.txt", flags), ("native/__init__.py", "")];
        let files: Vec<(&str, &str)> =
            files.into_iter().chain([("pyproject.toml", PYPROJECT), ("MANIFEST.in", "")]).collect();
        write_sdist(&repository.index, "native", &version, &files)?;
        repository.configure(&target, &format!("[sdist]\nbuild = \"all\"\n{more}"))?;
        let locked = repository.run(&["lock"])?;
        ensure!(
            locked.succeeded() == says.is_empty() && locked.stderr.contains(says),
            "glibc {glibc}, {flags}: {locked}"
        );
        if !more.is_empty() {
            let lock = repository.read(&format!("dist/pylock.own-{}.toml", std::env::consts::ARCH))?;
            ensure!(lock.contains("\"libforeign.so.1()(64bit)\""), "{lock}");
        }
    }
    Ok(())
}

const PYPROJECT: &str = "[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n";

#[test]
fn an_upgrade_takes_only_releases_with_wheels_for_every_box() -> anyhow::Result<()> {
    let both =
        format!("{EL9}\n[[target]]\nname = \"el8-x86_64\"\npython = \"3.11\"\n[[target]]\nname = \"el10-x86_64\"");
    let repository = Repository::new(&both, "alpha==1.0\n")?;
    let index = &repository.index;
    write_wheel(index, "alpha-1.0-py3-none-any.whl", &[])?;
    write_wheel(
        index,
        "alpha-2.0-py3-none-any.whl",
        &["Requires-Dist: beta", "Requires-Dist: gamma ; python_version < '3.12'"],
    )?;
    // el8 and el9 share a Python and a processor: no marker tells them apart, so the older glibc decides.
    write_wheel(index, "beta-1.0-cp311-cp311-manylinux_2_28_x86_64.whl", &[])?;
    write_wheel(index, "beta-1.1-cp311-cp311-manylinux_2_34_x86_64.whl", &[])?;
    write_wheel(index, "beta-1.2-cp312-cp312-manylinux_2_39_x86_64.whl", &[])?;
    write_wheel(index, "gamma-1.0-py3-none-any.whl", &[])?;
    let nothing = repository.refused(&["lock", "--upgrade"])?;
    ensure!(nothing.contains("there is nothing to resolve `app/requirements.txt` from"), "{nothing}");
    repository.write("app/requirements.in", "alpha\n")?;
    let upgraded = repository.run(&["lock", "--upgrade"])?;
    ensure!(upgraded.succeeded(), "{upgraded}");
    insta::assert_snapshot!("upgrade", upgraded.stdout);
    let lines: Vec<String> =
        repository.read("app/requirements.txt")?.lines().filter(|l| !l.contains("--hash")).map(str::to_owned).collect();
    insta::assert_snapshot!("upgraded", lines.join("\n"));
    let again = repository.run(&["lock", "--upgrade"])?;
    ensure!(again.stdout.contains("app/requirements.txt: nothing newer"), "{again}");
    repository.write("app/Pipfile", "[packages]\nalpha = \"<2\"\n")?;
    std::fs::remove_file(repository.folder.join("app/requirements.in"))?;
    let older = repository.run(&["lock", "--upgrade"])?;
    ensure!(older.stdout.contains("alpha: 2.0 → 1.0") && older.stdout.contains("gamma: removed 1.0"), "{older}");
    Ok(())
}

/// The team's lock places files itself: beside it, or by a direct reference; no index is asked for them.
#[test]
fn a_wheel_of_the_repository_is_packed() -> anyhow::Result<()> {
    let repository = Repository::new(EL9, "")?;
    std::fs::create_dir(repository.folder.join("app/vendor"))?;
    let vendor = repository.folder.join("app/vendor");
    let sha256 = write_wheel(&vendor, "own-1.0-py3-none-any.whl", &[])?;
    let line = format!("./vendor/own-1.0-py3-none-any.whl --hash=sha256:{sha256}\n");
    repository.write("app/requirements.txt", &line)?;
    let locked = repository.run(&["lock"])?;
    ensure!(locked.succeeded(), "{locked}");
    ensure!(repository.wheels()? == ["own-1.0-py3-none-any.whl"]);
    let other = line.replace(&sha256, &"0".repeat(64));
    repository.write("app/requirements.txt", &other)?;
    let refused = repository.refused(&["lock"])?;
    ensure!(refused.contains("instead of 0000"), "{refused}");
    Ok(())
}

/// What an upgrade cannot write whole is refused, and every file stays as it was.
#[test]
fn an_upgrade_writes_nothing_but_the_teams_lock() -> anyhow::Result<()> {
    let repository = Repository::new(EL9, "alpha==1.0\n")?;
    write_wheel(&repository.index, "alpha-1.0-py3-none-any.whl", &[])?;
    std::fs::create_dir(repository.folder.join("app/vendor"))?;
    write_wheel(&repository.folder.join("app/vendor"), "own-1.0-py3-none-any.whl", &[])?;
    #[rustfmt::skip]
    let cases = [ // requirements.in                               the lock                            in the error
        ("./vendor/own-1.0-py3-none-any.whl\n",                    "alpha==1.0\n",                     "gets `own` from a file or a URL"),
        ("alpha\n",                                                "-c limits.txt\nalpha==1.0\n",      "takes in `app/limits.txt`"),
        ("# nothing\n",                                            "alpha==1.0\n",                     "resolves to no package at all"),
        ("alpha>2\n",                                              "alpha==1.0\n",                     "uv found no set of releases"),
    ];
    repository.write("app/limits.txt", "alpha<2\n")?;
    for (input, lock, says) in cases {
        repository.write("app/requirements.in", input)?;
        repository.write("app/requirements.txt", lock)?;
        let refused = repository.refused(&["lock", "--upgrade"])?;
        ensure!(refused.contains(says), "{input}: {refused}");
        ensure!(repository.read("app/requirements.txt")? == lock, "{input}: the lock was changed");
    }
    let lock = "{\"_meta\": {\"pipfile-spec\": 6, \"sources\": []}, \"default\": {}, \"develop\": {}}";
    repository.write("app/Pipfile.lock", lock)?;
    repository.write("app/Pipfile", "[packages]\nalpha = \"*\"\n")?;
    let package = repository.read("dist/package.toml")?;
    let package = package.replace("requirements.txt", "Pipfile.lock");
    let served = "[\"web\", \"--bind\", \"{address}:{port}\", \"web:app\"]";
    repository.write("dist/package.toml", &package.replace(served, "[\"gunicorn\", \"web:app\"]"))?;
    let tools = std::env::var("PATH")?;
    let without: Vec<&str> = tools.split(':').filter(|folder| !Utf8Path::new(folder).join("pipenv").exists()).collect();
    let mut command = repository.command(&["lock", "--upgrade"]);
    let refused = run(command.env("PATH", without.join(":")))?;
    ensure!(refused.code == Some(2) && refused.stderr.contains("made by pipenv, which is not installed"), "{refused}");
    ensure!(repository.read("app/Pipfile.lock")? == lock, "the lock was changed");
    // The server of `service.command` in a category that nobody asked for is said first.
    let with = lock.replace("\"develop\": {}", "\"web\": {\"gunicorn\": {\"version\": \"==1\"}}");
    repository.write("app/Pipfile.lock", &with)?;
    let refused = repository.refused(&["rpm"])?;
    ensure!(refused.contains("is locked for the group `web` alone"), "{refused}");
    Ok(())
}

/// The same bytes under two names, and a local version beside the plain one: the file that was locked is meant.
#[test]
fn the_file_that_was_locked_is_the_one_that_is_packed() -> anyhow::Result<()> {
    let repository = Repository::new(EL9, "alpha==1.0\n")?;
    let index = &repository.index;
    write_wheel(index, "alpha-1.0-py3-none-any.whl", &[])?;
    std::fs::copy(index.join("alpha-1.0-py3-none-any.whl"), index.join("alpha-1.0-1-py3-none-any.whl"))?;
    ensure!(repository.run(&["lock"])?.succeeded());
    ensure!(repository.wheels()? == ["alpha-1.0-1-py3-none-any.whl"]);
    let sha256 = write_wheel(index, "beta-2.0-py3-none-any.whl", &[])?;
    write_wheel(index, "beta-2.0+cpu-py3-none-any.whl", &[])?;
    repository.write("app/requirements.txt", &format!("beta==2.0 --hash=sha256:{sha256}\n"))?;
    let locked = repository.run(&["lock"])?;
    ensure!(locked.succeeded(), "{locked}");
    ensure!(repository.wheels()?.contains(&"beta-2.0-py3-none-any.whl".to_owned()));
    Ok(())
}

#[test]
fn what_no_elf_file_asks_for_is_told_once_and_what_is_for_other_boxes_is_not_required() -> anyhow::Result<()> {
    let both = format!("{EL9}\n[[target]]\nname = \"el10-x86_64\"");
    let repository = Repository::new(&both, "fonts==1.0\nmagic==1.0\ndriver==1.0\nnative==1.0\nkernels==1.0\n")?;
    let index = &repository.index;
    let fonts = b"def _dlopen(ffi, *names):\n    return ffi.dlopen(names[0])\n\
        pango = _dlopen(ffi, 'libpango-1.0-0', 'libpango-1.0.so.0', 'libpango-1.0.dylib')\n\
        own = _dlopen(ffi, 'libbrought.so.1')\nc = _dlopen(ffi, 'libc.so.6')\n"
        .to_vec();
    let magic = b"from ctypes import CDLL\nfrom ctypes.util import find_library\nyields = [find_library('magic'), 'libmagic.so.1']\n\
        if sys.platform == 'darwin':\n    CDLL('libmac.so')\n"
        .to_vec();
    let tag = "cp311.cp312-abi3-manylinux_2_17_x86_64";
    let brought = forge::Elf { soname: Some("libbrought.so.1".to_owned()), ..forge::Elf::library() };
    let mut driver = forge::Elf::library().asking("libother.so.9", "OTHER_9");
    driver.machine = forge::AARCH64;
    let kernels = forge::Elf { soname: Some("libnccl.so.2".to_owned()), ..forge::Elf::library() };
    let mut kernels = kernels.write();
    kernels.resize(60_000_000, 0);
    write_wheel_with(index, "fonts-1.0-py3-none-any.whl", &[], &[("fonts/ffi.py", fonts)])?;
    write_wheel_with(index, "magic-1.0-py3-none-any.whl", &[], &[("magic/loader.py", magic)])?;
    write_wheel_with(index, "driver-1.0-py3-none-any.whl", &[], &[("driver/linux/manager", driver.write())])?;
    write_wheel_with(
        index,
        &format!("native-1.0-{tag}.whl"),
        &[],
        &[("native.libs/libbrought-1a2b3c4d.so.1", brought.write())],
    )?;
    write_wheel_with(index, &format!("kernels-1.0-{tag}.whl"), &[], &[("kernels/libnccl.so.2", kernels)])?;
    let locked = repository.run(&["lock"])?;
    ensure!(locked.succeeded(), "{locked}");
    let said: Vec<&str> = locked
        .stderr
        .lines()
        .filter(|line| line.starts_with("note: ") || line.contains("opens") || line.contains("driver"))
        .collect();
    insta::assert_snapshot!("by-name", said.join("\n"));
    for target in ["el9-x86_64", "el10-x86_64"] {
        let lock = repository.read(&format!("dist/pylock.{target}.toml"))?;
        ensure!(!lock.contains("libother"), "{lock}");
    }
    // Each of the two cures is taken, and so is the name of the package.
    let settled = format!("{both}\nrequires = [\"libmagic.so.1()(64bit)\"]");
    let package = "[package]\nname = \"small\"\noptional-libraries = [\"libmagic.so.1\"]\nrequires = [\"pango\"]\n";
    repository.configure(&settled, "")?;
    let config = repository.read("dist/package.toml")?;
    let config = config.replacen("[package]\nname = \"small\"\n", package, 1);
    repository.write("dist/package.toml", &config)?;
    let again = repository.run(&["lock", "--refresh"])?;
    ensure!(again.succeeded() && !again.stderr.contains("opens"), "{again}");
    Ok(())
}
