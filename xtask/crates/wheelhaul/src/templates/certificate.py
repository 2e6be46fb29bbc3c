#!{{ interpreter }} -ISB
"""Make the self-signed certificate of {{ name }}, unless a good one is there.

usage: self-signed-certificate [--is-due] FOLDER [ADDRESS]

FOLDER gets tls.crt and tls.key, readable by the service alone. One that this script made is made anew
within 30 days of its end, and when the names of this host or ADDRESS are not in it; the key stays. Any
other is an administrator's own and is never touched. With --is-due nothing is made: exit code 0 tells
that it is time to, 1 that it is not.
"""
import ipaddress
import os
import re
import socket
import subprocess
import sys
import tempfile

DAYS = 825
KEEP_SECONDS = 30 * 24 * 3600
# In the subject: by it one's own is known.
MARK = "self-signed by the service {{ name }}"

CONFIG = """\
[req]
distinguished_name = name
x509_extensions = v3
prompt = no
[name]
CN = {common}
OU = {mark}
[v3]
subjectAltName = {alternatives}
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
"""


def openssl(*words):
    done = subprocess.run(("openssl",) + words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def is_wanted(certificate, key, wanted):
    """Whether a certificate has to be made."""
    if not os.path.isfile(certificate):
        return True
    code, said = openssl("x509", "-in", certificate, "-noout", "-text")
    if code != 0:
        sys.exit(certificate + " is no certificate that openssl reads:\n" + said)
    if MARK not in said:
        if not os.path.isfile(key):
            sys.exit(certificate + " is there, but its key " + key + " is not")
        return False
    ends_soon = openssl("x509", "-in", certificate, "-noout", "-checkend", str(KEEP_SECONDS))[0] != 0
    return ends_soon or not os.path.isfile(key) or not set(wanted) <= names_in(said)


def names_in(text):
    """The names and addresses of a certificate, from what openssl tells of it."""
    found = set()
    before = ""
    for line in text.splitlines():
        if "Subject Alternative Name" in before:
            for word in line.split(","):
                kind, _, value = word.strip().partition(":")
                found.add(value if kind == "DNS" else ip(value))
        before = line
    return found


def ip(text):
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def host_names():
    """The names of this host, the full one first, without asking any name server."""
    own = socket.gethostname() or "localhost"
    names = [own, own.split(".")[0]]
    try:
        with open("/etc/hosts") as lines:
            for line in lines:
                words = line.split("#")[0].split()[1:]
                if own in words:
                    names += words
    except (OSError, UnicodeDecodeError):
        pass
    names = [name for name in names if re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*$", name)] + ["localhost"]
    return sorted(set(names), key=lambda name: (name == "localhost", -name.count("."), names.index(name)))


def make(folder, certificate, key, names):
    alternatives = [("DNS:" if isinstance(name, str) else "IP:") + str(name) for name in names]
    with tempfile.TemporaryDirectory(prefix=".tls-", dir=folder) as work:
        config = os.path.join(work, "openssl.cnf")
        with open(config, "w") as text:
            # X.509 allows 64 characters for a common name.
            text.write(CONFIG.format(common=names[0][:64], mark=MARK, alternatives=",".join(alternatives)))
        new_certificate = os.path.join(work, "crt")
        words = ["req", "-x509", "-config", config, "-days", str(DAYS), "-sha256", "-out", new_certificate]
        # A key that is there stays: then one rename does it, and a server that reads both while it
        # runs never finds a certificate beside another one's key.
        new_key = None if os.path.isfile(key) else os.path.join(work, "key")
        if new_key:
            words += ["-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-keyout", new_key]
        else:
            words += ["-key", key]
        code, said = openssl(*words)
        if code != 0:
            sys.exit("openssl made no certificate:\n" + said)
        if new_key:
            os.rename(new_key, key)
        os.rename(new_certificate, certificate)
    print("made a self-signed certificate for " + ", ".join(map(str, names)))


def main():
    words = sys.argv[1:]
    only_tell = words[:1] == ["--is-due"]
    folder, *addresses = words[only_tell:] or [""]
    if not os.path.isdir(folder) or len(addresses) > 1:
        sys.exit(__doc__)
    certificate, key = os.path.join(folder, "tls.crt"), os.path.join(folder, "tls.key")
    names = host_names() + [ipaddress.ip_address(text) for text in ["127.0.0.1", "::1"] + addresses]
    os.umask(0o077)
    wanted = is_wanted(certificate, key, names)
    if only_tell:
        sys.exit(0 if wanted else 1)
    if wanted:
        make(folder, certificate, key, names)


if __name__ == "__main__":
    main()
