"""A study that was made here becomes one that travels with the program, and is read where it lies."""

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from core.errors import BadRequest, DamagedArtifact, Failed, UnknownName
from core.specs import StudyItemSpec
from core.store import Store, list_jobs
from core.store.prompts import RunPrompts, read_prompts
from core.studies import check as checks
from core.studies import ship as shipping
from core.studies import shipped
from core.studies.items import VERSION, find_item, read_result, studies_of
from core.studies.ship import GRID, on_grid
from core.studies.shipped import FinishedStudy, read_finished
from core.studies.shipped_prompts import HALF_ERROR, SMALLEST, read_shipped, write_prompts
from tests.unit.studies.conftest import CountedBench

ABOUT = {"commit": "0123abc", "command": "python -m core reproduce --all --out DIR", "machine": "two cores"}
MADE = ("figure-2", "figure-9")


@pytest.fixture(scope="module")
def finished(bench: CountedBench, tmp_path_factory: pytest.TempPathFactory) -> FinishedStudy:
    """Return a finished study of two figures and an arm's run."""
    for item in MADE:
        bench.obtain(StudyItemSpec(study=bench.spec, item=item))
    bench.runs("gaussian")
    return shipping.ship(bench.spec, bench.store, tmp_path_factory.mktemp("program") / "tiny", ABOUT)


@pytest.fixture
def program(finished: FinishedStudy, monkeypatch: pytest.MonkeyPatch) -> FinishedStudy:
    """Let the finished study be the one that came with the program."""
    monkeypatch.setattr(shipped, "FINISHED", finished.folder.parent)
    return finished


def test_an_empty_cache_shows_the_items_that_came_with_the_program(program, bench, store):
    assert studies_of(store) == [bench.spec]
    for item in MADE:
        spec = StudyItemSpec(study=bench.spec, item=item)
        made, came = find_item(spec, bench.store), find_item(spec, store)
        assert made is not None
        assert came is not None
        assert came.reproduced.numbers == made.reproduced.numbers
        drawn, again = (one.reproduced.picture.to_dict()["data"] for one in (made, came))
        assert [trace["name"] for trace in again] == [trace["name"] for trace in drawn]
    assert find_item(StudyItemSpec(study=bench.spec, item="figure-4"), store) is None


def test_what_was_made_here_comes_first(program, bench):
    found = find_item(StudyItemSpec(study=bench.spec, item="figure-9"), bench.store)
    assert found is not None
    assert bench.store.root in found.job.path.parents


def test_no_text_of_a_data_set_travels(finished, bench):
    passages = Path(str(bench.spec.texts.path)).read_text()
    assert "the cat sat on mat" in passages
    for path in finished.folder.rglob("*"):
        if path.suffix in (".json", ".gz", ".jsonl"):
            raw = path.read_bytes()
            text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
            assert "the cat" not in text, path
        if path.suffix == ".parquet":
            columns = set(pd.read_parquet(path).columns)
            assert not columns & {"context_before", "context_after", "document", "record", "row_id"}
    spec = StudyItemSpec(study=bench.spec, item="figure-2")
    own = find_item(spec, bench.store)
    assert own is not None
    assert "the cat" in json.dumps(own.reproduced.picture.to_plotly_json(), default=str), "one's own has contexts"


def test_a_runs_ends_travel_in_half_precision_and_some_of_its_way(finished, bench):
    own, came = read_prompts(bench.runs("gaussian")[0]), finished.prompts("gaussian")
    assert own is not None
    assert came is not None
    assert came.sites == own.sites
    assert came.steps.tolist() == own.steps.tolist(), "so few that all of them travel"
    assert came.vectors.dtype == own.vectors.dtype
    error = np.abs(came.vectors - own.vectors)
    assert error.max() > 0
    assert (error <= HALF_ERROR * np.maximum(np.abs(own.vectors), SMALLEST)).all()
    assert finished.run("deep-gaussian") is None
    assert finished.prompts("deep-gaussian") is None
    runs = [job.result() or {} for job in list_jobs(bench.store, "tune") if job.spec["method"] == "soft"]
    assert finished.manifest.hours == pytest.approx(sum(run["seconds"] for run in runs) / 3600)


def test_a_prompt_that_arms_share_is_stored_once_and_a_large_one_as_it_is(tmp_path):
    steps, rng = np.array([0, 9]), np.random.default_rng(0)
    sample, large = rng.standard_normal((1, 2, 3, 4)).astype(np.float32), np.full((1, 2, 3, 4), 1e5, np.float32)
    runs = {
        name: RunPrompts((1, 5), steps, np.concatenate([sample, end]))
        for name, end in {"plain": sample + 1, "random": sample + 2, "far": large}.items()
    }
    found = write_prompts(runs, tmp_path / "prompts.safetensors")
    assert len({one.at[0] for one in found.values()}) == 1
    assert len(load_file(tmp_path / "prompts.safetensors")) == 4
    again = {name: read_shipped(one, tmp_path / "prompts.safetensors") for name, one in found.items()}
    assert (again["far"].posterior(5) == runs["far"].posterior(5)).all()
    assert np.allclose(again["random"].vectors, runs["random"].vectors, rtol=HALF_ERROR)
    assert again["plain"].sites == (1, 5)


