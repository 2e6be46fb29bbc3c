"""Tell how an installed service does on this box, as JSON on standard output.

usage: sh evidence.sh NAME [URL] > NAME.json

It runs on Python 3.6 and later, reads, and changes nothing. What cannot be told is null, and the reason is under
`absent`; every program that is asked has a time limit.

Exit codes: 0 the JSON is whole; 1 it was called in a wrong way.
"""
import hashlib
import http.client
import json
import os
import platform
import re
import select
import signal
import ssl
import stat
import subprocess
import sys
import time
import urllib.parse

FORMAT = 1
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
SELINUX = "/sys/fs/selinux"
MOST_BYTES = 16 << 20
MOST_LINES = 200
MOST_TEXT = 1000
ANSWER_SECONDS = 20
EVENT = re.compile(r"msg=audit\((\d+)\.\d+:(\d+)\)")
ANY = {"0.0.0.0": "127.0.0.1", "*": "127.0.0.1", "::": "::1"}
PROPERTIES = (
    "Id LoadState ActiveState SubState UnitFileState Result NRestarts MainPID ExecMainStatus FragmentPath DropInPaths"
    " NeedDaemonReload InactiveExitTimestampMonotonic ExecStart ExecStartPost Type User Group WorkingDirectory"
    " StateDirectory NoNewPrivileges CapabilityBoundingSet PrivateDevices PrivateTmp PrivateUsers ProtectHome"
    " ProtectSystem RestrictAddressFamilies SystemCallFilter MemoryMax TasksMax"
).split()


class Absent(Exception):
    """What cannot be told, and why."""


def for_root(why):
    return why if os.geteuid() == 0 else why + "; run it as root"


