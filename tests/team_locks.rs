//! Locks and wheels as teams have them, end to end with a real uv and pip, on an index of a folder: what is right passes,
//! and what is wrong is told by `lock`, before anything is built.

use anyhow::ensure;
use checkout::command::run;
use fs_err as fs;
use index::{write_sdist, write_wheel};
use repository::{PURE_SETUP, Repository, target_like_host};
use std::os::unix::fs::PermissionsExt as _;

#[allow(dead_code, reason = "each test that runs the tool uses a part of it")]
mod checkout;
#[path = "locking/index.rs"]
mod index;
#[path = "team_locks/odd.rs"]
mod odd;
#[path = "locking/repository.rs"]
mod repository;
#[allow(dead_code, reason = "the hostile tests use more of it")]
#[path = "hostile/zip.rs"]
mod zip;

const EL9: &str = "[[target]]\nname = \"el9-x86_64\"\npython = \"3.11\"";

/// A lock by uv whose team replaced what two packages require, and left a third out.
const UV_LOCK: &str = r#"
version = 1
revision = 3
requires-python = ">=3.9"
[manifest]
MANIFEST
[[package]]
name = "small"
version = "1"
source = { virtual = "." }
dependencies = [{ name = "narrow" }, { name = "wide" }]
[[package]]
name = "base"
version = "2.0"
source = { registry = "https://index.example/simple" }
[[package]]
name = "narrow"
version = "1.0"
source = { registry = "https://index.example/simple" }
dependencies = [{ name = "base" }]
[[package]]
name = "wide"
version = "1.0"
source = { registry = "https://index.example/simple" }
dependencies = [{ name = "base" }]
"#;

/// The wheels of the lock; a tool's own may lie beside them.
fn wheels(repository: &Repository) -> anyhow::Result<Vec<String>> {
    Ok(repository.wheels()?.into_iter().filter(|name| name.ends_with(".whl")).collect())
}

fn index_of_overrides(repository: &Repository) -> anyhow::Result<()> {
    write_wheel(&repository.index, "base-2.0-py3-none-any.whl", &[])?;
    write_wheel(&repository.index, "narrow-1.0-py3-none-any.whl", &["Requires-Dist: base<2"])?;
    let wide = ["Requires-Dist: base>=3", "Requires-Dist: heavy", "Requires-Python: >=3.8"];
    write_wheel(&repository.index, "wide-1.0-py3-none-any.whl", &wide)?;
    Ok(())
}

#[test]
fn what_a_team_replaced_or_left_out_is_accepted_and_named_once() -> anyhow::Result<()> {
    let both = format!("{EL9}\n[[target]]\nname = \"el10-x86_64\"");
    let repository = Repository::new(&both, "")?;
    index_of_overrides(&repository)?;
    let package = repository.read("dist/package.toml")?;
    repository.write("dist/package.toml", &package.replace("requirements.txt", "uv.lock"))?;
    #[rustfmt::skip]
    let cases = [ // [manifest]                                                                          still missing
        ("overrides = [{ name = \"base\", specifier = \"==2.0\" }]\nexcludes = [\"heavy\"]",             ""),
        ("overrides = [{ name = \"base\", specifier = \"==2.0\" }, { name = \"heavy\", marker = \"sys_platform == 'never'\" }]", ""),
        ("[[manifest.dependency-metadata]]\nname = \"wide\"\nversion = \"1.0\"\nrequires-dist = [\"base\"]\n\
          [[manifest.dependency-metadata]]\nname = \"narrow\"\nrequires-dist = [\"base\"]",             ""),
        ("[[manifest.dependency-metadata]]\nname = \"wide\"\nversion = \"0.9\"",                         "`wide` requires `heavy`"),
        ("overrides = [{ name = \"base\", specifier = \"==2.0\" }]",                                    "`wide` requires `heavy`"),
        ("",                                                                                            "`narrow` requires `base<2`, and 2.0 is there"),
    ];
    for (manifest, missing) in cases {
        repository.write("app/uv.lock", &UV_LOCK.replace("MANIFEST", manifest))?;
        let locked = repository.run(&["lock"])?;
        ensure!(locked.succeeded() == missing.is_empty() && locked.stderr.contains(missing), "{manifest}: {locked}");
        if missing.is_empty() {
            let warnings = locked.stderr.lines().filter(|line| line.contains("not met, and accepted"));
            ensure!(warnings.count() == 1, "{manifest}: {locked}");
            ensure!(locked.stderr.contains("`wide` requires `heavy`, which is missing"), "{manifest}: {locked}");
            let again = repository.run(&["lock", "--check"])?;
            ensure!(again.succeeded(), "{manifest}: {again}");
        }
    }
    Ok(())
}

