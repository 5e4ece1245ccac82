"""The worked example of docs/adding-a-prior.md is one file and one line, and shows up wherever priors do."""

import json
import types
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import laplace

from core.commands.priors import priors
from core.figures.palette import PRIOR, prior_marks
from core.priors import build_prior
from core.priors.docs import prior_help, prior_page
from core.specs.describe import describe
from core.specs.prior import PRIORS, parse_prior, prior_kinds, require_differentiable
from core.tuning.regularisers.density import log_density
from tests.documented import listed


@pytest.fixture
def toy(monkeypatch) -> types.ModuleType:
    """Return the page's file, listed by the line that the page gives."""
    return listed("adding-a-prior.md", PRIORS, "laplace", "core.priors.laplace:Laplace", monkeypatch)


def fitted(points) -> Any:
    return build_prior(parse_prior('{"kind": "laplace", "std": 0.5}')).fit(points)


def test_kind_is_unknown_without_the_line():
    assert "laplace" not in prior_kinds()
    assert "laplace" not in prior_page()


def test_form_command_line_and_documentation_find_it(toy, capsys):
    fields = describe(prior_kinds()["laplace"])
    assert [(field.name, field.title, field.default, field.maximum) for field in fields] == [
        ("std", "Spread", 0.02, 100),
        ("match_trace", "Match the trace", "none", None),
        ("target_trace", "Total variance", None, 1e30),
    ]
    assert "laplace: Heavier tails than a Gaussian" in prior_help()
    priors("laplace", json=True)
    assert json.loads(capsys.readouterr().out)["laplace"]["parameters"]["std"]["default"] == 0.02
    assert "## Laplace: `laplace`" in prior_page()
    assert "Standard deviation of each coordinate." in prior_page()
    assert prior_marks(["laplace"]) == [PRIOR]


def test_it_samples_from_json(toy):
    prior = fitted(np.ones((10, 4), np.float32))
    sample = prior.sample(4000, np.random.default_rng(0))
    assert sample.dtype == np.float32
    np.testing.assert_allclose(sample.std(axis=0), 0.5, rtol=0.05)
    np.testing.assert_allclose(sample.mean(axis=0), 1.0, atol=0.05)
    assert prior.report() == {"std": 0.5, "d_model": 4}


def test_its_one_density_is_scipys_and_has_a_gradient_in_training(toy):
    prior = fitted(np.random.default_rng(1).normal(size=(50, 4)))
    sample = prior.sample(6, np.random.default_rng(0))
    scale = 0.5 / np.sqrt(2)
    expected = laplace.logpdf(sample, prior.mean_, scale).sum(axis=1)
    np.testing.assert_allclose(prior.log_prob(sample), expected, rtol=1e-12)

    require_differentiable(prior.spec)
    vectors = torch.tensor(sample, requires_grad=True)
    density = log_density(prior, 6, torch.device("cpu"))(vectors)
    np.testing.assert_allclose(density.detach(), expected, rtol=1e-12)
    density.sum().backward()
    assert vectors.grad is not None
    np.testing.assert_allclose(vectors.grad, -np.sign(sample - prior.mean_) / scale, rtol=1e-6)
    with pytest.raises(Exception, match=r"laplace.*or set log_prior_weight to 0"):
        require_differentiable(parse_prior("vocabulary"))
