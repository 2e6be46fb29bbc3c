"""The applications that are packed, each in a repository of its own."""

import hashlib, json, os, shutil, sys
from pathlib import Path

from measuring import ROOT, SCRATCH, clean_environment, die, run, say

# Beside the sample's own, for L.
EXTRA = """numpy==2.4.6 pandas==3.1.1 scipy==1.17.1 scikit-learn==1.9.1 matplotlib==3.11.2 sqlalchemy==2.1.9
    lxml==6.1.3 pillow==13.0.0 cloudpickle==3.1.2 contourpy==1.3.3 cycler==0.12.1 fonttools==4.68.0 joblib==1.6.0
    kiwisolver==1.5.1 narwhals==2.29.0 packaging==26.3 pyparsing==3.3.3 python-dateutil==4.0.0
    threadpoolctl==3.8.0 tzdata==2026.6""".split()
THREE = "\n\n".join(f'[[target]]\nname = "el{major}-x86_64"\npython = "3.12"' for major in (8, 9, 10))
# What is measured is packed for el9-x86_64 with Python 3.11, which the other tools take from the host.
BOX = '[[target]]\nname = "el9-x86_64"\npython = "3.11"\n'
# The same, as uv is told of them.
UV_PLATFORM = ["--python-version=3.11", "--python-platform=x86_64-manylinux_2_34"]


