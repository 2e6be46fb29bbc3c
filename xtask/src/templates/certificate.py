#!{{ interpreter }} -ISB
"""Make the self-signed certificate of {{ name }}, unless a good one is there.

usage: certificate.py FOLDER

FOLDER gets tls.crt and tls.key, readable by the service alone. A pair that is still valid for 30
days is kept; another one is made anew, with the names that this host has.
"""
import os
import socket
import subprocess
import sys
import tempfile

DAYS = 825
KEEP_SECONDS = 30 * 24 * 3600

CONFIG = """\
[req]
distinguished_name = name
x509_extensions = v3
prompt = no
[name]
CN = {common}
[v3]
subjectAltName = {alternatives}
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
"""


def openssl(*words):
    done = subprocess.run(("openssl",) + words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def is_good(certificate, key):
    if not (os.path.isfile(certificate) and os.path.isfile(key)):
        return False
    return openssl("x509", "-in", certificate, "-noout", "-checkend", str(KEEP_SECONDS))[0] == 0


def host_names():
    """The names of this host, the full one first, without asking any name server."""
    full = socket.gethostname() or "localhost"
    names = [full, full.split(".")[0], "localhost"]
    return sorted(set(names), key=names.index)


def make(folder, certificate, key):
    names = host_names()
    alternatives = ["DNS:" + name for name in names] + ["IP:127.0.0.1", "IP:::1"]
    with tempfile.TemporaryDirectory(prefix=".tls-", dir=folder) as work:
        config = os.path.join(work, "openssl.cnf")
        with open(config, "w") as text:
            # X.509 allows 64 characters for a common name.
            text.write(CONFIG.format(common=names[0][:64], alternatives=",".join(alternatives)))
        new_key, new_certificate = os.path.join(work, "key"), os.path.join(work, "crt")
        code, said = openssl(
            "req", "-x509", "-config", config, "-days", str(DAYS), "-sha256", "-nodes",
            "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-keyout", new_key, "-out", new_certificate,
        )
        if code != 0:
            sys.exit("openssl made no certificate:\n" + said)
        os.rename(new_key, key)
        os.rename(new_certificate, certificate)
    print("made a self-signed certificate for " + ", ".join(names))


def main():
    folder = sys.argv[1]
    certificate, key = os.path.join(folder, "tls.crt"), os.path.join(folder, "tls.key")
    os.umask(0o077)
    if not is_good(certificate, key):
        make(folder, certificate, key)


if __name__ == "__main__":
    main()
