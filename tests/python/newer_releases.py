"""Ask an index that has a newer, poisoned release of everything what each lock of tests/locks would install.

usage: newer_releases.py            judge every lock, and print how many packages were judged
       newer_releases.py --serve    be that index, print its URL, and end with the end of standard input
"""
import concurrent.futures
import glob
import json
import os
import re
import subprocess
import sys

import frozen_index
import registry


def main():
    with frozen_index.FrozenIndex(registry.index(), until=None, poisoned=True) as index:
        if sys.argv[1:] == ["--serve"]:
            print(index.url, flush=True)
            sys.stdin.read()
            return
        names = sorted(os.path.basename(path)[: -len(".in")] for path in glob.glob(os.path.join(registry.LOCKS, "*.in")))
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            judged = list(pool.map(lambda name: judge(name, index.url), names))
        if index.poison_taken:
            sys.exit("poisoned releases were taken: %s" % index.poison_taken)
        # The names alone would get them, or this test proves nothing.
        without_lock = would_install(["html5lib"], index.url)
        if without_lock["html5lib"] != frozen_index.POISON:
            sys.exit("the index shows no newer release: %s" % without_lock)
    print(sum(judged))


def judge(lock, index):
    locked = dict(re.match(r"([^=\[ ]+)[^=]*==([^ ;]+)", line).groups() for line in registry.lines(lock))
    words = registry.what_to_install(lock)
    # One of them is built from source.
    words += ["--build-constraint", os.path.join(registry.LOCKS, "backends.txt")]
    for name, version in would_install(words, index).items():
        expected = {registry.normal(name): version for name, version in locked.items()}[name]
        if registry.plain(version) != registry.plain(expected):
            sys.exit("%s: `%s` would be installed as %s instead of %s" % (lock, name, version, expected))
    return len(locked)


def would_install(words, index):
    environment = registry.environment(os.environ["HOME"], PIP_INDEX_URL=index)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--report", "-", *words]
    said = subprocess.run(pip, env=environment, stdout=subprocess.PIPE, check=True, text=True).stdout
    rows = json.loads(said)["install"]
    return {registry.normal(row["metadata"]["name"]): row["metadata"]["version"] for row in rows}


if __name__ == "__main__":
    main()
