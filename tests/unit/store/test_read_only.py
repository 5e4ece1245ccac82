"""A program that only shows what is there: whatever would change something says so in one line."""

import pytest

from core.engine import client
from core.engine.local import ensure_local
from core.errors import BadRequest
from core.specs import ModelSpec
from core.store import create_job
from core.store.allowed import FOLDERS, allowed_folders
from core.store.names import list_names, rename
from core.store.read_only import READ_ONLY, read_only


@pytest.fixture
def job(store, monkeypatch):
    """Return a job that was queued before the program became read-only."""
    found = create_job(store, "vocabulary", ModelSpec().as_json(), "v-1")
    monkeypatch.setenv(READ_ONLY, "1")
    return found


@pytest.mark.parametrize(("value", "expected"), [(None, False), ("", False), ("0", False), ("1", True), ("yes", True)])
def test_the_setting_is_off_unless_it_says_something(monkeypatch, value, expected):
    monkeypatch.delenv(READ_ONLY, raising=False)
    if value is not None:
        monkeypatch.setenv(READ_ONLY, value)
    assert read_only() is expected


@pytest.mark.parametrize(
    ("what", "act"),
    [
        ("Starting a job", lambda job, store: client.submit("vocabulary", ModelSpec(), store)),
        ("Starting a job", lambda job, store: client.ensure_engine(store)),
        ("Starting an engine", lambda job, store: ensure_local(store)),
        ("Resuming a job", lambda job, store: client.resume(job, store)),
        ("Cancelling a job", lambda job, store: client.cancel(job, store)),
        ("Deleting a job", lambda job, store: job.delete()),
        ("Deleting what is stored", lambda job, store: store.remove("map", "k")),
        ("Changing a name", lambda job, store: rename(store, "map", "a", "b")),
        ("Making what is not in the store (map)", lambda job, store: store.make("map", "k", {}, lambda folder: {})),
    ],
)
def test_what_would_change_something_is_refused(job, store, what, act):
    with pytest.raises(BadRequest) as told:
        act(job, store)
    assert str(told.value) == (
        f"{what} is off, because {READ_ONLY} is '1' and so everything is only shown; unset it, or use priorscope on "
        "your own machine."
    )
    assert job.status().state == "queued"
    assert not list((store.root / "engine").iterdir())
    assert not list_names(store, "map")


def test_an_engine_is_not_revived_though_a_job_waits(job, store):
    assert client.revive(store) is False
    assert not list((store.root / "engine").iterdir())


def test_no_folder_may_be_read_unless_one_is_named(job, monkeypatch, tmp_path):
    monkeypatch.delenv(FOLDERS, raising=False)
    assert allowed_folders() == []
    monkeypatch.setenv(FOLDERS, str(tmp_path))
    assert allowed_folders() == [tmp_path.resolve()]
