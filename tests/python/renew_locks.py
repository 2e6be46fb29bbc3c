"""Write the locks of what the tests install, with every dependency and the sha256 of each file.

usage: renew_locks.py [NAME...]            resolve tests/locks/NAME.in again, or all of them; `gallery/NAME` as well
       renew_locks.py --add PIN...         add files of exact pins to tests/locks/downloads.txt
       renew_locks.py --newest NAME        print the lock that NAME has today, whatever the cut-off

Nothing that was uploaded after registry.CUT_OFF is seen. To move to newer releases, set a later date there and
change the versions in the `.in` files; `cargo xtask ci --latest` tells which there are.

A line of a lock is `NAME==VERSION ; MARKER --hash=sha256:… --hash=…`. It names no URL, so every mirror can serve it.
Only files that a test host can use are listed: wheels for any platform and for Linux, and a source distribution where
there is no such wheel. The locks of the gallery list only what its boxes can use, since the applications are large.
"""
import concurrent.futures
import glob
import os
import re
import shlex
import subprocess
import sys
import tempfile
import tomllib

import registry

# Locks of published applications.
GALLERY = "gallery"
CUT_OFF = ["--exclude-newer", registry.CUT_OFF]


def main():
    words = sys.argv[1:]
    if words[:1] == ["--add"]:
        return add(words[1:])
    if words[:1] == ["--newest"]:
        return print("\n".join(locked_by_uv(path_of(words[1]), [])))
    for path in sorted(glob.glob(os.path.join(registry.LOCKS, "**", "*.in"), recursive=True)):
        name = os.path.relpath(path, registry.LOCKS)[: -len(".in")]
        if not words or name in words:
            of_gallery = os.path.dirname(name) == GALLERY
            lines = locked_by_uv(path, CUT_OFF) if of_gallery else all_locked(resolve(path, CUT_OFF))
            write(name, lines)
            print(name, len(lines))


def path_of(name):
    return os.path.join(registry.LOCKS, name + ".in")


def resolve(path, more):
    """What uv prints for all that the names in a file need: a line for each exact pin, unless it is told otherwise."""
    with open(path) as file:
        options = re.findall(r"(?m)^# options: (.+)$", file.read())
    options = shlex.split(options[0]) if options else ["--universal", "--python-version", "3.11"]
    with tempfile.TemporaryDirectory() as home:
        uv = os.environ.get("UV", "uv")
        words = [uv, "pip", "compile", "--quiet", "--no-config", "--no-header", "--no-annotate"]
        words += ["--default-index", registry.index(), *more, *options, path]
        said = subprocess.run(words, env=registry.environment(home), stdout=subprocess.PIPE, check=True, text=True).stdout
    return said.splitlines()


def locked_by_uv(path, more):
    """The lines of a lock for x86_64 and Python 3.11, with the files that uv found: a page of the index is read once."""
    said = resolve(path, [*more, "--format", "pylock.toml"])
    return [line_of(package) for package in tomllib.loads("\n".join(said))["packages"]]


def line_of(package):
    wheels = [wheel for wheel in package.get("wheels", []) if is_for_gallery(wheel["url"].rsplit("/", 1)[-1])]
    files = wheels or [package["sdist"]]
    hashes = sorted(file["hashes"]["sha256"] for file in files)
    pin = "%s==%s" % (package["name"], package["version"])
    return " ".join([pin, *("--hash=sha256:" + digest for digest in hashes)])


def add(pins):
    known = {line.split(" ")[0]: line for line in registry.lines("downloads")}
    known.update(zip(pins, all_locked(pins)))
    write("downloads", [known[pin] for pin in sorted(known)])


def all_locked(pins):
    registry.index()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return list(pool.map(locked, pins))


def locked(pin):
    name, version = re.match(r"([^=\[ ]+)(?:\[[^]]*\])?==([^ ;]+)", pin).groups()
    wheels, sources = [], []
    for file in registry.files(name):
        found = registry.version_in(file["filename"])
        if found is None or registry.plain(found) != registry.plain(version) or not registry.is_old_enough(file):
            continue
        is_wheel = file["filename"].endswith(".whl")
        if not is_wheel or is_for_tests(file["filename"]):
            (wheels if is_wheel else sources).append(file["hashes"]["sha256"])
    hashes = sorted(wheels or sources)
    if not hashes:
        sys.exit("the index has no file of `%s` that is older than %s" % (pin, registry.CUT_OFF))
    return " ".join([pin, *("--hash=sha256:" + digest for digest in hashes)])


def is_for_tests(wheel):
    python, _, platform = wheel[: -len(".whl")].split("-")[-3:]
    is_linux = "linux" in platform and platform.endswith(("x86_64", "aarch64"))
    return "pypy" not in python and "pp" not in python and "cp27" not in python and (platform == "any" or is_linux)


def is_for_gallery(wheel):
    python, abi, platform = wheel[: -len(".whl")].split("-")[-3:]
    tags = python.split(".")
    stable = [int(tag[3:]) <= 11 for tag in tags if re.fullmatch("cp3[0-9]+", tag) and abi == "abi3"]
    return ("py3" in tags or "cp311" in tags or any(stable)) and (platform == "any" or ("linux" in platform and platform.endswith("x86_64")))


def write(name, lines):
    with open(os.path.join(registry.LOCKS, name + ".txt"), "w") as file:
        file.write("# Written by tests/python/renew_locks.py.\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
