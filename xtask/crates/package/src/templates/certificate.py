#!{{ interpreter }} -ISB
"""Make the self-signed certificate of {{ name }}, unless a good one is there.

usage: self-signed-certificate [--is-due] FOLDER [ADDRESS]

FOLDER gets tls.crt and tls.key, readable by the service alone. One that this script made is made anew
within 30 days of its end, when it is not valid yet (it was made while the clock was ahead), when the names of
this host or ADDRESS are not in it, and when its key is missing, empty or another one. A key that can be used
stays. Any other certificate, and any link, is an administrator's own and is never touched. With --is-due
nothing is made: exit code 0 tells that it is time to, 1 that it is not.
"""
import ipaddress
import os
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import time

DAYS = 825
KEEP_SECONDS = 30 * 24 * 3600
# The unit of the organisation in subject and issuer; a certificate that has it in both was made here.
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
    command = ("/usr/bin/openssl",) + words
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def is_wanted(certificate, key, wanted):
    """Whether a certificate has to be made; ends the program where what is there is somebody else's and no good."""
    if not os.path.lexists(certificate) or is_empty(certificate):
        return True
    code, said = openssl("x509", "-in", certificate, "-noout", "-text")
    if code != 0:
        sys.exit(certificate + " is no certificate that openssl reads; put a good one there, or delete it and this "
                 "service makes one:\n" + said)
    if os.path.islink(certificate) or not is_own(certificate):
        if not os.path.isfile(key):
            sys.exit(certificate + " is there, but its key " + key + " is not")
        return False
    if openssl("x509", "-in", certificate, "-noout", "-checkend", str(KEEP_SECONDS))[0] != 0:
        return True
    start = re.search(r"Not Before *: *(.*)", said).group(1).strip()
    if ssl.cert_time_to_seconds(start) > time.time():
        return True
    return not set(wanted) <= names_in(said) or public_key_of(key) != public_key_in(certificate)


def is_empty(path):
    """Whether nothing was written to a file of this script's, or it was lost when the machine lost its power."""
    if os.path.islink(path):
        return False
    try:
        with open(path, "rb") as content:
            return not content.read(65536).strip(b"\0 \t\r\n")
    except OSError as error:
        sys.exit("%s cannot be read: %s" % (path, error.strerror))


def is_own(certificate):
    """Whether the mark is in subject and issuer, as a whole: no authority signs that."""
    _, said = openssl("x509", "-in", certificate, "-noout", "-subject", "-issuer", "-nameopt", "multiline")
    subject, _, issuer = said.partition("\nissuer=")
    marks = [re.findall(r"^ +organizationalUnitName += (.*)$", name, re.MULTILINE) for name in (subject, issuer)]
    return marks == [[MARK], [MARK]]


def public_key_of(key):
    """The public half of a private key; none where there is no key, or one with a password."""
    return pem(openssl("pkey", "-in", key, "-pubout", "-passin", "pass:"))


def public_key_in(certificate):
    return pem(openssl("x509", "-in", certificate, "-noout", "-pubkey"))


def pem(answer):
    code, said = answer
    found = re.search(r"-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----", said) if code == 0 else None
    return found and found.group()


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
        new_certificate, new_key = os.path.join(work, "crt"), os.path.join(work, "key")
        words = ["req", "-x509", "-config", config, "-days", str(DAYS), "-sha256", "-out", new_certificate]
        # A key that is there stays: then one rename does it, and a server that reads both while it
        # runs never finds a certificate beside another one's key.
        has_key = public_key_of(key) is not None
        if has_key:
            words += ["-key", key]
        else:
            words += ["-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-keyout", new_key]
        code, said = openssl(*words)
        if code != 0:
            sys.exit("openssl made no certificate:\n" + said)
        if not has_key:
            keep_unusable(key)
            flush(new_key)
            os.rename(new_key, key)
        flush(new_certificate)
        flush(folder)
        os.rename(new_certificate, certificate)
        flush(folder)
    print("made a self-signed certificate for " + ", ".join(map(str, names)))


def keep_unusable(key):
    """Move a key that is there and cannot be used out of the way, where it may be somebody's: one with a password."""
    if os.path.islink(key):
        sys.exit(key + " is a link to no key that openssl reads without a password; remove it, and this service makes one")
    if os.path.lexists(key) and not is_empty(key):
        os.rename(key, key + ".unusable")
        print(key + " is no key that openssl reads without a password; it is now " + key + ".unusable")


def flush(path):
    """Wait until a file, or the names in a folder, are on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


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
