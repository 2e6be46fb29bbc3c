"""Run a command several times, and print the least CPU time of a run, in seconds.

usage: cpu_of.py TIMES EXIT_CODE COMMAND...

The machines that this runs on are noisy: the least of several runs is what the work costs. Fails where a run
ends with another code than EXIT_CODE.
"""
import os
import subprocess
import sys


def main():
    times, expected, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    least = None
    for _ in range(times):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != expected:
            sys.exit("it ended with %d\n%s" % (process.returncode, said.decode(errors="replace")))
        spent = usage.ru_utime + usage.ru_stime
        least = spent if least is None else min(least, spent)
    print("%.3f" % least)


if __name__ == "__main__":
    main()
