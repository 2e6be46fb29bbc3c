#!{{ interpreter }} -ISB
"""Wait until the server of {{ name }} answers.

usage: wait-until-ready ADDRESS PORT [tls]

An answer is one of HTTP, with any status: an open port proves nothing where systemd holds the socket. With tls it has to
come over TLS; without, it is asked for both ways, since a server may take a certificate from its own configuration. A
server that wants a certificate of its clients answers by refusing this one.
Fails after a minute, or when the server's process (MAINPID) is gone. `systemctl stop` before the first answer ends this
program with SIGTERM; the server has not failed then, and neither does this.
"""
import os
import signal

# Before the slow imports: systemd calls a service "failed" if a stop kills one of its commands.
signal.signal(signal.SIGTERM, lambda number, frame: os._exit(0))

import socket
import ssl
import sys
import time

SECONDS = 60
ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}


# What TLS 1.3 and TLS 1.2 say to a client without a certificate; the beginnings differ between releases of OpenSSL.
WANTS_CERTIFICATE = ("ALERT_CERTIFICATE_REQUIRED", "ALERT_HANDSHAKE_FAILURE")


class Ended(Exception):
    """The server's process is gone, or the time is over."""


class Watch(object):
    """When to give up."""

    def __init__(self):
        self.process = int(os.environ.get("MAINPID") or 0)
        self.end = time.monotonic() + SECONDS

    def look(self):
        if self.process:
            try:
                os.kill(self.process, 0)
            except ProcessLookupError:
                raise Ended("the server ended before it answered")
            except OSError:
                pass
        if time.monotonic() > self.end:
            raise Ended("no answer for %d seconds" % SECONDS)


def start_of_answer(connection, watch):
    """The first bytes of what the server sends; as late as it likes, as long as it is there."""
    received = b""
    connection.settimeout(1)
    while len(received) < 5:
        try:
            more = connection.recv(5 - len(received))
        except socket.timeout:
            watch.look()
            continue
        if not more:
            break
        received += more
    return received


def over_tls(plain):
    context = ssl.create_default_context()
    # Asked is whether it speaks, not who it is.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = context.wrap_socket(plain)
    # A refusal comes after the handshake, and would be lost with a request on its way.
    connection.settimeout(0.1)
    try:
        connection.recv(1)
    except socket.timeout:
        pass
    connection.settimeout(5)
    return connection


def answers(address, port, tls, watch):
    # Not by the name of the host, which is the application's to know.
    request = "GET / HTTP/1.1\r\nHost: localhost:%d\r\nUser-Agent: wait-until-ready\r\nConnection: close\r\n\r\n" % port
    with socket.create_connection((address, port), timeout=5) as plain:
        try:
            connection = over_tls(plain) if tls else plain
            with connection:
                connection.sendall(request.encode("ascii"))
                return start_of_answer(connection, watch) == b"HTTP/"
        except ssl.SSLError as error:
            # Python 3.6 has no word for what TLS 1.3 says.
            is_alert = type(error) is ssl.SSLError and (error.reason or WANTS_CERTIFICATE[0]).endswith(WANTS_CERTIFICATE)
            if is_alert:
                return True
            raise


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    address, port = ANY.get(sys.argv[1], sys.argv[1]), int(sys.argv[2])
    ways = [True] if sys.argv[3:] == ["tls"] else [False, True]
    watch, said = Watch(), "nothing was asked"
    try:
        while True:
            for tls in ways:
                try:
                    if answers(address, port, tls, watch):
                        return
                    fault = "it does not answer in HTTP"
                except OSError as error:
                    fault = str(error)
                if tls == ways[0]:
                    said = fault
            watch.look()
            time.sleep(0.1)
    except Ended as ended:
        sys.exit("%s at %s, port %d: %s" % (ended, address, port, said))


if __name__ == "__main__":
    main()
