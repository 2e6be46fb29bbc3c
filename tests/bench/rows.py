"""What is measured, a row each: functions from a `Bench` to figures and rounds."""

import hashlib, os, shutil, statistics

import repositories
from measuring import MB, ROOT, SCRATCH, clean_environment, measure, median, run, say, started
from ways import ways

MOST_PEAK, MOST_PEAK_LARGE = 100, 150
NO_STORE = "this build keeps no pieces between runs"


class Bench:
    """What rows share: the program, the number of rounds, and repositories that are prepared once."""

    def __init__(self, xtask, rounds, quick):
        self.xtask, self.rounds, self.quick, self._prepared = xtask, rounds, quick, {}
        self.peaks = []  # pairs: MB, and of what

    def small(self):
        return self._once("S", lambda: repositories.small(self.xtask))

    def large(self):
        return self._once("L", lambda: repositories.large(self.xtask))

    def _once(self, name, make):
        if name not in self._prepared:
            self._prepared[name] = make()
        return self._prepared[name]

    def turns(self, usual):
        return range(1, (self.rounds or usual) + 1)

    def own(self, commands, env, **more):
        """Measures this tool, whose peak is judged in the end."""
        result = measure(commands, env=env, cwd=SCRATCH, **more)
        words = [str(word) for word in commands[-1][1:]]
        if words[0] == "-C":
            words = words[2:] + ["of", os.path.basename(commands[-1][2])]
        self.peaks.append((result["peak"], " ".join(os.path.basename(word) for word in words)))
        return result


def figure(what, value, goal=None, unit="", missing=None):
    """A figure: `goal` is what it may be at most, `missing` why there is no value, which never passes."""
    return {"what": what, "value": value, "goal": goal, "unit": unit, "missing": missing}


def other(way):
    """Goes another way in a new folder."""
    shutil.rmtree(SCRATCH / "work", ignore_errors=True)
    (SCRATCH / "work").mkdir()
    result = measure(way.commands, env=way.env, cwd=SCRATCH)
    result["rpm"] = next(way.out.glob("*.rpm")).stat().st_size / MB
    return result


def first(bench):
    """First build, nothing kept"""
    figures, rounds = [], []
    for repository, usual, by_hand in [(bench.small(), 5, 5), (bench.large(), 3, 1)]:
        size, results = repository.name, []
        for turn in [0, *bench.turns(usual)]:  # turn 0 warms up and is not counted
            say(f"first build of {size}: round {turn}")
            result = {}
            repository.empty_store()
            result["xtask"] = bench.own([repository.rpm(3)], repository.env)
            result["xtask"]["rpm"] = repository.only_rpm().stat().st_size / MB
            for name, way in ways(repository).items():
                # The slow ones take long on L, and their ratios are far from any goal.
                slow = name != "uv + nfpm"
                left_out = slow and (not 1 <= turn <= by_hand or (bench.quick and size == "L"))
                if way.missing or left_out:
                    continue
                result[name] = other(way)
            repository.empty_store()
            result["xtask, default level"] = bench.own([repository.tool("rpm", "--offline", "-q")], repository.env)
            result["xtask, default level"]["rpm"] = repository.only_rpm().stat().st_size / MB
            if turn:
                results.append({"size": size, **result})
        for name, way in ways(repository).items():
            if not any(name in each for each in results):
                way.missing = way.missing or "left out with `--quick`"
            goal = {"S": 0.5, "L": 0.7}[size] if name == "uv + nfpm" else None
            value = None if way.missing else median(results, name, "cpu", of="xtask")
            figures.append(figure(f"{size}: CPU, of {name}", value, goal, missing=way.missing))
        wall = statistics.median(each["xtask"]["wall"] / each["xtask"]["cpu"] for each in results)
        figures.append(figure(f"{size}: wall, of its CPU", wall, 0.6 if size == "L" else None))
        figures.append(figure(f"{size}: CPU at the default level, of uv + nfpm", median(results, "uv + nfpm", "cpu", of="xtask, default level")))
        rounds += results
    return figures, rounds


