from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from core.figures.densities import DensityCurve, density_figure, exclusion_figure, radial_figure
from core.priors.radial import exclusion_curve


def drawn(*series: DensityCurve) -> Any:
    """Plotly's own annotations do not know what is inside a figure."""
    return density_figure(series, "norm")


def test_a_histogram_and_its_law_are_on_one_scale():
    values = np.linalg.norm(np.random.default_rng(0).standard_normal((4000, 50)), axis=1)
    grid = np.linspace(4, 10, 200)
    steps, law = drawn(DensityCurve("a <b>", values, "#1F6FC4", (grid, stats.chi.pdf(grid, 50)))).data
    assert steps.name == "a &lt;b&gt;"
    assert law.line.dash == "dot"
    assert law.y.max() == pytest.approx(1)
    assert steps.y.max() == pytest.approx(1, abs=0.15)
    assert steps.y[0] == steps.y[-1] == 0


def test_without_a_law_the_highest_bin_is_one():
    (steps,) = drawn(DensityCurve("a", np.arange(100.0), "#1F6FC4")).data
    assert steps.y.max() == pytest.approx(1)


@pytest.mark.parametrize("values", [[2.0], [3.0, 3.0, 3.0]])
def test_equal_values_are_a_spike(values: list[float]):
    (steps,) = drawn(DensityCurve("a", np.array(values), "#1F6FC4")).data
    assert set(steps.x) == {values[0]}
    assert steps.y.max() == 1


def test_far_apart_clouds_share_a_logarithmic_axis():
    near = DensityCurve("a", np.linspace(1, 2, 50), "#1F6FC4")
    assert drawn(near).layout.xaxis.type is None
    assert drawn(near, DensityCurve("b", np.linspace(90, 100, 50), "#CF2030")).layout.xaxis.type == "log"
    assert drawn(near, DensityCurve("zero", np.zeros(5), "#CF2030")).layout.xaxis.type is None


def test_exclusion_over_dimension_and_c():
    dims, strengths = np.array([2, 64, 2048]), np.array([1.5, 5.0, 100.0])
    later, earlier = (exclusion_curve(dims.tolist(), [5.0] * 3, reading) for reading in ("later", "earlier"))
    over_c = exclusion_curve([64] * 3, strengths.tolist(), "earlier")
    figure: Any = exclusion_figure(
        {"later": (dims, later), "earlier": (dims, earlier)}, {"earlier": (strengths, over_c)}, 64, 5.0
    )
    shown = [trace.name for trace in figure.data if trace.showlegend]
    assert shown == ["later text", "earlier text", "earlier text, s < 1: keeps the middle"]
    np.testing.assert_allclose(figure.data[0].y, later.acceptance, rtol=1e-6)
    assert len(figure.layout.shapes) == 6
    assert {"0.02", "0.05", "0.1", "0.2", "0.5", "1"} <= set(figure.layout.yaxis.ticktext)


def test_radial_densities_and_the_excluded_ball():
    radius = np.linspace(0, 5, 50)
    radial: Callable[..., Any] = radial_figure
    figure = radial(radius, {"fitted Gaussian": np.exp(-radius), "exclusion": radius}, excluded=2.5)
    assert [trace.name for trace in figure.data] == ["fitted Gaussian", "exclusion"]
    assert "nothing inside 2.50" in figure.layout.annotations[0].text
    assert not radial(radius, {"a": radius}).layout.annotations
