"""Tell of sources whether this Python compiles them. Nothing of them is run, and nothing is written.

usage: compile_only.py        any CPython from 3.4 on, to be started with -I -S -B

Reads from standard input, again and again: two little-endian numbers of 8 bytes, the lengths of a path and of a
source, and both of them. Answers each with a line in ASCII: nothing, or why it does not compile.
"""
import sys
import warnings

# A source may ask for any amount of either; where there are no such limits, the caller's bounds on sizes must do.
MEMORY = 4 << 30
# The caller ends this process sooner; it ends itself where the caller is gone.
SECONDS = 120
try:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
except (ImportError, ValueError, OSError):
    pass
try:
    from signal import alarm
except ImportError:

    def alarm(seconds):
        pass


def main():
    warnings.simplefilter("ignore")
    read = sys.stdin.buffer.read
    while True:
        head = read(16)
        if len(head) < 16:
            return
        path = read(int.from_bytes(head[:8], "little")).decode("utf-8")
        source = read(int.from_bytes(head[8:], "little"))
        alarm(SECONDS)
        said = why_not(source, path)
        alarm(0)
        sys.stdout.write(said + "\n")
        sys.stdout.flush()


def why_not(source, path):
    try:
        compile(source, path, "exec", dont_inherit=True, optimize=0)
    except SyntaxError as error:
        return in_a_line(("line %d: %s" % (error.lineno, error.msg)) if error.lineno else str(error.msg))
    except Exception as error:  # null bytes, too deep nesting, too large constants: whatever the compiler says
        return in_a_line("%s: %s" % (type(error).__name__, error))
    return ""


def in_a_line(text):
    return ascii(text[:200])[1:-1]


if __name__ == "__main__":
    main()
