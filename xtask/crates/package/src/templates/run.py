#!{{ interpreter }} -ISB
"""Run a command as the service {{ name }} would: its user, environment, secrets, folders, limits and confinement.

usage: {{ name }}-run COMMAND [ARGUMENT ...]

For root. What {{ name }}.service and the administrator's drop-ins say in [Service] holds for the command, but for what is
about starting and stopping. The command is found by the service's PATH, and starts in its working directory. It gets a
terminal of its own, or pipes: nothing that it could type into root's terminal with. Ends with the command's exit code,
with 128 and the number of the signal that ended it, or with 125 where it was not started.
"""
import os
import re
import shlex
import signal
import subprocess
import sys
import threading

NAME = "{{ name }}"
SERVICE = NAME + ".service"
# Whether this systemd connects a unit to files (236), and keeps the folders in /run of a unit that ends (235).
KNOWS_FILES = {{ "True" if knows_files else "False" }}
UNITS = "/run/systemd/system/"
NOT_STARTED = 125
# Root's own environment reaches none of the programs that are started here.
CLEAN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": ""}

# Keys of [Service] that are about starting, watching and stopping the service itself.
OF_THE_SERVICE = set("""
    BusName ExecCondition ExecReload ExecReloadPost ExecStart ExecStartPost ExecStartPre ExecStop ExecStopPost ExitType
    FailureAction FileDescriptorStoreMax FileDescriptorStorePreserve FinalKillSignal GuessMainPID KillMode KillSignal
    NonBlocking NotifyAccess PIDFile RebootArgument ReloadSignal RemainAfterExit RemoveIPC Restart RestartForceExitStatus
    RestartKillSignal RestartMaxDelaySec RestartMode RestartPreventExitStatus RestartSec RestartSteps
    RuntimeDirectoryPreserve RuntimeMaxSec RuntimeRandomizedExtraSec SendSIGHUP Sockets StandardError StandardInput
    StandardInputData StandardInputText StandardOutput StartLimitAction StartLimitBurst StartLimitInterval
    StartLimitIntervalSec SuccessExitStatus SuccessAction TTYColumns TTYPath TTYReset TTYRows TTYVHangup TTYVTDisallocate
    TimeoutAbortSec TimeoutSec TimeoutStartFailureMode TimeoutStartSec Type UtmpIdentifier UtmpMode WatchdogSec
    WatchdogSignal
""".split())


class Failure(Exception):
    """The command was not started."""


def say(text):
    sys.stderr.write("%s-run: %s\n" % (NAME, text))
    sys.stderr.flush()


def systemctl(*words):
    """Run it; give its exit code, its output, and what it complained of."""
    process = subprocess.Popen(
        ["/usr/bin/systemctl", "--no-pager", "--no-ask-password"] + list(words), env=CLEAN, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, start_new_session=True)
    output, complaint = process.communicate()
    return process.returncode, output, complaint.strip()


def properties(unit, *names):
    code, output, complaint = systemctl("show", unit, *["--property=" + name for name in names])
    if code != 0:
        raise Failure(complaint or "`systemctl show %s` failed" % unit)
    found = dict.fromkeys(names, "")
    found.update(line.split("=", 1) for line in output.splitlines() if "=" in line)
    return found


def assignments(path):
    """Section, key and value of each line of a unit file, with the lines that a backslash joins."""
    section, pending = "", ""
    with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        for line in file:
            line = line.rstrip("\n")
            if line.lstrip()[:1] in ("#", ";") or (not pending and not line.strip()):
                continue
            line = pending + line
            if (len(line) - len(line.rstrip("\\"))) % 2:
                pending = line[:-1] + " "
                continue
            pending, line = "", line.strip()
            if line[:1] == "[":
                section = line
            elif "=" in line:
                key, value = line.split("=", 1)
                yield section, key.rstrip(), value.lstrip()


def as_in_the_service(value):
    """The specifiers that stand for the name of the unit; all others mean the same in another unit."""
    names = {"n": SERVICE, "N": NAME, "p": NAME, "P": NAME, "j": NAME.rsplit("-", 1)[-1]}
    return re.sub("%(.)", lambda found: names.get(found.group(1), found.group()), value)


def lines_of_the_service():
    """What [Unit] and [Service] of the command's unit take from those of the service."""
    facts = properties(SERVICE, "LoadState", "FragmentPath", "DropInPaths")
    if facts["LoadState"] != "loaded":
        raise Failure("%s is %s: `systemctl cat %s` tells more" % (SERVICE, facts["LoadState"], SERVICE))
    unit, service = [], []
    for path in [facts["FragmentPath"]] + shlex.split(facts["DropInPaths"]):
        for section, key, value in assignments(path):
            line = "%s=%s" % (key, as_in_the_service(value))
            # What has to be there is checked; nothing else is started, and nobody is told of the end.
            if section == "[Unit]" and (key.startswith("Assert") or key in ("JoinsNamespaceOf", "RequiresMountsFor")):
                unit.append(line)
            elif section == "[Service]" and key == "RuntimeDirectory" and not KNOWS_FILES:
                say("missing: `%s`; this systemd would remove the folder with the command" % line)
            elif section == "[Service]" and key not in OF_THE_SERVICE:
                service.append(line)
    return unit, service


