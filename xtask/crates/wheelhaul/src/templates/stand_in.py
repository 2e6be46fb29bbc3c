"""Run a service as its unit says, where no systemd does.

usage: stand_in.py NAME

In the order of systemd.service(5): credentials, folders, ExecStartPre, ExecStart as the unit's user with the sockets of
NAME.socket, readiness, ExecStartPost. Writes `started` or `failed: WHY` to /run/stand-in.state, then waits; on SIGTERM
it stops the service. What confines the service beside its user is not done.
"""
import fcntl
import grp
import os
import pwd
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time

NAME = sys.argv[1]
UNITS = "/usr/lib/systemd/system/"
STATE = "/run/stand-in.state"
START_SECONDS = 90
STOP_SECONDS = 60


def read(path):
    """The keys of a unit, each with its values; an empty value takes back those before it."""
    keys = {}
    with open(path, encoding="utf-8") as file:
        text = file.read().replace("\\\n", " ")
    for line in text.splitlines():
        line = line.strip()
        if not line or line[0] in "#;[" or "=" not in line:
            continue
        key, value = (part.strip() for part in line.split("=", 1))
        if value:
            keys.setdefault(key, []).append(value)
        else:
            keys.pop(key, None)
    return keys


def words(text):
    return [word.replace("%%", "%").replace("%n", NAME + ".service").replace("%p", NAME) for word in shlex.split(text)]


def command(text, environment):
    """Whether it may fail, whether it runs as root, and its words."""
    may_fail = as_root = False
    while text[0] in "-+!@:":
        may_fail |= text[0] == "-"
        as_root |= text[0] in "+!"
        text = text[1:]
    found = []
    for word in words(text):
        if word.startswith("$") and not word.startswith("$$") and word[1:].isidentifier():
            found += environment.get(word[1:], "").split()
        else:
            found.append(word.replace("$$", "$"))
    return may_fail, as_root, found