def release(bench):
    """Re-release, only the application changed"""
    repository, rounds = bench.large(), []
    repository.empty_store()
    say("release of L: filling the store")
    bench.own([repository.rpm(3)], repository.env)
    stored = repository.has_store()
    # Paid once for each change of the lock; the memory of level 19 is zstd's own.
    slow = measure([repository.rpm(19)], env=repository.env, cwd=SCRATCH) if stored else None
    slow_size = repository.only_rpm().stat().st_size / MB
    for turn in [0, *bench.turns(5)]:
        say(f"release of L: round {turn}")
        repository.change_application()
        wheel = bench.own([repository.tool("wheel", "--offline", "-q")], {**repository.env, "UV_CACHE_DIR": os.environ["UV_CACHE_DIR"]})
        result = {"wheel": wheel, "level 3": bench.own([repository.rpm(3)], repository.env)}
        if stored:
            result["level 19"] = bench.own([repository.rpm(19)], repository.env)
        repository.share_application()
        result["uv + nfpm"] = other(ways(repository)["uv + nfpm"])
        result["level 3 and wheel"] = {what: result["level 3"][what] + wheel[what] for what in ["cpu", "wall"]}
        rounds += [result] if turn else []
    share = lambda way: median(rounds, "uv + nfpm", "cpu", of=way)
    return [
        figure("L, level 3: CPU, of uv + nfpm at 3", share("level 3"), 0.12),
        figure("L, level 19: CPU, of uv + nfpm at 3", share("level 19") if stored else None, 0.12, missing=None if stored else NO_STORE),
        figure("L, level 3, with the application's wheel", share("level 3 and wheel")),
        figure("L, first build at level 19: CPU", slow["cpu"] if stored else None, None, "s", missing=None if stored else NO_STORE),
        figure("L, first build at level 19: peak", slow["peak"] if stored else None, None, "MB", missing=None if stored else NO_STORE),
        figure("L at level 19: RPM", slow_size if stored else None, None, "MB", missing=None if stored else NO_STORE),
    ], rounds


def targets(bench):
    """Three targets with Python 3.12, against one"""
    repository, rounds = bench._once("T", lambda: repositories.large(bench.xtask, "T", repositories.THREE)), []
    sets = {"el9": ["el9"], "el8": ["el8"], "el9, el10": ["el9", "el10"], "el8, el9, el10": ["el8", "el9", "el10"]}
    for turn in bench.turns(3):
        say(f"three targets: round {turn}")
        result = {}
        for name, boxes in sets.items():
            repository.empty_store()
            chosen = [word for box in boxes for word in ("--target", f"{box}-x86_64")]
            result[name] = bench.own([[*repository.rpm(3), *chosen]], repository.env)
        rounds.append(result)
    share = lambda way: median(rounds, "el9", "cpu", of=way)
    return [
        figure("L, el8 + el9 + el10: CPU, of el9 alone", share("el8, el9, el10"), 1.5),
        figure("L, el9 + el10: CPU, of el9 alone", share("el9, el10")),
        figure("L, el8 alone, whose payload is gzip: CPU, of el9 alone", share("el8")),
    ], rounds


def many_small(bench):
    """82,000 small files in 20 wheels"""
    rounds, costs, peaks = [], {}, []
    for files in ["41000", "82000"]:
        repository = repositories.made_up(bench.xtask, "many-small", "--files", files)
        results = []
        for turn in [0, *bench.turns(3)]:
            say(f"{files} files: round {turn}")
            repository.empty_store()
            result = {"xtask": bench.own([repository.rpm(3)], repository.env)}
            result["verify"] = bench.own([repository.tool("verify", "-q", repository.only_rpm())], repository.env, codes=(0, 1))
            if files == "82000":
                result["uv + nfpm"] = other(ways(repository)["uv + nfpm"])
            results += [{"files": files, **result}] if turn else []
        costs[files] = {way: median(results, way, "cpu") for way in ["xtask", "verify"]}
        peaks += [median(results, way, "peak") for way in ["xtask", "verify"]]
        rounds += results
        repository.remove()
    grown = lambda way: costs["82000"][way] / costs["41000"][way]
    return [
        figure("82,000 files: CPU, of uv + nfpm", median(rounds, "uv + nfpm", "cpu", of="xtask"), 0.4),
        figure("82,000 files: CPU, of 41,000 files", grown("xtask"), 2.1),
        figure("82,000 files: CPU of verify, of 41,000 files", grown("verify"), 2.1),
        figure("82,000 files: peak", max(peaks), MOST_PEAK, "MB"),
    ], rounds


def one_large(bench):
    """A wheel of 2 GB with a file of 3 GB; over 4 GB in all"""
    figures, rounds = [], []
    for kind, what in [("one-large", "a file of 3 GB"), ("over-4gb", "over 4 GB in all")]:
        repository = repositories.made_up(bench.xtask, kind)
        repository.empty_store()
        say(f"{kind}: packing")
        # These may take more memory than others: they are not among `bench.peaks`.
        packing = measure([repository.rpm(3)], env=repository.env, cwd=SCRATCH)
        rpm = repository.only_rpm()
        verify = measure([repository.tool("verify", "-q", rpm)], env=repository.env, cwd=SCRATCH, codes=(0, 1))
        whole = measure([["rpm", "-K", rpm]], cwd=SCRATCH)
        rounds.append({"kind": kind, "xtask": packing, "verify": verify, "rpm -K": whole})
        figures.append(figure(f"{what}: peak of rpm", packing["peak"], MOST_PEAK_LARGE, "MB"))
        figures.append(figure(f"{what}: peak of verify", verify["peak"], MOST_PEAK_LARGE, "MB"))
        repository.remove()
    return figures, rounds


