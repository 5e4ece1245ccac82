import numpy as np
import pytest
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from core.analysis.cloud_scores import fit_cloud
from core.errors import BadRequest


def test_percentiles_of_the_clouds_own_law_are_uniform():
    rng = np.random.default_rng(3)
    root = rng.normal(size=(10, 10))
    cloud, fresh = rng.normal(size=(6000, 10)) @ root, rng.normal(size=(3000, 10)) @ root
    placed = fit_cloud(cloud, rng).score(fresh)
    for scores in (placed.mahalanobis, placed.neighbour, placed.off_plane):
        assert scores.inside_95 == pytest.approx(0.95, abs=0.02)
        assert scores.percentile.mean() == pytest.approx(50, abs=3)


def test_scores_are_those_of_the_part_that_is_held_in():
    rng = np.random.default_rng(4)
    cloud = rng.normal(size=(200, 5)).astype(np.float32)
    documents = np.repeat(np.arange(20), 10)
    held = np.isin(documents, np.random.default_rng(9).choice(np.arange(20), size=4, replace=False))
    fitted = fit_cloud(cloud, np.random.default_rng(9), documents)
    placed = fitted.score(cloud[:3])
    inside = cloud[~held].astype(float)
    assert (fitted.n_fitted, len(fitted.held_out)) == (160, 40)
    assert placed.mahalanobis.values == pytest.approx(LedoitWolf().fit(inside).mahalanobis(cloud[:3]))
    fifth = NearestNeighbors(n_neighbors=5).fit(inside).kneighbors(cloud[:3])[0][:, -1]
    assert placed.neighbour.values == pytest.approx(fifth, rel=1e-3)
    pca = PCA(2).fit(inside)
    centred = cloud[:3] - pca.mean_
    shown = (pca.transform(cloud[:3]) ** 2).sum(axis=1) / (centred**2).sum(axis=1)
    assert placed.off_plane.values == pytest.approx(1 - shown, rel=1e-3)


def test_a_token_that_comes_often_does_not_make_its_own_support():
    rng = np.random.default_rng(6)
    cloud = np.concatenate([np.repeat(rng.normal(size=(1, 4)), 80, axis=0), rng.normal(size=(60, 4))])
    fitted = fit_cloud(cloud, rng)
    assert len(fitted.distinct) <= 61
    assert fitted.score(cloud[:1]).neighbour.values[0] > 0


def test_a_far_vector_is_beyond_all_and_one_document_still_holds_out():
    cloud = np.random.default_rng(5).normal(size=(100, 4))
    fitted = fit_cloud(cloud, np.random.default_rng(0), np.zeros(100, int))
    placed = fitted.score(np.full((2, 4), 30.0))
    assert (placed.mahalanobis.percentile == 100).all()
    assert placed.mahalanobis.inside_95 == placed.neighbour.inside_95 == 0
    assert len(fitted.held_out) == 20


def test_a_cloud_too_small_to_hold_out_is_refused():
    with pytest.raises(BadRequest, match="A cloud of 9 points is too small to compare vectors with; give at least 10"):
        fit_cloud(np.ones((9, 2)), np.random.default_rng(0))
