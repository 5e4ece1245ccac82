"""A server for others reads only some folders through path fields; a person at their own machine any."""

import os
import re

import pytest

from core.engine import client
from core.errors import BadRequest
from core.sources import files
from core.sources.models import describe_model, local_folder
from core.specs import CloudSpec, DatasetSpec, ModelSpec, TuningSpec
from core.store.allowed import FOLDERS, of_a_server, require_allowed


@pytest.fixture
def outside(tmp_path):
    path = tmp_path / "private" / "letters.txt"
    path.parent.mkdir()
    path.write_text("One.\n\nTwo.")
    return path


@pytest.fixture
def server(store, monkeypatch):
    """Serve others, with the folders that are allowed then."""
    monkeypatch.setenv(FOLDERS, of_a_server(store))
    return store


def own(path):
    return DatasetSpec(name="file", path=str(path))


def test_without_the_setting_every_file_may_be_read(outside):
    require_allowed(outside)
    assert files.existing(str(outside)) == outside


def test_a_path_outside_is_refused_whether_or_not_there_is_something(server, outside):
    for path in (
        outside,
        outside.parent / "nothing.txt",
        "/etc/passwd",
        "~/x",
        "~nobody-of-that-name/x",
        "letters.txt",
    ):
        with pytest.raises(BadRequest) as caught:
            files.existing(str(path))
        assert str(caught.value) == (
            f"The path {str(path)!r} is not in a folder that this server may read ({server.root}/uploads, "
            f"{server.root}/artifacts); upload the file, or have whoever runs the server add its folder to {FOLDERS}."
        )


def test_ways_around_are_refused(server, outside):
    uploads = server.root / "uploads"
    uploads.mkdir()
    (uploads / "link.txt").symlink_to(outside)
    for path in (uploads / "link.txt", f"{uploads}/../../private/letters.txt", server.root / "engine" / "key.pem"):
        with pytest.raises(BadRequest, match="is not in a folder that this server may read"):
            files.existing(str(path))


def test_uploads_and_named_folders_may_be_read(server, outside, monkeypatch):
    upload = server.root / "uploads" / "0123" / "a.txt"
    upload.parent.mkdir(parents=True)
    upload.write_text("One.")
    assert files.existing(str(upload)) == upload
    monkeypatch.setenv(FOLDERS, os.pathsep.join((of_a_server(server), str(outside.parent))))
    assert files.existing(str(outside)) == outside
    monkeypatch.setenv(FOLDERS, "")
    with pytest.raises(BadRequest, match=re.escape("may read (no folder)")):
        files.existing(str(upload))


def test_a_model_folder_outside_is_refused(server, tiny_folder):
    with pytest.raises(BadRequest, match="is not in a folder that this server may read"):
        local_folder(str(tiny_folder))
    assert "is not in a folder" in describe_model(ModelSpec(name=str(tiny_folder)), server).where
    assert local_folder("owner/name") is None


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("capture", lambda path: CloudSpec(dataset=own(path))),
        ("capture", lambda path: CloudSpec(model=ModelSpec(name=str(path.parent)))),
        ("tune", lambda path: TuningSpec.parse({"prior": "gaussian", "dataset": own(path).as_json()})),
        (
            "tune",
            lambda path: TuningSpec.parse({"prior": {"kind": "interpolation", "second": own(path).canonical_json()}}),
        ),
    ],
    ids=["texts", "model", "questions", "second cloud"],
)
def test_no_job_is_made_that_names_a_path_outside(server, outside, kind, spec):
    with pytest.raises(BadRequest, match="is not in a folder that this server may read"):
        client.submit(kind, spec(outside), server)
    assert not list(server.root.glob("*/*/spec.json"))
