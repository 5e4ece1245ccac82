"""A cut prompt as its block sees it."""

from typing import Any

import numpy as np
import pytest

from core.analysis.behind_norm import InputNorm, measure_behind_norm
from core.analysis.cloud_places import SiteCloud

RNG = np.random.default_rng
NORM = InputNorm(np.array([1.0, 2.0, 0.5, 1.0]), 1e-6)


def cloud(n: int = 400, d: int = 4) -> SiteCloud:
    points = RNG(1).normal(size=(n, d)).astype(np.float32) + 1
    return SiteCloud("texts", points, [str(i) for i in range(n)], np.arange(n) // 4)


def measured(prior, posterior, norm=NORM, begun=True):
    return measure_behind_norm(prior, posterior, cloud(), [cloud()], RNG(0), norm, begun)


def test_it_is_the_norm_of_the_block():
    points = RNG(0).normal(size=(5, 4)).astype(np.float32)
    expected = points / np.sqrt((points**2).mean(1, keepdims=True) + 1e-6) * NORM.weight
    assert NORM.apply(points) == pytest.approx(expected, rel=1e-5)
    assert InputNorm().apply(np.zeros((1, 4), np.float32)).tolist() == [[0, 0, 0, 0]]


def test_the_length_of_a_vector_does_not_count():
    posterior = cloud().points[:6]
    one, longer = measured(posterior, posterior), measured(posterior, 1000 * posterior)
    assert longer["place"]["texts"]["supported"]["value"] == one["place"]["texts"]["supported"]["value"] == 1
    assert longer["collapse"]["euclidean"]["value"] == pytest.approx(0, abs=1e-3)


def test_the_prior_sample_stands_beside_the_posterior():
    away = -5 * np.ones((6, 4), np.float32)
    found = measured(cloud().points[:6], away)
    supported = found["place"]["texts"]["supported"]
    assert supported == {"value": 0, "prior": 1, "nulls": {"held-out points": {"value": 0.95}}}
    cosine: Any = found["collapse"]["cosine"]
    assert cosine["value"] > cosine["prior"]
    unknown = measured(away, away, begun=False)
    assert "prior" not in unknown["place"]["texts"]["supported"]
    assert "prior" not in unknown["collapse"]["cosine"]


def test_it_says_which_norm_it_is():
    points = cloud().points[:6]
    assert measured(points, points)["norm"] == "input norm of the block"
    assert measured(points, points, InputNorm())["norm"] == "unit root mean square"
