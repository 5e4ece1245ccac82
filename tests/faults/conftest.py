"""What kills and damages are done to: a cache folder that was filled undisturbed, and its numbers."""

import os
import shutil
from pathlib import Path

import pytest

from core.exchange.bundle import export_bundle
from tests.faults.operations import Place, write_data
from tests.jobs import done
from tests.runs import write_sums


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.faults)
            item.add_marker(pytest.mark.timeout(0))


@pytest.fixture(scope="session")
def filled(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Return a cache folder with a run and its measures, a capture, and a bundle beside the data."""
    from tests.faults.operations import capture, measure

    data, root = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("filled")
    shutil.copytree(os.environ.get("PRIORSCOPE_FAULTS_MODEL", tiny_folder), data / "model")
    write_sums(data / "sums.jsonl")
    write_data(data)
    place = Place(data, root)
    capture(place)
    measure(place)
    export_bundle([done("tune", place.tuning(), place.store)], data / "bundle.zip", place.store)
    return place
