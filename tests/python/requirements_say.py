"""Judge requirements files with `packaging`: what a box with given marker values installs.

usage: requirements_say.py QUESTION.json

{"environments": [{...}, ...], "pairs": [[text of a requirements file, index], ...]}
-> [{"name": ["1.0", [extras], [sha256, ...]], ...} | "error: ...", ...]
"""
import json
import re
import sys

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def installed(text, environment):
    found = {}
    for line in text.replace("\\\n", " ").splitlines():
        line = re.split(r"(?:^|\s)#", line)[0].strip()
        if not line or line.startswith("-"):
            continue
        front, *options = re.split(r"\s+--hash[= ]", line)
        requirement = Requirement(front)
        if requirement.marker and not requirement.marker.evaluate(dict(environment, extra="")):
            continue
        name, specifiers = canonicalize_name(requirement.name), list(requirement.specifier)
        if len(specifiers) != 1 or specifiers[0].operator != "==":
            return "error: `%s` is not pinned" % front
        if name in found:
            return "error: `%s` stands twice" % name
        hashes = sorted(option.strip().removeprefix("sha256:") for option in options)
        found[name] = [specifiers[0].version, sorted(requirement.extras), hashes]
    return found


def main():
    with open(sys.argv[1]) as text:
        question = json.load(text)
    environments = question["environments"]
    json.dump([installed(text, environments[index]) for text, index in question["pairs"]], sys.stdout)


if __name__ == "__main__":
    main()
