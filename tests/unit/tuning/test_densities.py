"""Log densities in torch against the priors' own in NumPy, and their gradients against finite differences."""

from typing import Any

import numpy as np
import pytest
import torch

from core.errors import BadRequest
from core.fits.moments import Reference
from core.priors import build_prior
from core.priors.radial import MARGIN
from core.specs import parse_prior
from core.specs.prior import prior_kinds, require_differentiable
from core.tuning.regularisers.density import log_density

D_MODEL, N_PROMPT = 6, 5
CPU = torch.device("cpu")
WITH_DENSITY = [
    {"kind": "isotropic", "std": 0.3},
    {"kind": "isotropic", "std": 0.02, "reading": "variance"},
    {"kind": "xavier", "distribution": "normal"},
    {"kind": "gaussian"},
    {"kind": "gaussian", "covariance": "ledoit_wolf"},
    {"kind": "gaussian", "covariance": "diagonal", "match_trace": "value", "target_trace": 3.0},
    {"kind": "exclusion", "c": 5},
    {"kind": "exclusion", "c": 50, "components": 2},
    {"kind": "interpolation", "alpha": "fixed", "fixed_alpha": 0.3},
    {"kind": "interpolation", "alpha": "fixed", "path": "spherical"},
    {"kind": "mixture", "n_clusters": 3, "components": 4},
    {"kind": "mixture", "n_clusters": 2, "method": "kmeans", "match_trace": "reference"},
    {"kind": "posterior", "runs": "t-1", "draw": "gaussian"},
]


def cloud(seed, n_points=400, shift=0.0):
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((D_MODEL, D_MODEL)) * np.geomspace(1, 0.1, D_MODEL)
    return (shift + rng.standard_normal((n_points, D_MODEL)) @ root).astype(np.float32)


def fitted(settings, points=None) -> Any:
    spec = parse_prior(settings)
    further = tuple(Reference(cloud(1, shift=1.0), name="another") for _ in spec.further())
    return build_prior(spec).fit(cloud(0) if points is None else points, None, further)


@pytest.mark.parametrize("settings", WITH_DENSITY, ids=lambda settings: "-".join(map(str, settings.values())))
def test_it_equals_the_priors_own_and_its_gradient_the_finite_differences(settings):
    prior = fitted(settings)
    sample = prior.sample(N_PROMPT, np.random.default_rng(3)).astype(np.float64)
    density = log_density(prior, N_PROMPT, CPU)
    vectors = torch.tensor(sample, requires_grad=True)
    values = density(vectors)
    expected = prior.log_prob(sample)
    np.testing.assert_allclose(values.detach().numpy(), expected, rtol=1e-9, atol=1e-9)
    values.sum().backward()
    assert vectors.grad is not None
    for place in np.ndindex(sample.shape):
        step = np.zeros_like(sample)
        step[place] = 1e-6 * max(1e-2, abs(sample[place]))
        up, down = (prior.log_prob(sample + sign * step)[place[0]] for sign in (1, -1))
        slope = (up - down) / (2 * step[place])
        assert vectors.grad[place].item() == pytest.approx(slope, rel=1e-3, abs=1e-3 * (1 + abs(expected[place[0]])))


def test_where_the_exclusion_prior_excludes_the_density_goes_on_as_a_line_that_pushes_out():
    prior = fitted({"kind": "exclusion", "c": 5})
    axis = prior.fit_.basis[:, 0] * np.sqrt(prior.fit_.variances[0])
    radii = prior.law_.excluded_radius * np.array([0.2, 0.5, 0.9, 0.999])
    vectors = torch.tensor(prior.fit_.mean + radii[:, None] * axis, requires_grad=True)
    assert np.isneginf(prior.log_prob(vectors.detach().numpy())).all()
    values = log_density(prior, 4, CPU)(vectors)
    assert torch.isfinite(values).all()
    assert (values.diff() > 0).all()
    values.sum().backward()
    assert vectors.grad is not None
    assert (vectors.grad @ torch.tensor(axis) > 0).all()

    gain = -np.expm1(-prior.law_.log_scale)
    joint = np.sqrt(prior.law_.excluded_radius**2 + 2 * MARGIN / gain)
    around = torch.tensor(prior.fit_.mean + (joint * np.array([1 - 1e-9, 1 + 1e-9]))[:, None] * axis)
    below, above = log_density(prior, 2, CPU)(around)
    assert float(below) == pytest.approx(float(above), abs=1e-5)


def test_a_fit_without_full_rank_is_refused_with_its_rank():
    prior = fitted({"kind": "gaussian", "covariance": "rank", "rank": 2})
    with pytest.raises(
        BadRequest, match=r"'gaussian' was fitted with rank 2 of 6.*choose the covariance 'ledoit_wolf'"
    ):
        log_density(prior, N_PROMPT, CPU)
    few = fitted({"kind": "exclusion"}, cloud(0, n_points=4))
    with pytest.raises(BadRequest, match=r"'exclusion' was fitted with rank 3 of 6"):
        log_density(few, N_PROMPT, CPU)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"kind": "vae"}, "'vae'"),
        ({"kind": "knn"}, "'knn'"),
        ({"kind": "vocabulary"}, "'vocabulary'"),
        ({"kind": "xavier"}, "'xavier' with distribution 'uniform'"),
        ({"kind": "interpolation"}, "'interpolation' with alpha 'uniform'"),
        ({"kind": "posterior", "runs": "t-1"}, "'posterior' with draw 'exact'"),
    ],
)
def test_a_kind_without_a_density_is_refused_with_those_that_have_one(settings, named):
    with pytest.raises(BadRequest, match=r"The prior .* has no log density") as error:
        require_differentiable(parse_prior(settings))
    message = str(error.value)
    assert named in message
    assert "isotropic, xavier (distribution normal), gaussian, exclusion" in message
    assert message.endswith("or set log_prior_weight to 0.")


def test_every_kind_is_either_tested_here_or_refused():
    tested = {settings["kind"] for settings in WITH_DENSITY}
    for kind in set(prior_kinds()) - tested:
        with pytest.raises(BadRequest, match="no log density"):
            require_differentiable(parse_prior(kind))
