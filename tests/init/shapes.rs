//! Made-up repositories of the shapes that are out there, and what `init` has to find in each.

/// A repository, and what is found in it.
pub struct Shape {
    pub name: &'static str,
    /// paths and texts
    pub files: &'static [(&'static str, &'static str)],
    /// the folder that is asked about
    pub below: &'static str,
    /// `app.path`, `app.lock`
    pub places: [&'static str; 2],
    /// `app.modules`; empty where a build backend builds the wheel
    pub modules: &'static [&'static str],
    /// `service.command`
    pub command: &'static str,
    /// the Python for el9
    pub python: &'static str,
    /// parts of what will go wrong; each has to be told, and nothing else
    pub notes: &'static [&'static str],
}

const PINS: &str = "flask==3.0.0\ngunicorn==22.0.0\nwerkzeug==3.0.0\n";
const ASGI_PINS: &str = "fastapi==0.110.0\nstarlette==0.36.0\nuvicorn==0.29.0\n";
const FLASK: &str = "from flask import Flask\napp = Flask(__name__)\n";
const FACTORY: &str = "from flask import Flask\n\n\ndef create_app(config=None):\n    return Flask(__name__)\n";
const FASTAPI: &str = "from fastapi import FastAPI\napp = FastAPI()\n";
const BUILD: &str = "[build-system]\nrequires = [\"setuptools==80.9.0\"]\nbuild-backend = \"setuptools.build_meta\"\n[project]\nname = \"Shop\"\nversion = \"1.0\"\n";
const UV_LOCK: &str = "version = 1\nrequires-python = \">=3.11,<3.13\"\n[[package]]\nname = \"fastapi\"\nversion = \"0.110.0\"\n\
    source = { registry = \"https://index.example/simple\" }\nwheels = [{ url = \"https://index.example/fastapi-0.110.0-py3-none-any.whl\", hash = \"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" }]\n\
    [[package]]\nname = \"uvicorn\"\nversion = \"0.29.0\"\nsource = { registry = \"https://index.example/simple\" }\n\
    wheels = [{ url = \"https://index.example/uvicorn-0.29.0-py3-none-any.whl\", hash = \"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" }]\n\
    [[package]]\nname = \"shop\"\nversion = \"1.0\"\nsource = { virtual = \".\" }\ndependencies = [{ name = \"fastapi\" }, { name = \"uvicorn\" }]\n\
    [package.metadata]\nrequires-dist = [{ name = \"fastapi\" }, { name = \"uvicorn\" }]\n";
const UV_WORKSPACE: &str = "version = 1\nrequires-python = \">=3.11,<3.13\"\n[manifest]\nmembers = [\"all\", \"shop-web\"]\n\
    [[package]]\nname = \"uvicorn\"\nversion = \"0.29.0\"\nsource = { registry = \"https://index.example/simple\" }\n\
    wheels = [{ url = \"https://index.example/uvicorn-0.29.0-py3-none-any.whl\", hash = \"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" }]\n\
    [[package]]\nname = \"all\"\nversion = \"1\"\nsource = { virtual = \".\" }\n\
    [[package]]\nname = \"shop-web\"\nversion = \"1\"\nsource = { editable = \"packages/shop\" }\ndependencies = [{ name = \"uvicorn\" }]\n";
const UV_PROJECT: &str = "[project]\nname = \"shop\"\nversion = \"1.0\"\nrequires-python = \">=3.11,<3.13\"\ndependencies = [\"fastapi\", \"uvicorn\"]\n";
const PIPFILE_LOCK: &str = r#"{"_meta": {"pipfile-spec": 6, "requires": {"python_version": "3.11"}}, "default": {"flask": {"version": "==3.0.0"}, "waitress": {"version": "==3.0.0"}}, "develop": {"pytest": {"version": "==8.0.0"}}}"#;
const POETRY_PROJECT: &str = "[tool.poetry]\nname = \"shop\"\nversion = \"1.2.0\"\n[tool.poetry.dependencies]\npython = \"^3.11\"\nlitestar = \"*\"\nuvicorn = \"*\"\n\
    [build-system]\nrequires = [\"poetry-core\"]\nbuild-backend = \"poetry.core.masonry.api\"\n";
