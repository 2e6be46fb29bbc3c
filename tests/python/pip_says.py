"""Read requirements files as pip does, without asking an index.

usage: pip_says.py    the question is JSON on standard input, the answer JSON on standard output

question: {"variables": {NAME: VALUE}, "trees": [{PATH: TEXT}]}; each tree has a `requirements.txt`.
answer: for each tree the lines in order, or why pip refuses the tree.
"""
import contextlib
import io
import json
import logging
import os
import sys
import tempfile

import pip._internal.cli.main_parser  # noqa: F401: imports the kinds of version control
from pip._internal.exceptions import PipError
from pip._internal.network.session import PipSession
from pip._internal.req.constructors import install_req_from_parsed_requirement
from pip._internal.req.req_file import parse_requirements


class Options:
    """What pip's command line would have set."""

    require_hashes = False
    no_require_hashes = False

    def __init__(self):
        self.features_enabled = []


def describe(requirement, base):
    link = requirement.link.url_without_fragment if requirement.link else None
    return {
        "name": requirement.req.name if requirement.req else None,
        "extras": sorted(requirement.extras),
        "specifiers": [[s.operator, s.version] for s in requirement.req.specifier] if requirement.req else [],
        "marker": str(requirement.markers) if requirement.markers else None,
        "link": link.replace("file://" + base, "file://").replace("file:///", "file:") if link else None,
        "is_vcs": bool(requirement.link and requirement.link.is_vcs),
        "is_file": bool(requirement.link and requirement.link.is_file),
        "is_folder": bool(requirement.link and requirement.link.is_existing_dir()),
        "hashes": requirement.hashes(trust_internet=False)._allowed,
        "is_editable": requirement.editable,
        "is_constraint": requirement.constraint,
        "place": requirement.comes_from.replace(base + "/", ""),
    }


def read(tree, session):
    with tempfile.TemporaryDirectory() as base:
        base = os.path.realpath(base)
        for path, text in tree.items():
            path = os.path.join(base, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(text)
        os.chdir(base)
        options = Options()
        try:
            parsed = list(parse_requirements(os.path.join(base, "requirements.txt"), session, options=options))
            lines = [describe(install_req_from_parsed_requirement(line, user_supplied=True), base) for line in parsed]
        except (PipError, ValueError, LookupError, AssertionError, SyntaxError) as error:
            return "%s: %s" % (type(error).__name__, str(error).splitlines()[0] if str(error) else "")
        finally:
            os.chdir("/")
        return {"lines": lines, "require_hashes": bool(options.require_hashes)}


def main():
    question = json.load(sys.stdin)
    os.environ.update(question["variables"])
    logging.disable(logging.CRITICAL)
    session = PipSession()
    # pip shows its usage where an option is wrong.
    with contextlib.redirect_stderr(io.StringIO()):
        answers = [read(tree, session) for tree in question["trees"]]
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
