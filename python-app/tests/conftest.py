import pytest

from src import app as app_module

PLAIN_CONFIG = """\
app_name: Test Platform
backend_api_url: ""
headers:
  api_auth_token: ""
"""


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in (
        app_module.CONFIG_VARIABLE,
        app_module.TOKEN_VARIABLE,
        app_module.CERTIFICATE_VARIABLE,
    ):
        monkeypatch.delenv(name, raising=False)
    # The tests' backend listens on the loopback: no proxy in between.
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def write_config(tmp_path):
    def write(text=PLAIN_CONFIG):
        path = tmp_path / "config.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def client(write_config):
    return app_module.create_app(write_config()).test_client()