class Service:
    def __init__(self):
        self.unit = read(UNITS + NAME + ".service")
        self.user = pwd.getpwnam(self.last("User", "root"))
        group = self.last("Group", "")
        self.group = grp.getgrnam(group).gr_gid if group else self.user.pw_gid
        self.umask = int(self.last("UMask", "0022"), 8)
        self.folder = self.last("WorkingDirectory", "/").lstrip("-")
        self.environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG": "C.UTF-8",
                            "USER": self.user.pw_name, "LOGNAME": self.user.pw_name, "HOME": self.user.pw_dir}
        self.child = None
        self.sockets = []

    def last(self, key, default):
        return self.unit.get(key, [default])[-1]

    def own(self, path, mode):
        os.makedirs(path, exist_ok=True)
        os.chown(path, self.user.pw_uid, self.group)
        os.chmod(path, mode)

    def prepare(self):
        for kind, base in [("Runtime", "/run"), ("State", "/var/lib"), ("Cache", "/var/cache"), ("Logs", "/var/log"),
                           ("Configuration", "/etc")]:
            for name in " ".join(self.unit.get(kind + "Directory", [])).split():
                self.own(base + "/" + name, int(self.last(kind + "DirectoryMode", "0755"), 8))
                self.environment[kind.upper() + "_DIRECTORY"] = base + "/" + name
        for line in self.unit.get("AssertPathExists", []):
            if not os.path.exists(line):
                raise RuntimeError("AssertPathExists: there is no " + line)
        for line in self.unit.get("Environment", []):
            self.environment.update(word.split("=", 1) for word in words(line) if "=" in word)
        for path in self.unit.get("EnvironmentFile", []):
            self.read_environment(path)
        self.load_credentials()

    def read_environment(self, path):
        try:
            with open(path.lstrip("-"), encoding="utf-8") as file:
                lines = file.read().splitlines()
        except OSError:
            if path.startswith("-"):
                return
            raise
        for line in lines:
            line = line.strip()
            if line and line[0] not in "#;" and "=" in line:
                name, value = line.split("=", 1)
                self.environment[name.strip()] = " ".join(shlex.split(value))

    def load_credentials(self):
        wanted = self.unit.get("LoadCredential", [])
        if not wanted:
            return
        folder = "/run/credentials/" + NAME + ".service"
        shutil.rmtree(folder, ignore_errors=True)
        self.own(folder, 0o500)
        for line in wanted:
            name, source = line.split(":", 1)
            shutil.copyfile(source, folder + "/" + name)
            os.chown(folder + "/" + name, self.user.pw_uid, self.group)
            os.chmod(folder + "/" + name, 0o400)
        self.environment["CREDENTIALS_DIRECTORY"] = folder

    def start(self, line, environment, first=3, more=()):
        may_fail, as_root, found = command(line, environment)

        def become():
            os.setsid()
            # first out of the way of the places that they go to
            high = [fcntl.fcntl(one.fileno(), fcntl.F_DUPFD, 100) for one in more]
            for place, one in enumerate(high):
                os.dup2(one, first + place, inheritable=True)
                os.close(one)
            if more:
                os.environ["LISTEN_PID"] = environment["LISTEN_PID"] = str(os.getpid())
            os.umask(self.umask)
            if not as_root:
                os.initgroups(self.user.pw_name, self.group)
                os.setgid(self.group)
                os.setuid(self.user.pw_uid)
            os.chdir(self.folder)
            # here and not by Popen: LISTEN_PID is known only now
            os.execvpe(found[0], found, environment)

        process = subprocess.Popen(["/bin/false"], stdin=subprocess.DEVNULL, close_fds=False, preexec_fn=become)
        return may_fail, process

    def run(self, key, **more):
        environment = dict(self.environment, **more)
        for line in self.unit.get(key, []):
            may_fail, process = self.start(line, environment)
            code = process.wait(timeout=START_SECONDS)
            if code and not may_fail:
                raise RuntimeError("%s=%s ended with %d" % (key, line, code))

    def listen(self):
        path = UNITS + NAME + ".socket"
        if not os.path.exists(path):
            return
        for place in read(path).get("ListenStream", []):
            host, _, port = place.rpartition(":")
            family = socket.AF_INET6 if ":" in host or not host else socket.AF_INET
            one = socket.socket(family)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind((host.strip("[]"), int(port)))
            one.listen(128)
            self.sockets.append(one)

    def launch(self):
        self.prepare()
        self.listen()
        self.run("ExecStartPre")
        environment = dict(self.environment)
        told = None
        if self.last("Type", "simple") == "notify":
            told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            told.bind("\0stand-in")
            told.settimeout(0.2)
            environment["NOTIFY_SOCKET"] = "@stand-in"
        if self.sockets:
            environment["LISTEN_FDS"] = str(len(self.sockets))
        _, self.child = self.start(self.last("ExecStart", ""), environment, more=self.sockets)
        end = time.time() + START_SECONDS
        while told:
            if self.child.poll() is not None:
                raise RuntimeError("ExecStart ended with %d" % self.child.returncode)
            if time.time() > end:
                raise RuntimeError("it did not tell that it is ready for %d seconds" % START_SECONDS)
            try:
                if b"READY=1" in told.recv(4096):
                    break
            except socket.timeout:
                pass
        self.run("ExecStartPost", MAINPID=str(self.child.pid))

    def stop(self):
        if not self.child:
            return
        try:
            self.child.terminate()
            self.child.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.child.wait()


def say(state):
    with open(STATE + ".new", "w") as file:
        file.write(state)
    os.rename(STATE + ".new", STATE)


def main():
    asked = []
    signal.signal(signal.SIGTERM, lambda *_: asked.append(True))
    with open("/run/stand-in.pid", "w") as file:
        file.write(str(os.getpid()))
    service = None
    try:
        service = Service()
        service.launch()
        say("started")
        while not asked and service.child.poll() is None:
            time.sleep(0.1)
        if not asked:
            say("failed: the service ended with %d" % service.child.returncode)
    except Exception as error:
        say("failed: %s" % error)
    finally:
        if service:
            service.stop()


main()
