"""Lock one project with each tool, and print what the tools themselves make of their locks, as JSON.

usage: lockers.py UV FOLDER PYTHON...

PYTHON is the full version of a box: `3.11.13`.

{"cases": [{"tool": "...", "lock": path, "app": folder,
            "files": {path: text},         the lock and what is beside it
            "edited": {path: text} | null, the project file with a change that makes the lock stale
            "selections": [{"extras": [...], "groups": [...],
                            "export": text of a requirements file with markers | null,
                            "installed": {"3.11.13": ["name==1.0", ...]}}]}]}

Each tool has an environment of its own, since their dependencies conflict, from the lock of its name in tests/locks.
All of them ask an index that shows nothing newer than `registry.CUT_OFF`, whatever there is by now, and live in a home
of this script's. What they said is kept for as long as the tools, the projects and this script are the same.
"""
import concurrent.futures
import fcntl
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

import frozen_index
import locker_projects as projects
import registry

PLAIN, MORE, DEV = ([], []), (["cache"], ["docs"]), ([], ["dev"])


class Workplace:
    def __init__(self, uv, folder, *pythons):
        self.pythons = pythons
        self.uv, self.folder = os.path.abspath(uv), os.path.abspath(folder)
        # The real one has a release of everything that no lock knows: none of it may be seen.
        self.real = frozen_index.FrozenIndex(registry.index(), until=None, poisoned=not registry.NEWEST)
        self.frozen = frozen_index.FrozenIndex(self.real.url, until=None if registry.NEWEST else registry.CUT_OFF)
        self.index = self.frozen.url
        home = os.path.join(self.folder, "home")
        self.environment = registry.environment(
            home,
            PIP_INDEX_URL=self.index,
            UV_DEFAULT_INDEX=self.index,
            PIPENV_IGNORE_VIRTUALENVS="1",
            PIPENV_VENV_IN_PROJECT="1",
            PIPENV_NOSPIN="1",
            POETRY_VIRTUALENVS_CREATE="false",
            PDM_PYPI_URL=self.index,
            PDM_CACHE_DIR=os.path.join(home, "pdm"),
            PDM_CHECK_UPDATE="0",
            PDM_USE_VENV="1",
        )

    def program(self, tool, name):
        return os.path.join(self.folder, tool, "bin", name)

    def install(self, tool):
        folder, wanted = os.path.join(self.folder, tool), registry.stamp([tool])
        stamp = os.path.join(folder, "complete")
        if os.path.exists(stamp) and open(stamp).read() == wanted:
            return
        shutil.rmtree(folder, ignore_errors=True)
        self.run(self.folder, self.uv, "venv", "--quiet", "--python", sys.executable, folder)
        python = os.path.join(folder, "bin", "python")
        self.run(self.folder, self.uv, "pip", "install", "--quiet", "--python", python, *registry.what_to_install(tool))
        if registry.NEWEST:
            write(folder, "moved.txt", "".join(line + "\n" for line in registry.moved(python, [tool])))
        write(folder, "complete", wanted)

    def give_pdm_what_it_installs_at_run_time(self):
        """For environments of Pythons before 3.10; what is there and fits it takes as it is."""
        folder = os.path.join(self.environment["PDM_CACHE_DIR"], ".compat_libs")
        shutil.rmtree(folder, ignore_errors=True)
        words = ["-m", "pip", "install", "--quiet", "--target", folder, *registry.what_to_install("pdm-at-run-time")]
        self.run(self.folder, sys.executable, *words)

    def run(self, folder, *words):
        done = subprocess.run(words, cwd=folder, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit("`%s` ended with %d\n%s%s" % (" ".join(words), done.returncode, done.stdout, done.stderr))
        return done.stdout

    def project(self, name, files):
        folder = os.path.join(self.folder, "projects", name)
        shutil.rmtree(folder, ignore_errors=True)
        for path, text in files.items():
            path = os.path.join(folder, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(text)
        return folder


def interpreters(pythons):
    """The Pythons at hand by full version, of the minor versions of those that are given."""
    found = {"%d.%d.%d" % sys.version_info[:3]: sys.executable}
    for minor in sorted({python.rpartition(".")[0] for python in pythons}):
        pattern = "%s/versions/%s.*/bin/python%s" % (os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv"), minor, minor)
        for path in sorted(glob.glob(pattern)) + [shutil.which("python" + minor) or ""]:
            said = subprocess.run([path, "-V"], capture_output=True, text=True) if path else None
            if said and said.returncode == 0 and not any(known.startswith(minor + ".") for known in found):
                found[said.stdout.split()[1]] = path
    return found


def case(tool, folder, lock, project, selections, app=".", edit=None):
    files = {path: open(os.path.join(folder, path)).read() for path in dict.fromkeys((lock, project))}
    edited = {project: edit(files[project])} if edit else None
    return {"tool": tool, "lock": lock, "app": app, "files": files, "edited": edited, "selections": selections}


def selection(chosen, export=None, installed=None):
    return {"extras": chosen[0], "groups": chosen[1], "export": export, "installed": installed or {}}


def add_dependency(text):
    return re.sub(r'(?m)^( *"|)(flask>=2"|flask = ">=2"|Flask = ">=2")', lambda m: m[0].replace(">=2", ">=2.1"), text)


def of_pipenv(place):
    place.install("pipenv")
    folder = place.project("pipenv", {"Pipfile": projects.PIPFILE % place.index})
    pipenv = place.program("pipenv", "pipenv")
    place.run(folder, pipenv, "lock")
    place.run(folder, pipenv, "lock", "--categories", "cache")
    said = []
    for chosen, words in ((PLAIN, ["packages"]), (([], ["cache"]), ["packages,cache"]), (([], ["develop"]), ["packages,dev-packages"])):
        export = place.run(folder, pipenv, "requirements", "--hash", "--categories", *words)
        said.append(selection(chosen, export))
    return [case("pipenv", folder, "Pipfile.lock", "Pipfile", said, edit=add_dependency)]


def of_poetry(place, tool, text):
    place.install(tool)
    folder = place.project(tool, {"pyproject.toml": text + projects.POETRY_SOURCE % place.index})
    poetry = place.program(tool, "poetry")
    place.run(folder, poetry, "lock", "--no-interaction")
    said = []
    for chosen in (PLAIN, MORE, DEV):
        words = [word for extra in chosen[0] for word in ("--extras", extra)]
        words += [word for group in chosen[1] for word in ("--with", group)]
        said.append(selection(chosen, place.run(folder, poetry, "export", "--no-interaction", *words)))
    return [case(tool, folder, "poetry.lock", "pyproject.toml", said, edit=add_dependency)]


def of_pdm(place):
    place.install("pdm")
    place.give_pdm_what_it_installs_at_run_time()
    pdm, cases = place.program("pdm", "pdm"), []
    for name, strategy in (("pdm", []), ("pdm-graph", ["--strategy", "no_inherit_metadata"])):
        folder = place.project(name, {"pyproject.toml": projects.STANDARD})
        place.run(folder, place.uv, "venv", "--quiet", "--python", sys.executable, ".venv")
        place.run(folder, pdm, "lock", "-G", ":all", "--python", ">=3.8,<3.10", *strategy)
        place.run(folder, pdm, "lock", "-G", ":all", "--python", ">=3.10", "--append")
        said = []
        for chosen in (PLAIN, MORE, DEV):
            left_out = [name for name in ("all", "cache", "dev", "docs") if name not in chosen[0] + chosen[1]]
            words = ["--prod"] if chosen == PLAIN else [word for name in left_out for word in ("--without", name)]
            words += [word for extra in chosen[0] for word in ("-G", extra)]
            if strategy:
                said.append(selection(chosen, installed=pdm_installs(place, folder, words)))
            else:
                said.append(selection(chosen, place.run(folder, pdm, "export", "--format", "requirements", *words)))
        cases.append(case(name, folder, "pdm.lock", "pyproject.toml", said, edit=add_dependency))
    return cases


def pdm_installs(place, folder, words):
    """What PDM itself installs, for each Python at hand."""
    installed = {}
    for version, python in interpreters(place.pythons).items():
        if version.startswith("3.8."):
            continue  # this PDM locks for 3.8, but cannot look into an environment of it
        place.run(folder, place.uv, "venv", "--quiet", "--clear", "--no-config", "--python", python, ".venv")
        place.run(folder, place.program("pdm", "pdm"), "use", "--first", ".venv/bin/python")
        said = place.run(folder, place.program("pdm", "pdm"), "sync", "--dry-run", "--no-self", *words)
        installed[version] = ["==".join(pair) for pair in re.findall(r"(?m)^ +- (\S+) (\S+)$", said)]
    return installed


def of_pip_tools(place):
    place.install("pip-tools")
    folder = place.project("pip-tools", {"requirements.in": projects.REQUIREMENTS})
    place.run(folder, place.program("pip-tools", "pip-compile"), "--quiet", "--generate-hashes", "--strip-extras", "requirements.in")
    export = open(os.path.join(folder, "requirements.txt")).read()
    return [case("pip-tools", folder, "requirements.txt", "requirements.in", [selection(PLAIN, export)])]


def of_uv(place):
    folder = place.project("uv", {"pyproject.toml": projects.UV})
    place.run(folder, place.uv, "lock", "--quiet")
    said, cases = [], []
    for chosen in (PLAIN, MORE, DEV, (["all"], [])):
        export = uv_export(place, folder, chosen)
        said.append(selection(chosen, export, uv_installs(place, folder, export)))
        if chosen == MORE:
            write(folder, "requirements.txt", export)
            exported = [selection(PLAIN, export)]
    cases.append(case("uv", folder, "uv.lock", "pyproject.toml", said, edit=add_dependency))
    cases.append(case("uv export to requirements.txt", folder, "requirements.txt", "pyproject.toml", exported))
    place.run(folder, place.uv, "export", "--quiet", "--frozen", "--no-default-groups", "--no-emit-project", "--format", "pylock.toml", "--extra", "cache", "--group", "docs", "--output-file", "pylock.toml")
    cases.append(case("uv export to pylock.toml", folder, "pylock.toml", "pyproject.toml", exported))
    files = {"pyproject.toml": projects.WORKSPACE, "apps/shop/pyproject.toml": projects.MEMBER, "apps/other/pyproject.toml": projects.OTHER_MEMBER}
    folder = place.project("uv-workspace", files)
    place.run(folder, place.uv, "lock", "--quiet")
    said = []
    for chosen in (PLAIN, (["old"], []), (["new"], ["docs"])):
        said.append(selection(chosen, uv_export(place, folder, chosen, "--package", "my-shop")))
    cases.append(case("uv workspace", folder, "uv.lock", "pyproject.toml", said, app="apps/shop"))
    return cases


def write(folder, path, text):
    with open(os.path.join(folder, path), "w") as file:
        file.write(text)


def uv_export(place, folder, chosen, *words):
    words = [*words, *(word for extra in chosen[0] for word in ("--extra", extra))]
    words += [word for group in chosen[1] for word in ("--group", group)]
    return place.run(folder, place.uv, "export", "--quiet", "--frozen", "--no-default-groups", "--no-emit-project", *words)


def uv_installs(place, folder, export):
    """What uv would install from its own export on a box that this host is not."""
    write(folder, "exported.txt", export)
    installed = {}
    for version in place.pythons:
        words = ["--python-version", version, "--python-platform", "x86_64-manylinux_2_28", "--target", "nowhere"]
        words = ["pip", "install", "--dry-run", "--no-config", "--python", sys.executable, *words, "--requirement", "exported.txt"]
        done = subprocess.run([place.uv, *words], cwd=folder, env=place.environment, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit("`uv %s` ended with %d\n%s" % (" ".join(words), done.returncode, done.stderr))
        installed[version] = re.findall(r"(?m)^ \+ (\S+==\S+)$", done.stderr)
    return installed


def main():
    place = Workplace(*sys.argv[1:])
    os.makedirs(place.folder, exist_ok=True)
    here = os.path.dirname(os.path.abspath(__file__))
    scripts = ("lockers.py", "locker_projects.py", "frozen_index.py", "registry.py")
    sources = b"".join(open(os.path.join(here, name), "rb").read() for name in scripts)
    tools = [registry.stamp(["pipenv", "poetry-1", "poetry-2", "pdm", "pdm-at-run-time", "pip-tools"])]
    version = subprocess.run([place.uv, "--version"], capture_output=True, check=True).stdout
    state = [sources.hex(), tools, version.hex(), sys.version, registry.index(), place.pythons, sorted(interpreters(place.pythons))]
    digest = hashlib.sha256(json.dumps(state).encode()).hexdigest()
    kept = os.path.join(place.folder, "said.json")
    with open(os.path.join(place.folder, "guard"), "w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if os.path.exists(kept):
            with open(kept) as text:
                said = json.load(text)
            if said["digest"] == digest:
                print(kept)
                return
        work = [
            lambda: of_poetry(place, "poetry-1", projects.POETRY_1),
            lambda: of_poetry(place, "poetry-2", projects.POETRY_2),
            lambda: of_pdm(place),
            lambda: of_pipenv(place),
            lambda: of_pip_tools(place),
            lambda: of_uv(place),
        ]
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            cases = [found for future in [pool.submit(job) for job in work] for found in future.result()]
        if place.real.poison_taken:
            sys.exit("releases that are newer than the locks were taken: %s" % place.real.poison_taken)
        with open(kept + ".part", "w") as text:
            json.dump({"digest": digest, "cases": cases}, text)
        os.replace(kept + ".part", kept)
    print(kept)


if __name__ == "__main__":
    main()