def lock(bench):
    """lock with nothing changed, and lock --check"""
    repository, figures, rounds = bench.small(), [], []
    for words in [["lock"], ["lock", "--check"]]:
        results = [bench.own([repository.tool(*words, "-q")], repository.env) for _ in bench.turns(15)]
        rounds += [{" ".join(words): each} for each in results]
        wall = statistics.median(each["wall"] for each in results)
        figures.append(figure(f"S, {' '.join(words)}: wall", wall * 1000, 50, "ms"))
        count = started(repository.tool(*words, "-q"), env=repository.env, cwd=SCRATCH)
        missing = "strace is not installed" if count is None else None
        figures.append(figure(f"S, {' '.join(words)}: programs started", count, 0, missing=missing))
    return figures, rounds


def unchanged(bench):
    """dist with nothing changed"""
    figures, rounds = [], []
    for repository, usual in [(bench.small(), 5), (bench.large(), 3)]:
        command = repository.tool("dist", "--locked", "--offline", "-q")
        say(f"dist of {repository.name} with nothing changed")
        bench.own([command], repository.env)
        before = repository.made()
        results = [bench.own([command], repository.env) for _ in bench.turns(usual)]
        same = repository.made() == before
        wall = statistics.median(each["wall"] for each in results)
        figures.append(figure(f"{repository.name}: wall", wall, 0.5, "s", None if same else "the bytes differ"))
        rounds += [{f"dist of {repository.name}": each} for each in results]
    return figures, rounds


def large_lock(name, packages):
    """A lock of so many packages, which is made up; every fifth is for another system."""
    digest = lambda number: hashlib.sha256(str(number).encode()).hexdigest()
    marker = lambda number: ["", "sys_platform == 'win32'", "python_version >= '3.8'", "os_name == 'posix'", "python_version < '3.10'"][number % 5]
    if name == "requirements.txt":
        tail = lambda number: f" ; {marker(number)}" if marker(number) else ""
        return "".join(f"package-{n}==1.{n % 9}{tail(n)} \\\n    --hash=sha256:{digest(n)}\n" for n in range(packages))
    if name == "Pipfile.lock":
        tail = lambda number: f', "markers": "{marker(number)}"' if marker(number) else ""
        rows = (f'"package-{n}": {{"version": "==1.{n % 9}", "hashes": ["sha256:{digest(n)}"]{tail(n)}}}' for n in range(packages))
        return '{"_meta": {"hash": {"sha256": "x"}, "pipfile-spec": 6, "sources": []}, "default": {\n' + ",\n".join(rows) + '}, "develop": {}}'
    file = lambda n: f'"https://index.example/package_{n}-1.{n % 9}-py3-none-any.whl"'
    rows = []
    for n in range(packages):
        line = f'marker = "{marker(n)}"\n' if marker(n) else ""
        wheel = f'{{ url = {file(n)}, size = 1, hashes = {{ sha256 = "{digest(n)}" }} }}'
        rows.append(f'[[packages]]\nname = "package-{n}"\nversion = "1.{n % 9}"\n{line}wheels = [{wheel}]\n')
    return 'lock-version = "1.0"\ncreated-by = "bench"\n' + "\n".join(rows)


def many_pins(bench):
    """Filtering a lock of 10,000 packages"""
    figures, rounds, folder = [], [], SCRATCH / "many-pins"
    for name in ["requirements.txt", "Pipfile.lock", "pylock.toml"]:
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "dist").mkdir(parents=True)
        (folder / "app").mkdir()
        (folder / "app" / name).write_text(large_lock(name, 10_000))
        (folder / "app/pyproject.toml").write_text('[project]\nname = "big"\nversion = "1"\n')
        (folder / "dist/package.toml").write_text(
            f'[package]\nname = "big"\nrelease = "1"\n[app]\npath = "app"\nlock = "app/{name}"\n'
            f'{repositories.BOX}'
            '[service]\ncommand = ["package-0", "{address}:{port}"]\nport = 9091\ntls = "off"\n'
        )
        # Exit code 1: our lock is not there yet, which is told once all is filtered.
        env = clean_environment(SCRATCH / "cache-many-pins")
        results = [bench.own([[bench.xtask, "-C", folder, "lock", "--check"]], env, codes=(1,)) for _ in bench.turns(7)]
        rounds += [{name: each} for each in results]
        figures.append(figure(f"{name}: CPU", statistics.median(each["cpu"] for each in results), 0.3, "s"))
    return figures, rounds