#[test]
fn a_key_accepts_what_the_lock_does_not_record() -> anyhow::Result<()> {
    let repository = Repository::new(EL9, "base==2.0\nnarrow==1.0\nwide==1.0\n")?;
    index_of_overrides(&repository)?;
    let refused = repository.refused(&["lock"])?;
    ensure!(
        refused.contains("`unmet = [\"narrow: base\", \"wide: base\", \"wide: heavy\"]` under `[app]`"),
        "{refused}"
    );
    let package = repository.read("dist/package.toml")?;
    let unmet = |entries: &str| package.replace("lock = ", &format!("unmet = [{entries}]\nlock = "));
    repository.write("dist/package.toml", &unmet("\"*: base\", \"wide: heavy\", \"narrow: gone\""))?;
    let locked = repository.run(&["lock"])?;
    ensure!(locked.succeeded() && locked.stderr.contains("`narrow: gone`, which covers nothing"), "{locked}");
    ensure!(repository.read("dist/pylock.el9-x86_64.toml")?.contains("unmet = ["), "the lock does not say it");
    // Another key is another lock.
    repository.write("dist/package.toml", &unmet("\"*: base\""))?;
    let stale = repository.run(&["lock", "--check"])?;
    ensure!(stale.code == Some(1), "{stale}");
    repository.write("dist/package.toml", &unmet("\"heavy\""))?;
    let refused = repository.refused(&["lock"])?;
    ensure!(
        refused.contains("`heavy` names no requirement") && refused.contains("\"wants-new: heavy-gui\""),
        "{refused}"
    );
    Ok(())
}

/// The RPM is judged as its lock was: with what is accepted as warnings, and one version in two spellings as one.
#[test]
fn what_lock_accepts_verify_accepts() -> anyhow::Result<()> {
    let lock = "base==2.0\nnarrow==1.0\nwide==1.0\nfolders==1.0\nspelt==1.0\nlenient==1.0\n";
    let repository = Repository::new(EL9, lock)?;
    index_of_overrides(&repository)?;
    odd::write(&repository.index, "folders", odd::Oddity::FoldersWithoutType)?;
    odd::write(&repository.index, "spelt", odd::Oddity::LongVersion)?;
    write_wheel(
        &repository.index,
        "lenient-1.0-py3-none-any.whl",
        &["Requires-Dist: base (>dev)", "Requires-Dist: x (>dev) ; extra == 'y'"],
    )?;
    odd::write_application(&repository)?;
    let package = repository.read("dist/package.toml")?;
    let package = package.replace("lock = ", "unmet = [\"*: base\", \"wide: heavy\"]\nlock = ");
    repository.write("dist/package.toml", &package)?;
    repository.commit()?;
    let locked = repository.run(&["lock"])?;
    ensure!(locked.succeeded(), "{locked}");
    ensure!(locked.stderr.contains("`lenient` requires `base (>dev)`, whose versions cannot be read"), "{locked}");
    ensure!(!locked.stderr.contains("x (>dev)"), "{locked}");
    let built = repository.run(&["rpm"])?;
    ensure!(built.succeeded(), "{built}");
    let verified = repository.run(&["verify"])?;
    ensure!(verified.succeeded(), "{verified}");
    for says in ["`wide: heavy` of the lock says that it need not", "whose versions cannot be read"] {
        ensure!(verified.stdout.contains(says), "`{says}` is missing: {verified}");
    }
    Ok(())
}

#[test]
fn what_verify_would_refuse_is_refused_by_lock_with_a_way_on() -> anyhow::Result<()> {
    #[rustfmt::skip]
    let cases = [ // what is odd                      in the error                                   in the hint
        (odd::Oddity::NoTag,                          "its tags are",                                "lock a wheel for CPython 3.11"),
        (odd::Oddity::Unlisted,                       "RECORD does not list `odd/__init__.py`",      "`[sdist] build = [\"odd\"]`"),
        (odd::Oddity::OtherDigest,                    "`odd/__init__.py` does not have the digest of RECORD", ""),
        (odd::Oddity::OtherVersion,                   "its METADATA is of odd 2.0",                  ""),
        (odd::Oddity::NotElf,                         "are no ELF file",                             "cargo xtask checks extensions"),
    ];
    for (oddity, says, hint) in cases {
        let repository = Repository::new(EL9, "odd==1.0\n")?;
        odd::write(&repository.index, "odd", oddity)?;
        let refused = repository.refused(&["lock"])?;
        ensure!(refused.contains(says) && refused.contains(hint), "{oddity:?}: {refused}");
        ensure!(!repository.folder.join("dist/pylock.el9-x86_64.toml").exists(), "{oddity:?}: a lock was written");
    }
    Ok(())
}

