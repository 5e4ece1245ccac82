"""Figures of prompts and of priors, and the tables, on a tiny model."""

import numpy as np
import pytest

from core.activations.clouds import find_vocabulary
from core.errors import UnknownName
from core.specs import StudyItemSpec, StudySpec
from core.store.prompts import read_prompts
from core.studies.arms import REGULARISED, arms
from core.studies.figure import Reproduced
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
    compared = [arm for name, arm in arms(bench.spec).items() if name not in REGULARISED]
    assert len(rows) == len(compared)
    assert {row["task"] for row in rows} == {
        f"soft prompts on {bench.spec.soft_task.label}",
        f"deep prompts before blocks 0, -1 on {bench.spec.questions.label}",
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
    assert rows[0]["regulariser"] == "Deep on sums, Gaussian"
    assert len(rows) == 1 + len(REGULARISED)
    assert all(row["angle"] > 0 for row in rows)


def test_cut_and_kept_prompts_are_compared_where_they_can_differ(bench):
    """Were all blocks between the first and the last prompted, both would be the same run."""
    cut, kept = (arms(bench.spec)[name].specs[0] for name in ("form-cut", "form-kept"))
    assert cut.prompt_sites == kept.prompt_sites == (0, -1)
    ends = [(bench.runs(name)[0].result() or {})["validation"]["loss"] for name in ("form-cut", "form-kept")]
    assert ends[0] != ends[1]
    quick = arms(StudySpec.asked(True))["form-kept"].specs[0]
    assert (quick.prompt_sites, quick.deep_form) == ((0, -3, -2, -1), "kept")


def test_an_arm_differs_in_its_seeds_alone_and_an_unknown_one_is_named(bench):
    for arm in arms(bench.spec).values():
        assert len({spec.model_copy(update={"seed": 0}).canonical_json() for spec in arm.specs}) == 1
        assert [spec.seed for spec in arm.specs] == list(range(len(arm.specs)))
    with pytest.raises(UnknownName, match="arm 'deepest'"):
        bench.runs("deepest")
