"""What the tests take from a registry: where it is, until when its uploads count, and which files are locked."""
import functools
import http.client
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

# No test sees what was uploaded later.
CUT_OFF = "2026-11-23T00:00:00Z"

# `cargo xtask ci --latest` sets it: then the newest releases are installed, and what moved is told.
NEWEST = os.environ.get("XTASK_TESTS_NEWEST") == "1"

LOCKS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "locks")
JSON = "application/vnd.pypi.simple.v1+json"

# What of the caller's environment says where a registry is and how it is reached; nothing else of it is taken.
REACH = ("CERT", "SSL", "CA_BUNDLE", "PROXY", "INDEX_URL", "DEFAULT_INDEX", "TRUSTED_HOST", "TIMEOUT")


def environment(home, **more):
    """The environment of a program that gets a home of its own, and of the caller's only how a registry is reached."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "TMPDIR", "LANG", "PYENV_ROOT")}
    kept.update((name, value) for name, value in os.environ.items() if any(part in name.upper() for part in REACH))
    kept.update(HOME=home, PIP_CONFIG_FILE=os.devnull, PIP_DISABLE_PIP_VERSION_CHECK="1", PYTHONNOUSERSITE="1")
    kept.update(UV_NO_CONFIG="1", UV_PYTHON_DOWNLOADS="never", **more)
    # Shims of pyenv look below the home else.
    kept.setdefault("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    return kept


@functools.lru_cache(maxsize=None)
def index():
    """Where pip downloads from, as configured or by default."""
    for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        if os.environ.get(name):
            return os.environ[name]
    said = subprocess.run([sys.executable, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True)
    if said.returncode == 0 and said.stdout.strip():
        return said.stdout.strip()
    script = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()


def files(name, of=None):
    """The rows of a package's page (PEP 691), each with an absolute URL."""
    asked = urllib.request.Request((of or index()).rstrip("/") + "/" + name + "/", headers={"Accept": JSON})
    for pause in (1, 4, 10, None):
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                rows, at = json.load(answer)["files"], answer.geturl()
            return [{**row, "url": urllib.parse.urljoin(at, row["url"])} for row in rows]
        except (OSError, http.client.HTTPException) as error:
            # A page that is not there is an answer; a connection that was cut is none.
            is_answer = isinstance(error, urllib.error.HTTPError) and error.code < 500
            if is_answer or pause is None:
                raise
            time.sleep(pause)


def is_old_enough(file):
    """Whether a file was uploaded before the cut-off; one whose date is not told was not."""
    return file.get("upload-time", "9999") < CUT_OFF


def version_in(filename):
    """The version in the name of a wheel or a source distribution."""
    if filename.endswith(".whl"):
        return filename.split("-")[1]
    found = re.match(r".+-([^-]+)\.(?:tar\.gz|zip|tar\.bz2)$", filename)
    return found and found.group(1)


def plain(version):
    """A version without the zeros at its end, in which file names differ."""
    return re.sub(r"(\.0+)+$", "", version.lower())


def lines(name):
    """The lines of a lock."""
    with open(os.path.join(LOCKS, name + ".txt")) as file:
        return [line for line in file.read().splitlines() if line and not line.startswith("#")]


def hashed(pins):
    """The lines of the lock of downloads for these exact pins; a pin that it lacks ends the program."""
    known = {line.split(" ")[0]: line for line in lines("downloads")}
    lacking = [pin for pin in pins if pin not in known]
    if lacking:
        words = " ".join(lacking)
        sys.exit("tests/locks/downloads.txt has no %s\nhint: `python3 tests/python/renew_locks.py --add %s`" % (words, words))
    return [known[pin] for pin in pins]


def what_to_install(lock):
    """What `pip install` and `uv pip install` are given for a lock; in a run with the newest, the names alone."""
    if not NEWEST:
        return ["--require-hashes", "--no-deps", "--requirement", os.path.join(LOCKS, lock + ".txt")]
    with open(os.path.join(LOCKS, lock + ".in")) as file:
        return ["--upgrade", *re.findall(r"(?m)^([A-Za-z0-9._-]+(?:\[[^]]*\])?)", file.read())]


def stamp(locks):
    """Changes when what these locks install does."""
    texts = []
    for lock in locks:
        with open(os.path.join(LOCKS, lock + ".txt")) as file:
            texts.append(file.read())
    return "\n".join(texts + ["newest" if NEWEST else CUT_OFF])


def moved(python, locks):
    """`NAME OLD -> NEW` for what is installed in another version than is locked."""
    script = "import importlib.metadata as m, json; print(json.dumps([[d.metadata['Name'], d.version] for d in m.distributions()]))"
    said = subprocess.run([python, "-I", "-c", script], stdout=subprocess.PIPE, check=True, text=True).stdout
    installed = {normal(name): version for name, version in json.loads(said)}
    locked = {}
    for lock in locks:
        locked.update(re.match(r"([^=\[ ]+)[^=]*==([^ ;]+)", line).groups() for line in lines(lock))
    rows = []
    for name, version in sorted(locked.items()):
        new = installed.get(normal(name))
        if new and plain(new) != plain(version):
            rows.append("%s %s -> %s" % (name, version, new))
    return rows


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()