def quoted(word):
    """A word of a command line as systemd.service(5) has it."""
    sign = {"\\": "\\\\", '"': '\\"', "%": "%%", "$": "$$"}
    return '"%s"' % "".join(
        sign.get(char) or (char if " " <= char < "\x7f" else "".join("\\x%02x" % byte for byte in os.fsencode(char)))
        for char in word)


class Streams(object):
    """Standard input, output and error of the command, and the threads that carry them."""

    def __init__(self):
        self.lines = []
        self.carriers = []
        # Ends that the command opens; they stay open here until it has ended.
        self.ends = []
        self.terminal = next((fd for fd in (1, 2, 0) if os.isatty(fd)), None)
        self.master = self.mode = None
        for fd, key in enumerate(["StandardInput", "StandardOutput", "StandardError"]):
            if os.isatty(fd):
                self.use_terminal(key)
            elif KNOWS_FILES:
                self.use_pipe(fd, key)
            elif fd == 0:
                self.lines.append("StandardInput=null")
            else:
                self.use_terminal(key)
        if not KNOWS_FILES:
            self.tell_what_is_missing()

    def use_terminal(self, key):
        import tty

        if self.master is None:
            self.master, end = os.openpty()
            self.ends.append(end)
            self.lines.append("TTYPath=" + os.ttyname(end))
            term = os.environ.get("TERM", "")
            if re.match(r"[A-Za-z0-9._+-]+\Z", term):
                self.lines.append("Environment=TERM=" + term)
            if self.terminal is None:
                # For output that goes to a file, byte by byte.
                tty.setraw(end)
            self.resize()
            self.carry(self.master, 1 if self.terminal is None else self.terminal)
        if key == "StandardInput":
            # It is the command's alone, so there is nobody to wait for.
            self.lines.append("StandardInput=tty-force")
            self.carry(0, self.master, to_command=True)
        else:
            self.lines.append(key + "=tty")

    def use_pipe(self, fd, key):
        to_read, to_write = os.pipe()
        end, own = (to_read, to_write) if fd == 0 else (to_write, to_read)
        self.ends.append(end)
        self.lines.append("%s=file:/proc/%d/fd/%d" % (key, os.getpid(), end))
        self.carry(*((0, own, True) if fd == 0 else (own, fd)))

    def tell_what_is_missing(self):
        import stat

        kind = os.fstat(0).st_mode
        if not os.isatty(0) and not stat.S_ISCHR(kind):
            say("missing: input that is no terminal; this systemd hands over terminals alone, and the command reads nothing")
        if not (os.isatty(1) and os.isatty(2)):
            say("missing: output and errors apart; this systemd hands over terminals alone")

    def carry(self, source, target, to_command=False):
        carrier = threading.Thread(target=self.copy, args=(source, target, to_command))
        carrier.daemon = True
        self.carriers.append((carrier, to_command))

    def copy(self, source, target, to_command):
        try:
            while True:
                data = os.read(source, 65536)
                if not data:
                    break
                while data:
                    data = data[os.write(target, data):]
        except OSError:
            # A terminal without a command, or nobody who reads.
            pass
        if to_command and target != self.master:
            os.close(target)
        elif not to_command and source != self.master:
            os.close(source)

    def resize(self, *_):
        import fcntl
        import termios

        if self.master is not None and self.terminal is not None:
            size = fcntl.ioctl(self.terminal, termios.TIOCGWINSZ, b"\0" * 8)
            fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)

    def open(self):
        import termios
        import tty

        if os.isatty(0):
            self.mode = termios.tcgetattr(0)
            tty.setraw(0)
            if not (os.isatty(1) and os.isatty(2)):
                # Others of the pipeline write to this terminal as well.
                mode = termios.tcgetattr(0)
                mode[1] = self.mode[1]
                termios.tcsetattr(0, termios.TCSANOW, mode)
        signal.signal(signal.SIGWINCH, self.resize)
        for carrier, _ in self.carriers:
            carrier.start()

    def close(self):
        """Wait for the last of the output. The command and what it started have ended."""
        import termios

        for end in self.ends:
            os.close(end)
        for carrier, to_command in self.carriers:
            if carrier.is_alive() and not to_command:
                carrier.join()
        if self.mode is not None:
            termios.tcsetattr(0, termios.TCSADRAIN, self.mode)


