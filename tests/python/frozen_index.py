"""An index on loopback that shows what the real one had on a day, to any locker, also to those without such a setting.

Its pages are those of the real index (PEP 503 and PEP 691) without the files that were uploaded later; files are
downloaded from where the real index has them. With `poisoned=True` each package has one more release, 9999, uploaded a
moment ago, which leaves a mark where it is installed: what is behind such an index must look as if it were not.
"""
import base64
import datetime
import hashlib
import html
import http.server
import io
import json
import sys
import threading
import urllib.error
import zipfile

import registry

POISON = "9999"


class FrozenIndex:
    """Serves until the program ends, or until the `with` block does."""

    def __init__(self, of, until=registry.CUT_OFF, poisoned=False):
        self.of, self.until, self.poisoned = of, until, poisoned
        self.pages, self.poison_taken = {}, []
        index = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                index.answer(self)

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d/simple" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, asked):
        parts = asked.path.split("?")[0].strip("/").split("/")
        if parts[0] == "poison":
            name = parts[1].split("-")[0].replace("_", "-")
            self.poison_taken.append(name)
            return send(asked, 200, "application/octet-stream", wheel(name))
        if len(parts) != 2 or parts[0] != "simple":
            return send(asked, 404, "text/plain", b"no such page")
        try:
            rows = self.rows(parts[1])
        except urllib.error.HTTPError as error:
            return send(asked, error.code, "text/plain", b"so says the real index")
        except LookupError as error:
            print("error: %s" % error, file=sys.stderr)
            return send(asked, 502, "text/plain", str(error).encode())
        if registry.JSON in asked.headers.get("Accept", ""):
            versions = sorted({registry.version_in(row["filename"]) or "0" for row in rows})
            page = {"meta": {"api-version": "1.1"}, "name": parts[1], "files": rows, "versions": versions}
            return send(asked, 200, registry.JSON, json.dumps(page).encode())
        return send(asked, 200, "text/html", page_of(rows).encode())

    def rows(self, name):
        if name not in self.pages:
            rows = registry.files(name, self.of)
            if self.until is not None:
                if rows and not any("upload-time" in row for row in rows):
                    raise LookupError("the index does not tell when `%s` was uploaded: none of its files can be used" % name)
                rows = [row for row in rows if registry.is_old_enough(row)]
            self.pages[name] = rows + ([self.poison(name)] if self.poisoned else [])
        return self.pages[name]

    def poison(self, name):
        filename = "%s-%s-py3-none-any.whl" % (name.replace("-", "_"), POISON)
        return {
            "filename": filename,
            "url": self.url.replace("/simple", "/poison/") + filename,
            "hashes": {"sha256": hashlib.sha256(wheel(name)).hexdigest()},
            "size": len(wheel(name)),
            "upload-time": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }


def send(asked, code, kind, body):
    asked.send_response(code)
    asked.send_header("Content-Type", kind)
    asked.send_header("Content-Length", str(len(body)))
    asked.end_headers()
    asked.wfile.write(body)


def page_of(rows):
    lines = []
    for row in rows:
        words = {"data-requires-python": row.get("requires-python")}
        metadata = row.get("core-metadata")
        if metadata:
            words["data-core-metadata"] = "sha256=" + metadata["sha256"] if isinstance(metadata, dict) else "true"
        if row.get("yanked"):
            words["data-yanked"] = str(row["yanked"])
        attributes = "".join(' %s="%s"' % (name, html.escape(value)) for name, value in words.items() if value)
        url = "%s#sha256=%s" % (row["url"], row["hashes"]["sha256"])
        lines.append('<a href="%s"%s>%s</a><br>' % (html.escape(url), attributes, html.escape(row["filename"])))
    return "<!DOCTYPE html><html><body>%s</body></html>" % "\n".join(lines)


def wheel(name):
    """A wheel that says `poisoned` wherever Python starts with it."""
    module, version = name.replace("-", "_"), POISON
    info = "%s-%s.dist-info/" % (module, version)
    members = {
        "poisoned.pth": "import poisoned\n",
        "poisoned.py": "import sys\nsys.exit('a release that is newer than the lock was installed')\n",
        info + "METADATA": "Metadata-Version: 2.1\nName: %s\nVersion: %s\n" % (name, version),
        info + "WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [info + "RECORD,,"]
    for path, text in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record.append("%s,sha256=%s,%d" % (path, digest, len(text)))
    members[info + "RECORD"] = "\n".join(record) + "\n"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as out:
        for path, text in members.items():
            out.writestr(zipfile.ZipInfo(path), text)
    return archive.getvalue()
