"""Compile the modules of wheels to byte-code: the same bytes on every host with this release of CPython.

usage: compile.py JOBS        any CPython from 3.4 on, to be started with -ISB

JOBS is JSON, a list of {"wheel": FILE, "into": FILE, "mtime": SECONDS, "files": [[MEMBER, ON_BOX, PYC], ...]}.
Each MEMBER of the wheel is compiled as the source that ON_BOX is on the box, and put as PYC into the
stored archive `into`, whose RECORD has the digests. Each is told of before it is compiled, as `> ON_BOX`: the caller
sees which one takes too long. What this Python cannot compile is left out and printed, a line each.
"""
import base64
import csv
import hashlib
import importlib.util
import io
import json
import marshal
import sys
import warnings
import zipfile

# How a code object is marshalled: numbers before its 8 objects, and tables behind the line's number.
NUMBERS = 6 if (3, 8) <= sys.version_info < (3, 11) else 5
TABLES = 2 if sys.version_info >= (3, 11) else 1
# A source that is not Python, of another Python, or nested too deeply (parsers say MemoryError of that, too).
NOT_COMPILED = (SyntaxError, ValueError, OverflowError, RuntimeError, MemoryError)
# The caller ends this process sooner; it ends itself where the caller is gone.
SECONDS = 120
try:
    from signal import alarm
except ImportError:

    def alarm(seconds):
        pass


def main():
    warnings.simplefilter("ignore")
    with open(sys.argv[1], encoding="utf-8") as text:
        jobs = json.load(text)
    for job in jobs:
        with zipfile.ZipFile(job["wheel"]) as wheel, zipfile.ZipFile(job["into"], "w") as into:
            compile_wheel(wheel, into, job)


def compile_wheel(wheel, into, job):
    text = io.StringIO()
    record = csv.writer(text, lineterminator="\n")
    for member, on_box, pyc in job["files"]:
        source = wheel.read(member)
        print("> " + ascii(on_box), flush=True)
        alarm(SECONDS)
        try:
            code = compile(source, on_box, "exec", dont_inherit=True, optimize=0)
            data = canonical(marshal.dumps(code))
            # Code itself is not compared: for nested functions that takes exponential time, and NaN differs from NaN.
            is_read_back = canonical(marshal.dumps(marshal.loads(data))) == data
        except NOT_COMPILED as error:
            print("%s: %s" % (ascii(on_box), ascii(error)[:200]))
            continue
        if not is_read_back:
            sys.exit("%s: its byte-code is not read back as it was written" % ascii(on_box))
        content = header(source, job["mtime"]) + data
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
        record.writerow((pyc, "sha256=" + digest, len(content)))
        add(into, pyc, content)
    alarm(0)
    add(into, "RECORD", text.getvalue().encode("utf-8"))


def add(archive, path, content):
    entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
    entry.create_system = 3
    entry.external_attr = 0o100644 << 16
    archive.writestr(entry, content)


def header(source, mtime):
    """PEP 552: valid by its hash, which is not looked at. Before 3.7: valid by the source's time and size."""
    magic = importlib.util.MAGIC_NUMBER
    if sys.version_info >= (3, 7):
        return magic + number(0b01) + importlib.util.source_hash(source)
    return magic + number(mtime) + number(len(source))


def number(value):
    return (value & 0xFFFFFFFF).to_bytes(4, "little")


def canonical(data):
    """What `data` is, marshalled in the one way that follows from the values alone.

    marshal marks what may occur again by its count of references, and tells interned strings from others:
    both depend on what this process did before. It writes sets as they lie in memory, up to 3.10. Here
    every string and every bytes object is marked and written once, nothing else is, and sets are sorted.
    """
    at = 0
    again = 0
    marked = []

    def length():
        nonlocal at
        at += 4
        return int.from_bytes(data[at - 4 : at], "little")

    def take(size):
        nonlocal at
        at += size
        return data[at - size : at]

    def write_string(kind, body, out, known):
        key = kind + body
        place = known.get(key) if known is not None else None
        if place is not None:
            out += b"r" + number(place)
            return
        if known is not None:
            known[key] = len(known)
        out.append(kind[0] | 0x80)
        out += bytes((len(body),)) if kind == b"z" else number(len(body))
        out += body

    def walk(out, known):
        nonlocal at, again
        start = at
        kind = data[at]
        at += 1
        if kind & 0x80:
            kind &= 0x7F
            if not again:
                marked.append(start)
        kind = chr(kind)
        if kind == "r":
            place = length()
            end, at = at, marked[place]
            again += 1
            walk(out, known)
            again -= 1
            at = end
        elif kind in "zZ":
            size = data[at]
            at += 1
            write_string(b"z", take(size), out, known)
        elif kind in "aA":
            size = length()
            write_string(b"z" if size < 256 else b"a", take(size), out, known)
        elif kind in "ut":
            write_string(b"u", take(length()), out, known)
        elif kind == "s":
            write_string(b"s", take(length()), out, known)
        elif kind in "NTF.S":
            out += kind.encode()
        elif kind == "i":
            out += b"i" + take(4)
        elif kind in "()":
            size = length() if kind == "(" else take(1)[0]
            out += b")" + bytes((size,)) if size < 256 else b"(" + number(size)
            for _ in range(size):
                walk(out, known)
        elif kind == "c":
            out += b"c" + take(4 * NUMBERS)
            for _ in range(8):
                walk(out, known)
            out += take(4)
            for _ in range(TABLES):
                walk(out, known)
        elif kind == "g":
            out += b"g" + take(8)
        elif kind == "y":
            out += b"y" + take(16)
        elif kind == "l":
            head = take(4)
            out += b"l" + head + take(2 * abs(int.from_bytes(head, "little", signed=True)))
        elif kind == ":":
            out += b":"
            for _ in range(3):
                walk(out, known)
        elif kind in "<>":
            size = length()
            out += kind.encode() + number(size)
            write_set(size, out, known)
        else:
            sys.exit("byte-code of %s has a value of a kind that is not known: %r" % (sys.version.split()[0], kind))

    def write_set(size, out, known):
        nonlocal at, again
        elements = []
        for _ in range(size):
            start, alone = at, bytearray()
            walk(alone, None)
            elements.append((bytes(alone), start))
        end = at
        again += 1
        for _, at in sorted(elements):
            walk(out, known)
        again -= 1
        at = end

    out = bytearray()
    walk(out, {})
    return bytes(out)


if __name__ == "__main__":
    main()