def verify(bench):
    """verify of L against what shows no more than that an RPM is whole"""
    repository, rounds = bench.large(), []
    for turn in [0, *bench.turns(5)]:
        result = {}
        for tail, byte_code in [("", False), (", byte-code", True)]:
            if turn == 0:
                repository.set_byte_code(byte_code)
                result["compiling"] = bench.own([repository.rpm(3)], repository.env)
                shutil.copy(repository.only_rpm(), SCRATCH / f"verified{byte_code}.rpm")
            rpm = SCRATCH / f"verified{byte_code}.rpm"
            result[f"verify{tail}"] = bench.own([repository.tool("verify", "-q", rpm)], repository.env)
            listing = ["bash", "-o", "pipefail", "-c", 'rpm -K "$0" && rpm2cpio "$0" | cpio -t --quiet', rpm]
            result[f"rpm -K, cpio -t{tail}"] = measure([listing], cwd=SCRATCH)
        say(f"verify of L: round {turn}")
        rounds += [result] if turn else []
    repository.set_byte_code(False)
    for byte_code in [False, True]:
        (SCRATCH / f"verified{byte_code}.rpm").unlink()
    share = lambda tail: median(rounds, f"rpm -K, cpio -t{tail}", "cpu", of=f"verify{tail}")
    return [
        figure("L: CPU, of rpm -K and cpio -t", share(""), 1),
        figure("L with byte-code: CPU, of rpm -K and cpio -t", share(", byte-code"), 1),
        figure("L: wall, of its CPU", statistics.median(each["verify"]["wall"] / each["verify"]["cpu"] for each in rounds)),
    ], rounds


def clone(bench):
    """From a clean clone to the first rpm of S"""
    run(["cargo", "fetch", "--locked", "--quiet"], cwd=ROOT)
    cold = SCRATCH / "cold"
    shutil.rmtree(cold, ignore_errors=True)
    say("building from nothing")
    build = measure([["cargo", "--offline", "xtask", "--help"]], cwd=ROOT, env={**os.environ, "CARGO_TARGET_DIR": str(cold)})
    repository = repositories.Repository("first", cold / "debug/xtask")
    shutil.rmtree(repository.folder, ignore_errors=True)
    repository.copy_sample()
    shutil.copy(ROOT / "tests/checkout/pylock.el9-x86_64.toml", repository.folder / "dist")
    repository.commit()
    packing = measure([repository.tool("rpm")], cwd=SCRATCH, env={**os.environ, "XDG_CACHE_HOME": str(repository.cache)})
    repository.remove()
    shutil.rmtree(cold)
    both = build["cpu"] + packing["cpu"]
    return [
        figure("S: CPU of the build and the first rpm", both, 130, "s"),
        figure("S: CPU of the build alone", build["cpu"], None, "s"),
    ], [{"cold cargo xtask --help": build, "first rpm": packing}]


def cold(bench):
    """dist of S with an empty wheelhouse, against pip download"""
    repository, rounds, folder = bench.small(), [], SCRATCH / "downloaded"
    pins = SCRATCH / "cold-pins.txt"
    pins.write_text("\n".join(repositories.sample_pins()))
    # This is the one row that asks the index, by the person's own settings; nobody has a cache.
    for turn in bench.turns(3):
        say(f"cold dist: round {turn}")
        env = {**os.environ, "PIP_NO_CACHE_DIR": "1", "UV_CACHE_DIR": str(SCRATCH / "no-uv-cache"), "XDG_CACHE_HOME": str(repository.cache)}
        made = [repository.folder / "target/xtask/kept/app-wheels", repository.out, repository.cache]
        for gone in [folder, SCRATCH / "no-uv-cache", repository.folder / "dist/wheels", *made]:
            shutil.rmtree(gone, ignore_errors=True)
        pip = [SCRATCH / "tools/bin/pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "-d", folder, "-r", pins]
        rounds.append({
            "pip download": measure([pip], env=env, cwd=SCRATCH),
            "xtask dist": bench.own([repository.tool("dist", "--locked", "-q")], env),
        })
    for gone in [folder, SCRATCH / "no-uv-cache"]:
        shutil.rmtree(gone, ignore_errors=True)
    more = statistics.median(each["xtask dist"]["wall"] - each["pip download"]["wall"] for each in rounds)
    return [figure("S: wall more than pip download's", more, 1, "s")], rounds


# Those that wait for the network or take gigabytes are last.
ROWS = {
    "first": first, "release": release, "targets": targets, "lock": lock, "unchanged": unchanged, "many-pins": many_pins,
    "verify": verify, "many-small": many_small, "one-large": one_large, "clone": clone, "cold": cold,
}
