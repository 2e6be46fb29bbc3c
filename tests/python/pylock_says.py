"""Validate standard locks, and select from them, as `packaging` does.

usage: pylock_says.py    the question is JSON on standard input, the answer JSON on standard output

question: {"environment": {VARIABLE: VALUE}, "locks": [{"text": TOML, "extras": [..], "groups": [..]}]}
answer: for each lock the packages in order, or why it is refused; with whether it was by validation.
"""
import json
import logging
import sys
import tomllib

from packaging.pylock import Pylock, PylockSelectError, PylockValidationError
from packaging.tags import parse_tag
from packaging.utils import parse_sdist_filename, parse_wheel_filename


TAGS = ("cp311-cp311-manylinux_2_17_x86_64", "py3-none-any", "py2.py3-none-any")


def version_of(package):
    if package.version:
        return str(package.version)
    if package.wheels:
        return str(parse_wheel_filename(package.wheels[0].filename)[1])
    return str(parse_sdist_filename(package.sdist.filename)[1]) if package.sdist else None


def hashes_of(package):
    files = list(package.wheels or []) + [file for file in (package.sdist, package.archive) if file]
    return sorted({value for file in files for key, value in file.hashes.items() if key == "sha256"})


def describe(package):
    kinds = ("vcs", "directory", "archive")
    kind = next((kind for kind in kinds if getattr(package, kind)), "files")
    return {
        "name": package.name,
        "version": version_of(package),
        "kind": kind,
        "path": package.directory.path if package.directory else None,
        "hashes": hashes_of(package),
    }


def read(question, environment, tags):
    try:
        lock = Pylock.from_dict(tomllib.loads(question["text"]))
    except (PylockValidationError, tomllib.TOMLDecodeError) as error:
        return "invalid: " + str(error)
    groups = list(lock.default_groups or []) + question["groups"]
    try:
        chosen = lock.select(
            environment=environment, tags=tags, extras=question["extras"], dependency_groups=groups
        )
        return [describe(package) for package, _ in chosen]
    except PylockSelectError as error:
        return "not selected: " + str(error)
    except ValueError as error:
        return "no marker: " + str(error)


def main():
    question = json.load(sys.stdin)
    logging.disable(logging.CRITICAL)
    # Wheels of real locks are for their own Pythons, too.
    tags = [tag for text in TAGS for tag in parse_tag(text)]
    json.dump([read(lock, question["environment"], tags) for lock in question["locks"]], sys.stdout)


if __name__ == "__main__":
    main()
