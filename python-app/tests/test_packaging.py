import importlib.util
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from src import __version__

ROOT = Path(__file__).resolve().parent.parent


def test_versions_agree():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(r'^version = "(.+)"$', text, re.MULTILINE).group(1) == __version__


def test_pipfile_and_project_list_the_same_packages():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = re.search(r"^dependencies = \[(.*?)\]", project, re.MULTILINE | re.DOTALL).group(1)
    pipfile = (ROOT / "Pipfile").read_text(encoding="utf-8")
    wanted = re.search(r"^\[packages\]\n(.*?)\n\n", pipfile, re.MULTILINE | re.DOTALL).group(1)
    assert re.findall(r'"(.+?)"', listed) == re.sub(r' = "(.+?)"', r"\1", wanted).splitlines()


def test_lock_files_name_no_index():
    lock = json.loads((ROOT / "Pipfile.lock").read_text(encoding="utf-8"))
    assert lock["_meta"]["sources"] == []
    for section in ("default", "develop"):
        for name, pin in lock[section].items():
            assert "index" not in pin, name
            assert pin["hashes"], name
    for name in ("Pipfile", "Pipfile.lock"):
        assert "://" not in (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.network
@pytest.mark.skipif(importlib.util.find_spec("pip") is None, reason="pip builds the wheel")
def test_wheel_holds_the_app_and_nothing_else(tmp_path):
    # Built from a copy: setuptools leaves its folders beside the sources.
    skipped = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__")
    source = shutil.copytree(ROOT, tmp_path / "source", ignore=skipped)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", tmp_path, source]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout

    info = f"quality_report-{__version__}.dist-info"
    with zipfile.ZipFile(tmp_path / f"quality_report-{__version__}-py3-none-any.whl") as wheel:
        assert sorted(wheel.namelist()) == [
            f"{info}/METADATA",
            f"{info}/RECORD",
            f"{info}/WHEEL",
            f"{info}/licenses/LICENSE",
            f"{info}/top_level.txt",
            "src/__init__.py",
            "src/app.py",
            "src/report.py",
            "src/static/css/report.css",
            "src/static/images/logo.svg",
            "src/static/javascript/report.js",
            "src/templates/report.html",
        ]
        assert "License-Expression: MIT" in wheel.read(f"{info}/METADATA").decode()
