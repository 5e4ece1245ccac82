"""Figures of prompts and of priors, and the tables, on a tiny model."""

import re

import numpy as np
import pytest

from core.activations.clouds import find_vocabulary
from core.errors import UnknownName
from core.specs import StudyItemSpec, StudySpec
from core.store.prompts import read_prompts
from core.studies.arms import BETWEEN, COMPARED, CUT, DEEP, INSIDE, PLAIN, RANDOM, REGULARISED, SOFT, arms
from core.studies.figure import Reproduced
from core.studies.several_priors import replay
from tests.unit.studies.conftest import CountedBench


def made(bench: CountedBench, item: str) -> Reproduced:
    return bench.obtain(StudyItemSpec(study=bench.spec, item=item)).reproduced


def names(found: Reproduced) -> list[str]:
    return [str(trace["name"]) for trace in found.picture.to_plotly_json()["data"]]


@pytest.mark.parametrize(("number", "arm"), [(6, "isotropic"), (7, "isotropic-slow"), (8, "gaussian")])
def test_figures_6_to_8_show_the_first_seed_where_the_map_places_it(bench, number, arm):
    found = made(bench, f"figure-{number}")
    run = bench.runs(arm)[0]
    prompts = read_prompts(run)
    title = arms(bench.spec)[arm].title
    posterior = found.points.loc[found.points["cloud"] == f"{title}: posterior", ["x", "y"]].to_numpy()
    assert posterior.shape == (20, 2)
    rows = found.points.loc[found.points["cloud"] == "vocabulary", "row_id"].to_numpy()
    assert len(rows) == bench.spec.n_vocabulary
    assert prompts is not None
    # PCA is linear: the difference of two vectors on the map is the difference of their places
    prior = found.points.loc[found.points["cloud"] == f"{title}: prior sample", ["x", "y"]].to_numpy()
    moved = prompts.posterior(0) - prompts.prior(0)
    assert np.linalg.norm(posterior - prior, axis=1) == pytest.approx(
        np.linalg.norm(moved @ plane(bench, rows).T, axis=1), rel=1e-3, abs=1e-6
    )
    assert found.numbers["runs"] == [[run.id for run in bench.runs(arm)]]


def plane(bench: CountedBench, rows: np.ndarray) -> np.ndarray:
    """Return the first two principal components of vocabulary rows, from NumPy alone."""
    cloud = find_vocabulary(bench.spec.model, bench.store)
    assert cloud is not None
    points = np.asarray(cloud.points(0)[rows], np.float64)
    return np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2][:2]


def test_figure_9_has_samples_and_the_mean_as_a_cross(bench):
    found = made(bench, "figure-9")
    counts = found.points["cloud"].value_counts().to_dict()
    assert counts == {"vocabulary": bench.spec.n_vocabulary, "exclusion prior, c = 5": 500, "mean of the rows": 1}
    centre = found.points.loc[found.points["cloud"] == "mean of the rows", ["x", "y"]].to_numpy()
    rows = found.points.loc[found.points["cloud"] == "vocabulary", ["x", "y"]].to_numpy()
    assert np.abs(centre).max() < 0.1 * rows.std(), "the mean is in the middle of the rows"
    assert found.numbers["distance_median"] > found.numbers["row_distance_median"]


def test_figures_10_to_12_have_the_papers_clouds_and_colours(bench):
    texts, questions, sums = (data.label for data in (bench.spec.texts, bench.spec.questions, bench.spec.arithmetic))
    for number, clouds in {10: {texts, questions}, 11: {texts, questions}, 12: {texts, questions, sums}}.items():
        found = made(bench, f"figure-{number}")
        shown = set(found.points["cloud"])
        assert clouds <= shown
        assert len([name for name in shown if name.endswith("posterior")]) == (1 if number == 12 else 2)
    assert any(name.startswith("Deep, Xavier") for name in names(made(bench, "figure-11")))


def test_figure_13_tells_the_spread_of_samples_over_the_datas_own(bench):
    spread = made(bench, "figure-13").numbers["spread"]
    assert spread["fitted Gaussian"] == pytest.approx(1, abs=0.3)
    assert spread["VAE"] > 0


def test_the_table_of_quality_has_a_row_an_arm_and_compares_within_a_task_only(bench):
    found = made(bench, "table-quality")
    rows = found.numbers["table"]
    compared = [arm for name, arm in arms(bench.spec).items() if name in COMPARED]
    assert len(rows) == len(compared)
    assert {row["task"] for row in rows} == {
        f"soft prompts on {bench.spec.soft_task.label}",
        f"deep prompts before blocks 0, -1 on {bench.spec.deep_task.label}",
        f"deep prompts before blocks 0 on {bench.spec.soft_task.label}",
        f"deep prompts before blocks 0, -1 on {bench.spec.arithmetic.label}",
    }
    for row, arm in zip(
        sorted(rows, key=lambda row: row["prior"]), sorted(compared, key=lambda arm: arm.title), strict=True
    ):
        losses = [(run.result() or {})["validation"]["loss"] for run in bench.runs(arm.name)]
        assert row["loss"] == pytest.approx(np.mean(losses))
        assert row["seeds"] == len(losses)


def test_the_table_of_regularisers_has_the_plain_arm_first(bench):
    rows = made(bench, "table-regularisation").numbers["table"]
    assert rows[0]["regulariser"] == "Deep, Gaussian fitted at each block"
    assert len(rows) == 1 + len(REGULARISED)
    assert all(row["angle"] > 0 for row in rows)


