"""Tell what this box is, as JSON on standard output, so that packages can be made for it elsewhere.

usage: sh probe.sh [PYTHON] > BOX.json

PYTHON is the interpreter that the application will run on (3.6 or later). It reads, and changes
nothing: values of environment markers (PEP 508), wheel tags (PEP 425, PEP 600), versions of glibc, systemd
and rpm, and where this interpreter is from.

Exit codes: 0 fine; 1 this box or this interpreter cannot be a target, and standard error says why.
"""
import json
import os
import platform
import re
import struct
import subprocess
import sys
import sysconfig

FORMAT = 1
PROCESSORS = ("x86_64", "aarch64")
LEGACY = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}


def refuse(what, cure):
    sys.stderr.write("error: " + what + "\nhint: " + cure + "\n")
    sys.exit(1)


def said(*words):
    """What a program prints, or None where it is not there or fails."""
    environment = dict(os.environ, LC_ALL="C")
    try:
        with open(os.devnull, "w") as nowhere:
            process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=nowhere, env=environment)
            text = process.communicate()[0]
    except OSError:
        return None
    return text.decode("utf-8", "replace") if process.returncode == 0 else None


def found(pattern, text):
    match = re.search(pattern, text or "", re.MULTILINE)
    return match.group(1) if match else None


def check_interpreter():
    name = platform.python_implementation()
    if name != "CPython":
        refuse("this is " + name + ", and wheels are chosen for CPython", "run this with the box's python3")
    if platform.system() != "Linux":
        refuse("this is " + platform.system() + ", and the packages are for Linux", "run this on the box itself")
    if sys.version_info < (3, 6):
        refuse("this is Python " + platform.python_version(), "run this with 3.6 or later")
    if sys.version_info[3] != "final" or not re.match(r"\d+\.\d+\.\d+$", platform.python_version()):
        refuse("Python " + platform.python_version() + " is not a final release", "run this with one")
    if not sys.executable:
        refuse("this interpreter does not know where it is", "name it by its path: sh probe.sh /usr/bin/python3")
    if struct.calcsize("P") != 8:
        refuse("this interpreter is a 32-bit one", "run this with a 64-bit one; the packages are for those")
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        refuse("this is a free-threaded build", "run this with the ordinary one of the same version")
    if sysconfig.get_config_var("Py_DEBUG") or hasattr(sys, "gettotalrefcount"):
        refuse("this is a debug build", "run this with the ordinary one of the same version")
    if sys.base_prefix != sys.prefix or hasattr(sys, "real_prefix"):
        refuse("this is a virtual environment", "run this with the interpreter that it was made from")


def processor():
    name = sysconfig.get_platform().split("-", 1)[-1].replace("-", "_").replace(".", "_")
    if name not in PROCESSORS:
        refuse("the processor is " + name, "known are " + " and ".join(PROCESSORS))
    return name


def glibc_version():
    """Major and minor of the C library in use."""
    try:
        text = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, OSError, ValueError):
        text = ""
    match = re.match(r"glibc (\d+)\.(\d+)", text)
    if not match:
        refuse("the C library is not glibc (musl, as on Alpine?)", "the packages are for boxes with glibc")
    return int(match.group(1)), int(match.group(2))


def distribution_forbids(version, arch):
    """PEP 600: a module `_manylinux` of the distribution has the last word."""
    try:
        import _manylinux as module
    except ImportError:
        return False
    if hasattr(module, "manylinux_compatible"):
        answer = module.manylinux_compatible(version[0], version[1], arch)
        return answer is not None and not answer
    legacy = LEGACY.get(version)
    return legacy is not None and not getattr(module, legacy + "_compatible", True)


def platforms(glibc, arch):
    """Platform tags, best first. manylinux reaches down to 2.5 on x86_64, to 2.17 elsewhere."""
    tags = []
    for minor in range(glibc[1], (5 if arch == "x86_64" else 17) - 1, -1):
        version = (glibc[0], minor)
        if not distribution_forbids(version, arch):
            tags.append("manylinux_%d_%d_%s" % (version + (arch,)))
            if version in LEGACY:
                tags.append(LEGACY[version] + "_" + arch)
    return tags + ["linux_" + arch]


def abi():
    """The ABI tag of this interpreter; up to 3.7 with the flag of pymalloc."""
    has_flag = sys.version_info < (3, 8) and sysconfig.get_config_var("WITH_PYMALLOC") in (1, None)
    return "cp%d%d%s" % (sys.version_info[0], sys.version_info[1], "m" if has_flag else "")


def tags(on):
    """Wheel tags, best first: own ABI, stable ABI, none; older stable ABIs; pure for a platform; for any."""
    major, minor = sys.version_info[:2]
    own = "cp%d%d" % (major, minor)
    pairs = [(own, abi()), (own, "abi3"), (own, "none")]
    pairs += [("cp%d%d" % (major, older), "abi3") for older in range(minor - 1, 1, -1)]
    pure = ["py%d%d" % (major, minor), "py%d" % major]
    pure += ["py%d%d" % (major, older) for older in range(minor - 1, -1, -1)]
    pairs += [(python, "none") for python in pure]
    best_first = ["-".join(pair + (platform_tag,)) for pair in pairs for platform_tag in on]
    return best_first + [python + "-none-any" for python in [own] + pure]


def markers():
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": "%d.%d.%d" % tuple(sys.implementation.version[:3]),
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": "%d.%d" % sys.version_info[:2],
        "sys_platform": sys.platform,
    }


def interpreter_path():
    """This interpreter by the name that has its minor version, where that is the same file."""
    named = os.path.join(os.path.dirname(sys.executable), "python%d.%d" % sys.version_info[:2])
    try:
        return named if os.path.samefile(named, sys.executable) else sys.executable
    except OSError:
        return sys.executable


def os_release():
    values = {}
    try:
        with open("/etc/os-release", "rb") as lines:
            for line in lines.read().decode("utf-8", "replace").splitlines():
                key, equals, value = line.partition("=")
                if equals:
                    values[key.strip()] = value.strip().strip("\"'")
    except OSError:
        pass
    return {"id": values.get("ID"), "version": values.get("VERSION_ID"), "name": values.get("PRETTY_NAME")}


def main():
    if len(sys.argv) > 1:
        sys.exit(__doc__.strip())
    check_interpreter()
    arch, glibc, path = processor(), glibc_version(), interpreter_path()
    systemd = found(r"^systemd (\d+)", said("systemctl", "--version"))
    rpm = found(r"^RPM version (\S+)", said("rpm", "--version"))
    owner = said("rpm", "-qf", "--queryformat", "%{NAME}\\n", path) if rpm else None
    dist = (said("rpm", "--eval", "%{?dist}") or "").strip().lstrip(".") if rpm else ""
    facts = {
        "probe": FORMAT,
        "markers": markers(),
        "tags": tags(platforms(glibc, arch)),
        "glibc": "%d.%d" % glibc,
        "arch": arch,
        "python-full": platform.python_version(),
        "python-path": path,
        "python-package": owner.split()[0] if owner and owner.split() else None,
        "systemd": int(systemd) if systemd else None,
        "rpm": rpm,
        "reads-zstd": "rpmlib(PayloadIsZstd)" in (said("rpm", "--showrc") or "") if rpm else None,
        "release": dist or None,
        "os": os_release(),
    }
    print(json.dumps(facts, indent=2, sort_keys=True, separators=(",", ": ")))


if __name__ == "__main__":
    main()
