import numpy as np
import pytest
from scipy.stats import chi2, kstest
from scipy.stats import kurtosis as scipys
from sklearn.covariance import LedoitWolf

from core.analysis.intrinsic import block_moments
from core.analysis.peakedness import held_out_mahalanobis, kurtosis, ledoit_wolf, radii


def test_kurtosis_is_scipys_and_is_found_in_a_peaked_law_only():
    rng = np.random.default_rng(0)
    block = np.arange(2000) % 10
    round_, peaked = rng.normal(size=(2000, 4)), rng.laplace(size=(2000, 4)) + 50
    for points in (round_, peaked):
        assert kurtosis(points, block).found.value == pytest.approx(scipys(points, axis=0).mean())
    assert kurtosis(round_, block).p > 0.01
    assert kurtosis(peaked, block).p < 0.001
    assert kurtosis(peaked, block).found.low > 0


def test_kurtosis_of_points_that_coincide_is_no_evidence():
    assert kurtosis(np.ones((20, 2)), np.arange(20) % 4).p == 1


@pytest.mark.parametrize("n", [30, 400])
def test_ledoit_wolf_is_scikit_learns(n: int):
    rng = np.random.default_rng(n)
    points = rng.normal(size=(n, 12)) * np.arange(1, 13)
    centred = points - points.mean(axis=0)
    found, shrinkage = ledoit_wolf(centred.T @ centred / n, float(((centred**2).sum(axis=1) ** 2).sum()), n)
    theirs = LedoitWolf().fit(points)
    assert shrinkage == pytest.approx(theirs.shrinkage_)
    assert found == pytest.approx(theirs.covariance_)


def test_held_out_distances_are_those_of_a_fit_without_the_fold():
    rng = np.random.default_rng(1)
    points = rng.normal(size=(120, 4)) * [1, 2, 3, 4]
    block = np.arange(120) % 6
    found = held_out_mahalanobis(points, block, block_moments(points, block), 3)
    held = block % 3 == 1
    assert found[held] == pytest.approx(LedoitWolf().fit(points[~held]).mahalanobis(points[held]), rel=1e-6)


def test_radii_agree_with_the_law_for_a_gaussian_and_not_for_a_peaked_cloud():
    rng = np.random.default_rng(2)
    block = np.arange(3000) % 10
    gaussian = rng.normal(size=(3000, 8))
    peaked = gaussian * rng.gamma(1, size=(3000, 1)) ** 0.5
    fair, sharp = (
        radii(held_out_mahalanobis(points, block, block_moments(points, block), 5), block, 8)
        for points in (gaussian, peaked)
    )
    assert fair.median.low < 1.03
    assert fair.inside.value == pytest.approx(0.95, abs=0.02)
    assert fair.distance.value < 0.05
    assert sharp.median.high < 0.85
    assert sharp.inside.high < 0.94
    assert sharp.distance.low > 0.1


def test_the_distance_from_the_law_is_kolmogorovs():
    squared = np.random.default_rng(3).chisquare(5, size=200) * 1.2
    found = radii(squared, np.arange(200) % 10, 5)
    assert found.distance.value == pytest.approx(kstest(squared, chi2(5).cdf).statistic)
    assert found.median.value == pytest.approx(np.median(squared) / chi2(5).median())