def test_a_cut_soft_prompt_differs_from_the_kept_one_in_its_form_alone(bench):
    cut, kept = (arms(bench.spec)[name].specs[0] for name in (CUT, "gaussian"))
    assert (cut.method, cut.prompt_sites, cut.deep_form) == ("deep", (0,), "cut")
    assert cut.model_copy(update={"method": "soft", "prompt_sites": kept.prompt_sites}) == kept
    prompts = [read_prompts(bench.runs(name)[0]) for name in (CUT, "gaussian")]
    assert prompts[0] is not None
    assert prompts[1] is not None
    assert np.array_equal(prompts[0].prior(0), prompts[1].prior(0))
    ends = [(bench.runs(name)[0].result() or {})["validation"]["loss"] for name in (CUT, "gaussian")]
    assert ends[0] != ends[1]


def test_arms_have_the_papers_rates_no_clipping_and_a_plateau():
    study = StudySpec()
    known = arms(study)
    assert {known[name].specs[0].learning_rate for name in SOFT} == {5e-3}
    assert {known[f"{name}-slow"].specs[0].learning_rate for name in ("isotropic", "gaussian", "xavier")} == {5e-4}
    absolute = [known[f"{name}-absolute"].specs[0] for name in DEEP]
    assert {(spec.learning_rate, spec.rate_unit) for spec in absolute} == {(1e-3, "absolute")}
    every = [spec for arm in known.values() for spec in arm.specs]
    assert {spec.clip_norm for spec in every} == {0}
    assert {spec.patience for spec in every} == {study.patience}
    assert {spec.steps for spec in every} == {study.steps, study.deep_steps}
    for name in (*SOFT, *DEEP):
        true, random = known[name].specs[0], known[f"{name}{RANDOM}"].specs[0]
        assert random == true.model_copy(update={"labels": "random"})


def test_each_group_of_arms_has_its_own_number_of_seeds():
    study = StudySpec(n_seeds=3, n_deep_seeds=4, n_dose_seeds=5, n_control_seeds=6)
    sizes = {name: len(arm.specs) for name, arm in arms(study).items()}
    assert (sizes["xavier"], sizes[CUT], sizes[PLAIN], sizes[BETWEEN], sizes[REGULARISED[0]]) == (3, 3, 4, 4, 5)
    assert (sizes["xavier-random"], sizes["activations-xavier"]) == (6, 1)


def test_the_gaussian_on_sums_is_the_plain_arm_where_the_deep_task_is_sums():
    study = StudySpec()
    assert arms(study)[INSIDE].specs == arms(study)[PLAIN].specs
    other = StudySpec(deep_task=study.questions)
    assert arms(other)[INSIDE].specs != arms(other)[PLAIN].specs


def test_an_arm_differs_in_its_seeds_alone_and_an_unknown_one_is_named(bench):
    for arm in arms(bench.spec).values():
        assert len({spec.model_copy(update={"seed": 0}).canonical_json() for spec in arm.specs}) == 1
        assert [spec.seed for spec in arm.specs] == list(range(len(arm.specs)))
    with pytest.raises(UnknownName, match="arm 'deepest'"):
        bench.runs("deepest")


def test_several_priors_move_on_one_map_beside_their_losses(bench):
    found = made(bench, "several-priors")
    numbers, points = found.numbers, found.points
    titles = [arms(bench.spec)[name].specs[0].prior.title for name in SOFT]
    assert [run["prior"] for run in numbers["runs"]] == titles
    assert len(found.picture.frames) == len(numbers["steps"])
    on_map = plane(bench, points.loc[points["cloud"] == "vocabulary", "row_id"].to_numpy(int))
    for run, name in zip(numbers["runs"], SOFT, strict=True):
        own = bench.runs(name)[0]
        prompts, result = read_prompts(own), own.result() or {}
        assert prompts is not None
        assert run["run"] == own.id
        assert run["losses"][0] == pytest.approx(result["baseline"]["prior_sample"]["loss"])
        assert run["losses"][-1] == pytest.approx(result["validation"]["loss"])
        placed = points.loc[points["cloud"] == run["prior"]]
        first, last = (
            placed.loc[placed["frame"] == frame, ["x", "y"]].to_numpy() for frame in (0, points["frame"].max())
        )
        moved = np.linalg.norm((prompts.posterior(0) - prompts.prior(0)) @ on_map.T, axis=1)
        assert np.linalg.norm(last - first, axis=1) == pytest.approx(moved, rel=1e-3, abs=1e-6)
    assert numbers["apart"]["before"] > 0


def test_one_of_several_priors_is_played_alone_from_its_points(bench):
    found = made(bench, "several-priors")
    alone = replay(found.points, found.numbers, "Xavier", 0)
    drawn = [trace["name"] for trace in alone.to_plotly_json()["data"]]
    assert "Xavier: prior sample" in drawn
    assert not [name for name in drawn if name.startswith("Fitted Gaussian")]
    assert len(alone.frames) == len(found.picture.frames)
    assert alone.layout.sliders[0].active == 0
    assert all(re.search(r"<br>token \d+$", text) for text in alone.to_plotly_json()["data"][0]["hovertext"])
    assert found.picture.layout.sliders[0].active == len(found.picture.frames) - 1
