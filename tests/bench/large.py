#!/usr/bin/env python3
"""Makes wheels that are large, or of many files, in a folder; memory stays flat, and the bytes are the same every time.

    python3 tests/bench/large.py FOLDER --kind one-large     a wheel of 2 GB with one file of 3 GB
    python3 tests/bench/large.py FOLDER --kind over-4gb      4.5 GB in all, one file of it over 4 GiB; 0.1 GB on disk
    python3 tests/bench/large.py FOLDER --kind over-4gb-sum  4.5 GB in all, no file over 1 GB; 0.1 GB on disk
    python3 tests/bench/large.py FOLDER --kind wheel-4gb     a wheel of more than 4 GiB, which a zip needs 64 bits for
    python3 tests/bench/large.py FOLDER --kind large-elf     a library of 3 GB that is one; 0.1 GB on disk
    python3 tests/bench/large.py FOLDER --kind many-small    82,000 small files in 20 wheels; `--files N` for other numbers

Prints what a lock has of each wheel, `NAME==1.0 --hash=sha256:…`, a line each: as `requirements.txt`, with the folder as
`find-links`, it is locked by `xtask lock`. What is in a large file comes from 16 pieces of 1 MiB, each packed once and
put in again and again: the distance is larger than what a compressor looks back, so nothing is won by that.
"""

import argparse, base64, hashlib, random, struct, sys, zlib
from pathlib import Path

PIECE, PIECES = 1 << 20, 16
GB = 1_000_000_000
LIMIT = 0xFFFFFFFF


