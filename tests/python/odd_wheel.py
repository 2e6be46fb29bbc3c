"""Make a wheel that has everything the binary distribution format allows and few wheels have.

usage: odd_wheel.py FOLDER
"""
import base64
import csv
import hashlib
import io
import os
import sys
import zipfile

NAME, TAGS = "odd_wheel-1.0", "py2.py3-none-any"
INFO, DATA = NAME + ".dist-info/", NAME + ".data/"

PLAIN, EXECUTABLE = 0o100644, 0o100755
FILES = {
    "odd_wheel/__init__.py": (PLAIN, ""),
    "odd_wheel/cli.py": (PLAIN, "def main():\n    pass\n\n\nclass App:\n    run = main\n"),
    "odd_wheel/empty.txt": (PLAIN, ""),
    "odd_wheel/.hidden": (PLAIN, "hidden\n"),
    "odd_wheel/run.sh": (EXECUTABLE, "#!/bin/sh\n"),
    "odd_wheel/crlf.txt": (PLAIN, "one\r\ntwo\r\n"),
    "odd_wheel/data/a b/ünïcödé 日本.txt": (PLAIN, "ü\n"),
    "odd_wheel/data/comma, \"quote\".txt": (PLAIN, "csv\n"),
    "odd_wheel/data/it's $HOME & [x] {y} ~ %41.txt": (PLAIN, "shell\n"),
    "odd_wheel.pth": (PLAIN, "# a path configuration file\n"),
    DATA + "purelib/odd_pure.py": (PLAIN, "pure = 1\n"),
    DATA + "platlib/odd_plat/__init__.py": (PLAIN, "plat = 1\n"),
    DATA + "scripts/odd-python": (PLAIN, "#!python\nprint('a')\n"),
    DATA + "scripts/odd-pythonw": (PLAIN, "#!pythonw\nprint('b')\n"),
    DATA + "scripts/odd-switches": (EXECUTABLE, "#!python -E -s\r\nprint('c')\n"),
    DATA + "scripts/odd-shell": (EXECUTABLE, "#!/bin/sh\necho d\n"),
    DATA + "scripts/odd-one-line": (PLAIN, "#!python"),
    DATA + "data/etc/odd/odd.conf": (PLAIN, "conf\n"),
    DATA + "data/share/odd/ödd.txt": (PLAIN, "share\n"),
    DATA + "headers/odd.h": (PLAIN, "#define ODD 1\n"),
    INFO + "METADATA": (PLAIN, "Metadata-Version: 2.1\nName: Odd.Wheel\nVersion: 1.0\n"),
    INFO + "WHEEL": (
        PLAIN,
        "Wheel-Version: 1.9\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py2-none-any\nTag: py3-none-any\n",
    ),
    INFO + "entry_points.txt": (
        PLAIN,
        "[console_scripts]\nodd-main = odd_wheel.cli:main [extra]\nodd.dotted=odd_wheel.cli:App.run\n\n"
        "[other.group]\nx = not.a.script\n\n[gui_scripts]\nodd_gui = odd_wheel.cli:main\n",
    ),
    INFO + "licenses/LICENSE.txt": (PLAIN, "MIT\n"),
}


def digest(content, algorithm):
    found = hashlib.new(algorithm, content).digest()
    return algorithm + "=" + base64.urlsafe_b64encode(found).decode().rstrip("=")


def main():
    algorithms = ("sha256", "sha256", "sha384", "sha512")
    text = io.StringIO()
    record = csv.writer(text, lineterminator="\n")
    path = os.path.join(sys.argv[1], NAME + "-" + TAGS + ".whl")
    with zipfile.ZipFile(path + ".part", "w") as archive:
        for index, (name, (mode, content)) in enumerate(FILES.items()):
            content = content.encode()
            record.writerow((name, digest(content, algorithms[index % 4]), len(content)))
            add(archive, name, mode, content, index)
        for name in (INFO + "RECORD.jws", INFO + "RECORD"):
            record.writerow((name, "", ""))
        add(archive, INFO + "RECORD.jws", PLAIN, b"{}", 1)
        add(archive, "odd_wheel/folder/", 0o040755, b"", 0)
        add(archive, INFO + "RECORD", PLAIN, text.getvalue().encode(), 1)
    os.rename(path + ".part", path)


def add(archive, name, mode, content, index):
    entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
    entry.external_attr = mode << 16
    entry.compress_type = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)[index % 2]
    archive.writestr(entry, content)


if __name__ == "__main__":
    main()
