"""Compile this interpreter's own standard library by the tool's script, in several ways, and run from it.

usage: byte_code_holds.py COMPILE_PY FOLDER        any CPython from 3.6 on

The library is packed as a wheel is. It is compiled in its order, and shuffled in two processes with another
seed of hashes: each time the bytes must be equal. Then it stands without its sources in FOLDER,
and an interpreter that finds nothing else imports it and works with it. Prints a line for the whole.
"""
import json
import os
import random
import subprocess
import sys
import sysconfig
import zipfile

# Read by the interpreter before any path can be changed, or in need of what stands beside them.
LEFT_OUT = ("site-packages", "__pycache__", "idlelib", "turtledemo", "config-", "test", "tests", "ensurepip", "lib2to3", "distutils", "pydoc_data")

WORK = """
import sys
sys.path[:] = sys.argv[1:]
kept = {"importlib", "encodings", "sys", "builtins", "marshal", "zipimport", "io", "abc", "codecs"}
for name in [name for name in sys.modules if name.split(".")[0].lstrip("_") not in kept and name != "__main__"]:
    if getattr(sys.modules[name], "__file__", None):
        del sys.modules[name]
import argparse, ast, asyncio, calendar, configparser, csv, ctypes, datetime, decimal, difflib, email.message
import enum, fractions, functools, html.parser, http.server, inspect, ipaddress, json, logging.config, pickle
import pydoc, sqlite3, statistics, string, subprocess, tarfile, textwrap, traceback, typing, unittest.mock, urllib.parse
import uuid, xml.dom.minidom, xmlrpc.client, zipfile
assert json.loads(json.dumps({"a": [1, None, 2.5, "\\u00e9"]})) == {"a": [1, None, 2.5, "\\u00e9"]}
assert fractions.Fraction(1, 3) + decimal.Decimal(0).as_integer_ratio()[0] == fractions.Fraction(1, 3)
assert datetime.datetime(2020, 2, 29).strftime("%a") == "Sat"
assert ast.dump(ast.parse("a in {1, None, 'x'}")) and textwrap.dedent("  a\\n  b") == "a\\nb"
assert urllib.parse.urlsplit("https://[::1]:80/x?y#z").port == 80
assert unittest.mock.Mock(return_value=3)() == 3 and enum.IntFlag("F", "A B").A == 1
assert xml.dom.minidom.parseString("<a><b/></a>").toxml().endswith("<a><b/></a>")
async def answer():
    await asyncio.sleep(0)
    return 42
assert asyncio.new_event_loop().run_until_complete(answer()) == 42
try:
    json.loads("{")
except ValueError:
    place = traceback.extract_tb(sys.exc_info()[2])[-1]
    assert place.filename.endswith("json/decoder.py") and place.lineno > 300, place
modules = [module for module in list(sys.modules.values()) if (getattr(module, "__file__", None) or "").endswith(".pyc")]
foreign = [module.__file__ for module in modules if not module.__file__.startswith(sys.argv[1] + "/")]
assert not foreign, foreign
frozen = lambda module: getattr(getattr(module, "__spec__", None), "origin", None) == "frozen"
others = [name for name, module in list(sys.modules.items()) if not frozen(module) and name.split(".")[0].lstrip("_") not in kept]
sources = [name for name in others if (getattr(sys.modules[name], "__file__", None) or "").endswith(".py")]
assert not sources, sources
print(len(modules))
"""


def main():
    script, folder = map(os.path.abspath, sys.argv[1:])
    wheel = os.path.join(folder, "library.whl")
    names = pack(wheel)
    ways = [(names, 1, "0"), (random.sample(names, len(names)), 2, "random")]
    made = [compile_all(script, folder, wheel, *way) for way in ways]
    for other in made[1:]:
        differing = [name for name in made[0] if made[0][name] != other.get(name)]
        assert made[0].keys() == other.keys() and not differing, differing
    assert len(made[0]) > 300, "%d modules were compiled" % len(made[0])
    alone = os.path.join(folder, "alone")
    for name, content in made[0].items():
        os.makedirs(os.path.dirname(os.path.join(alone, name)), exist_ok=True)
        with open(os.path.join(alone, name), "wb") as file:
            file.write(content)
    native = sysconfig.get_path("platstdlib") + "/lib-dynload"
    words = [sys.executable, "-I", "-S", "-B", "-c", WORK, alone, native]
    ran = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    assert ran.returncode == 0, ran.stderr[-3000:]
    print("%d modules compiled, %s of them imported" % (len(made[0]), ran.stdout.strip()))


def pack(wheel):
    library = sysconfig.get_path("stdlib")
    names = []
    with zipfile.ZipFile(wheel, "w") as archive:
        for folder, folders, files in os.walk(library):
            folders[:] = sorted(name for name in folders if not name.startswith(LEFT_OUT))
            for file in sorted(files):
                if file.endswith(".py"):
                    path = os.path.join(folder, file)
                    names.append(os.path.relpath(path, library))
                    archive.write(path, names[-1])
    return names


def compile_all(script, folder, wheel, names, processes, seed):
    """Compiles in so many processes; gives the byte-code by its path."""
    running, found = [], {}
    for number in range(processes):
        into = os.path.join(folder, "compiled-%d.zip" % number)
        # Beside each other, so that Python takes them without sources.
        files = [(name, "/opt/x/lib/" + name, name + "c") for name in names[number::processes]]
        jobs = os.path.join(folder, "jobs-%d.json" % number)
        with open(jobs, "w") as text:
            json.dump([{"wheel": wheel, "into": into, "mtime": 1500000000, "files": files}], text)
        words = [sys.executable, "-s", "-S", "-B", "-X", "utf8", script, jobs]
        # What of the script says which files are left out is not of interest here.
        environment = dict(os.environ, PYTHONHASHSEED=seed)
        running.append((subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL), into))
    for process, into in running:
        assert process.wait() == 0
        with zipfile.ZipFile(into) as archive:
            found.update((name, archive.read(name)) for name in archive.namelist() if name != "RECORD")
    return found


if __name__ == "__main__":
    main()
