"""The transfer matrix: each task from scratch against from each other's posterior, seed by seed."""

import numpy as np
import pytest

from core.specs import StudySpec
from core.store import find_job
from core.store.prompts import read_prompts
from core.studies.transfer import LEAST_SEEDS_OF_A_GAUSSIAN, started_at, tasks_of, transfer
from tests.unit.studies.conftest import CountedBench


@pytest.fixture(scope="module")
def found(bench: CountedBench):
    return transfer(bench)


def loss(bench: CountedBench, run: str) -> float:
    return (find_job(bench.store, run).result() or {})["validation"]["loss"]


def test_gains_are_paired_by_seed_and_drawn_with_their_numbers(bench, found):
    names = found.numbers["tasks"]
    assert len(names) == 3
    assert len(found.points) == 6
    assert set(found.points["seeds"]) == {bench.spec.n_deep_seeds}
    runs = np.array(found.numbers["runs"]).reshape(-1, bench.spec.n_deep_seeds)
    losses = np.array([[loss(bench, run) for run in seeds] for seeds in runs])
    scratch, begun = dict(zip(names, losses, strict=False)), losses[3:]
    for row, own in zip(found.points.to_dict("records"), begun, strict=True):
        assert row["gain"] == pytest.approx((scratch[row["to"]] - own).mean())
        assert row["low"] < row["gain"] < row["high"]
    (drawn,) = found.picture.data
    assert np.isnan(np.diag(drawn["z"])).all()
    assert drawn["z"][0, 1] == pytest.approx(found.points["gain"].iloc[0], rel=1e-5)
    assert drawn["text"][0][0] == "from scratch"
    assert drawn["text"][0][1].startswith(f"{found.points['gain'].iloc[0]:+.3f} [")


def test_runs_begin_where_the_other_tasks_run_of_the_same_seed_ended(bench, found):
    tasks = tasks_of(bench.spec)
    names = list(tasks)
    runs = np.array(found.numbers["runs"]).reshape(-1, bench.spec.n_deep_seeds)
    for seed in range(bench.spec.n_deep_seeds):
        ended = read_prompts(find_job(bench.store, runs[0][seed]))
        begun = read_prompts(find_job(bench.store, runs[3][seed]))  # from the first task to the second
        assert ended is not None
        assert begun is not None
        assert np.array_equal(begun.vectors[0], ended.vectors[-1])
    assert (found.numbers["pairs"][0]["from"], found.numbers["pairs"][0]["to"]) == (names[0], names[1])


def test_what_differs_is_the_prior_alone(bench, found):
    specs = tasks_of(bench.spec)
    own = next(iter(specs.values()))
    runs = [find_job(bench.store, run) for run in found.numbers["runs"][: bench.spec.n_deep_seeds]]
    for draw, named in (("exact", [run.id for run in runs]), ("gaussian", [" ".join(run.id for run in runs)] * 2)):
        begun = started_at(own, runs, draw)
        assert [spec.prior.model_dump()["runs"] for spec in begun] == named
        for spec, plain in zip(begun, own, strict=True):
            unread = {name: getattr(plain, name) for name in ("prior", "n_generation")}
            assert spec.model_copy(update=unread) == plain


def test_a_second_making_runs_nothing(bench, found):
    before = len(bench.asked)
    again = transfer(bench)
    assert len(bench.asked) == before
    assert again.numbers == found.numbers


def test_few_seeds_have_no_gaussian_over_them_and_say_so(bench, found):
    assert bench.spec.n_deep_seeds < LEAST_SEEDS_OF_A_GAUSSIAN
    assert {pair["draw"] for pair in found.numbers["pairs"]} == {"exact"}
    assert "needs a study of at least 4 seeds" in found.caption


def test_the_tasks_are_the_questions_and_two_modules():
    specs = tasks_of(StudySpec())
    assert list(specs) == ["squad", "math · arithmetic__add_or_sub", "math · arithmetic__mul"]
    assert {len(group) for group in specs.values()} == {StudySpec().n_deep_seeds}
    assert {spec.method for group in specs.values() for spec in group} == {"deep"}
    few = tasks_of(StudySpec(tasks=("arithmetic__mul", "arithmetic__div")))
    assert list(few)[1:] == ["math · arithmetic__mul", "math · arithmetic__div"]