def run(words, seconds=20):
    """What a program prints: its exit code, standard output and standard error."""
    environment = {"PATH": PATH, "LC_ALL": "C"}
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise Absent("there is no `%s` on this box" % words[0])
    except OSError as error:
        raise Absent("`%s` cannot be started: %s" % (words[0], error))
    end = time.monotonic() + seconds
    said = {process.stdout: bytearray(), process.stderr: bytearray()}
    waiting = list(said)
    try:
        while waiting:
            ready = select.select(waiting, [], [], max(0, end - time.monotonic()))[0]
            if not ready:
                raise Absent("`%s` took more than %d seconds" % (words[0], seconds))
            for stream in ready:
                piece = os.read(stream.fileno(), 65536)
                said[stream] += piece
                if not piece:
                    waiting.remove(stream)
                if len(said[stream]) > MOST_BYTES:
                    raise Absent("`%s` printed more than %d bytes" % (words[0], MOST_BYTES))
        try:
            process.wait(max(1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise Absent("`%s` took more than %d seconds" % (words[0], seconds))
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                pass
        process.stdout.close()
        process.stderr.close()
    out, error = (bytes(text).decode("utf-8", "replace") for text in said.values())
    return process.returncode, out, error


def must(words, seconds=20):
    """What a program prints, where it ends well."""
    code, out, error = run(words, seconds)
    if code != 0:
        raise Absent("`%s`: %s" % (" ".join(words)[:100], first_line(error or out) or "exit code %d" % code))
    return out


def first_line(text):
    return next(iter(text.strip().splitlines()), "")[:MOST_TEXT]


def read(path, most=1 << 20):
    with open(path, "rb") as file:
        return file.read(most)


def os_release():
    values = {}
    for line in read("/etc/os-release").decode("utf-8", "replace").splitlines():
        key, equals, value = line.partition("=")
        if equals:
            values[key.strip()] = value.strip().strip("\"'")
    return {"id": values.get("ID"), "version": values.get("VERSION_ID"), "name": values.get("PRETTY_NAME")}


def package(name):
    tags = ("NAME", "EPOCH", "VERSION", "RELEASE", "ARCH")
    query = "\\t".join("%{" + tag + "}" for tag in tags) + "\\n"
    values = must(["rpm", "-q", "--queryformat", query, name]).splitlines()[-1].split("\t")
    found = dict(zip((tag.lower() for tag in tags), values))
    found["epoch"] = None if found["epoch"] == "(none)" else int(found["epoch"])
    # An old rpm does not know this tag.
    code, digest, _ = run(["rpm", "-q", "--queryformat", "%{SHA256HEADER}\\n", name])
    digest = (digest.split() or [""])[-1]
    found["header-sha256"] = digest if code == 0 and re.match(r"[0-9a-f]{64}$", digest) else None
    return found


def rpm_verify(name):
    """The lines of `rpm -V`, and how many files only root can compare."""
    if run(["rpm", "-q", name])[0] != 0:
        raise Absent("the package %s is not installed" % name)
    code, out, error = run(["rpm", "-V", name], 300)
    lines = [line for line in (out + error).splitlines() if line.strip()]
    if code != 0 and not lines:
        lines = ["`rpm -V %s` ended with %d" % (name, code)]
    # `?`: it could not be read. The rest of such a line still counts.
    unread = []
    if os.geteuid() != 0:
        flags = re.compile(r"[.?]*\?[.?]*\s")
        unread = [line for line in lines if "Permission denied" in line or flags.match(line)]
    lines = [line for line in lines if line not in unread]
    return {"lines": shown(lines), "unread": len(unread)}


def shown(lines):
    return [line[:MOST_TEXT] for line in lines[:MOST_LINES]]


def unit(name):
    out = must(["systemctl", "show", "--no-pager", "-p", ",".join(PROPERTIES), name + ".service"])
    properties = {}
    for line in out.splitlines():
        key, equals, value = line.partition("=")
        if equals:
            properties[key] = value[:4000]
    path = properties.get("FragmentPath")
    digest = None
    if path:
        try:
            digest = hashlib.sha256(read(path)).hexdigest()
        except OSError:
            pass
    return {"properties": properties, "sha256": digest}


def started(properties):
    """When the service began to start, in seconds since 1970; when the box was booted, where it never did."""
    boot = next(line for line in read("/proc/stat").decode().splitlines() if line.startswith("btime "))
    return int(boot.split()[1]) + int(properties.get("InactiveExitTimestampMonotonic") or 0) // 1000000 - 2


def main_process(properties):
    process = int(properties.get("MainPID") or 0)
    if not process:
        raise Absent("the service has no process")
    return process


def interpreter(properties):
    """The program that the process is: by its process, or by the unit where only root can read that."""
    process = main_process(properties)
    try:
        path, source = os.readlink("/proc/%d/exe" % process), "process"
    except PermissionError:
        match = re.search(r"path=(\S+) ;", properties.get("ExecStart", ""))
        if not match:
            raise Absent(for_root("the program of process %d cannot be read" % process))
        path, source = os.path.realpath(match.group(1)), "unit"
    facts = os.stat(path)
    if facts.st_uid != 0 or stat.S_IMODE(facts.st_mode) & 0o022:
        raise Absent("`%s` can be changed by others than root, so it was not asked for its version" % path)
    if not re.match(r"python3(\.\d+)?$|platform-python", os.path.basename(path)):
        return {"path": path, "version": None, "by": source}
    return {"path": path, "version": must([path, "-V"]).replace("Python", "").strip(), "by": source}


def selinux_mode():
    try:
        return "enforcing" if read(SELINUX + "/enforce").strip() == b"1" else "permissive"
    except FileNotFoundError:
        return "disabled"


def domain(properties):
    if selinux_mode() == "disabled":
        raise Absent("SELinux is disabled")
    label = read("/proc/%d/attr/current" % main_process(properties))
    return label.decode("utf-8", "replace").strip("\0\n")


def audited(types, since, is_denial):
    """The events of the audit log since then that are denials, each as one text."""
    code, out, error = run(["ausearch", "--input-logs", "--raw", "--start", "boot", "-m", types], 60)
    if code != 0 and "<no matches>" in out + error:
        return []
    if code != 0:
        raise Absent(for_root("`ausearch`: " + (first_line(error or out) or "exit code %d" % code)))
    events = {}
    for line in out.splitlines():
        match = EVENT.search(line)
        if match and int(match.group(1)) >= since:
            events.setdefault(match.groups(), []).append(line)
    return [" | ".join(lines) for lines in events.values() if any(is_denial(line) for line in lines)]


def journal(since, words, is_denial):
    code, out, error = run(["journalctl", "--no-pager", "-b", "-o", "json"] + words, 60)
    if code != 0 or "not seeing messages" in error or "insufficient permissions" in error or "No journal" in error:
        raise Absent(for_root("the journal cannot be read" if code == 0 else "`journalctl`: " + first_line(error)))
    found = []
    for line in out.splitlines():
        entry = json.loads(line)
        message = entry.get("MESSAGE")
        if isinstance(message, str) and is_denial(message) and int(entry["__REALTIME_TIMESTAMP"]) >= since * 1000000:
            found.append(message)
    return found


def is_active(name):
    return run(["systemctl", "is-active", name])[1].strip() or "unknown"


def selinux_denials(properties):
    if selinux_mode() == "disabled":
        raise Absent("SELinux is disabled")

    def is_denial(line):
        return "avc:" in line and "denied" in line or "SELINUX_ERR" in line

    since = started(properties)
    try:
        return shown(audited("AVC,USER_AVC,SELINUX_ERR", since, is_denial))
    except Absent as why:
        # While auditd runs, the kernel hands the denials to it alone.
        if is_active("auditd") == "active":
            raise why
    return shown(journal(since, ["_TRANSPORT=kernel", "_TRANSPORT=audit"], is_denial))


def fapolicyd():
    return is_active("fapolicyd")


def fapolicyd_denials(properties):
    if fapolicyd() != "active":
        raise Absent("fapolicyd is not active")
    since = started(properties)
    found = audited("FANOTIFY", since, lambda line: "type=FANOTIFY" in line and re.search(r"\bresp=2\b", line))
    # Rules of the kind `deny_syslog` are not in the audit log.
    return shown(found + journal(since, ["-u", "fapolicyd"], lambda message: "dec=deny" in message))


def fips():
    try:
        return read("/proc/sys/crypto/fips_enabled").strip() == b"1"
    except FileNotFoundError:
        raise Absent("the kernel does not tell whether it is in FIPS mode")


def exposure(name):
    out = must(["systemd-analyze", "security", "--no-pager", name + ".service"], 60)
    match = re.search(r"exposure level for .*: *(\d+\.\d+)", out)
    if not match:
        raise Absent("`systemd-analyze security` prints no level")
    return float(match.group(1))


def url_of(properties):
    """Where the unit's server listens, by the words of the unit."""
    match = re.search(r"/wait-until-ready (\S+) (\d+)( tls)?", properties.get("ExecStartPost", ""))
    if match:
        host, port, tls = match.groups()
    else:
        command = properties.get("ExecStart", "")
        bind = re.search(r"(?:--bind|-b)[ =](\S+):(\d+)", command)
        parts = re.search(r"--host[ =](\S+)", command), re.search(r"--port[ =](\d+)", command)
        if bind:
            host, port = bind.groups()
        elif parts[1]:
            host, port = parts[0].group(1) if parts[0] else "127.0.0.1", parts[1].group(1)
        else:
            raise Absent("the unit does not tell where its server listens; give the URL behind the name")
        tls = "certfile" in command
    host = host.strip("[]")
    host = ANY.get(host, host)
    return "%s://%s:%s/" % ("https" if tls else "http", "[%s]" % host if ":" in host else host, port)


def answer(url):
    """The status that the server answers with, whoever it says that it is; redirections are not followed."""
    parts = urllib.parse.urlsplit(url)
    path = (parts.path or "/") + ("?" + parts.query if parts.query else "")

    def too_late(*_):
        raise TimeoutError("no answer for %d seconds" % ANSWER_SECONDS)

    signal.signal(signal.SIGALRM, too_late)
    signal.alarm(ANSWER_SECONDS)
    try:
        if parts.scheme == "https":
            trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            trusting.check_hostname = False
            trusting.verify_mode = ssl.CERT_NONE
            connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=10, context=trusting)
        else:
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
        connection.request("GET", path, headers={"User-Agent": "evidence"})
        return {"url": url, "status": connection.getresponse().status, "error": None}
    except (OSError, http.client.HTTPException, ValueError) as error:
        return {"url": url, "status": None, "error": "%s: %s" % (type(error).__name__, error)}
    finally:
        signal.alarm(0)


def main():
    words = sys.argv[1:]
    is_name = len(words) in (1, 2) and re.match(r"[A-Za-z0-9_][A-Za-z0-9._+-]*$", words[0])
    if not is_name or not re.match(r"https?://[^/\s]+(/\S*)?$", (words + ["http://x"])[1]):
        sys.exit(__doc__.strip())
    name = words[0]
    document = {
        "evidence": FORMAT,
        "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "root": os.geteuid() == 0,
        "python": platform.python_version(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "name": name,
    }
    absent = {}

    def tell(key, ask, *arguments):
        try:
            document[key] = ask(*arguments)
        except Absent as why:
            document[key], absent[key] = None, str(why)
        except (OSError, ValueError, LookupError) as error:
            document[key], absent[key] = None, "%s: %s" % (type(error).__name__, error)

    tell("os", os_release)
    tell("package", package, name)
    tell("rpm-verify", rpm_verify, name)
    tell("unit", unit, name)
    properties = (document["unit"] or {}).get("properties", {})
    tell("interpreter", interpreter, properties)
    tell("selinux-mode", selinux_mode)
    tell("domain", domain, properties)
    tell("selinux-denials", selinux_denials, properties)
    tell("fapolicyd", fapolicyd)
    tell("fapolicyd-denials", fapolicyd_denials, properties)
    tell("fips", fips)
    tell("exposure", exposure, name)
    tell("answer", lambda: answer(words[1] if len(words) > 1 else url_of(properties)))
    document["absent"] = absent
    for key, why in sorted(absent.items()):
        sys.stderr.write("not told: %s: %s\n" % (key, why))
    print(json.dumps(document, indent=2, sort_keys=True, separators=(",", ": ")))


if __name__ == "__main__":
    main()
