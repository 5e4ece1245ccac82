"""t-SNE against openTSNE used by itself: one call, several scales, placing; and stopping with what is drawn."""

from typing import Any

import numpy as np
import pytest
from openTSNE import TSNE, TSNEEmbedding
from openTSNE.affinity import Multiscale, PerplexityBasedNN

from core.analysis.frozen_maps import fit_map
from core.analysis.tsne import Embedded, fit_tsne, overlay_tsne
from core.errors import BadRequest
from core.progress import Progress, silent
from core.specs import ProjectionSpec
from tests.unit.analysis.test_frozen_maps import three_clusters


def _spec(**changes) -> ProjectionSpec:
    asked = {"method": "tsne", "perplexity": 10, "n_early_iterations": 40, "n_iterations": 60, "seed": 3, **changes}
    return ProjectionSpec.parse({"vocabulary": True, **asked})


def _one_call(scores: np.ndarray, spec: ProjectionSpec, affinities: Any = None) -> np.ndarray:
    """Return what openTSNE gives in one call, centred as ours."""
    kind: Any = TSNE
    tsne = kind(
        perplexity=spec.perplexity,
        exaggeration=spec.exaggeration,
        early_exaggeration=spec.early_exaggeration,
        early_exaggeration_iter=spec.n_early_iterations,
        n_iter=spec.n_iterations,
        initialization="pca",
        learning_rate=spec.learning_rate or "auto",
        negative_gradient_method="bh",
        n_jobs=1,
        random_state=spec.seed,
    )
    embedding = np.array(tsne.fit(scores.astype(np.float64), affinities))
    return (embedding - (embedding.max(axis=0) + embedding.min(axis=0)) / 2).astype(np.float32)


def _into(seen: list[tuple[int, int, str]]) -> Progress:
    def report(done: int, total: int, message: str = "") -> None:
        seen.append((done, total, message))

    return report


@pytest.fixture(scope="module")
def scores() -> np.ndarray:
    return three_clusters(90, 6, 9)


@pytest.fixture(scope="module")
def fitted(scores) -> Embedded:
    return fit_tsne(scores, _spec())


@pytest.mark.parametrize(
    "changes",
    [{}, {"exaggeration": 2.5}, {"early_exaggeration": 4}, {"learning_rate": 80}, {"n_early_iterations": 0}],
    ids=str,
)
def test_its_stages_give_what_one_call_gives(scores, changes):
    spec = _spec(**changes)
    assert np.array_equal(fit_tsne(scores, spec).coordinates, _one_call(scores, spec))


def test_several_perplexities_are_openTSNEs_multiscale(scores, fitted):  # noqa: N802 - its name
    spec = _spec(further_perplexities="40,20")
    oracle = Multiscale(scores.astype(np.float64), perplexities=[10.0, 20.0, 40.0], n_jobs=1, random_state=3)
    found = fit_tsne(scores, spec).coordinates
    assert np.array_equal(found, _one_call(scores, spec, oracle))
    assert not np.array_equal(found, fitted.coordinates)


def test_a_scale_named_twice_counts_once(scores, fitted):
    assert np.array_equal(fit_tsne(scores, _spec(further_perplexities=[10])).coordinates, fitted.coordinates)


def test_the_largest_perplexity_must_fit(scores):
    with pytest.raises(BadRequest, match="A perplexity of 100 needs more than 300 distinct points but there are 270"):
        fit_tsne(scores, _spec(further_perplexities=[100]))


def test_a_seed_gives_the_same_to_the_bit(scores, fitted):
    again = fit_tsne(scores, _spec())
    assert np.array_equal(again.coordinates, fitted.coordinates)
    assert again.divergence == fitted.divergence > 0
    assert again.n_iterations == 60


def test_what_is_stopped_is_what_fewer_iterations_give(scores):
    spec = _spec(n_iterations=400)
    seen: list[tuple[int, int, str]] = []
    stopped = fit_tsne(scores, spec, _into(seen), lambda: len(seen) > 10)
    whole = fit_tsne(scores, _spec(n_iterations=stopped.n_iterations))
    assert 50 <= stopped.n_iterations < 400
    assert np.array_equal(stopped.coordinates, whole.coordinates)
    assert seen[-1][:2] == (40 + stopped.n_iterations + 1, 440)


def test_nothing_is_kept_of_fewer_iterations_than_a_map_may_have(scores):
    assert fit_tsne(scores, _spec(n_iterations=100), silent, lambda: True).n_iterations == 59


def test_progress_tells_phase_and_divergence(scores):
    seen: list[tuple[int, int, str]] = []
    fit_tsne(scores, _spec(), _into(seen))
    assert [done for done, _, _ in seen] == list(range(10, 101, 10))
    assert seen[3][2].startswith("early exaggeration, divergence")
    assert seen[-1][2].startswith("t-SNE, divergence")


@pytest.mark.parametrize("perplexity", [3.0, 10.0])
def test_points_are_placed_as_openTSNE_places_them(scores, fitted, perplexity):  # noqa: N802 - its name
    new = scores[5:25].astype(np.float64) + 0.05
    reference = scores.astype(np.float64)
    affinities = PerplexityBasedNN(reference, perplexity=perplexity, method="exact", n_jobs=1, random_state=0)
    oracle = TSNEEmbedding(
        fitted.coordinates.astype(np.float64), affinities, negative_gradient_method="bh", n_jobs=1, random_state=0
    )
    few: Any = min(5.0, perplexity)
    expected = np.array(oracle.transform(new, perplexity=few, n_iter=100))
    found = overlay_tsne(fitted.coordinates, scores, new.astype(np.float32), perplexity, 0)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_points_are_placed_alone_as_together(scores, fitted):
    new = scores[5:25] + np.float32(0.05)
    together = overlay_tsne(fitted.coordinates, scores, new, 10, 0)
    np.testing.assert_allclose(overlay_tsne(fitted.coordinates, scores, new[7:8], 10, 0)[0], together[7], atol=1e-5)


def test_an_input_of_more_components_is_kept(scores):
    rng = np.random.default_rng(1)
    points = np.concatenate([scores, rng.normal(size=(270, 60)).astype(np.float32)], axis=1)
    near = fit_map(points, _spec(input_components=60)).tsne
    assert near is not None
    assert near.scores.shape == (270, 60)
    fewer = fit_map(points, _spec(input_components=4)).tsne
    assert fewer is not None
    assert fewer.scores.shape == (270, 4)
