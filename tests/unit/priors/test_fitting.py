"""One fit for everybody who samples a prior."""

import dataclasses

import numpy as np
import pytest

from core.activations.references import References
from core.errors import BadRequest, Cancelled
from core.fits.moments import Reference
from core.priors import build_prior
from core.priors.fitting import FIT, find_fit, fit_key, fit_prior, require_long, takes_long
from core.priors.kept import KeptPrior
from core.specs.prior import parse_prior, prior_kinds
from core.store import Store
from tests.unit.priors.test_gaussian import cloud

SMALL = {
    "vae": {"kind": "vae", "d_latent": 3, "d_hidden": 8, "steps": 120, "warmup_steps": 5},
    "mixture": {"kind": "mixture", "n_clusters": 2},
    "knn": {"kind": "knn", "k": 2, "quantile": 0.5},
}


@pytest.fixture
def references() -> References:
    return References(Reference(cloud(200, 6), name="a cloud", key="cloud-1"), ())


def draw(prior, n: int = 5) -> np.ndarray:
    return prior.sample(n, np.random.default_rng(0))


def count(store: Store) -> int:
    return sum(kind == FIT for kind, _, _ in store.artifacts())


def test_those_that_take_long_are_these():
    assert {kind for kind in prior_kinds() if takes_long(parse_prior(kind))} == set(SMALL)


@pytest.mark.parametrize("kind", list(SMALL))
@pytest.mark.parametrize("match", ["none", "reference"])
def test_a_stored_fit_is_the_fit(kind: str, match: str, references: References, store: Store, monkeypatch):
    spec = parse_prior(SMALL[kind] | {"match_trace": match})
    assert find_fit(spec, references, store) is None
    plain = build_prior(spec).fit(references.main.points)
    made = fit_prior(spec, references, store)
    monkeypatch.setattr(KeptPrior, "learn", None)
    read, again = find_fit(spec, references, store), fit_prior(spec, references, store)
    assert read is not None
    for prior in (made, read, again):
        np.testing.assert_array_equal(draw(prior), draw(plain))
        assert prior.report() == plain.report()
    assert count(store) == 1


def test_only_what_changes_the_fit_changes_its_key(references: References):
    def key(main: Reference = references.main, **more) -> str | None:
        return fit_key(parse_prior(SMALL["vae"] | more), References(main, ()))

    first = key()
    assert key(draw="sampled") == key(match_trace="reference") == key(match_trace="value", target_trace=2.0) == first
    others = [key(seed=1), key(steps=7), key(dataclasses.replace(references.main, site=3))]
    others.append(key(dataclasses.replace(references.main, key="cloud-2")))
    assert len({first, *others}) == 5
    assert key(dataclasses.replace(references.main, key="")) is None


def test_a_parameter_of_drawing_takes_the_stored_fit(references: References, store: Store):
    fit_prior(parse_prior(SMALL["vae"]), references, store)
    sampled = parse_prior(SMALL["vae"] | {"draw": "sampled"})
    read = find_fit(sampled, references, store)
    assert read is not None
    np.testing.assert_array_equal(draw(read), draw(build_prior(sampled).fit(references.main.points)))
    assert count(store) == 1


def test_a_prior_that_is_quick_is_fitted_and_not_kept(references: References, store: Store):
    for fit in (fit_prior, find_fit):
        prior = fit(parse_prior("gaussian"), references, store)
        assert prior is not None
        assert draw(prior).shape == (5, 6)
    assert count(store) == 0


def test_points_that_no_cloud_names_are_fitted_and_not_kept(store: Store):
    nameless = References(Reference(cloud(50, 4)), ())
    spec = parse_prior(SMALL["mixture"])
    assert draw(fit_prior(spec, nameless, store)).shape == (5, 4)
    assert find_fit(spec, nameless, store) is None
    assert count(store) == 0


def test_a_cancelled_training_keeps_nothing_and_says_how_far_it_was(references: References, store: Store):
    seen = []

    def stop(done: int, total: int, message: str = "") -> None:
        seen.append((done, total, message))
        if done >= 40:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        fit_prior(parse_prior(SMALL["vae"]), references, store, stop)
    assert seen == [(k, 120, f"Training the autoencoder, step {k} of at most 120") for k in (20, 40)]
    assert count(store) == 0
    assert not list((store.root / "tmp").iterdir())


def test_a_quick_prior_is_no_job():
    require_long(parse_prior("vae"))
    with pytest.raises(BadRequest, match=r"^The prior 'gaussian' is fitted at once, wherever it is sampled; only "):
        require_long(parse_prior("gaussian"))
