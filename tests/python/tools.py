"""Make the environment that the comparing tests share, once, and print the path of its Python.

usage: tools.py FOLDER

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


def main():
    folder = os.path.abspath(sys.argv[1])
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    python = os.path.join(folder, "bin", "python")
    stamp, pins = os.path.join(folder, "complete"), "\n".join(PINNED)
    with open(folder + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_complete(stamp, pins):
            make(folder, python)
            with open(stamp, "w") as text:
                text.write(pins)
    print(python)


def is_complete(stamp, pins):
    try:
        with open(stamp) as text:
            return text.read() == pins
    except OSError:
        return False


def make(folder, python):
    shutil.rmtree(folder, ignore_errors=True)
    try:
        venv.create(folder, with_pip=True)
    except subprocess.CalledProcessError:
        sys.exit("this Python cannot make an environment\nhint: `apt-get install python3-venv`")
    words = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"]
    subprocess.run([python] + words + list(PINNED), check=True)


if __name__ == "__main__":
    main()