def test_coordinates_on_a_grid_are_off_by_half_a_step():
    rng = np.random.default_rng(0)
    coordinates = (rng.standard_normal(5000) * 30).astype(np.float32)
    found = on_grid(coordinates)
    assert found.dtype == coordinates.dtype
    assert np.abs(found - coordinates).max() <= np.ptp(coordinates) / GRID / 2
    assert len(np.unique(found)) <= 2 * GRID + 1
    assert on_grid(np.array([3.0, np.nan, 3.0])).tolist()[0] == 3.0
    assert np.isnan(on_grid(np.array([3.0, np.nan, 4.0]))[1])


def test_maps_are_put_on_the_grid_and_numbers_stay_as_they_are(finished, bench):
    spec = StudyItemSpec(study=bench.spec, item="figure-2")
    own, came = find_item(spec, bench.store), finished.item("figure-2")
    assert own is not None
    assert came is not None
    shipped = pd.read_parquet(came.path / "points.parquet")
    for axis in ("x", "y"):
        made = own.reproduced.points[axis].to_numpy()
        assert np.allclose(shipped[axis], made, atol=np.ptp(made) / GRID / 2)
    assert read_result(came) == own.result


def test_what_a_finished_study_lacks_is_said_with_the_runs_it_needs(finished, bench):
    assert finished.manifest.left["figure-7"] == len(bench.runs("gaussian")), "of another prior, as many seeds"
    assert finished.why_not("figure-7") == (
        "not in the finished study: it needs 2 further tuning runs; `python -m core reproduce --all --out DIR` makes it"
    )
    assert finished.why_not("figure-4") == (
        "not in the finished study: `python -m core reproduce --all --out DIR` makes it"
    )
    assert finished.why_not("figure-2") == ""


def test_a_run_keeps_its_evaluations_and_steps_evenly_spread():
    steps = [{"event": "step", "step": step} for step in range(1, 10)]
    evaluations = [{"event": "evaluation", "step": step} for step in (0, 4, 9)]
    baseline, note = {"event": "baseline"}, {"event": "stage"}
    found = shipping.thinned([baseline, note, *evaluations, *steps], n_steps=3)
    assert found == [baseline, *evaluations, steps[0], steps[4], steps[8]]
    assert shipping.thinned([baseline], n_steps=3) == [baseline]


def test_a_file_that_changed_is_named_with_the_remedy(finished, tmp_path, monkeypatch):
    copy = tmp_path / "program" / "tiny"
    _copy(finished.folder, copy)
    points = copy / "items" / "figure-9" / "points.parquet"
    points.write_bytes(points.read_bytes()[:-1] + b"?")
    with pytest.raises(DamagedArtifact, match=r"figure-9/points.parquet is not what its checksum says\. Install"):
        read_finished(copy, VERSION)
    points.unlink()
    with pytest.raises(DamagedArtifact, match=r"figure-9/points.parquet is missing"):
        read_finished(copy, VERSION)
    (copy / "study.json").write_text("[1]")
    with pytest.raises(DamagedArtifact, match=r"study.json cannot be read"):
        read_finished(copy, VERSION)
    monkeypatch.setattr(shipped, "FINISHED", copy.parent)
    assert shipped.finished_studies(VERSION) == []
    (line,) = shipped.problems(VERSION)
    assert "tiny is left out" in line


def test_another_version_is_left_out_and_said(finished):
    with pytest.raises(DamagedArtifact, match=rf"version {VERSION} .* reads version 0\. Install"):
        read_finished(finished.folder, "0")


def test_a_folder_that_is_there_and_a_study_without_items_are_refused(finished, bench, tmp_path):
    with pytest.raises(BadRequest, match="exists"):
        shipping.ship(bench.spec, bench.store, finished.folder, ABOUT)
    with pytest.raises(BadRequest, match="No item"):
        shipping.ship(bench.spec, Store(tmp_path / "empty"), tmp_path / "out", ABOUT)


def test_what_came_with_the_program_is_not_shipped_again(program, bench, store, tmp_path):
    with pytest.raises(BadRequest, match=r"^No item of this study was made here"):
        shipping.ship(bench.spec, store, tmp_path / "again", ABOUT)


def test_too_much_to_travel_is_refused(finished, bench, tmp_path, monkeypatch):
    monkeypatch.setattr(shipping, "MAX_BYTES", 1000)
    with pytest.raises(Failed, match="more than 1,000"):
        shipping.ship(bench.spec, bench.store, tmp_path / "out", ABOUT)
    assert not list(tmp_path.iterdir()), "nothing is left of it"


def test_what_is_made_again_agrees(program, bench, store):
    here = CountedBench(bench.spec, store)

    def perform(kind, spec):
        return here.obtain(spec).job if kind == "study" else here.do(kind, spec)

    found = checks.check(program, perform)
    assert {one.of for one in found} == {"figure-9"}, "there is no deep run in this study"
    assert len(found) > 3
    assert all(one.agrees for one in found)
    assert not checks.Checked("figure-9", "rank", 3.0, 3.1, 0.05).agrees


def test_without_a_finished_study_there_is_nothing_to_check(monkeypatch, tmp_path):
    monkeypatch.setattr(shipped, "FINISHED", tmp_path)
    with pytest.raises(Failed, match="No finished study"):
        checks.finished_study()


def _copy(folder: Path, to: Path) -> None:
    import shutil

    shutil.copytree(folder, to)


def test_the_study_of_a_model_is_checked_or_those_there_are_named(program, bench):
    name = bench.spec.model.name
    assert checks.finished_study() == checks.finished_study(name) == program
    with pytest.raises(UnknownName, match=r"^Unknown model of a finished study 'gpt-9'"):
        checks.finished_study("gpt-9")