const POETRY_LOCK: &str = "[[package]]\nname = \"litestar\"\nversion = \"2.0.0\"\ndescription = \"\"\noptional = false\npython-versions = \">=3.8,<4.0\"\ngroups = [\"main\"]\nfiles = []\n\
    [[package]]\nname = \"uvicorn\"\nversion = \"0.29.0\"\ndescription = \"\"\noptional = false\npython-versions = \">=3.8\"\ngroups = [\"main\"]\nfiles = []\n\
    [metadata]\nlock-version = \"2.1\"\npython-versions = \"^3.11\"\ncontent-hash = \"0000000000000000000000000000000000000000000000000000000000000000\"\n";
const PDM_PROJECT: &str = "[project]\nname = \"shop\"\nversion = \"1.0\"\nrequires-python = \">=3.9\"\ndependencies = [\"starlette\", \"hypercorn\"]\n\
    [build-system]\nrequires = [\"pdm-backend\"]\nbuild-backend = \"pdm.backend\"\n[tool.pdm]\ndistribution = true\n";
const PDM_LOCK: &str = "[metadata]\ngroups = [\"default\"]\nstrategy = [\"inherit_metadata\"]\nlock_version = \"4.5.0\"\ncontent_hash = \"sha256:0000000000000000000000000000000000000000000000000000000000000000\"\n\
    [[metadata.targets]]\nrequires_python = \">=3.9\"\n\
    [[package]]\nname = \"starlette\"\nversion = \"0.36.0\"\nrequires_python = \">=3.8\"\nsummary = \"\"\ngroups = [\"default\"]\nfiles = []\n\
    [[package]]\nname = \"hypercorn\"\nversion = \"0.16.0\"\nrequires_python = \">=3.8\"\nsummary = \"\"\ngroups = [\"default\"]\nfiles = []\n";

const fn shape(name: &'static str, files: &'static [(&'static str, &'static str)]) -> Shape {
    Shape {
        name,
        files,
        below: "",
        places: [".", "requirements.txt"],
        modules: &[],
        command: "gunicorn app:app",
        python: "3.14",
        notes: &[],
    }
}

