import numpy as np
import pytest

from core.analysis.frozen_maps import Map, fit_map
from core.errors import BadRequest, Cancelled, DamagedArtifact
from core.specs import ProjectionSpec


def _spec(**changes) -> ProjectionSpec:
    return ProjectionSpec(
        vocabulary=True, **({"method": "tsne", "n_iterations": 50, "perplexity": 10, "seed": 3} | changes)
    )


def three_clusters(n: int, width: int, gap: float) -> np.ndarray:
    """Return three normal clusters of n points each, (3·n, width) float32, a gap apart in every coordinate."""
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(size=(n, width)) + gap * k for k in range(3)]).astype(np.float32)


@pytest.fixture(scope="module")
def clusters() -> np.ndarray:
    return three_clusters(100, 8, 12)


@pytest.fixture(scope="module")
def tsne(clusters) -> Map:
    return fit_map(clusters, _spec())


def test_tsne_keeps_clusters_apart(tsne, clusters):
    centres = tsne.coordinates.reshape(3, 100, 2).mean(axis=1)
    nearest = np.linalg.norm(tsne.coordinates[:, None] - centres, axis=2).argmin(axis=1)
    assert (nearest == np.repeat(np.arange(3), 100)).all()


def test_a_seed_gives_one_picture(tsne, clusters):
    assert np.array_equal(tsne.coordinates, fit_map(clusters, _spec()).coordinates)


def test_tsne_in_three_dimensions(clusters):
    three = fit_map(clusters, _spec(n_components=3))
    assert three.coordinates.shape == (300, 3)
    assert three.overlay(clusters[:5]).coordinates.shape == (5, 3)


def test_repeated_points_share_a_place(clusters):
    doubled = np.concatenate([clusters, clusters[:40]])
    fitted = fit_map(doubled, _spec())
    assert fitted.tsne is not None
    assert len(fitted.tsne.embedding) == 300
    assert np.array_equal(fitted.coordinates[300:], fitted.coordinates[:40])


def test_placing_leaves_the_reference_unmoved(tsne, clusters):
    assert tsne.tsne is not None
    before = tsne.tsne.embedding.copy()
    tsne.overlay(clusters[:30])
    assert np.array_equal(before, tsne.tsne.embedding)


def test_points_inside_the_support_land_in_their_cluster(tsne, clusters):
    new = clusters[100:130] + np.float32(0.01)
    placed = tsne.overlay(new)
    assert placed.inside.all()
    centres = tsne.coordinates.reshape(3, 100, 2).mean(axis=1)
    assert (np.linalg.norm(placed.coordinates[:, None] - centres, axis=2).argmin(axis=1) == 1).all()


def test_points_outside_the_support_have_no_place(tsne, clusters):
    far = clusters[:5] + np.float32(500)
    placed = tsne.overlay(np.concatenate([far, clusters[:5]]))
    assert placed.inside.tolist() == [False] * 5 + [True] * 5
    assert np.isnan(placed.coordinates[:5]).all()
    assert np.isfinite(placed.coordinates[5:]).all()


def test_nearly_all_of_the_reference_is_inside_its_own_support(tsne, clusters):
    assert 0.97 <= tsne.overlay(clusters).inside.mean() <= 1


def test_a_pca_map_places_its_own_points_where_they_were(clusters):
    pca = fit_map(clusters, _spec(method="pca", n_components=3))
    placed = pca.overlay(clusters)
    assert np.array_equal(placed.coordinates, pca.coordinates)
    assert placed.inside.all()
    assert placed.off_plane_share.shape == (300,)


def test_a_pca_map_in_three_dimensions_is_the_one_in_two_and_one_more(clusters, tsne):
    three, two = fit_map(clusters, _spec(method="pca", n_components=3)), fit_map(clusters, _spec(method="pca"))
    drawn = three.drawn(2)
    assert np.array_equal(drawn.coordinates, two.coordinates)
    assert np.array_equal(drawn.overlay(clusters[:9]).off_plane, two.overlay(clusters[:9]).off_plane)
    assert three.drawn(3) is three
    with pytest.raises(BadRequest, match="A pca map of 2 dimensions cannot be drawn in 3; fit one with n_components 3"):
        two.drawn(3)
    with pytest.raises(BadRequest, match="A tsne map of 2 dimensions cannot be drawn in 3"):
        tsne.drawn(3)


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_a_saved_map_places_points_alike(method, clusters, tmp_path):
    fitted = fit_map(clusters, _spec(method=method))
    fitted.save(tmp_path)
    loaded = Map.load(tmp_path)
    assert np.array_equal(loaded.coordinates, fitted.coordinates)
    assert np.array_equal(
        loaded.overlay(clusters[:20] + 0.01).coordinates, fitted.overlay(clusters[:20] + 0.01).coordinates
    )


def test_progress_counts_both_phases(clusters):
    seen: list[tuple[int, int]] = []
    fit_map(clusters, _spec(), lambda done, total, message="": seen.append((done, total)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (300, 300)


def test_cancelling_stops_the_fit(clusters):
    calls = 0

    def stop(done: int, total: int, message: str = "") -> None:
        nonlocal calls
        calls += 1
        raise Cancelled("stop")

    with pytest.raises(Cancelled):
        fit_map(clusters, _spec(), stop)
    assert calls == 1


def test_a_perplexity_too_large_names_the_largest(clusters):
    with pytest.raises(
        BadRequest, match="needs more than 150 distinct points but there are 60; lower it to at most 19"
    ):
        fit_map(clusters[:60], _spec(perplexity=50))


def test_a_map_that_cannot_be_read_says_what_to_do(tmp_path, clusters):
    fit_map(clusters, _spec(method="pca")).save(tmp_path)
    (tmp_path / "mean.npy").unlink()
    with pytest.raises(DamagedArtifact, match=r"cannot be read .* remove it and it is made again"):
        Map.load(tmp_path)
