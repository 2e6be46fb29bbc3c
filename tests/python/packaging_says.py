"""Answer with `packaging` what the tests ask: a JSON question on standard input, a JSON answer out.

usage: packaging_says.py tags | markers | lock | versions | ranges | pylock

tags      [{"python": [3, 11], "glibc": [2, 34], "arch": "x86_64"}, ...]
          -> [["cp311-cp311-manylinux_2_34_x86_64", ...], ...]
markers   {"environments": [{...}, ...], "pairs": [["os_name == 'posix'", 0], ...]}
          -> [true, false, "InvalidMarker: ...", ...]
lock      the same with "asked": [{"extras": ["a"], "groups": ["b"]}, ...], and pairs that have a third
          member, the index of what is asked for: as a lock's markers are judged (PEP 751)
versions  ["1.0", ...] -> the index of each in their order; equal versions have the same
ranges    [[[["introduced", "0"], ["fixed", "1.0"], ...], ["0.9", ...]], ...] -> [[true, ...], ...]: which versions
          a range of the OSV schema has
pylock    [{"name": "pylock.x.toml", "text": "...", "environment": {...}, "tags": [...]}, ...]
          -> [[["flask", "flask-3.0-py3-none-any.whl"], ...], "PylockValidationError: ...", ...]: what a box
          with these tags installs from a lock (PEP 751)
"""
import functools
import json
import pathlib
import platform
import sys
import sysconfig
from unittest import mock

from packaging import _manylinux, _musllinux, pylock, tags
from packaging.markers import Marker
from packaging.version import Version


def tags_of(box):
    """All tags of a box, in order, by making `packaging` believe that it runs there."""
    python = tuple(box["python"])
    # What a distribution's CPython has: neither a debug nor a free-threaded build; pymalloc.
    variables = {"Py_DEBUG": 0, "Py_GIL_DISABLED": 0, "WITH_PYMALLOC": 1, "Py_UNICODE_SIZE": 4}
    patches = [
        mock.patch.object(_manylinux, "_get_glibc_version", lambda: _manylinux._GLibCVersion(*box["glibc"])),
        mock.patch.object(_manylinux, "_get_manylinux_module", lambda: None),
        mock.patch.object(_musllinux, "_get_musl_version", lambda _executable: None),
        mock.patch.object(platform, "system", lambda: "Linux"),
        mock.patch.object(sysconfig, "get_platform", lambda: "linux-" + box["arch"]),
        mock.patch.object(tags, "_get_config_var", lambda name, warn=False: variables[name]),
    ]
    for patch in patches:
        patch.start()
    try:
        platforms = list(tags._linux_platforms(is_32bit=False))
        interpreter = "cp%d%d" % python
        found = list(tags.cpython_tags(python, platforms=platforms))
        found += tags.compatible_tags(python, interpreter, platforms)
    finally:
        mock.patch.stopall()
    return [str(tag) for tag in found]


@functools.lru_cache(maxsize=None)
def marker(text):
    try:
        return Marker(text)
    except ValueError as error:
        return "%s: %s" % (type(error).__name__, str(error).splitlines()[0])


def judge(text, environment, context="metadata"):
    parsed = marker(text)
    if isinstance(parsed, str):
        return parsed
    try:
        return parsed.evaluate(environment, context=context)
    except (ValueError, KeyError, TypeError) as error:
        return "%s: %s" % (type(error).__name__, error)


def markers(question):
    environments = question["environments"]
    return [judge(text, environments[index]) for text, index in question["pairs"]]


def lock(question):
    answers = []
    for text, index, asked in question["pairs"]:
        wanted = question["asked"][asked]
        sets = {"extras": set(wanted["extras"]), "dependency_groups": set(wanted["groups"])}
        answers.append(judge(text, dict(question["environments"][index], **sets), "lock_file"))
    return answers


def versions(texts):
    parsed = [Version(text) for text in texts]
    in_order = sorted(set(parsed))
    place = {version: index for index, version in enumerate(in_order)}
    return [place[version] for version in parsed]


def in_range(events, text):
    """The schema's evaluation; of one version, what fixes comes first and what is affected last."""
    version = Version(text)
    limits = [at for kind, at in events if kind == "limit"]
    if limits and not any(at == "*" or version < Version(at) for at in limits):
        return False
    turns = {"fixed": 0, "introduced": 1, "last_affected": 2}
    has = False
    if any(kind == "introduced" and at == "0" for kind, at in events):
        has = True
    changes = [(Version(at), turns[kind], kind) for kind, at in events if kind in turns and (kind, at) != ("introduced", "0")]
    for at, _, kind in sorted(changes):
        if kind == "introduced" and version >= at:
            has = True
        elif kind == "fixed" and version >= at or kind == "last_affected" and version > at:
            has = False
    return has


def installed(lock):
    """What is installed from a lock: names and files."""
    try:
        import tomllib
    except ImportError:  # before Python 3.11; pip brings it for itself
        from pip._vendor import tomli as tomllib
    accepted = [tag for text in lock["tags"] for tag in tags.parse_tag(text)]
    if not pylock.is_valid_pylock_path(pathlib.Path(lock["name"])):
        return lock["name"] + " is not the name of a lock"
    try:
        parsed = pylock.Pylock.from_dict(tomllib.loads(lock["text"]))
        parsed.validate()
        chosen = parsed.select(environment=lock["environment"], tags=accepted)
        return [[str(package.name), file.filename] for package, file in chosen]
    except (pylock.PylockValidationError, pylock.PylockSelectError, ValueError) as error:
        return "%s: %s" % (type(error).__name__, error)


def main():
    question = json.load(sys.stdin)
    if sys.argv[1] == "tags":
        answer = [tags_of(box) for box in question]
    elif sys.argv[1] == "markers":
        answer = markers(question)
    elif sys.argv[1] == "lock":
        answer = lock(question)
    elif sys.argv[1] == "versions":
        answer = versions(question)
    elif sys.argv[1] == "ranges":
        events = lambda texts: [tuple(event) for event in texts]
        answer = [[in_range(events(texts), version) for version in versions] for texts, versions in question]
    elif sys.argv[1] == "pylock":
        answer = [installed(lock) for lock in question]
    else:
        sys.exit(__doc__)
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
