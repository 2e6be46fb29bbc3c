#!{{ interpreter }} -ISB
"""Python with the packages of {{ name }}, and with nothing else of this machine.

usage: {{ root }}/bin/python [-m MODULE | -c CODE | SCRIPT | -] [ARGUMENT ...]

-I and -S above keep the environment's PYTHON* variables, the working directory and the
site-packages of the system out; -B keeps byte-code from being written.
"""
import sys

ROOT = "{{ root }}"


def take_options(words):
    """Drop the interpreter's own switches, which -ISB settle, as child processes repeat them."""
    while words and len(words[0]) > 1 and words[0][0] == "-" and words[0][1] not in "mcVh-":
        word = words.pop(0)
        if word in ("-W", "-X") and words:
            words.pop(0)
    return words


def add_packages():
    import site
    import warnings

    # A package's odd syntax is its author's business, and without byte-code it would be told at each start.
    warnings.simplefilter("ignore", SyntaxWarning)
    sys.path.append(ROOT)
    site.addsitedir(ROOT + "/lib")
    site.setquit()
    site.setcopyright()
    site.sethelper()


def fresh_main():
    import types

    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    return main.__dict__


def run(words):
    import runpy

    first = words[0] if words else "-"
    if first in ("-V", "--version"):
        print("Python " + sys.version.split()[0])
    elif first in ("-h", "--help"):
        print(__doc__)
    elif first == "-m" and len(words) > 1:
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    elif first == "-c" and len(words) > 1:
        sys.argv = ["-c"] + words[2:]
        exec(compile(words[1], "<string>", "exec"), fresh_main())
    elif first == "-" and sys.stdin.isatty():
        import code

        sys.argv = [""]
        code.interact(local=fresh_main())
    elif first == "-":
        sys.argv = words or ["-"]
        exec(compile(sys.stdin.read(), "<stdin>", "exec"), fresh_main())
    elif first.startswith("-"):
        sys.exit("unknown option " + first + "\n" + __doc__)
    else:
        sys.argv = words
        runpy.run_path(first, run_name="__main__")


if __name__ == "__main__":
    # Child processes that start sys.executable come through here as well.
    sys.executable = ROOT + "/bin/python"
    add_packages()
    run(take_options(sys.argv[1:]))
