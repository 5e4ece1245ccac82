"""A store of its own for each module of tests, and runs of a second in it."""

import pytest

from core.store import Store
from tests.jobs import done
from tests.runs import spec_of, write_sums


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Store:
    """Return a store that the tests of this module share."""
    return Store(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def tuned(tiny_folder, tmp_path_factory, kept):
    """Return a function that tunes a run of a second."""
    path = write_sums(tmp_path_factory.mktemp("sums") / "sums.jsonl")
    return lambda **more: done("tune", spec_of(tiny_folder, path, **more), kept)
