"""Make an environment that tests share, once, and print the path of its Python.

usage: tools.py FOLDER LOCK...

LOCK is a name in tests/locks, as `comparing`; what it builds from source comes after its backend, as in
`backends rpmlint`. The lock `comparing` brings wheels of old releases as well, which any Python can import from.
Two tests at once wait for each other. An environment cannot be renamed into place, so a stamp is
written last; without it, or with another lock, the environment is made again. The newest are in a folder beside it.
"""
import fcntl
import os
import shutil
import subprocess
import sys
import venv

import registry

# The last `packaging` for each old Python, in `reference`.
REFERENCES = ["packaging==" + version for version in ("21.3", "24.0", "25.0", "26.3")] + ["pyparsing==2.4.7"]


def main():
    folder, locks = os.path.abspath(sys.argv[1]), sys.argv[2:]
    folder += "-newest" if registry.NEWEST else ""
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    python = os.path.join(folder, "bin", "python")
    stamp, wanted = os.path.join(folder, "complete"), registry.stamp(locks + ["downloads"])
    with open(folder + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_complete(stamp, wanted):
            make(folder, python, locks)
            with open(stamp, "w") as text:
                text.write(wanted)
    print(python)


def is_complete(stamp, wanted):
    try:
        with open(stamp) as text:
            return text.read() == wanted
    except OSError:
        return False


def make(folder, python, locks):
    shutil.rmtree(folder, ignore_errors=True)
    try:
        venv.create(folder, with_pip=True)
    except subprocess.CalledProcessError:
        sys.exit("this Python cannot make an environment\nhint: `apt-get install python3-venv`")
    environment = registry.environment(os.path.join(os.path.dirname(folder), "test-home"), PIP_INDEX_URL=registry.index())

    def pip(*words):
        words = [python, "-m", "pip", words[0], "--quiet", *words[1:]]
        subprocess.run(words, env=environment, check=True)

    for lock in locks:
        pip("install", "--no-build-isolation", *registry.what_to_install(lock))
    if registry.NEWEST:
        with open(os.path.join(folder, "moved.txt"), "w") as text:
            text.writelines(line + "\n" for line in registry.moved(python, locks))
    if "comparing" in locks:
        wanted = os.path.join(folder, "references.txt")
        for reference in REFERENCES:
            with open(wanted, "w") as text:
                text.write("\n".join(registry.hashed([reference])))
            words = ["--no-deps", "--only-binary", ":all:", "--ignore-requires-python", "--require-hashes"]
            pip("download", *words, "--dest", os.path.join(folder, "reference"), "--requirement", wanted)


if __name__ == "__main__":
    main()