#[test]
fn the_application_in_its_own_lock_is_passed_over() -> anyhow::Result<()> {
    let repository = Repository::new(EL9, "alpha==1.0\n")?;
    write_wheel(&repository.index, "alpha-1.0-py3-none-any.whl", &[])?;
    let here = format!("file://{}/app", repository.folder);
    for line in
        [format!("-e {here}"), format!("small @ {here}"), "-e file:.#egg=small".to_owned(), "small @ .".to_owned()]
    {
        repository.write("app/requirements.txt", &format!("alpha==1.0\n{line}\n"))?;
        let locked = repository.run(&["lock"])?;
        ensure!(locked.succeeded() && locked.stdout.contains("1 package, 0 dropped"), "{line}: {locked}");
    }
    repository.write("app/requirements.txt", "alpha==1.0\n-e file:///home/you/checkout\n")?;
    let refused = repository.refused(&["lock"])?;
    ensure!(refused.contains("write `-e file:.#egg=small`"), "{refused}");
    Ok(())
}

#[test]
fn a_release_with_a_local_part_is_taken_where_there_is_no_other() -> anyhow::Result<()> {
    let repository = Repository::new(EL9, "alpha==1.0\nbeta==2.0,>=1\n")?;
    let index = &repository.index;
    write_wheel(index, "alpha-1.0+corp.1-py3-none-any.whl", &[])?;
    write_wheel(index, "alpha-1.0+corp.2-py3-none-any.whl", &[])?;
    write_wheel(index, "beta-2.0-py3-none-any.whl", &["Requires-Dist: alpha==1.0"])?;
    write_wheel(index, "beta-2.0+corp.1-py3-none-any.whl", &[])?;
    let locked = repository.run(&["lock"])?;
    ensure!(locked.succeeded(), "{locked}");
    ensure!(wheels(&repository)? == ["alpha-1.0+corp.2-py3-none-any.whl", "beta-2.0-py3-none-any.whl"]);
    ensure!(repository.run(&["lock", "--check"])?.succeeded());
    // What is gone from the folder of wheels is asked for by what the lock has.
    fs::remove_file(repository.folder.join("dist/wheels/alpha-1.0+corp.2-py3-none-any.whl"))?;
    let explained = repository.run(&["lock", "--explain", "alpha"])?;
    ensure!(explained.stdout.contains("chosen   alpha-1.0+corp.2-py3-none-any.whl"), "{explained}");
    repository.write("app/requirements.txt", "alpha===1.0\n")?;
    let refused = repository.refused(&["lock"])?;
    ensure!(refused.contains("there is no version of alpha"), "{refused}");
    Ok(())
}

#[test]
fn folders_of_the_repository_are_looked_in_as_the_lock_says() -> anyhow::Result<()> {
    let repository = Repository::new(EL9, "--no-index\n--find-links ./vendor\nown==1.0\n")?;
    fs::create_dir(repository.folder.join("app/vendor"))?;
    write_wheel(&repository.folder.join("app/vendor"), "own-1.0-py3-none-any.whl", &[])?;
    // No index is asked, not even one that would fail.
    repository.write("app/uv.toml", "[[index]]\nurl = \"http://127.0.0.1:9/simple\"\ndefault = true\n")?;
    let locked = repository.run(&["lock"])?;
    ensure!(locked.succeeded() && !locked.stderr.contains("find-links"), "{locked}");
    ensure!(wheels(&repository)? == ["own-1.0-py3-none-any.whl"]);
    Ok(())
}

/// The archive holds two projects: the folder that the lock names is built.
#[test]
fn the_folder_of_an_archive_that_a_lock_names_is_built() -> anyhow::Result<()> {
    let repository = Repository::new(&target_like_host("2.40")?, "")?;
    let vendor = repository.folder.join("app/vendor");
    fs::create_dir(&vendor)?;
    let files = [
        ("setup.py", "raise SystemExit('the root was built')\n"),
        ("part/setup.py", PURE_SETUP),
        ("part/source.py", "NAME = 'part'\n"),
    ];
    let sha256 = write_sdist(&vendor, "mono", "3.0", &files)?;
    let lock = format!(
        "[metadata]\ngroups = [\"default\"]\nlock_version = \"4.5.0\"\n[[package]]\nname = \"source\"\nversion = \"1.0\"\n\
         groups = [\"default\"]\npath = \"./vendor/mono-3.0.tar.gz\"\nsubdirectory = \"part\"\nfiles = [{{ file = \"mono-3.0.tar.gz\", hash = \"sha256:{sha256}\" }}]\n"
    );
    repository.write("app/pdm.lock", &lock)?;
    repository.configure(&target_like_host("2.40")?, "[sdist]\nbuild = [\"source\"]\n")?;
    let package = repository.read("dist/package.toml")?;
    repository.write("dist/package.toml", &package.replace("requirements.txt", "pdm.lock"))?;
    let locked = repository.run(&["lock"])?;
    ensure!(locked.succeeded(), "{locked}");
    ensure!(wheels(&repository)? == ["source-1.0-py3-none-any.whl"], "{locked}");
    Ok(())
}

