"""The projects that lockers.py locks: one web application, written for each tool, and a workspace for uv."""

STANDARD = """
[project]
name = "shop"
version = "1.0"
requires-python = ">=3.8"
dependencies = [
  "flask>=2",
  "uvicorn[standard]>=0.20",
  "numpy<2; python_version < '3.10'",
  "numpy>=2; python_version >= '3.10'",
  "colorama; sys_platform == 'win32'",
  "tomli; python_version < '3.11' and platform_machine != 'ppc64le'",
]
[project.optional-dependencies]
cache = ["redis>=4"]
all = ["shop[cache]"]
[dependency-groups]
dev = ["iniconfig"]
docs = ["markdown"]
"""

# A group that asks for an extra of the project itself.
UV = STANDARD.replace('"iniconfig"', '"iniconfig", "shop[cache]"')

POETRY_2 = STANDARD.replace('all = ["shop[cache]"]\n', "") + """
[tool.poetry]
package-mode = false
"""

POETRY_1 = """
[tool.poetry]
name = "shop"
version = "1.0"
description = ""
authors = []
[tool.poetry.dependencies]
python = ">=3.8,<4"
flask = ">=2"
uvicorn = {version = ">=0.20", extras = ["standard"]}
numpy = [{version = "<2", python = "<3.10"}, {version = "^2", python = ">=3.10"}]
colorama = {version = "*", platform = "win32"}
tomli = {version = "*", markers = "python_version < '3.11' and platform_machine != 'ppc64le'"}
redis = {version = ">=4", optional = true}
[tool.poetry.extras]
cache = ["redis"]
[tool.poetry.dev-dependencies]
iniconfig = "*"
[tool.poetry.group.docs.dependencies]
markdown = "*"
"""

# Poetry's client of the usual index wants more of it than mirrors have; one of its own sources does not.
POETRY_SOURCE = """
[[tool.poetry.source]]
name = "mirror"
url = "%s"
priority = "primary"
"""

PIPFILE = """
[[source]]
name = "mirror"
url = "%s"
verify_ssl = true

[packages]
Flask = ">=2"
uvicorn = {version = ">=0.20", extras = ["standard"]}
numpy = "*"
colorama = {version = "*", markers = "sys_platform == 'win32'"}

[dev-packages]
iniconfig = "*"

[cache]
redis = ">=4"
"""

REQUIREMENTS = "flask>=2\nuvicorn[standard]>=0.20\nnumpy\ncolorama; sys_platform == 'win32'\n"

# Two extras that exclude each other, and a member of a workspace.
WORKSPACE = """
[tool.uv.workspace]
members = ["apps/*"]
"""
MEMBER = """
[project]
name = "my-shop"
version = "1.0"
requires-python = ">=3.8"
dependencies = ["click"]
[project.optional-dependencies]
old = ["idna==3.4"]
new = ["idna==3.7"]
[dependency-groups]
docs = ["markdown"]
[tool.uv]
conflicts = [[{extra = "old"}, {extra = "new"}]]
"""
OTHER_MEMBER = '[project]\nname = "other"\nversion = "1.0"\nrequires-python = ">=3.8"\ndependencies = ["six"]\n'
