"""Pages beside folders that are not what the program wrote: they open, say so, and offer to delete them."""

import json
from pathlib import Path

import pytest

from core.store import Store, find_job
from tests.app.conftest import PAGES, Content, open_page, texts_of


@pytest.fixture
def spoilt(filled: Content) -> Content:
    """Add a run of which it cannot be told what was asked for, and one whose posterior is flipped."""
    store = Store(filled.root)
    run = find_job(store, filled.run)
    odd = store.root / "runs" / "t-odd"
    odd.mkdir()
    for path in run.path.iterdir():
        if path.is_file():
            (odd / path.name).write_bytes(path.read_bytes())
    request = json.loads((odd / "spec.json").read_text())
    (odd / "spec.json").write_text(json.dumps({**request, "created": "soon"}))
    run.update(seal=run.seal())
    flip(run.path / "posterior.safetensors")
    return filled


def flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_beside_damaged_folders(name, spoilt, no_engine):
    open_page(name, model=spoilt.model.name)
    open_page(name, model=spoilt.model.name)


def test_a_flipped_bit_is_said_where_the_run_is_shown(spoilt, no_engine):
    words = "posterior.safetensors does not match its checksum"
    assert words in texts_of(open_page("tune", model=spoilt.model.name, run=spoilt.run)).replace("\\", "")
    again = texts_of(open_page("tune", model=spoilt.model.name, run=spoilt.run)).replace("\\", "")
    assert "Files of this job were changed or lost after it ended" in again
    assert words in again
    assert find_job(Store(spoilt.root), spoilt.run).status().state == "damaged"


def test_a_folder_that_cannot_be_read_is_deleted_on_the_page(spoilt, no_engine):
    app = open_page("system")
    assert "t-odd is damaged: spec.json" in texts_of(app).replace("\\", "")
    app.button(key="system.delete.t-odd").click().run()
    assert not (spoilt.root / "runs" / "t-odd").exists()
    assert "t-odd" not in texts_of(open_page("system"))
