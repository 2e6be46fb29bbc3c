"""Import the modules that are named, each with its C part where it has one, and tell where each is from.

usage: import_all.py MODULE ...        any Python from 3.6 on

Prints a line a module: its name and its file. Then an application answers a request, with what these do:
YAML and XML are read, a secret is made and read, a template is rendered.
"""
import importlib
import sys


def main():
    for name in sys.argv[1:]:
        print(name, importlib.import_module(name).__file__)
    work()


def work():
    import flask
    import yaml
    from cryptography.fernet import Fernet
    from lxml import etree

    key = Fernet(Fernet.generate_key())
    assert key.decrypt(key.encrypt(b"secret")) == b"secret"
    assert yaml.safe_load("{one: [1, 2]}") == {"one": [1, 2]}
    assert etree.fromstring("<a><b>text</b></a>").findtext("b") == "text"
    app = flask.Flask("old")
    app.add_url_rule("/", view_func=lambda: flask.render_template_string("{{ what|upper }}", what="<works>"))
    answer = app.test_client().get("/")
    assert (answer.status_code, answer.data) == (200, b"&lt;WORKS&gt;"), answer.data


if __name__ == "__main__":
    main()
