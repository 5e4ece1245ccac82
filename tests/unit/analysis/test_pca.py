import numpy as np
import pytest
from sklearn.decomposition import PCA

from core.analysis.pca import ends, fit_pca, loadings, off_plane
from core.errors import BadRequest


@pytest.fixture
def points() -> np.ndarray:
    rng = np.random.default_rng(0)
    return (rng.normal(size=(300, 6)) @ rng.normal(size=(6, 12)) + rng.normal(size=12) * 5).astype(np.float32)


def test_same_components_as_scikit_learn(points):
    ours, oracle = fit_pca(points, 5), PCA(5, svd_solver="full").fit(points.astype(np.float64))
    assert np.allclose(ours.explained, oracle.explained_variance_ratio_)
    assert np.allclose(ours.variance, oracle.explained_variance_)
    assert np.allclose(np.abs(ours.components @ np.asarray(oracle.components_).T), np.eye(5), atol=1e-8)


def test_coordinates_and_signs_are_those_of_scikit_learn_up_to_its_signs(points):
    ours, oracle = fit_pca(points, 3), PCA(3, svd_solver="full").fit(points.astype(np.float64))
    assert np.allclose(np.abs(ours.transform(points)), np.abs(oracle.transform(points)), atol=1e-4)
    largest = np.abs(ours.components).argmax(axis=1)
    assert (ours.components[np.arange(3), largest] > 0).all()


def test_fitting_in_pieces_is_fitting_at_once(points, monkeypatch):
    whole = fit_pca(points, 4)
    monkeypatch.setattr("core.analysis.pca.CHUNK", 7)
    pieces = fit_pca(points, 4)
    assert np.allclose(whole.components, pieces.components)
    assert np.allclose(whole.transform(points), pieces.transform(points), atol=1e-5)


def test_fewer_points_than_dimensions_keeps_n_minus_one_components():
    points = np.random.default_rng(1).normal(size=(5, 40))
    pca = fit_pca(points)
    assert pca.components.shape == (4, 40)
    assert pca.explained.sum() == pytest.approx(1)


def test_off_plane_in_closed_form():
    rng = np.random.default_rng(2)
    scales = np.array([5.0, 3.0, 0.1])
    pca = fit_pca(rng.normal(size=(4000, 3)) * scales)
    point = pca.mean + 2 * pca.components[0] * np.sqrt(pca.variance[0]) + 7 * pca.components[2]
    hidden = off_plane(pca, point[None].astype(np.float32), 2)
    assert hidden.distance[0] == pytest.approx(7, rel=1e-4)
    assert hidden.t_squared[0] == pytest.approx(4, rel=1e-4)
    assert hidden.share[0] == pytest.approx(49 / (49 + 4 * pca.variance[0]), rel=1e-4)


def test_an_isotropic_sample_hides_all_but_two_over_d():
    rng = np.random.default_rng(3)
    cloud = rng.normal(size=(5000, 64))
    hidden = off_plane(fit_pca(cloud), rng.normal(size=(2000, 64)), 2)
    assert hidden.share.mean() == pytest.approx(1 - 2 / 64, abs=0.005)


def test_a_point_at_the_mean_hides_nothing():
    pca = fit_pca(np.eye(4))
    assert off_plane(pca, pca.mean[None]).share[0] == 0


def test_no_points_give_no_coordinates(points):
    assert fit_pca(points).transform(points[:0], 2).shape == (0, 2)


def test_messages_name_value_and_remedy(points):
    with pytest.raises(BadRequest, match="of 2 points cannot be fitted; give at least 3"):
        fit_pca(points[:2])
    with pytest.raises(BadRequest, match=r"shape \(300, 5\) do not fit a map of width 12; choose a cloud of the model"):
        fit_pca(points).transform(points[:, :5])
    points[3, 3] = np.nan
    with pytest.raises(BadRequest, match="Some of the 300 reference points are not finite"):
        fit_pca(points)


def test_loadings_are_the_heaviest_entries_with_their_signs():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(400, 12))
    points[:, 7] += 9 * (common := rng.normal(size=400))
    points[:, 2] -= 6 * common
    found = loadings(fit_pca(points), 0, 2)
    assert found.dimension.tolist() == [7, 2]
    assert found.weight[0] > 0 > found.weight[1]
    assert 0.95 < found.share < 1
    assert loadings(fit_pca(points), 3, 12).share == pytest.approx(1)


@pytest.mark.parametrize("component", [-1, 50])
def test_a_component_that_was_not_kept_is_named(component):
    pca = fit_pca(np.random.default_rng(0).normal(size=(200, 60)))
    with pytest.raises(BadRequest, match=f"Component {component + 1} was not kept; the map has 1 to 50"):
        loadings(pca, component)


def test_ends_are_the_farthest_names_each_once():
    scores = np.array([3.0, -2, 5, 4, -1, 0])
    assert ends(scores, ["a", "b", "c", "c", "b", "d"], 2) == (["b", "d"], ["c", "a"])
    assert ends(scores[:0], [], 2) == ([], [])
