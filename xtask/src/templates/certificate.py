#!{{ interpreter }} -ISB
"""Make the self-signed certificate of {{ name }}, unless a good one is there.

usage: self-signed-certificate FOLDER

FOLDER gets tls.crt and tls.key, readable by the service alone. A self-signed certificate that ends
within 30 days is made anew, with the names that this host has; one that somebody else signed is an
administrator's own and is never touched.
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


def is_wanted(certificate, key):
    """Whether a certificate has to be made."""
    if not os.path.isfile(certificate):
        return True
    code, said = openssl("x509", "-in", certificate, "-noout", "-issuer_hash", "-subject_hash")
    if code != 0:
        sys.exit(certificate + " is no certificate that openssl reads:\n" + said)
    issuer, subject = said.split()
    if issuer != subject:
        if not os.path.isfile(key):
            sys.exit(certificate + " is there, but its key " + key + " is not")
        return False
    ends_soon = openssl("x509", "-in", certificate, "-noout", "-checkend", str(KEEP_SECONDS))[0] != 0
    return ends_soon or not os.path.isfile(key)


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
        # The old certificate goes first: interrupted here, the next start makes both again, and no
        # certificate ever stands beside another one's key.
        if os.path.exists(certificate):
            os.unlink(certificate)
        os.rename(new_key, key)
        os.rename(new_certificate, certificate)
    print("made a self-signed certificate for " + ", ".join(names))


def main():
    if len(sys.argv) != 2 or not os.path.isdir(sys.argv[1]):
        sys.exit(__doc__)
    folder = sys.argv[1]
    certificate, key = os.path.join(folder, "tls.crt"), os.path.join(folder, "tls.key")
    os.umask(0o077)
    if is_wanted(certificate, key):
        make(folder, certificate, key)


if __name__ == "__main__":
    main()