def write_unit(unit, streams, command):
    about, service = lines_of_the_service()
    own = streams.lines + [
        "Type=oneshot",
        # Its exit code is asked for before the unit goes.
        "RemainAfterExit=yes",
        "TimeoutStartSec=0",
        "IgnoreSIGPIPE=no",
        # The service has the same ones.
        "RemoveIPC=no",
        "RuntimeDirectoryPreserve=yes",
        # Found by the PATH that the service has.
        "ExecStart=/usr/bin/env " + " ".join(quoted(word) for word in command),
    ]
    known = [line for line in own if KNOWS_FILES or line.split("=")[0] not in ("RemoveIPC", "RuntimeDirectoryPreserve")]
    head = ["[Unit]", "Description=A command as the service " + NAME, "JoinsNamespaceOf=" + SERVICE]
    write(UNITS + unit, head + about + ["[Service]"] + service + known)
    facts = properties(unit, "LoadState", "DropInPaths")
    if facts["DropInPaths"]:
        # Drop-ins for all units would come after the last lines here.
        folder = UNITS + unit + ".d"
        os.mkdir(folder, 0o755)
        write(folder + "/zz-command.conf", ["[Service]", "ExecStart="] + known)
    if facts["DropInPaths"] or facts["LoadState"] != "loaded":
        systemctl("daemon-reload")


def write(path, lines):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    with open(fd, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write("\n".join(lines) + "\n")


def remove_unit(unit):
    systemctl("stop", unit)
    systemctl("reset-failed", unit)
    folder = UNITS + unit + ".d"
    for path in [folder + "/zz-command.conf", UNITS + unit]:
        if os.path.exists(path):
            os.unlink(path)
    if os.path.isdir(folder):
        os.rmdir(folder)
        systemctl("daemon-reload")


def what_is_not_there(unit):
    """Paths that [Unit] asserts and that are not there, such as secrets."""
    paths = (value for _, key, value in assignments(UNITS + unit) if key == "AssertPathExists")
    return [path for path in paths if path[:1] == "/" and not os.path.exists(path)]


def failed_step(unit):
    """What systemd says of a command that it could not start; empty for one that it did."""
    for words in ["--sync"], ["--quiet", "--output=cat", "--unit=" + unit]:
        process = subprocess.Popen(
            ["/usr/bin/journalctl", "--no-pager"] + words, env=CLEAN, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, universal_newlines=True)
        output, _ = process.communicate()
    return [line for line in output.splitlines() if "ailed at step" in line]


def exit_code(unit, complaint):
    """That of the command."""
    facts = properties(unit, "ExecMainStartTimestampMonotonic", "ExecMainCode", "ExecMainStatus")
    status = int(facts["ExecMainStatus"] or 0)
    if facts["ExecMainStartTimestampMonotonic"] in ("", "0"):
        missing = "".join("\n  `%s` is not there" % path for path in what_is_not_there(unit))
        raise Failure("the command was not started: %s%s\nhint: journalctl -u %s" % (complaint, missing, unit))
    if facts["ExecMainCode"] != "1":
        return 128 + status
    # systemd's own codes, which a command may have as well.
    if 200 <= status < 250:
        steps = failed_step(unit)
        if steps:
            raise Failure("the command was not started: %s\nhint: journalctl -u %s" % (steps[-1], unit))
    return status


def run(command):
    unit = "%s-run-%d-%s.service" % (NAME, os.getpid(), os.urandom(4).hex())

    def pass_on(number, _):
        threading.Thread(target=systemctl, args=("kill", "--signal=%d" % number, unit)).start()

    streams = Streams()
    try:
        write_unit(unit, streams, command)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(number, pass_on)
        streams.open()
        _, _, complaint = systemctl("start", unit)
        return exit_code(unit, complaint)
    finally:
        remove_unit(unit)
        streams.close()


def main(words):
    if not words or words[0] in ("-h", "--help"):
        sys.stdout.write(__doc__)
        return 0 if words else 2
    if words[0].startswith("-"):
        say("`%s` is no command\nhint: %s-run COMMAND [ARGUMENT ...]" % (words[0], NAME))
        return NOT_STARTED
    if os.geteuid() != 0:
        say("only root can do this\nhint: sudo %s-run %s" % (NAME, " ".join(shlex.quote(word) for word in words)))
        return NOT_STARTED
    if not os.path.isdir("/run/systemd/system"):
        say("systemd does not run here, and it is what confines the command")
        return NOT_STARTED
    # Pipes and terminals get numbers of their own.
    while os.open(os.devnull, os.O_RDWR) < 3:
        pass
    try:
        return run(words)
    except (Failure, OSError) as failure:
        say(failure)
        return NOT_STARTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
