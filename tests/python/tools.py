"""Make an environment that tests share, once, and print the path of its Python.

usage: tools.py FOLDER [PIN...]

Without pins it is the one of the comparing tests, with what they hold this tool against.
Two tests at once wait for each other. An environment cannot be renamed into place, so a stamp is
written last; without it, or with other pins, the environment is made again.
"""
import fcntl
import os
import shutil
import subprocess
import sys
import venv

PINNED = ("packaging==26.3", "pip==26.2", "uv==0.13.9")
# The last `packaging` for each old Python, as wheels in `reference`, which any Python can import from.
REFERENCES = tuple("packaging==" + version for version in ("21.3", "24.0", "25.0", "26.3")) + (
    "pyparsing==2.4.7",
)


def main():
    folder = os.path.abspath(sys.argv[1])
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    python = os.path.join(folder, "bin", "python")
    pinned, references = (tuple(sys.argv[2:]), ()) if sys.argv[2:] else (PINNED, REFERENCES)
    stamp, pins = os.path.join(folder, "complete"), "\n".join(pinned + references)
    with open(folder + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_complete(stamp, pins):
            make(folder, python, pinned, references)
            with open(stamp, "w") as text:
                text.write(pins)
    print(python)


def is_complete(stamp, pins):
    try:
        with open(stamp) as text:
            return text.read() == pins
    except OSError:
        return False


def make(folder, python, pinned, references):
    shutil.rmtree(folder, ignore_errors=True)
    try:
        venv.create(folder, with_pip=True)
    except subprocess.CalledProcessError:
        sys.exit("this Python cannot make an environment\nhint: `apt-get install python3-venv`")
    words = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"]
    subprocess.run([python] + words + list(pinned), check=True)
    words = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]
    words += ["--ignore-requires-python", "--dest", os.path.join(folder, "reference")]
    for reference in references:
        subprocess.run([python] + words + [reference], check=True)


if __name__ == "__main__":
    main()
