"""Ask a build backend what it needs to build a wheel of the project in this folder (PEP 517).

usage: build_requires.py BUILD_SYSTEM INTO

BUILD_SYSTEM is the table `[build-system]` as JSON. INTO becomes a JSON list of requirements: backends print what they like.
"""
import importlib
import json
import os
import sys


def main():
    system = json.loads(sys.argv[1])
    into = os.path.abspath(sys.argv[2])
    sys.path[:0] = [os.path.abspath(folder) for folder in system["backend-path"]]
    module, _, inner = system["build-backend"].partition(":")
    backend = importlib.import_module(module)
    for name in filter(None, inner.split(".")):
        backend = getattr(backend, name)
    hook = getattr(backend, "get_requires_for_build_wheel", None)
    requires = list(hook()) if hook else []
    with open(into, "w", encoding="utf-8") as text:
        json.dump(requires, text)


if __name__ == "__main__":
    main()
