"""Tell what `packaging` says of the interpreter that runs this, as JSON; any Python from 3.6 on.

usage: packaging_here.py        with `packaging` on PYTHONPATH
"""
import json

from packaging.markers import default_environment
from packaging.tags import sys_tags

print(json.dumps({"tags": [str(tag) for tag in sys_tags()], "markers": default_environment()}))
