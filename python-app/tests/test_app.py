import http.server
import json
import threading
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from src import __version__
from src import app as app_module

ROOT = Path(__file__).resolve().parent.parent

RESULTS = {
    "release": "9.1",
    "projects": [{"name": "Real <project>", "checks": [{"name": "A check", "value": 3, "target": 2}]}],
}


@pytest.fixture
def backend():
    """A backend on the loopback; `answer` is what it sends, `seen` the headers of each request."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, body = self.server.answer
            self.server.seen.append(self.headers)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    server.seen = []
    server.answer = (200, json.dumps(RESULTS).encode())
    server.url = f"http://127.0.0.1:{server.server_port}/results"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def config_with(url, token=""):
    return f'app_name: Test Platform\nbackend_api_url: "{url}"\nheaders:\n  api_auth_token: "{token}"\n'


def test_page_without_a_backend_shows_labelled_sample_data(client):
    response = client.get("/")
    page = response.get_data(as_text=True)
    assert response.status_code == 200
    assert response.mimetype == "text/html"
    assert "Quality Report" in page
    assert "Test Platform" in page
    assert "Sample data:" in page
    assert "no backend configured" in page
    assert "Checkout" in page


def test_app_name_is_escaped(write_config):
    client = app_module.create_app(write_config("app_name: <b>bold</b>\n")).test_client()
    page = client.get("/").get_data(as_text=True)
    assert "&lt;b&gt;bold" in page
    assert "<b>" not in page


def test_page_shows_the_backend_results(backend, write_config):
    client = app_module.create_app(write_config(config_with(backend.url, "from-file"))).test_client()
    page = client.get("/").get_data(as_text=True)
    assert "Real &lt;project&gt;" in page
    assert "release 9.1" in page
    assert "Sample data" not in page
    assert backend.seen[0]["Authorization"] == "Bearer from-file"


def test_token_of_the_environment_wins(backend, write_config, monkeypatch):
    monkeypatch.setenv(app_module.TOKEN_VARIABLE, "from-environment")
    client = app_module.create_app(write_config(config_with(backend.url, "from-file"))).test_client()
    client.get("/")
    assert backend.seen[0]["Authorization"] == "Bearer from-environment"


def test_no_token_sends_no_authorization(backend, write_config):
    app_module.create_app(write_config(config_with(backend.url))).test_client().get("/")
    assert "Authorization" not in backend.seen[0]


@pytest.mark.parametrize(
    ("answer", "notice"),
    [
        ((500, b"{}"), "the backend could not be reached"),
        ((200, b"<html>"), "the backend could not be reached"),
        ((200, b"{}"), "the backend&#39;s answer could not be understood"),
    ],
)
def test_wrong_answer_gives_sample_data_and_a_notice(backend, write_config, answer, notice):
    backend.answer = answer
    response = app_module.create_app(write_config(config_with(backend.url))).test_client().get("/")
    page = response.get_data(as_text=True)
    assert response.status_code == 200
    assert "Sample data:" in page
    assert notice in page


def test_unreachable_backend_gives_sample_data_and_a_notice(backend, write_config):
    backend.shutdown()
    backend.server_close()
    response = app_module.create_app(write_config(config_with(backend.url))).test_client().get("/")
    assert response.status_code == 200
    assert "the backend could not be reached" in response.get_data(as_text=True)


def test_healthz(client):
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.get_json() == {
        "status": "ok",
        "app_name": "Test Platform",
        "version": __version__,
        "backend": "not configured",
        "tls_certificate": None,
    }


def test_healthz_does_not_ask_the_backend(backend, write_config):
    client = app_module.create_app(write_config(config_with(backend.url))).test_client()
    assert client.get("/healthz").get_json()["backend"] == "configured"
    assert backend.seen == []


def write_certificate(path, expires):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(expires - timedelta(days=90))
        .not_valid_after(expires)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


@pytest.mark.parametrize(("days", "word"), [(30, "expires on"), (-3, "expired on")])
def test_certificate_expiry(client, tmp_path, monkeypatch, days, word):
    # Half a day more, so that the whole days do not change while the test runs.
    expires = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=days, hours=12)
    write_certificate(tmp_path / "tls.pem", expires)
    monkeypatch.setenv(app_module.CERTIFICATE_VARIABLE, str(tmp_path / "tls.pem"))
    assert client.get("/healthz").get_json()["tls_certificate"] == {
        "expires": expires.isoformat(),
        "days_left": days,
    }
    page = client.get("/").get_data(as_text=True)
    assert word in page
    assert str(expires.date()) in page


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_unreadable_certificate_does_no_harm(client, tmp_path, monkeypatch, content):
    path = tmp_path / "tls.pem"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv(app_module.CERTIFICATE_VARIABLE, str(path))
    assert client.get("/healthz").get_json()["tls_certificate"] == {"expires": None, "days_left": None}
    response = client.get("/")
    assert response.status_code == 200
    assert "certificate could not be read" in response.get_data(as_text=True)


@pytest.mark.parametrize(
    ("name", "mimetype"),
    [
        ("css/report.css", "text/css"),
        ("images/logo.svg", "image/svg+xml"),
        ("javascript/report.js", "text/javascript"),
    ],
)
def test_static_files_are_served_and_used(client, name, mimetype):
    response = client.get(f"/static/{name}")
    assert response.status_code == 200
    # Python 3.11 and older may name JavaScript's older type.
    assert response.mimetype.replace("application/javascript", "text/javascript") == mimetype
    assert f"/static/{name}" in client.get("/").get_data(as_text=True)


def test_security_headers(client):
    for address in ("/", "/healthz", "/static/css/report.css", "/missing"):
        headers = client.get(address).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]


def test_page_has_nothing_inline_and_nothing_external(client):
    page = client.get("/").get_data(as_text=True)
    for forbidden in ("<style", "style=", "onclick", "http://", "https://"):
        assert forbidden not in page


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "app_name not found"),
        ("app_name: ''", "`app_name` is empty"),
        ("app_name: 3", "app_name: must be a string"),
        ("app_name: [", "could not be read"),
        ("- app_name", ""),  # confuse words it differently in each release
        ("app_name: x\nheaders: 4", "headers must be a collection"),
        ("app_name: x\nheaders:\n  api_auth_token: 4", "headers.api_auth_token: must be a string"),
        ("app_name: x\nbackend_api_url: ftp://x", "`backend_api_url` is no http or https address: `ftp://x`"),
        ("app_name: x\nbackend_api_url: 'http://['", "`backend_api_url` is no http or https address: `http://[`"),
    ],
)
def test_wrong_config_names_the_file_and_the_fault(write_config, text, message):
    path = write_config(text)
    with pytest.raises(app_module.ConfigError) as error:
        app_module.create_app(path)
    assert f"failed to read the configuration `{path}`" in str(error.value)
    assert message in str(error.value)


def test_missing_config_names_the_file_and_the_cure(tmp_path):
    path = tmp_path / "nowhere.yaml"
    with pytest.raises(app_module.ConfigError) as error:
        app_module.create_app(path)
    assert f"failed to read the configuration `{path}`" in str(error.value)
    assert app_module.CONFIG_VARIABLE in str(error.value)


def test_environment_names_the_config(write_config, monkeypatch):
    monkeypatch.setenv(app_module.CONFIG_VARIABLE, str(write_config("app_name: From the environment")))
    page = app_module.create_app().test_client().get("/").get_data(as_text=True)
    assert "From the environment" in page


def test_default_config_lies_beside_the_package_and_holds_no_secret():
    assert app_module.DEFAULT_CONFIG == ROOT / "config.yaml"
    settings = app_module.load_settings(app_module.DEFAULT_CONFIG)
    assert settings.app_name
    assert settings.api_auth_token == ""


def test_settings_do_not_print_the_token(write_config):
    settings = app_module.load_settings(write_config(config_with("", "secret-token")))
    assert settings.api_auth_token == "secret-token"
    assert "secret-token" not in repr(settings)


def test_no_file_in_the_home_directory_is_read(write_config, tmp_path, monkeypatch):
    home = tmp_path / "home" / "quality_report"
    home.mkdir(parents=True)
    (home / "config.yaml").write_text("backend_api_url: http://home.example/\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home.parent))
    monkeypatch.setenv("QUALITY_REPORTDIR", str(home))
    assert app_module.load_settings(write_config("app_name: x")).backend_api_url == ""
