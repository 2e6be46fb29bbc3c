"""Running programs: what they cost, which they start, and on which machine that was."""

import os, platform, re, shutil, statistics, subprocess, sys, time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRATCH = ROOT / "target/xtask/bench"
MB = 1e6


def die(message):
    sys.exit(f"error: {message}")


def say(message):
    print(message, file=sys.stderr, flush=True)


def run(command, **more):
    """What a program says, which must end with 0."""
    words = [str(word) for word in command]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    if done.returncode:
        die(f"`{' '.join(words)}` ended with {done.returncode}\n{done.stdout[-3000:]}")
    return done.stdout.strip()


def clean_environment(cache, **more):
    """An environment in which nothing of a configuration of the person's own is in what is measured."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_")) or key == "UV_CACHE_DIR"}
    return {**env, "PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1", "XDG_CACHE_HOME": str(cache), **more}


def measure(commands, codes=(0,), **more):
    """Runs commands in a row: CPU and wall seconds of all, peak of the largest process in MB.

    CPU is user + system of the whole process tree, as far as parents wait for their children.
    """
    os.sync()  # What the way before left unwritten is not this one's to write.
    cpu = peak = 0
    start = time.monotonic()
    for command in commands:
        with open(SCRATCH / "log", "wb") as log:
            words = [str(word) for word in command]
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **more)
            _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in codes:
            said = (SCRATCH / "log").read_text(errors="replace")[-3000:]
            die(f"`{' '.join(words)}` ended with {process.returncode}\n{said}")
        cpu += used.ru_utime + used.ru_stime
        # Linux counts in KiB; the pages of this small Python, which was forked, are the floor.
        peak = max(peak, used.ru_maxrss * 1024 / MB)
    return {"cpu": cpu, "wall": time.monotonic() - start, "peak": peak}


def started(command, codes=(0,), **more):
    """How many programs a command starts, as the kernel saw it; `None` where this host has no strace."""
    if not shutil.which("strace"):
        return None
    trace = SCRATCH / "trace"
    measure([["strace", "-f", "-qq", "-e", "trace=execve", "-e", "signal=none", "-o", trace, *command]], codes, **more)
    # What is looked for along the PATH and not there is not started.
    lines = [line for line in trace.read_text().splitlines() if "execve(" in line and line.endswith("= 0")]
    return len(lines) - 1


def median(rounds, way, what, of=None):
    """Of a way's values; with `of`, of the rounds' ratios of `of` to the way: what one round holds shares the rest that
    the machine does."""
    found = [each for each in rounds if way in each and (of is None or of in each)]
    return statistics.median(each[of][what] / each[way][what] if of else each[way][what] for each in found)


def machine():
    """The machine in words, without its name."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal: *(\d+)", Path("/proc/meminfo").read_text())[1]) * 1024 / 1e9
    return {
        "processor": " ".join(cpu[1].split()) if cpu else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory": f"{memory:.0f} GB",
        "kernel": f"Linux {re.match(r'[0-9]+[.][0-9]+', platform.release())[0]}",
    }


def busy():
    """How many processes wanted a core in the last minute, for each core that there is."""
    return os.getloadavg()[0] / len(os.sched_getaffinity(0))
