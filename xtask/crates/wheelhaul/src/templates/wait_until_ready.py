#!{{ interpreter }} -ISB
"""Wait until the server of {{ name }} answers.

usage: wait-until-ready ADDRESS PORT [tls]

For servers that do not tell systemd when they are ready, or too early. With tls it must take a handshake,
else a connection. Fails after a minute, or when the server's process (MAINPID) is gone.
"""
import os
import socket
import ssl
import sys
import time

SECONDS = 60
ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def is_gone(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass
    return False


def ask(address, port, tls):
    with socket.create_connection((address, port), timeout=5) as connection:
        if tls:
            context = ssl.create_default_context()
            # Asked is whether it speaks, not who it is.
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            context.wrap_socket(connection).close()


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    address, port, tls = ANY.get(sys.argv[1], sys.argv[1]), int(sys.argv[2]), sys.argv[3:] == ["tls"]
    process = int(os.environ.get("MAINPID") or 0)
    end = time.monotonic() + SECONDS
    while True:
        try:
            return ask(address, port, tls)
        except OSError as error:
            if process and is_gone(process):
                sys.exit("the server ended before it answered at %s, port %d" % (address, port))
            if time.monotonic() > end:
                sys.exit("no answer at %s, port %d, for %d seconds: %s" % (address, port, SECONDS, error))
        time.sleep(0.1)


if __name__ == "__main__":
    main()
