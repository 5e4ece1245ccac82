import json

import numpy as np
import pytest
from scipy import stats

from core.errors import BadRequest
from core.fits.moments import Reference
from core.priors.posterior import Posterior, PosteriorSpec
from core.specs.prior import RunPosterior, parse_prior
from tests.unit.priors.test_gaussian import cloud
from tests.unit.priors.test_matching import density

NO_POINTS = np.empty((0, 6), np.float32)
FIRST, SECOND = cloud(20, 6), cloud(20, 6, seed=2)


def make(*posteriors: np.ndarray, **parameters) -> Posterior:
    names = [f"t-{i}" for i in range(len(posteriors))]
    prior = Posterior(PosteriorSpec.parse({"runs": names, **parameters}))
    return prior.fit(NO_POINTS, None, [Reference(x, name=name) for x, name in zip(posteriors, names, strict=True)])


def test_exactly_the_vectors_in_their_order():
    np.testing.assert_array_equal(make(FIRST).sample(20, np.random.default_rng(0)), FIRST)
    assert make(FIRST).log_prob(FIRST) is None


def test_rows_of_all_runs_none_twice_while_they_last():
    prior = make(FIRST, SECOND, draw="rows")
    drawn = prior.sample(40, np.random.default_rng(0))
    both = np.concatenate([FIRST, SECOND])
    np.testing.assert_array_equal(np.sort(drawn[:, 0]), np.sort(both[:, 0]))
    assert len(np.unique(prior.sample(400, np.random.default_rng(0))[:, 0])) == 40


def test_a_gaussian_over_runs():
    prior = make(FIRST, SECOND, draw="gaussian")
    both = np.concatenate([FIRST, SECOND]).astype(np.float64)
    oracle = stats.multivariate_normal(both.mean(axis=0), np.cov(both.T, bias=True))  # pyright: ignore
    x = prior.sample(50, np.random.default_rng(0))
    np.testing.assert_allclose(density(prior, x), oracle.logpdf(x), rtol=1e-6)
    assert json.loads(json.dumps(prior.report()))["rank"] == 6
    shrunk = make(FIRST, draw="gaussian", covariance="ledoit_wolf")
    assert 0 < shrunk.report()["shrinkage"] < 1


@pytest.mark.parametrize("draw", ["exact", "rows", "gaussian"])
def test_spread_is_that_of_the_vectors(draw: str):
    mean, trace = make(FIRST, draw=draw).spread(20)
    np.testing.assert_allclose(mean, FIRST.mean(axis=0), rtol=1e-5)
    assert trace == pytest.approx(FIRST.var(axis=0).sum(), rel=1e-5)


@pytest.mark.parametrize("draw", ["rows", "gaussian"])
def test_the_generator_decides_alone(draw: str):
    prior = make(FIRST, draw=draw)
    first, again, other = (prior.sample(5, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("written", ["t-1, t-2", "t-1 t-2 t-1", ["t-1", "t-2"], ("t-1", "t-2")])
def test_runs_can_be_written_in_many_ways(written):
    spec = parse_prior({"kind": "posterior", "runs": written})
    assert spec.further() == (RunPosterior("t-1"), RunPosterior("t-2"))
    assert parse_prior(spec.canonical_json()) == spec


def test_another_number_of_vectors_than_the_run_has():
    message = r"^7 vectors are asked for but the posterior of t-0 has 20; ask for 20, or draw 'rows' or 'gaussian'\.$"
    with pytest.raises(BadRequest, match=message):
        make(FIRST).sample(7, np.random.default_rng(0))


@pytest.mark.parametrize(("posteriors", "n"), [((), 0), ((FIRST, SECOND), 2)])
def test_runs_that_exact_cannot_take(posteriors: tuple, n: int):
    with pytest.raises(BadRequest, match=rf"^The posterior prior is given {n} runs but 'exact' takes one, the others"):
        make(*posteriors)


def test_runs_that_are_no_text():
    with pytest.raises(BadRequest, match=r"runs: Input should be a valid string \(got 3\)"):
        parse_prior({"kind": "posterior", "runs": 3})