class Pieces:
    """Pieces of a content, of which a part is noise and the rest is text, each beside its deflated bytes."""

    def __init__(self, noise):
        source = random.Random(noise)
        self.plain, self.packed = [], []
        for number in range(PIECES):
            text = b"%02d the quick brown fox jumps over the lazy dog\n" % number
            whole = (source.randbytes(int(PIECE * noise)) + text * (PIECE // len(text) + 1))[:PIECE]
            packer = zlib.compressobj(1, zlib.DEFLATED, -15)
            self.plain.append(whole)
            # A full flush ends at a byte, and what follows looks back at nothing.
            self.packed.append(packer.compress(whole) + packer.flush(zlib.Z_FULL_FLUSH))

    def of(self, size):
        """Plain pieces of a content of `size` bytes, and deflated ones that come to the same."""
        for number in range(size // PIECE):
            yield self.plain[number % PIECES], self.packed[number % PIECES]
        rest = self.plain[0][: size % PIECE]
        packer = zlib.compressobj(1, zlib.DEFLATED, -15)
        yield rest, packer.compress(rest) + packer.flush()


class Again:
    """What can be gone through more than once."""

    def __init__(self, make):
        self.make = make

    def __iter__(self):
        return iter(self.make())


class Wheel:
    """A wheel that is written from its start to its end. Fields of 64 bits stand where those of 32 do not suffice."""

    def __init__(self, folder, name, tag="py3-none-any"):
        self.name, self.info, self.tag = name, f"{name}-1.0.dist-info", tag
        self.path = folder / f"{name}-1.0-{tag}.whl"
        self.file, self.directory, self.record, self.count, self.at = open(self.path, "wb"), [], [], 0, 0
        self.digest = hashlib.sha256()

    def put(self, data):
        self.file.write(data)
        self.digest.update(data)
        self.at += len(data)

    def add(self, path, pieces, size, stored=False, descriptor=False):
        """Adds a file of `pieces`, pairs of plain and deflated bytes.

        With `descriptor`, checksum and sizes stand behind the content, as a builder writes them that cannot seek.
        """
        crc, packed, digest = 0, 0, hashlib.sha256()
        if not descriptor:
            for plain, deflated in pieces:
                crc, packed = zlib.crc32(plain, crc), packed + len(plain if stored else deflated)
        start, name, method = self.at, path.encode(), 0 if stored else 8
        is_64 = size >= LIMIT or packed >= LIMIT
        extra = struct.pack("<HHQQ", 1, 16, 0 if descriptor else size, packed) if is_64 else b""
        sizes = (0, LIMIT, LIMIT) if descriptor and is_64 else (crc, LIMIT, LIMIT) if is_64 else (crc, packed, 0 if descriptor else size)
        flags = 0x800 | (8 if descriptor else 0)
        self.put(struct.pack("<4s5H3I2H", b"PK\3\4", 45 if is_64 else 20, flags, method, 0, 0x5A21, *sizes, len(name), len(extra)))
        self.put(name + extra)
        if descriptor:
            packed = 0
        for plain, deflated in pieces:
            digest.update(plain)
            self.put(plain if stored else deflated)
            if descriptor:
                crc, packed = zlib.crc32(plain, crc), packed + len(plain if stored else deflated)
        if descriptor:
            self.put(struct.pack("<4sIQQ" if is_64 else "<4sIII", b"PK\7\10", crc, packed, size))
        self.note(name, method, flags, crc, packed, size, start)
        text = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
        self.record.append(f"{path},sha256={text},{size}")

    def note(self, name, method, flags, crc, packed, size, start):
        long = [value for value in (size, packed, start) if value >= LIMIT]
        extra = struct.pack(f"<HH{len(long)}Q", 1, 8 * len(long), *long) if long else b""
        short = [min(value, LIMIT) for value in (packed, size, start)]
        mode = 0o100644 << 16
        fields = (0x32D, 45 if long else 20, flags, method, 0, 0x5A21, crc, short[0], short[1], len(name), len(extra), 0, 0, 0, mode, short[2])
        self.directory.append(struct.pack("<4s6H3I5H2I", b"PK\1\2", *fields) + name + extra)

    def add_text(self, path, text):
        data = text.encode() if isinstance(text, str) else text
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        self.add(path, [(data, packer.compress(data) + packer.flush())], len(data))

    def finish(self):
        """Writes metadata and directory; gives the line of a lock."""
        self.add_text(f"{self.info}/METADATA", f"Metadata-Version: 2.1\nName: {self.name}\nVersion: 1.0\nLicense: MIT\n")
        self.add_text(f"{self.info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: large\nRoot-Is-Purelib: true\nTag: {self.tag}\n")
        self.add_text(f"{self.info}/RECORD", "\n".join([*self.record, f"{self.info}/RECORD,,", ""]))
        start, count = self.at, len(self.directory)
        for entry in self.directory:
            self.put(entry)
        length, end = self.at - start, self.at
        if start >= LIMIT or length >= LIMIT or count >= 0xFFFF:
            self.put(struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, length, start))
            self.put(struct.pack("<4sIQI", b"PK\6\7", 0, end, 1))
        self.put(struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, min(count, 0xFFFF), min(count, 0xFFFF), min(length, LIMIT), min(start, LIMIT), 0))
        self.file.close()
        return f"{self.name.replace('_', '-')}==1.0 --hash=sha256:{self.digest.hexdigest()}"


def with_files(folder, name, noise, sizes, **how):
    """A wheel with a module and data files of these sizes."""
    pieces = Pieces(noise)
    wheel = Wheel(folder, name)
    wheel.add_text(f"{name}/__init__.py", f"NAME = '{name}'\n")
    for number, size in enumerate(sizes):
        wheel.add(f"{name}/data-{number}.bin", Again(lambda size=size: pieces.of(size)), size, **how)
    wheel.add_text(f"{name}/after.py", "AFTER = True\n")
    return wheel.finish()


def large_elf(folder):
    """A library of 3 GB: a segment that is loaded, whose end has its dynamic segment and the names in it."""
    name, size = "large_elf", 3 * GB
    names = b"\0libc.so.6\0liblarge.so\0"
    head, dynamic = 64 + 3 * 56, size - 4096
    at = dynamic + 5 * 16
    rows = [(1, 1), (14, 11), (5, at), (10, len(names)), (0, 0)]
    segments = [(1, 4, 0, size), (2, 6, dynamic, 5 * 16), (0x6474E551, 6, 0, 0)]
    start = struct.pack("<16s2HI3QI6H", b"\x7fELF\2\1\1", 3, 62, 1, 0, 64, 0, 0, 64, 56, 3, 64, 0, 0)
    start += b"".join(struct.pack("<2I6Q", kind, flags, offset, offset, offset, length, length, 4096) for kind, flags, offset, length in segments)
    end = b"".join(struct.pack("<2Q", *row) for row in rows) + names

    def content():
        yield from edge(start.ljust(PIECE, b"\1"))
        pieces = list(Pieces(0.025).of(PIECE * PIECES))[:-1]
        left, number = size - 2 * PIECE, 0
        while left >= PIECE:
            yield pieces[number % PIECES]
            left, number = left - PIECE, number + 1
        yield from edge(b"\1" * (left + PIECE - 4096) + end.ljust(4096, b"\1"), last=True)

    def edge(data, last=False):
        packer = zlib.compressobj(1, zlib.DEFLATED, -15)
        yield data, packer.compress(data) + packer.flush(zlib.Z_FINISH if last else zlib.Z_FULL_FLUSH)

    assert head == len(start)
    wheel = Wheel(folder, name, tag="py3-none-manylinux_2_17_x86_64")
    wheel.add_text(f"{name}/__init__.py", "")
    # Twice the same: once to know its checksum and packed size, once to be written.
    wheel.add(f"{name}/liblarge.so", Again(content), size)
    return wheel.finish()


def many_small(folder, files, wheels=20):
    """Modules as they are in large distributions: folders of some dozens, a few hundred bytes to some kilobytes each."""
    source = random.Random(files)
    for number in range(wheels):
        name = f"many_small_{number:02}"
        wheel = Wheel(folder, name)
        wheel.add_text(f"{name}/__init__.py", f"NAME = '{name}'\n")
        for index in range(files // wheels):
            folder_name = f"{name}/part_{index // 50:04}"
            if index % 50 == 0:
                wheel.add_text(f"{folder_name}/__init__.py", "")
                continue
            lines = [f"def value_{line}():\n    return {source.getrandbits(64)}\n" for line in range(source.randrange(4, 40))]
            wheel.add_text(f"{folder_name}/module_{index:06}.py", "".join(lines))
        yield wheel.finish()


def make(kind, folder, files=82_000):
    """Makes the wheels of a kind in a folder; gives the lines of their lock."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    spread = [4 * GB // 5] * 5 + [GB // 2]
    if kind == "one-large":
        return [with_files(folder, "one_large", 0.66, [3 * GB])]
    if kind == "over-4gb":
        return [with_files(folder, "over_4gb", 0.012, [(4 << 30) + 3, GB // 5])]
    if kind == "over-4gb-sum":
        return [with_files(folder, "over_4gb_sum", 0.012, spread, descriptor=True)]
    if kind == "wheel-4gb":
        return [with_files(folder, "wheel_4gb", 0.025, [(4 << 30) + 3, 1000], stored=True)]
    if kind == "large-elf":
        return [large_elf(folder)]
    return list(many_small(folder, files))


KINDS = ["one-large", "over-4gb", "over-4gb-sum", "wheel-4gb", "large-elf", "many-small"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kind", choices=KINDS, required=True)
    parser.add_argument("--files", type=int, default=82_000, help="of many-small")
    args = parser.parse_args()
    print("\n".join(make(args.kind, args.folder, args.files)))


if __name__ == "__main__":
    sys.exit(main())
