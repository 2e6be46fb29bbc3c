"""Answer with pip-audit's own classes: what it makes of records that a server answers with, as its JSON report.

The question on standard input is {"dists": [["name", "1.0"], ...], "records": [...]}, records of the OSV schema.
No server is asked: the session of `OsvService` is replaced by one that looks the records up, by the list
of `versions` that each of them has to have.
"""
import json
import sys
import unittest.mock

from packaging.version import Version
from pip_audit._format.json import JsonFormat
from pip_audit._service.interface import ResolvedDependency
from pip_audit._service.osv import OsvService


class Answer:
    def __init__(self, answer):
        self.answer = answer

    def raise_for_status(self):
        pass

    def json(self):
        return self.answer


class Session:
    def __init__(self, records):
        self.records = records

    def post(self, url, data, timeout):
        asked = json.loads(data)
        package, version = asked["package"], Version(asked["version"])
        found = [record for record in self.records if is_about(record, package, version)]
        return Answer({"vulns": found} if found else {})


def is_about(record, package, version):
    return any(
        affected["package"]["ecosystem"] == package["ecosystem"]
        and affected["package"]["name"] == package["name"]
        and version in map(Version, affected["versions"])
        for affected in record["affected"]
    )


def main():
    question = json.load(sys.stdin)
    with unittest.mock.patch("pip_audit._service.osv.caching_session", lambda *_, **__: Session(question["records"])):
        service = OsvService()
    result = dict(service.query(ResolvedDependency(name, Version(text))) for name, text in question["dists"])
    sys.stdout.write(JsonFormat(output_desc=True, output_aliases=True).format(result, []))


if __name__ == "__main__":
    main()
