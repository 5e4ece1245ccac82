import numpy as np
import pytest

from core.analysis.regions import N_WORDS, log_odds, regions


def test_each_corner_gets_the_token_that_is_its_own_and_not_the_one_that_is_everywhere():
    rng = np.random.default_rng(0)
    corners = np.array([[0, 0], [10, 0], [0, 10], [10, 10]])
    which = np.repeat(np.arange(4), 100)
    points = corners[which] + rng.normal(size=(400, 2)) * 0.5
    tokens = [f"own{k}" if i % 2 else "the" for i, k in enumerate(which)]
    found = regions(points, tokens, 4)
    assert {region.tokens for region in found} == {(f"own{k}",) for k in range(4)}
    for region in found:
        np.testing.assert_allclose(region.centre, corners[int(region.tokens[0][3])], atol=0.3)
    assert sum(region.n_points for region in found) == 400


def test_tokens_spread_evenly_and_single_outliers_get_no_label():
    rng = np.random.default_rng(1)
    even = regions(rng.normal(size=(2000, 2)), rng.choice(["a", "b"], 2000).tolist(), 4)
    assert all(len(region.tokens) <= N_WORDS for region in even)
    points = np.concatenate([rng.normal(size=(500, 2)), [[1000, 1000]] * 3])
    tokens = ["near"] * 500 + ["far"] * 3
    assert "far" not in {word for region in regions(points, tokens, 2) for word in region.tokens}
    assert regions(points[:3], tokens[:3]) == []


def test_log_odds_are_as_written_by_hand_and_zero_for_equal_shares():
    counts = np.array([[8, 2], [2, 8]])
    z = log_odds(counts)
    inside, outside, prior = 8 + 1, 2 + 1, 1
    by_hand = np.log(inside / (2 + prior)) - np.log(outside / (8 + prior))
    assert z[0, 0] == pytest.approx(by_hand / np.sqrt(1 / inside + 1 / outside))
    np.testing.assert_allclose(log_odds(np.array([[5, 5], [5, 5]])), 0)