class Repository:
    """A repository with a full wheelhouse; `wheels` has all wheels in one folder, for the other ways."""

    def __init__(self, name, xtask):
        self.name, self.xtask = name, xtask
        self.folder, self.wheels, self.cache = SCRATCH / name, SCRATCH / f"wheels-{name}", SCRATCH / f"cache-{name}"
        self.out = self.folder / "dist/out"
        self.env = clean_environment(self.cache)
        self.commits = 0

    def copy_sample(self):
        """What of this repository the tool looks at; wheels that were fetched before stay."""
        kept = SCRATCH / f"kept-{self.name}"
        if (self.folder / "dist/wheels").is_dir():
            shutil.rmtree(kept, ignore_errors=True)
            (self.folder / "dist/wheels").rename(kept)
        self.remove()
        ignored = shutil.ignore_patterns("__pycache__", ".*cache")
        shutil.copytree(ROOT / "python-app", self.folder / "python-app", ignore=ignored)
        (self.folder / "dist").mkdir()
        for name in [".gitignore", "dist/package.toml"]:
            shutil.copy(ROOT / name, self.folder / name)
        config = self.folder / "dist/package.toml"
        before, _, after = config.read_text().partition("[[target]]")
        config.write_text(f"{before}{BOX}\n[service]{after.partition('[service]')[2]}")
        if kept.is_dir():
            kept.rename(self.folder / "dist/wheels")

    def remove(self):
        for folder in [self.folder, self.wheels, self.cache]:
            shutil.rmtree(folder, ignore_errors=True)

    def configure(self, old, new):
        """Changes a text of `dist/package.toml`, which must be in it."""
        config = self.folder / "dist/package.toml"
        text = config.read_text()
        old in text or die(f"`{config.name}` of the sample has no `{old}`")
        config.write_text(text.replace(old, new, 1))

    def set_byte_code(self, wanted):
        """Writes `package.byte-code`; the commit does not change, and neither does what else is packed."""
        config = self.folder / "dist/package.toml"
        lines = [line for line in config.read_text().splitlines() if not line.startswith("byte-code")]
        text = "\n".join(lines) + "\n"
        config.write_text(text.replace("[package]", f"[package]\nbyte-code = {str(wanted).lower()}", 1))

    def lock_requirements(self, pins, more_lines=(), links=None):
        """Makes `requirements.txt` with hashes the lock.

        - Takes: `pins`, which the index has; `more_lines`, of wheels in the folder `links`.
        """
        (self.folder / "pins.in").write_text("\n".join(pins))
        path = self.folder / "python-app/requirements.txt"
        run(["uv", "pip", "compile", "--quiet", "--no-deps", "--generate-hashes", *UV_PLATFORM, self.folder / "pins.in", "-o", path])
        path.write_text(path.read_text() + "".join(line + "\n" for line in more_lines))
        if links:
            (self.folder / "python-app/uv.toml").write_text(f"find-links = [{json.dumps(str(links))}]\n")
        self.configure("python-app/Pipfile.lock", "python-app/requirements.txt")

    def commit(self):
        """Commits everything, each time a day later: the commit's time is the time in the RPM."""
        self.commits += 1
        date = f"2026-01-{self.commits % 28 + 1:02}T00:00:00Z"
        env = {**os.environ, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@localhost"]
        for words in [["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--allow-empty", "--message=bench"]]:
            run([*git, *words], cwd=self.folder, env=env)

    def change_application(self):
        """Changes one line of the application, and commits."""
        path = self.folder / "python-app/src/app.py"
        lines = [line for line in path.read_text().splitlines() if not line.startswith("# Release ")]
        path.write_text("\n".join([*lines, f"# Release {self.commits}"]) + "\n")
        self.commit()

    def tool(self, *words):
        return [self.xtask, "-C", self.folder, *words]

    def rpm(self, level):
        """The command that is timed, in this repository."""
        return self.tool("rpm", "--offline", "--level", level, "-q")

    def empty_store(self):
        shutil.rmtree(self.cache, ignore_errors=True)
        self.cache.mkdir()

    def has_store(self):
        """Whether pieces are kept between runs."""
        return any(path.is_file() for path in (self.cache / "xtask/kept/pieces").rglob("*"))

    def fill(self):
        """Locks, fetches, and builds once, with the person's own settings: the index is asked here and nowhere else."""
        self.commit()
        env = {**os.environ, "XDG_CACHE_HOME": str(self.cache)}
        for words in [["lock", "-q"], ["rpm", "--level", "1", "-q"]]:
            run(self.tool(*words), env=env)

    def share_wheels(self, pins):
        """Puts all wheels into one folder, which `rpm` has just held against the lock."""
        shutil.rmtree(self.wheels, ignore_errors=True)
        shutil.copytree(self.folder / "dist/wheels", self.wheels, copy_function=link)
        names = {path.name.split("-")[0] for path in self.wheels.iterdir()}
        len(names) >= len(pins) or die(f"{len(pins)} pins became wheels of {len(names)} packages")
        (self.wheels / "pins.txt").write_text("\n".join([*pins, "quality_report==0.0.1"]))
        self.share_application()

    def share_application(self):
        """Lets the other ways have the application's wheel as it is now."""
        wheel = next(self.out.glob("*.whl"))
        shutil.copy(wheel, self.wheels / wheel.name)

    def only_rpm(self):
        rpms = list(self.out.glob("*.rpm"))
        len(rpms) == 1 or die(f"{len(rpms)} RPMs where one was built")
        return rpms[0]

    def made(self):
        """sha256 of what `dist` made, by name."""
        digest = lambda path: hashlib.file_digest(path.open("rb"), "sha256").hexdigest()
        return {path.name: digest(path) for path in sorted(self.out.iterdir()) if path.suffix in (".rpm", ".gz")}


def link(source, target):
    """A second name for a file: wheels of gigabytes need no second copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def sample_pins():
    pins = json.loads((ROOT / "python-app/Pipfile.lock").read_text())["default"]
    return [name + pin["version"] for name, pin in pins.items()]


def small(xtask):
    """S: this repository's sample."""
    say("S: preparing")
    repository = Repository("S", xtask)
    repository.copy_sample()
    repository.set_byte_code(False)
    repository.fill()
    repository.share_wheels(sample_pins())
    return repository


def large(xtask, name="L", targets=None):
    """L: the sample with twenty more packages."""
    say(f"{name}: preparing")
    repository = Repository(name, xtask)
    repository.copy_sample()
    repository.lock_requirements(sample_pins() + EXTRA)
    if targets:
        config = repository.folder / "dist/package.toml"
        before, _, after = config.read_text().partition("[[target]]")
        config.write_text(f"{before}{targets}\n\n[service]{after.partition('[service]')[2]}")
    repository.set_byte_code(False)
    repository.fill()
    if not targets:
        repository.share_wheels(sample_pins() + EXTRA)
    return repository


def made_up(xtask, kind, *words):
    """The sample with made-up wheels of a kind that `large.py` knows, which prints what the lock has of each."""
    say(f"{kind}: preparing")
    script = Path(__file__).with_name("large.py")
    script.is_file() or die(f"the script that makes large wheels, `{script.name}`, is not beside this one")
    repository = Repository("-".join([kind, *words[1:]]), xtask)
    repository.copy_sample()
    links = SCRATCH / f"made-{repository.name}"
    shutil.rmtree(links, ignore_errors=True)
    lines = run([sys.executable, script, links, "--kind", kind, *words]).splitlines()
    repository.lock_requirements(sample_pins(), lines, links)
    repository.set_byte_code(False)
    repository.fill()
    repository.share_wheels(sample_pins() + [line.split()[0] for line in lines])
    shutil.rmtree(links)
    return repository
