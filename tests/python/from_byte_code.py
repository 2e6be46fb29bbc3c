"""Import every module of the unpacked sample, whose sources are none any more, and ask the application.

usage: from_byte_code.py ROOT          to be started with -ISB; ROOT is the unpacked /opt/quality_report
"""
import importlib
import marshal
import os
import sys


def main():
    root = sys.argv[1]
    for folder in (root, os.path.join(root, "lib")):
        sys.path.append(folder)
    imported, skipped = 0, []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name.isidentifier() or name == "lib")
        for file in sorted(files):
            path = os.path.join(folder, file)
            if file.endswith(".pyc"):
                holds(root, path)
            relative = os.path.relpath(path, root).split(os.sep)
            relative = relative[1:] if relative[0] == "lib" else relative
            name = ".".join(relative)[: -len(".py")]
            if not file.endswith(".py") or relative[0] in ("bin", "share") or "__main__" in name:
                continue
            try:
                importlib.import_module(name[: -len(".__init__")] if name.endswith(".__init__") else name)
                imported += 1
            except SyntaxError:
                raise  # A source was read.
            except (Exception, SystemExit) as error:
                # Parts for another system, or for dependencies that are not there.
                skipped.append("%s: %s" % (name, str(error)[:80]))
    for cached, folder in ((module.__cached__, module.__file__) for module in list(sys.modules.values()) if hasattr(module, "__cached__")):
        assert not folder.startswith(root) or os.path.exists(cached), folder
    assert imported > 300 and len(skipped) < imported // 8, (imported, skipped)
    os.environ["QUALITY_REPORT_CONFIG"] = os.path.join(root, "config.yaml")
    from src import app

    answer = app.app.test_client().get("/healthz")
    assert answer.status_code == 200, answer.data
    print("%d modules imported, %d not, as %s" % (imported, len(skipped), skipped[:3]))


def holds(root, path):
    """The path of the source on the box stands in the byte-code, and no other one."""
    with open(path, "rb") as file:
        content = file.read()
    code = marshal.loads(content[16:])
    source = os.path.join(os.path.dirname(os.path.dirname(path)), os.path.basename(path).split(".cpython-")[0] + ".py")
    assert code.co_filename == "/opt/quality_report/" + os.path.relpath(source, root), code.co_filename
    assert content[4:8] == b"\x01\0\0\0", content[:16]


if __name__ == "__main__":
    main()
