"""What pyelftools says of ELF files, and auditwheel of what a manylinux may ask for.

usage: elf_says.py files LIST     one path a line; prints a JSON list
       elf_says.py policies       prints a JSON object: name -> processor -> family -> versions
"""
import json
import os
import sys

from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection


def main():
    if sys.argv[1] == "policies":
        print(json.dumps(policies()))
        return
    with open(sys.argv[2]) as paths:
        print(json.dumps([facts(path.rstrip("\n")) for path in paths]))


def policies():
    import auditwheel.policy

    folder = os.path.dirname(auditwheel.policy.__file__)
    with open(os.path.join(folder, "manylinux-policy.json")) as text:
        return {policy["name"]: policy["symbol_versions"] for policy in json.load(text)}


def facts(path):
    with open(path, "rb") as file:
        elf = ELFFile(file)
        said = {
            "is_64": elf.elfclass == 64,
            "machine": elf.header["e_machine"],
            "kind": elf.header["e_type"],
            "interpreter": None,
            "soname": None,
            "needed": [],
            "rpath": [],
            "runpath": [],
            "textrel": False,
            "stack": None,
            "writable_code": False,
            "versions": [],
            "is_dynamic": False,
            "isa": 0,
        }
        for segment in elf.iter_segments():
            kind, flags = segment["p_type"], segment["p_flags"]
            if kind == "PT_INTERP":
                said["interpreter"] = segment.get_interp_name()
            elif kind == "PT_GNU_STACK":
                said["stack"] = bool(flags & 1)
            elif kind == "PT_LOAD":
                said["writable_code"] |= flags & 3 == 3
            elif kind in ("PT_NOTE", "PT_GNU_PROPERTY"):
                notes = segment.iter_notes() if hasattr(segment, "iter_notes") else ()
                said["isa"] |= isa_of(notes)
            elif isinstance(segment, DynamicSegment) and segment["p_filesz"]:
                dynamic(segment, said)
        for section in elf.iter_sections():
            if isinstance(section, GNUVerNeedSection):
                for library, versions in section.iter_versions():
                    said["versions"] += [[library.name, version.name] for version in versions]
        said["versions"] = sorted(set(map(tuple, said["versions"])))
        return said


def isa_of(notes):
    bits = 0
    for note in notes:
        if note["n_type"] == "NT_GNU_PROPERTY_TYPE_0" and note["n_name"] == "GNU":
            for given in note["n_desc"]:
                if given["pr_type"] in ("GNU_PROPERTY_X86_ISA_1_NEEDED", 0xC0008002):
                    value = given["pr_data"]
                    bits |= value if isinstance(value, int) else int.from_bytes(bytes.fromhex(value.replace(" ", "")), "little")
    return bits


def dynamic(segment, said):
    said["is_dynamic"] = True
    for tag in segment.iter_tags():
        kind = tag.entry.d_tag
        if kind == "DT_NEEDED":
            said["needed"].append(tag.needed)
        elif kind == "DT_SONAME":
            said["soname"] = tag.soname
        elif kind == "DT_RPATH":
            said["rpath"] = tag.rpath.split(":") if tag.rpath else []
        elif kind == "DT_RUNPATH":
            said["runpath"] = tag.runpath.split(":") if tag.runpath else []
        elif kind == "DT_TEXTREL":
            said["textrel"] = True
        elif kind == "DT_FLAGS":
            said["textrel"] |= bool(tag.entry.d_val & 4)


if __name__ == "__main__":
    main()