#[test]
fn the_application_itself_is_told_among_those_that_need_a_package() -> anyhow::Result<()> {
    let repository = Repository::new(EL9, "alpha==1.0\nbeta==1.0\n")?;
    write_wheel(&repository.index, "alpha-1.0-py3-none-any.whl", &[])?;
    write_wheel(&repository.index, "beta-1.0-py3-none-any.whl", &[])?;
    let project = "[project]\nname = \"small\"\nversion = \"1\"\ndependencies = [\"alpha>=1\", \"beta ; sys_platform == 'win32'\"]\n";
    repository.write("app/pyproject.toml", project)?;
    ensure!(repository.run(&["lock"])?.succeeded());
    #[rustfmt::skip]
    let cases = [
        ("alpha", "needed by: the application itself (`app/pyproject.toml`)"),
        ("beta",  "needed by: nobody that is known"),
    ];
    for (name, says) in cases {
        let told = repository.run(&["lock", "--explain", name])?;
        ensure!(told.stdout.contains(says), "{name}: {told}");
    }
    repository.write("app/requirements.in", "beta\n")?;
    let told = repository.run(&["lock", "--explain", "beta"])?;
    ensure!(told.stdout.contains("the application itself (`app/requirements.in`)"), "{told}");
    Ok(())
}

