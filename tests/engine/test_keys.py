"""Who may come in: an engine takes jobs from those who have its key, which only its own account can read."""

import os
import shutil
import socket
import ssl
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from distributed import Client, Security

from core.engine import client, local, queue
from core.engine.keys import CERTIFICATE, KEY, KEYS, make_keys, security
from core.errors import BadRequest, Busy
from core.store import Store
from tests.engine.toy_tasks import ToySpec

NOBODY = 65534


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    make_keys(tmp_path / "keys")
    return tmp_path / "keys"


def test_a_client_without_the_key_is_refused(engine_store: Store, keys: Path):
    engine = client.ensure_engine(engine_store)
    assert engine.address.startswith("tls://127.0.0.1:")
    strangers = [
        (engine.address.replace("tls", "tcp"), Security()),
        (engine.address, security(keys)),
        (engine.address, Security(require_encryption=True, tls_ca_file=str(Path(engine.keys) / CERTIFICATE))),
    ]
    for address, own in strangers:
        with pytest.raises((OSError, TypeError)):
            Client(address, security=own, timeout=1, set_as_default=False)
    job = client.submit("toy", ToySpec(name="with the key"), engine_store)
    assert client.wait(job, timeout=60).state == "succeeded"


def test_no_port_of_an_engine_answers_without_the_key(engine_store: Store):
    info = client.ensure_engine(engine_store)
    engine = psutil.Process(info.process)
    listening = {
        where.laddr
        for process in (engine, *engine.children(recursive=True))
        for where in process.net_connections()
        if where.status == psutil.CONN_LISTEN
    }
    assert {where.ip for where in listening} == {"127.0.0.1"}
    assert int(info.address.rpartition(":")[2]) in {where.port for where in listening}
    for where in listening:
        assert _answer(where.port, plain=True) == b""
        assert _answer(where.port, plain=False) == b""


def _answer(port: int, plain: bool) -> bytes:
    """Return what a port says to a question for Dask's metrics, by one who has no key."""
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    try:
        bare = socket.create_connection(("127.0.0.1", port), timeout=10)
        with bare if plain else anybody.wrap_socket(bare) as connection:
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return connection.recv(100)
    except (ConnectionError, ssl.SSLError):
        return b""


@pytest.fixture
def seen_by_all() -> Iterator[Path]:
    """A folder whose path every account may walk, which pytest's own folders are not."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_only_its_own_account_reads_the_key(seen_by_all: Path):
    (seen_by_all / "engine").mkdir(mode=0o777)  # as an earlier version left it
    make_keys(seen_by_all / "engine")
    make_keys(seen_by_all / "engine")
    assert stat.S_IMODE((seen_by_all / "engine").stat().st_mode) == 0o700
    for name in (CERTIFICATE, KEY):
        assert stat.S_IMODE((seen_by_all / "engine" / name).stat().st_mode) == 0o600
    assert sorted(path.name for path in (seen_by_all / "engine").iterdir()) == [CERTIFICATE, KEY]


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("setpriv"), reason="needs root, to become another account")
def test_another_account_of_the_machine_cannot_read_address_or_key(seen_by_all: Path):
    store = Store(seen_by_all / "cache")
    (seen_by_all / "open.txt").write_text("to be read")
    try:
        client.ensure_engine(store)
        folder = store.root / "engine"
        seen = [_read_as_nobody(path) for path in (seen_by_all / "open.txt", folder / KEY, folder / local.ENGINE_FILE)]
    finally:
        queue.disconnect()
        client.stop_engine(store)
    assert seen == ["to be read", "Permission denied", "Permission denied"]


def _read_as_nobody(path: Path) -> str:
    other = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    done = subprocess.run([*other, "cat", str(path)], capture_output=True, text=True, cwd="/", check=False)
    return done.stdout if done.returncode == 0 else done.stderr.strip().rpartition(": ")[2]


def test_an_engine_of_another_account_is_said(store: Store, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(os, "getuid", lambda: store.root.stat().st_uid + 1)
    with pytest.raises(Busy, match=r"belongs to the account '\w+'; .* or set PRIORSCOPE_CACHE to a folder of your own"):
        client.ensure_engine(store)


def test_a_cluster_that_asks_for_a_key_gets_the_one_that_is_named(engine_store: Store, monkeypatch, keys: Path):
    engine = client.ensure_engine(engine_store)
    monkeypatch.setenv(client.SCHEDULER, engine.address)
    with pytest.raises(BadRequest, match=rf"asks for a certificate and key; set {KEYS} to the folder"):
        client.submit("toy", ToySpec(name="no key"), engine_store)
    monkeypatch.setenv(KEYS, str(keys / "nowhere"))
    with pytest.raises(BadRequest, match=r"nowhere/certificate.pem cannot be read.*python -m core.engine.keys FOLDER"):
        client.submit("toy", ToySpec(name="no key"), engine_store)
    monkeypatch.setenv(KEYS, engine.keys)
    job = client.submit("toy", ToySpec(name="named key"), engine_store)
    assert client.wait(job, timeout=60).state == "succeeded"
