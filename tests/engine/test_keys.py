"""Who may come in: an engine takes jobs from those who have its key, which only its own account can read."""

import json
import os
import shutil
import socket
import ssl
import stat
import subprocess
import sys
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
    done = _as_nobody("cat", str(path))
    return done.stdout if done.returncode == 0 else done.stderr.strip().rpartition(": ")[2]


def _as_nobody(*command: str) -> subprocess.CompletedProcess[str]:
    other = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    return subprocess.run([*other, *command], capture_output=True, text=True, cwd="/", check=False, timeout=120)


STRANGER = """
import json, socket, ssl, sys

host, port, keys, own = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
said = {}
for name, folder in {"nothing": "", "its own key": own, "the engine's key": keys}.items():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        if folder:
            context.load_cert_chain(folder + "/certificate.pem", folder + "/key.pem")
        with context.wrap_socket(socket.create_connection((host, port), timeout=30)) as connection:
            connection.sendall(b"x" * 64)
            said[name] = "refused" if connection.recv(100) == b"" else "let in"
    except (ssl.SSLError, ConnectionError):
        said[name] = "refused"
    except PermissionError:
        said[name] = "cannot read it"
print(json.dumps(said))
"""


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("setpriv"), reason="needs root, to become another account")
def test_a_client_of_another_account_that_knows_the_address_is_refused(seen_by_all: Path):
    names = (sys.executable, shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin"))
    python = next((name for name in names if name and _as_nobody(name, "-c", "").returncode == 0), None)
    if python is None:
        pytest.skip("no Python here that another account may run")
    make_keys(seen_by_all / "own")
    for path in (seen_by_all / "own", *(seen_by_all / "own").iterdir()):
        path.chmod(0o755)
    store = Store(seen_by_all / "cache")
    try:
        engine = client.ensure_engine(store)
        host, _, port = engine.address.removeprefix("tls://").rpartition(":")
        done = _as_nobody(python, "-c", STRANGER, host, port, engine.keys, str(seen_by_all / "own"))
        job = client.submit("toy", ToySpec(name="its own account"), store)
        state = client.wait(job, timeout=180).state
    finally:
        queue.disconnect()
        client.stop_engine(store)
    assert json.loads(done.stdout or done.stderr) == {
        "nothing": "refused",
        "its own key": "refused",
        "the engine's key": "cannot read it",
    }
    assert state == "succeeded"


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
