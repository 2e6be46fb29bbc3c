"""Print the digest of what each distribution of a folder installed there, as our locks have it as `contents`.

usage: contents_of.py FOLDER        a folder that an installer made (`pip install --target`)

Line by line: name, blank, digest. What is hashed are the files themselves; RECORD says whose they are.
"""
import csv
import hashlib
import os
import re
import sys

OF_INSTALLER = {"RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json"}


def main(folder):
    for info in sorted(os.listdir(folder)):
        if info.endswith(".dist-info"):
            name = re.sub(r"[-_.]+", "-", info.split("-")[0]).lower()
            print(name, contents(folder, info))


def contents(folder, info):
    with open(os.path.join(folder, info, "RECORD"), encoding="utf-8", newline="") as text:
        paths = {row[0] for row in csv.reader(text)}
    lines = []
    for path in paths:
        parts = path.split("/")
        is_byte_code = path.endswith(".pyc") and parts[-2:-1] == ["__pycache__"]
        if parts[0] == ".." or os.path.isabs(path) or is_byte_code:
            continue
        if parts[0] == info and "/".join(parts[1:]) in OF_INSTALLER:
            continue
        with open(os.path.join(folder, path), "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        lines.append(path.encode("utf-8") + b"\0" + digest.encode("ascii") + b"\n")
    return hashlib.sha256(b"".join(sorted(lines))).hexdigest()


if __name__ == "__main__":
    main(sys.argv[1])
