"""Contours, held against SciPy's kernel density estimate and against counts."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import gaussian_kde

from core.figures.contours import SHARES, contours, density
from core.figures.layer import Layer

RNG = np.random.default_rng(0)
SPREAD = np.diag([3.0, 0.5])
POINTS = np.concatenate([RNG.normal(size=(1500, 2)) @ SPREAD, RNG.normal((20, 4), 1, (500, 2))]).astype(np.float32)


def test_density_is_scipys_kernel_estimate():
    # SciPy's kernel follows the covariance, ours the axes; of points whose covariance is 1 they are the same.
    white = np.linalg.solve(np.linalg.cholesky(np.cov(POINTS.T)), POINTS.T).T
    found = density(white, cells=200)
    grid = np.stack(np.meshgrid(found.x, found.y)).reshape(2, -1)
    cell = (found.x[1] - found.x[0]) * (found.y[1] - found.y[0])
    expected = gaussian_kde(white.T, "scott")(grid).reshape(200, 200) * cell
    assert found.values.sum() == pytest.approx(1)
    assert np.abs(found.values - expected).sum() < 0.02


@pytest.mark.parametrize("share", SHARES)
def test_lines_hold_the_share_of_points_they_say(share):
    found = density(POINTS)
    columns = np.searchsorted((found.x[1:] + found.x[:-1]) / 2, POINTS[:, 0])
    rows = np.searchsorted((found.y[1:] + found.y[:-1]) / 2, POINTS[:, 1])
    assert (found.share[rows, columns] <= share).mean() == pytest.approx(share, abs=0.01)


def test_contours_have_the_hue_of_their_layer_and_few_points_have_none():
    layers = [
        Layer("many", POINTS, "dataset", 1),
        Layer("few", POINTS[:5], "dataset", 0),
        Layer("flat", np.zeros((50, 2), np.float32), "dataset", 2),
    ]
    traces: Any = contours(layers)
    assert [trace.name for trace in traces] == ["density of many"]
    assert traces[0].line.color == "#7B5EA7"
    assert traces[0].customdata is None


def test_points_without_a_place_do_not_count():
    missing = np.vstack([POINTS, np.full((3, 2), np.nan, np.float32)])
    first, second = (contours([Layer("all", points, "dataset")])[0].to_json() for points in (POINTS, missing))
    assert first == second
