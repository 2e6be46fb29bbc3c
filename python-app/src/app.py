"""The web application: settings, the backend, the routes.

Run as `gunicorn src.app:app`; tests call `create_app`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timezone
from pathlib import Path
from urllib.parse import urlsplit

import confuse
import flask
import requests
from OpenSSL import crypto

from src import __version__
from src import report

CONFIG_VARIABLE = "QUALITY_REPORT_CONFIG"
TOKEN_VARIABLE = "QUALITY_REPORT_API_AUTH_TOKEN"
CERTIFICATE_VARIABLE = "QUALITY_REPORT_TLS_CERT"

# Beside the package: the project's own directory, or where the package is installed.
DEFAULT_CONFIG = Path(__file__).resolve().parent.parent / "config.yaml"

# Seconds to connect, and between two bytes of the answer.
BACKEND_TIMEOUT = (2, 5)

STATUS_NAMES = {"pass": "Passed", "warn": "Just short", "fail": "Failed", "unknown": "Not measured"}

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class ConfigError(Exception):
    """The configuration file is missing or wrong; the message names the file."""


@dataclass(frozen=True)
class Settings:
    app_name: str
    backend_api_url: str
    api_auth_token: str = field(repr=False)


@dataclass(frozen=True)
class Certificate:
    """The service's own TLS certificate; no `expires` means that it could not be read."""

    expires: datetime | None

    @property
    def days_left(self) -> int | None:
        return None if self.expires is None else (self.expires - datetime.now(timezone.utc)).days


def create_app(config_path: str | os.PathLike | None = None) -> flask.Flask:
    """Builds the application.

    The configuration is `config_path`, else the file that QUALITY_REPORT_CONFIG
    names, else `config.yaml` beside the package.
    """
    path = Path(config_path or os.environ.get(CONFIG_VARIABLE) or DEFAULT_CONFIG)
    settings = load_settings(path)
    app = flask.Flask(__name__)

    @app.get("/")
    def index():
        shown, notice = current_report(settings, app.logger)
        page = flask.render_template(
            "report.html",
            app_name=settings.app_name,
            certificate=own_certificate(app.logger),
            notice=notice,
            report=shown,
            status_names=STATUS_NAMES,
            version=__version__,
        )
        return page, {"Cache-Control": "no-store"}

    @app.get("/healthz")
    def healthz():
        certificate = own_certificate(app.logger)
        return {
            "status": "ok",
            "app_name": settings.app_name,
            "version": __version__,
            "backend": "configured" if settings.backend_api_url else "not configured",
            "tls_certificate": certificate
            and {
                "expires": certificate.expires and certificate.expires.isoformat(),
                "days_left": certificate.days_left,
            },
        }

    @app.after_request
    def add_security_headers(response):
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return app


def load_settings(path: Path) -> Settings:
    """Reads the configuration file; the token in the environment wins over the file's."""
    # `read=False`: only this one file counts, never one in a home directory.
    config = confuse.Configuration("quality_report", read=False)
    try:
        config.set_file(str(path))
        token = os.environ.get(TOKEN_VARIABLE)
        if token:
            config.set({"headers": {"api_auth_token": token}})
        settings = Settings(
            app_name=config["app_name"].get(confuse.String()).strip(),
            backend_api_url=config["backend_api_url"].get(confuse.String("")).strip(),
            api_auth_token=config["headers"]["api_auth_token"].get(confuse.String("")).strip(),
        )
    # Confuse answers a list instead of a mapping with a plain TypeError or ValueError.
    except (confuse.ConfigError, TypeError, ValueError) as error:
        raise ConfigError(
            f"failed to read the configuration `{path}`: {error}\n"
            f"hint: {CONFIG_VARIABLE} names another file"
        ) from error
    if not settings.app_name:
        raise ConfigError(f"failed to read the configuration `{path}`: `app_name` is empty")
    if settings.backend_api_url and not is_web_address(settings.backend_api_url):
        raise ConfigError(
            f"failed to read the configuration `{path}`: "
            f"`backend_api_url` is no http or https address: `{settings.backend_api_url}`"
        )
    return settings


def is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def current_report(settings: Settings, log) -> tuple[report.Report, str | None]:
    """Gives the report and, when it shows sample data, the reason."""
    if not settings.backend_api_url:
        return report.build(report.sample()), "no backend configured"
    try:
        return report.build(fetch_results(settings)), None
    except report.ReportError as error:
        log.warning("the backend sent no report: %s", error)
        reason = "the backend's answer could not be understood"
    except (requests.RequestException, ValueError) as error:
        log.warning("failed to fetch the results: %s", error)
        reason = "the backend could not be reached"
    return report.build(report.sample()), reason


def fetch_results(settings: Settings) -> object:
    headers = {"Accept": "application/json"}
    if settings.api_auth_token:
        headers["Authorization"] = f"Bearer {settings.api_auth_token}"
    response = requests.get(settings.backend_api_url, headers=headers, timeout=BACKEND_TIMEOUT)
    response.raise_for_status()
    return response.json()


def own_certificate(log) -> Certificate | None:
    """Reads the certificate that QUALITY_REPORT_TLS_CERT names; None when it names none."""
    path = os.environ.get(CERTIFICATE_VARIABLE)
    if not path:
        return None
    try:
        certificate = crypto.load_certificate(crypto.FILETYPE_PEM, Path(path).read_bytes())
        stamp = (certificate.get_notAfter() or b"").decode("ascii")
        expires = datetime.strptime(stamp, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)
    except (OSError, ValueError, crypto.Error) as error:
        log.warning("failed to read the certificate `%s`: %s", path, error)
        return Certificate(expires=None)
    return Certificate(expires=expires)


app = create_app()