/// A program on the PATH before all others, which writes down how it was started.
fn put_first(repository: &Repository, name: &str, script: &str) -> anyhow::Result<()> {
    let folder = repository.folder.join("first");
    fs::create_dir_all(&folder)?;
    let text = format!("#!/bin/sh\necho \"$0 $*\" >> {}\n{script}", repository.folder.join("started.txt"));
    fs::write(folder.join(name), text)?;
    fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// Runs `lock` with those programs, and gives how they were started.
fn lock_with_first(repository: &Repository) -> anyhow::Result<(wheelhaul_host::Ended, String)> {
    let path = format!("{}:{}", repository.folder.join("first"), std::env::var("PATH")?);
    let locked = run(repository.command(&["lock", "-v"]).env("PATH", path))?;
    let started = fs::read_to_string(repository.folder.join("started.txt")).unwrap_or_default();
    Ok((locked, started))
}

/// The first Python on the PATH is of an old environment, with a pip that knows no `manylinux_X_Y`.
#[test]
fn the_newest_python_that_can_fetches_where_the_first_is_an_old_one() -> anyhow::Result<()> {
    let repository = Repository::new(EL9, "alpha==1.0\n")?;
    write_wheel(&repository.index, "alpha-1.0-py3-none-any.whl", &[])?;
    ensure!(repository.run(&["lock"])?.succeeded());
    fs::remove_file(repository.folder.join("dist/pylock.el9-x86_64.toml"))?;
    fs::remove_file(repository.folder.join("dist/wheels/alpha-1.0-py3-none-any.whl"))?;
    // Made anew, by the Python that is to be found.
    for name in
        checkout::list(&repository.folder.join("target/xtask"))?.iter().filter(|name| name.starts_with("tools-pip"))
    {
        let folder = repository.folder.join("target/xtask").join(name);
        if folder.is_symlink() { fs::remove_file(folder)? } else { fs::remove_dir_all(folder)? }
    }
    let real = run(std::process::Command::new("python3").args(["-c", "import sys; print(sys.executable)"]))?.text()?;
    let old =
        "case \"$*\" in *'import ensurepip'*) echo 3 6 final;; *'import pip'*) echo pip 9.0.3;; *) exit 1;; esac\n";
    let newer = format!(
        "case \"$*\" in *'import ensurepip'*) echo 3 20 final;; '-m venv '*) mkdir -p \"$3/bin\"; cp \"$0\" \"$3/bin/python\";; \
         *urls.txt) exec {} \"$@\";; '-m pip '*) ;; *) exit 1;; esac\n",
        real.trim()
    );
    put_first(&repository, "python3", old)?;
    put_first(&repository, "python3.20", &newer)?;
    let (locked, started) = lock_with_first(&repository)?;
    ensure!(locked.succeeded(), "{locked}\n{started}");
    ensure!(started.contains("python3.20 -m venv") && !started.contains("python3 -m venv"), "{started}");
    ensure!(wheels(&repository)? == ["alpha-1.0-py3-none-any.whl"]);
    Ok(())
}

/// From 24.1 on pip refuses metadata that older ones take, also where it only fetches the file.
#[test]
fn a_file_whose_metadata_pip_refuses_is_fetched_by_an_older_pip() -> anyhow::Result<()> {
    let repository = Repository::new(EL9, "alpha==1.0\nbeta==1.0\n")?;
    write_wheel(&repository.index, "alpha-1.0-py3-none-any.whl", &["Requires-Dist: beta (>dev)"])?;
    write_wheel(&repository.index, "beta-1.0-py3-none-any.whl", &[])?;
    let real = run(std::process::Command::new("python3").args(["-c", "import sys; print(sys.executable)"]))?.text()?;
    let young = "case \"$*\" in *'import pip'*) echo pip 26.0;; \
                 *) echo 'ERROR: Requested alpha==1.0 from file:///x has invalid metadata: Expected' >&2; exit 1;; esac\n";
    put_first(&repository, "python3", young)?;
    let older = repository.folder.join("target/xtask/tools-pip-24.0");
    if older.exists() {
        fs::remove_file(&older)?;
    }
    fs::create_dir_all(older.join("bin"))?;
    fs::set_permissions(&older, std::fs::Permissions::from_mode(0o700))?;
    let old = format!(
        "#!/bin/sh\necho \"old $*\" >> {}\nexec {} \"$@\"\n",
        repository.folder.join("started.txt"),
        real.trim()
    );
    fs::write(older.join("bin/python"), old)?;
    fs::set_permissions(older.join("bin/python"), std::fs::Permissions::from_mode(0o755))?;
    let (locked, started) = lock_with_first(&repository)?;
    ensure!(locked.succeeded(), "{locked}\n{started}");
    ensure!(started.contains("old -m pip download"), "{started}");
    ensure!(locked.stderr.contains("`alpha` requires `beta (>dev)`, whose versions cannot be read"), "{locked}");
    Ok(())
}

/// The guide's recipe, word for word, after a bot changed the team's lock.
#[test]
fn the_recipe_of_the_guide_makes_a_bots_branch_green() -> anyhow::Result<()> {
    let repository = Repository::new(EL9, "alpha==1.0\n")?;
    write_wheel(&repository.index, "alpha-1.0-py3-none-any.whl", &[])?;
    write_wheel(&repository.index, "alpha-1.1-py3-none-any.whl", &[])?;
    ensure!(repository.run(&["lock"])?.succeeded());
    repository.commit()?;
    let shell = |script: &str| {
        let mut command = std::process::Command::new("sh");
        run(command.args(["-euc", script]).current_dir(&repository.folder))
    };
    let remote = "git init --quiet --bare target/remote && git remote add origin target/remote && git switch --quiet -c bot \
                  && git config user.name Bot && git config user.email bot@corp.example && git push --quiet -u origin bot";
    shell(remote)?.text()?;
    repository.write("app/requirements.txt", "alpha==1.1\n")?;
    shell("git commit --quiet --all --message 'alpha 1.1' && git push --quiet")?.text()?;
    let red = repository.run(&["lock", "--check"])?;
    ensure!(red.code == Some(1) && red.stdout.contains("`alpha` is 1.0 instead of 1.1"), "{red}");
    let guide = fs::read_to_string(checkout::repository().join("xtask/docs/ci.md"))?.replace("\r\n", "\n");
    let section = guide.split("## A bot changed the team's lock").nth(1).unwrap_or_default();
    let recipe = section.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap_or_default();
    ensure!(recipe.contains("cargo xtask lock\n"), "the guide has no recipe");
    let tool = env!("CARGO_BIN_EXE_started");
    shell(&recipe.replace("cargo xtask", tool))?.text()?;
    // What a pipeline checks out is what was pushed.
    shell("git clone --quiet --branch bot target/remote target/clone && cmp dist/pylock.el9-x86_64.toml target/clone/dist/pylock.el9-x86_64.toml")?
        .text()?;
    let green = repository.run(&["lock", "--check"])?;
    ensure!(green.succeeded(), "{green}");
    Ok(())
}
