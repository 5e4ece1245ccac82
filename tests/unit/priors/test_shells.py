"""Priors as shells: samples follow the laws, and a hole is one only in few dimensions."""

import numpy as np
import pytest

from core.errors import BadRequest
from core.figures.shells import shells_figure
from core.priors.radial import chi_quantile, exclusion_curve
from core.priors.shells import shell


def drawn(dim: int, c: float | None, n: int = 4000):
    return shell(dim, c, n, np.random.default_rng(0))


def test_in_two_dimensions_nothing_is_drawn_inside_the_hole():
    found = drawn(2, 5.0)
    away = np.linalg.norm(found.points, axis=1) / np.sqrt(2)
    assert away.min() > found.excluded > 0.5
    push = exclusion_curve([2], [5.0], "later").push[0]
    plain = chi_quantile(np.array([0.5]), 2)[0] / np.sqrt(2)
    assert np.median(away) == pytest.approx(plain * (1 + push / 100), rel=0.03)


def test_in_many_dimensions_two_coordinates_show_no_hole():
    found = drawn(576, 5.0)
    away = np.linalg.norm(found.points, axis=1)
    assert found.excluded > 0.99, "in the full space nothing is drawn within the shell"
    unit = 1 + exclusion_curve([576], [5.0], "later").push[0] / 100
    as_gaussian = 1 - np.exp(-0.5 / unit**2)
    assert np.mean(away < 1) == pytest.approx(as_gaussian, abs=0.03), "as many as of a Gaussian of two dimensions"


@pytest.mark.parametrize("dim", [2, 3, 576])
@pytest.mark.parametrize("c", [None, 1.1, 5.0, 20.0])
def test_laws_are_densities(dim, c):
    found = drawn(dim, c, 10)
    for law in (found.gaussian, found.prior):
        assert np.trapezoid(law, found.radius) == pytest.approx(1, abs=0.02)
    assert found.last < found.radius[-1]


def test_without_c_the_prior_is_the_gaussian():
    found = drawn(64, None)
    assert (found.prior == found.gaussian).all()
    assert found.excluded == 0
    assert found.points.std() == pytest.approx(1, rel=0.03)


def test_c_must_exclude_something():
    with pytest.raises(BadRequest, match="c = 1 gives no exclusion: it must be above 1"):
        drawn(2, 1.0)


def test_each_number_of_dimensions_has_a_column_with_samples_and_law():
    figure = shells_figure([drawn(2, 5.0, 50), drawn(576, 5.0, 50)], "Gaussian exclusion").to_plotly_json()
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["2 dimensions", "576 dimensions"]
    names = [trace["name"] for trace in figure["data"] if trace["showlegend"]]
    assert names == ["Gaussian exclusion, 50 samples", "fitted Gaussian, law", "Gaussian exclusion, law"]
    assert figure["layout"]["xaxis4"]["range"][1] == 2, "a shell of many dimensions is seen as thin"