#[rustfmt::skip]
pub const SHAPES: &[Shape] = &[
    Shape { modules: &["app.py", "templates/"],
        ..shape("flask, flat", &[("app.py", FLASK), ("templates/index.html", ""), ("requirements.txt", PINS), ("README.md", ""), ("test_app.py", FLASK)]) },
    Shape { modules: &["shop/"], command: "gunicorn shop:create_app()",
        ..shape("flask, factory in a package", &[("shop/__init__.py", FACTORY), ("shop/static/a.css", ""), ("requirements.txt", PINS), ("tests/conftest.py", FACTORY)]) },
    Shape { modules: &["shop/", "wsgi.py"], command: "gunicorn wsgi:app",
        ..shape("flask, factory and wsgi.py", &[("shop/__init__.py", FACTORY), ("wsgi.py", "from shop import create_app\napp = create_app()\n"), ("requirements.txt", PINS)]) },
    Shape { command: "gunicorn shop.web:app",
        ..shape("flask, packaged", &[("pyproject.toml", BUILD), ("shop/__init__.py", ""), ("shop/web.py", FLASK), ("requirements.txt", PINS)]) },
    Shape { command: "gunicorn shop.web:app",
        ..shape("src layout", &[("pyproject.toml", BUILD), ("src/shop/__init__.py", ""), ("src/shop/web.py", FLASK), ("requirements.txt", PINS), ("deploy/x.yml", "")]) },
    Shape { modules: &["app.py", "static/", "templates/"],
        ..shape("pyproject.toml that setuptools cannot build", &[("pyproject.toml", BUILD), ("app.py", FLASK), ("static/a.css", ""), ("templates/a.html", ""), ("requirements.txt", PINS)]) },
    Shape { modules: &["alembic.ini", "app.py", "migrations/"], notes: &["the application reads variables", "-run /opt/shop/bin/python -m alembic upgrade head"],
        ..shape("variables and migrations", &[("app.py", FLASK), ("alembic.ini", ""), ("migrations/env.py", ""), (".env.example", "SECRET_KEY=x\nexport DEBUG=1\n# no\n"), ("requirements.txt", PINS)]) },
    Shape { modules: &["app.py"], command: "gunicorn --workers 4 app:app", notes: &["other processes"],
        ..shape("Procfile", &[("app.py", FLASK), ("Procfile", "web: gunicorn --bind 0.0.0.0:$PORT --workers 4 app:app\nworker: celery -A app worker\n"), ("requirements.txt", PINS)]) },
    Shape { modules: &["manage.py", "shop/", "site1/"], command: "gunicorn site1.wsgi:application", notes: &["-run /opt/shop/bin/python /opt/shop/manage.py migrate"],
        ..shape("django", &[("manage.py", "import os\n"), ("site1/__init__.py", ""), ("site1/settings.py", "WSGI_APPLICATION = 'site1.wsgi.application'\n"),
            ("site1/wsgi.py", "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n"),
            ("site1/asgi.py", "from django.core.asgi import get_asgi_application\napplication = get_asgi_application()\n"),
            ("shop/__init__.py", ""), ("shop/migrations/0001_initial.py", ""), ("shop/templates/a.html", ""), ("requirements.txt", "django==5.0\ngunicorn==22.0\n")]) },
    Shape { modules: &["main.py", "routers/"], command: "uvicorn main:app",
        ..shape("fastapi, flat", &[("main.py", FASTAPI), ("routers/__init__.py", ""), ("requirements.txt", ASGI_PINS)]) },
    Shape { modules: &["app/"], command: "uvicorn app.main:app", python: "3.12", places: [".", "uv.lock"],
        ..shape("fastapi, uv without a build system", &[("pyproject.toml", UV_PROJECT), ("uv.lock", UV_LOCK), ("app/__init__.py", ""), ("app/main.py", FASTAPI)]) },
    Shape { modules: &["main.py"], command: "uvicorn main:app", python: "3.11", places: [".", "uv.lock"],
        ..shape("uv, package = false, .python-version", &[("pyproject.toml", "[project]\nname = \"shop\"\nversion = \"1.0\"\nrequires-python = \">=3.11,<3.13\"\ndependencies = [\"fastapi\", \"uvicorn\"]\n[tool.uv]\npackage = false\n"),
            ("uv.lock", UV_LOCK), (".python-version", "3.11\n"), ("main.py", FASTAPI)]) },
    Shape { command: "uvicorn shop.app:app", places: [".", "poetry.lock"],
        ..shape("litestar, poetry", &[("pyproject.toml", POETRY_PROJECT), ("poetry.lock", POETRY_LOCK), ("shop/__init__.py", ""), ("shop/app.py", "from litestar import Litestar\napp = Litestar([])\n"), ("requirements.txt", PINS)]) },
    Shape { command: "hypercorn shop.app:app", places: [".", "pdm.lock"],
        ..shape("starlette, pdm", &[("pyproject.toml", PDM_PROJECT), ("pdm.lock", PDM_LOCK), ("src/shop/__init__.py", ""), ("src/shop/app.py", "from starlette.applications import Starlette\napp = Starlette()\n")]) },
    Shape { modules: &["app.py"], command: "waitress-serve app:app", python: "3.11", places: [".", "Pipfile.lock"],
        ..shape("pipenv", &[("Pipfile", "[packages]\nflask = \"*\"\nwaitress = \"*\"\n[dev-packages]\npytest = \"*\"\n"), ("Pipfile.lock", PIPFILE_LOCK), ("app.py", FLASK)]) },
    Shape { modules: &["app.py"], python: "3.12",
        ..shape("pip-tools", &[("app.py", FLASK), ("requirements.in", "flask\ngunicorn\n"), ("requirements.txt", "#\n# This file is autogenerated by pip-compile with Python 3.12\n#\nflask==3.0.0\ngunicorn==22.0.0\nwerkzeug==3.0.0\n"), ("requirements-dev.txt", "-r requirements.txt\npytest==8.0.0\n")]) },
    Shape { modules: &["app.py"], places: [".", "requirements.lock.txt"], notes: &["there is no lock: `requirements.txt` has ranges"],
        ..shape("requirements.txt with ranges", &[("app.py", FLASK), ("requirements.txt", "flask>=3\ngunicorn\n")]) },
    Shape { modules: &["app.py"], notes: &["the server `gunicorn` is not locked"],
        ..shape("no server", &[("app.py", FLASK), ("requirements.txt", "flask==3.0.0\n")]) },
    Shape { modules: &["app.py"], places: [".", "requirements/prod.txt"],
        ..shape("requirements in a folder", &[("app.py", FLASK), ("requirements/base.txt", PINS), ("requirements/prod.txt", "-r base.txt\nredis==5.0.0\n"), ("requirements/dev.txt", "pytest\n")]) },
    Shape { modules: &["app.py"], places: ["backend", "backend/requirements.txt"],
        ..shape("in a folder", &[("backend/app.py", FLASK), ("backend/requirements.txt", PINS), ("frontend/package.json", "{}"), ("docs/requirements.txt", "sphinx\n")]) },
    Shape { command: "uvicorn shop.main:app", places: ["packages/shop", "uv.lock"], python: "3.12",
        ..shape("uv workspace", &[("pyproject.toml", "[project]\nname = \"all\"\nversion = \"1\"\n[tool.uv.workspace]\nmembers = [\"packages/*\"]\n"), ("uv.lock", UV_WORKSPACE),
            ("packages/shop/pyproject.toml", "[project]\nname = \"shop-web\"\nversion = \"1\"\nrequires-python = \">=3.11,<3.13\"\n[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n[tool.hatch.build.targets.wheel]\npackages = [\"src/shop\"]\n"),
            ("packages/shop/src/shop/__init__.py", ""), ("packages/shop/src/shop/main.py", FASTAPI), ("packages/core/pyproject.toml", BUILD), ("packages/core/core/__init__.py", "")]) },
    Shape { below: "b/", modules: &["main.py"], places: ["b", "b/requirements.txt"], command: "uvicorn main:app",
        ..shape("two applications, from the folder of the second", &[("a/app.py", FLASK), ("a/requirements.txt", PINS), ("b/main.py", FASTAPI), ("b/requirements.txt", ASGI_PINS)]) },
    Shape { modules: &["app.py"], notes: &["no lock, and nothing to make one of", "`gunicorn` is not locked"],
        ..shape("a module and nothing else", &[("app.py", FLASK)]) },
    Shape { modules: &["config.py", "dashboard.py"], command: "gunicorn dashboard:dash_app.server",
        ..shape("dash", &[("dashboard.py", "import dash\ndash_app = dash.Dash(__name__)\n"), ("config.py", ""), ("config.yaml", ""), ("requirements.txt", "dash==2.0\nflask==3.0.0\ngunicorn==22.0.0\n")]) },
    Shape { modules: &["job.py"], notes: &["what is served was not found"],
        ..shape("no application", &[("job.py", "print(1)\n"), ("requirements.txt", PINS)]) },
    Shape { modules: &["app.py"], notes: &["`lib/` cannot be packed"],
        ..shape("a folder whose name is taken", &[("app.py", FLASK), ("lib/a.py", ""), ("requirements.txt", PINS)]) },
    Shape { modules: &["app.py"], python: "3.14", notes: &["`.python-version` names Python 3.13"],
        ..shape("a Python that the box does not have", &[("app.py", FLASK), (".python-version", "3.13.1"), ("requirements.txt", PINS)]) },
];
