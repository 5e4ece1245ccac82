import numpy as np
import pytest
from scipy import stats

from core.errors import BadRequest
from core.priors.isotropic import Isotropic, IsotropicSpec
from core.specs.prior import parse_prior

NO_POINTS = np.empty((0, 48), np.float32)


def make(**parameters) -> Isotropic:
    return Isotropic(IsotropicSpec.parse(parameters)).fit(NO_POINTS)


@pytest.mark.parametrize(("reading", "std"), [("std", 0.02), ("variance", np.sqrt(0.02))])
def test_both_readings_of_the_paper(reading: str, std: float):
    prior = make(reading=reading)
    sample = prior.sample(4000, np.random.default_rng(0))
    assert sample.shape == (4000, 48)
    assert sample.dtype == np.float32
    assert stats.kstest(sample.ravel()[::7] / std, "norm").pvalue > 1e-3
    assert prior.report()["std"] == pytest.approx(std)
    assert prior.report()["typical_norm"] == pytest.approx(std * np.sqrt(48))


def test_log_prob_is_scipys():
    prior = make(std=0.3)
    x = prior.sample(20, np.random.default_rng(1))
    expected = stats.norm.logpdf(x.astype(float), scale=0.3).sum(axis=1)
    np.testing.assert_allclose(prior.log_prob(x), expected, rtol=1e-9)


def test_the_generator_decides_alone():
    first, again = (make().sample(5, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, make().sample(5, np.random.default_rng(8)))


def test_a_flat_array_is_refused():
    with pytest.raises(BadRequest, match=r"must have shape \(n, d\) but has \(0,\); pass one row per point"):
        Isotropic(IsotropicSpec()).fit(np.zeros(4, np.float32))


@pytest.mark.parametrize("std", [0, -1, 1e7])
def test_spread_out_of_range(std: float):
    with pytest.raises(BadRequest, match=r"^std: Input should be (greater|less) than .*\(got "):
        parse_prior({"kind": "isotropic", "std": std})
