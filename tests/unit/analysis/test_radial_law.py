import numpy as np
import pytest

from core.analysis.radial_law import gaussian_like, likeness, radial_law

DOCUMENTS = np.repeat(np.arange(80), 10)


def alike(rng, share, d=6):
    """Return Gaussian points of which those of a document correlate."""
    of_document = rng.normal(size=(80, d))[DOCUMENTS]
    return np.sqrt(share) * of_document + np.sqrt(1 - share) * rng.normal(size=(800, d))


@pytest.mark.parametrize("share", [0.0, 0.4, 0.9])
def test_likeness_is_the_correlation_within_documents(share):
    found = likeness(alike(np.random.default_rng(0), share, d=200), DOCUMENTS)
    assert found.mean() == pytest.approx(share, abs=0.02)


def test_single_tokens_are_not_alike():
    assert (likeness(np.random.default_rng(0).normal(size=(50, 3)), np.arange(50)) == 0).all()
    assert (likeness(np.random.default_rng(0).normal(size=(50, 3)), np.zeros(50, int)) == 0).all()


def test_samples_have_the_clouds_moments_and_its_likeness():
    rng = np.random.default_rng(1)
    points = alike(rng, 0.5) @ np.diag([5, 3, 2, 1, 1, 0.5]) + 7
    draw = gaussian_like(points, DOCUMENTS)
    drawn = np.concatenate([draw(rng) for _ in range(100)])
    assert drawn.mean(axis=0) == pytest.approx(points.mean(axis=0), abs=0.2)
    assert np.cov(drawn.T) == pytest.approx(np.cov(points.T), abs=0.8)
    found = likeness(drawn, np.tile(DOCUMENTS, 100) + 80 * np.repeat(np.arange(100), 800))
    assert found.mean() == pytest.approx(likeness(points, DOCUMENTS).mean(), abs=0.05)


@pytest.mark.parametrize("share", [0.0, 0.6])
def test_a_gaussian_has_its_own_radial_law_however_much_alike_a_documents_tokens_are(share):
    laws = [
        radial_law(alike(np.random.default_rng(seed), share), DOCUMENTS, np.random.default_rng(seed))
        for seed in range(12)
    ]
    assert np.mean([side.low <= 0 <= side.high for law in laws for side in (law.core, law.tail)]) >= 0.85
    assert {(law.n_documents, len(law.drawn)) for law in laws} == {(80, 19)}


def test_a_peaked_cloud_has_too_many_points_near_the_centre_and_far_out():
    rng = np.random.default_rng(3)
    law = radial_law(alike(rng, 0.2) * rng.gamma(1, size=(800, 1)) ** 0.5, DOCUMENTS, rng)
    assert law.core.low > 0.1
    assert law.tail.low > 0.02
    assert law.core_null.low <= 0 <= law.core_null.high < law.core.low


def test_shares_beyond_the_gaussians_own_radii_are_counted():
    rng = np.random.default_rng(4)
    law = radial_law(alike(rng, 0.0), DOCUMENTS, rng)
    near, far = np.quantile(law.drawn, [0.1, 0.9])
    assert law.core.value == pytest.approx((law.radii <= near).mean() - 0.1)
    assert law.tail.value == pytest.approx((law.radii > far).mean() - 0.1)
