"""Print what has a newer release on the index than tests/locks has: `NAME OLD -> NEW (LOCK)`, a line each.

Only final releases count, and of several that a lock has the newest. Of a published application (`gallery/NAME`) the
packages are told that its `.in` file names: the rest of its lock follows from them.
"""
import concurrent.futures
import glob
import os
import re

import registry


def main():
    locked = {}
    for path in sorted(glob.glob(os.path.join(registry.LOCKS, "*.txt"))):
        lock = os.path.basename(path)[: -len(".txt")]
        for line in registry.lines(lock):
            name, version = re.match(r"([^=\[ ]+)[^=]*==([^ ;]+)", line).groups()
            key = (lock, registry.normal(name))
            locked[key] = max(locked.get(key, version), version, key=numbers)
    for path in glob.glob(os.path.join(registry.LOCKS, "gallery", "*.in")):
        lock = "gallery/" + os.path.basename(path)[: -len(".in")]
        with open(path) as file:
            named = {registry.normal(name) for name in re.findall(r"(?m)^([A-Za-z0-9._-]+)", file.read())}
        for line in registry.lines(lock):
            name, version = re.match(r"([^=\[ ]+)[^=]*==([^ ;]+)", line).groups()
            if registry.normal(name) in named:
                locked[(lock, registry.normal(name))] = version
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        names = sorted({name for _, name in locked})
        newest = dict(zip(names, pool.map(newest_of, names)))
    for (lock, name), version in sorted(locked.items()):
        if newest[name] and numbers(newest[name]) > numbers(version):
            print("%s %s -> %s (%s)" % (name, version, newest[name], lock))


def newest_of(name):
    versions = [registry.version_in(row["filename"]) for row in registry.files(name) if not row.get("yanked")]
    finals = [version for version in versions if version and re.fullmatch(r"[0-9.]+(\.?post[0-9]+)?", version)]
    return max(finals, key=numbers, default=None)


def numbers(version):
    found = [int(part) for part in re.findall(r"[0-9]+", version.split("+")[0])]
    while found and found[-1] == 0:
        found.pop()
    return found


if __name__ == "__main__":
    main()
