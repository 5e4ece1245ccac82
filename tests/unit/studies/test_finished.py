"""The finished studies that travel with the program are whole, small, and say what they rest on."""

import re
from pathlib import Path
from typing import Any

import pytest

from core.studies.claims import CLAIMS
from core.studies.items import ITEMS, VERSION, read_result
from core.studies.kept_picture import recall_picture
from core.studies.ship import MAX_BYTES
from core.studies.shipped import FINISHED, FinishedStudy, read_finished

FOLDERS = sorted(path.parent for path in FINISHED.glob("*/study.json"))
OF_A_MACHINE = re.compile(rb"/(home|root|tmp|work|Users|mnt)/")


@pytest.fixture(params=FOLDERS, ids=lambda folder: folder.name)
def finished(request: pytest.FixtureRequest) -> FinishedStudy:
    """Return a finished study, all of whose checksums were verified."""
    return read_finished(request.param, VERSION)


def test_one_study_travels_with_the_program():
    assert FOLDERS


def test_every_file_is_named_and_none_is_large_or_tells_of_a_machine(finished: FinishedStudy):
    files = [path for path in finished.folder.rglob("*") if path.is_file()]
    assert {str(path.relative_to(finished.folder)) for path in files} == {*finished.manifest.files, "study.json"}
    assert sum(path.stat().st_size for path in files) <= MAX_BYTES
    assert [path for path in files if OF_A_MACHINE.search(path.read_bytes())] == []
    assert not Path(finished.spec.model.name).is_absolute()


def test_every_claim_was_judged_or_is_said_to_be_left_by_rules_fixed_at_a_commit(finished: FinishedStudy):
    judged, left = set(finished.manifest.items), set(finished.manifest.left)
    assert judged | left >= {claim.item for claim in CLAIMS.values()}
    assert not judged & left
    assert re.fullmatch(r"[0-9a-f]{7,40}", finished.manifest.commit)
    assert finished.manifest.hours > 0


def test_every_item_is_one_that_this_program_reads(finished: FinishedStudy):
    assert set(finished.manifest.items) <= set(ITEMS)
    assert all(read_result(job) for job in finished.items)


def test_words_beside_points_have_the_colour_of_the_page(finished: FinishedStudy):
    job = finished.item("figure-1")
    if job is None:
        pytest.skip("this study lacks the figure")
    traces: Any = recall_picture(job).data
    fonts = [trace.textfont.color for trace in traces if trace.mode == "markers+text"]
    assert fonts == [None] * 3
