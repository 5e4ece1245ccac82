"""A real server answers its own names alone: a web page elsewhere cannot reach it through a name of its own."""

import http.client
from collections.abc import Iterator
from urllib.parse import urlparse

import pytest

from tests.served import ROOT, served

OWN = "explorer.example"


@pytest.fixture(scope="module")
def port(tmp_path_factory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("served")
    with served(ROOT / "app.py", folder / "cache", folder / "log.txt") as url:
        yield int(urlparse(url).port or 0)


def status(port: int, host: str, origin: str | None) -> int:
    """Return how the server answers a browser that would open the websocket."""
    headers = {
        "Host": host,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": "streamlit",
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", "/_stcore/stream", headers=headers | ({"Origin": origin} if origin else {}))
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]"])
def test_this_machine_is_let_in(port, name):
    assert status(port, f"{name}:{port}", f"http://{name}:{port}") == 101


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("evil.example", "http://evil.example"),
        ("evil.example", None),
        ("localhost.evil.example", "http://localhost.evil.example"),
        ("localhost", "http://evil.example"),
        ("localhost@evil.example", "http://localhost"),
    ],
)
def test_a_foreign_name_is_refused(port, host, origin):
    assert status(port, host, origin) == 403


def test_a_name_of_ones_own_can_be_allowed(tmp_path):
    allow = ("--server.allowedHosts", OWN)
    with served(ROOT / "app.py", tmp_path / "cache", tmp_path / "log.txt", *allow) as url:
        port = int(urlparse(url).port or 0)
        assert status(port, OWN, f"https://{OWN}") == 101
        assert status(port, "evil.example", "http://evil.example") == 403
