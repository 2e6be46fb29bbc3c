#!{{ interpreter }} -ISB
"""Python with the packages of {{ name }}, and with nothing else of this machine.

usage: {{ root }}/bin/python [-i] [-W ARG] [-m MODULE | -c CODE | SCRIPT | -] [ARGUMENT ...]

Modules come from the standard library, then from {{ root }} and {{ root }}/lib. Unlike plain Python,
neither the working directory nor the script's folder is searched, nor do PYTHON* variables count
(-I and -S above); no byte-code is written (-B). A program may add folders to sys.path: what is found
there never stands before these.

sys.prefix is {{ root }}, as in a virtual environment: programs find their data files below it, and its
scripts in {{ root }}/bin. sys.base_prefix stays the interpreter's. The folder of packages, for sysconfig
(purelib, platlib) and for site.getsitepackages(), is {{ root }}/lib.
"""
import sys

ROOT = "{{ root }}"
LIBRARY = ROOT + "/lib"


# Switches that -ISB settle already, as child processes repeat them.
SETTLED = set("bBdEIPqsSuvx")


def fail(message):
    sys.stderr.write(message + "\n")
    sys.exit(2)


def take_options(words):
    """Split off the switches before the program; tell whether to stay interactive after it."""
    interactive = False
    while words and len(words[0]) > 1 and words[0][0] == "-" and words[0][1] not in "mcVh-":
        word = words.pop(0)
        if word[1] in "WX":
            value = word[2:] or (words.pop(0) if words else fail("argument expected for " + word))
            if word[1] == "W":
                sys.warnoptions.append(value)
        elif word == "-i":
            interactive = True
        elif not set(word[1:]) <= SETTLED:
            fail("unknown option " + word + "\n" + __doc__)
    return words, interactive


def become_environment():
    """Make ROOT the prefix; before site and sysconfig are imported, which keep what it was then."""
    sys.prefix = sys.exec_prefix = ROOT
    import site
    import sysconfig

    # Which scheme a distribution's Python takes differs, and none has its packages right below `lib`.
    for scheme in sysconfig._INSTALL_SCHEMES.values():
        scheme.update(purelib=LIBRARY, platlib=LIBRARY)
    site.getsitepackages = lambda prefixes=None: [LIBRARY]


def add_packages():
    import site
    import warnings

    # A package's odd syntax is its author's business, and without byte-code it would be told at each start.
    warnings.simplefilter("ignore", SyntaxWarning)
    if sys.warnoptions:
        warnings._processoptions(sys.warnoptions)
    sys.path.append(ROOT)
    site.addsitedir(LIBRARY)
    site.setquit()
    site.setcopyright()
    site.sethelper()
    lock()


def lock():
    """Find modules in the folders known so far first, wherever a program puts others into sys.path."""
    from importlib.machinery import PathFinder

    folders = list(sys.path)

    class Locked(object):
        @staticmethod
        def find_spec(name, path=None, target=None):
            # Below a package its own __path__ is asked, as ever.
            return PathFinder.find_spec(name, folders, target) if path is None else None

        @staticmethod
        def invalidate_caches():
            """Those of PathFinder are used."""

    at = sys.meta_path.index(PathFinder) if PathFinder in sys.meta_path else len(sys.meta_path)
    sys.meta_path.insert(at, Locked)


def fresh_main():
    import types

    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    return main.__dict__


def argument_of(words):
    if len(words) < 2:
        fail("argument expected for " + words[0])
    return words[1]


def has_module(name):
    import importlib.util

    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:
        return False


def run(words):
    import os
    import runpy

    first = words[0] if words else "-"
    if first in ("-V", "-VV", "--version"):
        print("Python " + (sys.version if first == "-VV" else sys.version.split()[0]))
    elif first in ("-h", "--help"):
        print(__doc__.strip())
    elif first == "-m":
        module = argument_of(words)
        if not has_module(module):
            fail("No module named " + module)
        sys.argv = words[1:]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    elif first == "-c":
        code = argument_of(words)
        sys.argv = ["-c"] + words[2:]
        exec(compile(code, "<string>", "exec"), fresh_main())
    elif first == "-" and sys.stdin.isatty():
        interact()
    elif first == "-":
        sys.argv = words or ["-"]
        exec(compile(sys.stdin.read(), "<stdin>", "exec"), fresh_main())
    elif first.startswith("-"):
        fail("unknown option " + first + "\n" + __doc__)
    elif not os.path.exists(first):
        fail("can't open file '" + first + "': No such file or directory")
    else:
        sys.argv = words
        runpy.run_path(first, run_name="__main__")


def interact():
    import code

    sys.argv = [""]
    code.interact(local=fresh_main())


if __name__ == "__main__":
    # Child processes that start sys.executable come through here as well.
    sys.executable = ROOT + "/bin/python"
    program, stay = take_options(sys.argv[1:])
    become_environment()
    add_packages()
    run(program)
    if stay:
        interact()
