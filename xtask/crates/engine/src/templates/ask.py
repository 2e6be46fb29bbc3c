"""Ask a service for / and write the answer as JSON: its code, or why there is none; the names of its certificate.

usage: ask.py ADDRESS PORT SECONDS [tls]
"""
import json
import socket
import ssl
import sys
import time
import urllib.error
import urllib.request

ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}
PARTIAL_CHAIN = 0x80000


class Stay(urllib.request.HTTPRedirectHandler):
    """An answer that leads elsewhere is an answer."""

    def redirect_request(self, *_):
        return None


def trusting():
    context = ssl.create_default_context()
    # Asked is whether it answers, not who it is.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def ask(host, port, tls):
    url = "%s://%s:%d/" % ("https" if tls else "http", "[%s]" % host if ":" in host else host, port)
    handlers = [urllib.request.ProxyHandler({}), Stay]
    if tls:
        handlers.append(urllib.request.HTTPSHandler(context=trusting()))
    opener = urllib.request.build_opener(*handlers)
    try:
        with opener.open(url, timeout=10) as answer:
            return answer.getcode(), answer.headers.get("Content-Type") or ""
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("Content-Type") or ""


def names(host, port):
    with socket.create_connection((host, port), timeout=10) as connection:
        with trusting().wrap_socket(connection) as channel:
            pem = ssl.DER_cert_to_PEM_cert(channel.getpeercert(True))
    # only a certificate that was verified is taken apart: so it is trusted by itself
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= PARTIAL_CHAIN
    context.load_verify_locations(cadata=pem)
    with socket.create_connection((host, port), timeout=10) as connection:
        with context.wrap_socket(connection) as channel:
            return [value for _, value in channel.getpeercert().get("subjectAltName", ())]


def main():
    host, port, end = ANY.get(sys.argv[1], sys.argv[1]), int(sys.argv[2]), time.time() + float(sys.argv[3])
    tls = sys.argv[4:] == ["tls"]
    while True:
        try:
            code, kind = ask(host, port, tls)
            break
        except Exception as error:
            if time.time() > end:
                print(json.dumps({"error": "%s: %s" % (type(error).__name__, error)}))
                return
        time.sleep(0.2)
    said = {"code": code, "kind": kind, "names": []}
    if tls:
        try:
            said["names"] = names(host, port)
        except Exception as error:
            said["unnamed"] = "%s: %s" % (type(error).__name__, error)
    print(json.dumps(said))


main()
