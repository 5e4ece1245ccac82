"""The worked example of docs/adding-a-prior.md runs, and shows up wherever priors are listed."""

import re
import types
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.priors import build_prior
from core.priors.docs import prior_help, prior_page
from core.specs.describe import describe
from core.specs.prior import forget_prior_kind, parse_prior, prior_kinds

PAGE = Path(__file__).resolve().parents[3] / "docs" / "adding-a-prior.md"


@pytest.fixture
def toy() -> Iterator[types.ModuleType]:
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(code) == 1
    module = types.ModuleType("core.priors.laplace")
    exec(compile(code[0], str(PAGE), "exec"), module.__dict__)
    yield module
    forget_prior_kind("laplace")


def test_kind_is_unknown_without_the_file():
    assert "laplace" not in prior_kinds()
    assert "laplace" not in prior_page()


def test_form_command_line_and_documentation_find_it(toy: types.ModuleType):
    fields = describe(prior_kinds()["laplace"])
    assert [(field.name, field.title, field.default, field.maximum) for field in fields] == [
        ("std", "Spread", 0.02, 100),
        ("match_trace", "Match the trace", "none", None),
        ("target_trace", "Total variance", None, 1e30),
    ]
    assert "laplace: Heavier tails than a Gaussian" in prior_help()
    assert "## Laplace: `laplace`" in prior_page()
    assert "Standard deviation of each coordinate." in prior_page()


def test_it_samples_from_json(toy: types.ModuleType):
    prior = build_prior(parse_prior('{"kind": "laplace", "std": 0.5}'))
    cloud = np.ones((10, 4), np.float32)
    sample = prior.fit(cloud).sample(4000, np.random.default_rng(0))
    assert sample.dtype == np.float32
    np.testing.assert_allclose(sample.std(axis=0), 0.5, rtol=0.05)
    np.testing.assert_allclose(sample.mean(axis=0), 1.0, atol=0.05)
    assert prior.log_prob(sample) is None
    assert prior.report() == {"std": 0.5, "d_model": 4}
