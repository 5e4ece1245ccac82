import numpy as np
import pytest
import torch
from jaxtyping import TypeCheckError

from core.activations import accumulate
from core.activations.accumulate import Accumulator

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    """Return what streams look like: means far from zero, widths a thousand times apart, a few huge rows."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(3000, 200)) * np.geomspace(0.01, 10, 200) + rng.normal(size=200) * 100
    rows[::500] *= 300
    return rows.astype(np.float32)


def off_by_one(tensor: torch.Tensor) -> torch.Tensor:
    """Return a copy that does not begin at a multiple of 64 bytes, as one mapped from a file."""
    return torch.cat([tensor.new_zeros(1), tensor.flatten()])[1:].view(tensor.shape)


def covariance(rows: np.ndarray) -> np.ndarray:
    return np.cov(rows.astype(np.float64).T, bias=True)


@pytest.mark.parametrize("n_batches", [1, 7])
@pytest.mark.parametrize(("panel", "at_once"), [(288, 8192), (64, 700)])
def test_equals_the_float64_oracle(rows, n_batches, panel, at_once, monkeypatch):
    monkeypatch.setattr(accumulate, "PANEL", panel)
    monkeypatch.setattr(accumulate, "ROWS_AT_ONCE", at_once)
    sums = Accumulator(200, CPU)
    for batch in np.array_split(rows, n_batches):
        sums.add(torch.tensor(batch))
    moments = sums.moments()
    assert moments.count == 3000
    np.testing.assert_allclose(moments.mean, rows.astype(np.float64).mean(axis=0), rtol=1e-12)
    expected = covariance(rows)
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    assert np.abs((moments.covariance - expected) / scale).max() < 1e-12
    assert np.array_equal(moments.covariance, moments.covariance.T)


def test_large_means_do_not_eat_small_spreads():
    rows = (1e4 + np.random.default_rng(1).normal(size=(2000, 3))).astype(np.float32)
    sums = Accumulator(3, CPU)
    sums.add(torch.tensor(rows))
    np.testing.assert_allclose(sums.moments().covariance, covariance(rows), rtol=1e-9, atol=1e-10)


def test_half_precision_rows_are_multiplied_in_float64(rows):
    half = torch.tensor(rows).bfloat16()
    sums = Accumulator(200, CPU)
    sums.add(half)
    np.testing.assert_allclose(np.diag(sums.moments().covariance), half.double().var(dim=0, correction=0), rtol=1e-12)


def test_nothing_added_changes_nothing(rows):
    sums = Accumulator(200, CPU)
    sums.add(torch.tensor(rows[:0]))
    assert sums.count == 0
    sums.add(torch.tensor(rows[:5]))
    sums.add(torch.tensor(rows[:0]))
    assert sums.count == 5


def test_goes_on_from_a_state_exactly(rows):
    whole, half, rest = (Accumulator(200, CPU) for _ in range(3))
    first, second = torch.tensor(rows[:1000]), torch.tensor(rows[1000:])
    whole.add(first)
    whole.add(second)
    half.add(first)
    rest.restore({name: off_by_one(tensor) for name, tensor in half.state().items()})
    rest.add(second)
    assert np.array_equal(whole.moments().covariance, rest.moments().covariance)


def test_a_state_before_the_first_batch_is_empty(rows):
    sums = Accumulator(200, CPU)
    sums.restore(Accumulator(200, CPU).state())
    sums.add(torch.tensor(rows))
    np.testing.assert_allclose(sums.moments().covariance, covariance(rows), rtol=1e-6)


def test_shapes_are_checked_in_tests():
    sums = Accumulator(3, CPU)
    with pytest.raises(TypeCheckError, match=r"Expected type: .*n_points d_model"):
        sums.add(torch.zeros(2, 4, 3))
