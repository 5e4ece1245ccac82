from typing import Any

import numpy as np
import pytest
from scipy import stats

from core.priors.xavier import Xavier, XavierSpec

ks_2samp: Any = stats.ks_2samp  # its stub has no pvalue


def make(d_model: int, **parameters) -> Xavier:
    points = np.empty((0, d_model), np.float32)
    return Xavier(XavierSpec.parse(parameters)).fit(points)


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
@pytest.mark.parametrize("shape", [(20, 576), (100, 64)])
def test_spread_is_torchs(distribution: str, shape: tuple[int, int]):
    import torch

    ours = make(shape[1], distribution=distribution).sample(shape[0], np.random.default_rng(0))
    init = {"uniform": torch.nn.init.xavier_uniform_, "normal": torch.nn.init.xavier_normal_}[distribution]
    theirs = init(torch.empty(shape), generator=torch.Generator().manual_seed(0)).numpy()
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    assert ks_2samp(ours.ravel(), theirs.ravel()).pvalue > 1e-3
    if distribution == "uniform":
        assert np.abs(ours).max() == pytest.approx(np.sqrt(6 / sum(shape)), rel=1e-3)


def test_spread_follows_the_number_drawn_unless_set():
    rng = np.random.default_rng(0)
    assert make(64).sample(1000, rng).std() == pytest.approx(np.sqrt(2 / 1064), rel=0.02)
    assert make(64, n_prompt=20).sample(1000, rng).std() == pytest.approx(np.sqrt(2 / 84), rel=0.02)


def test_log_prob_is_scipys():
    x = make(30).sample(10, np.random.default_rng(0))
    bound = np.sqrt(6 / 40)
    expected = stats.uniform.logpdf(x * (1 - 1e-6), -bound, 2 * bound).sum(axis=1)
    np.testing.assert_allclose(make(30).log_prob(x), expected, rtol=1e-9)
    outside = x.copy()
    outside[3, 4] = 1.01 * bound
    assert np.isneginf(make(30).log_prob(outside)).tolist() == [i == 3 for i in range(10)]

    normal = make(30, distribution="normal")
    expected = stats.norm.logpdf(x, scale=np.sqrt(2 / 40)).sum(axis=1)
    np.testing.assert_allclose(normal.log_prob(x), expected, rtol=1e-6)


def test_report_says_which_rows_it_speaks_of():
    assert make(576).report()["rows_note"].startswith("an example")
    report = make(576, n_prompt=50).report()
    assert (report["rows"], report["rows_note"]) == (50, "as set")
    assert report["variance"] == pytest.approx(2 / 626)
