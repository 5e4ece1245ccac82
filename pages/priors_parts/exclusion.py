"""The effect of c and of the dimension on Gaussian exclusion, all in closed form."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.errors import BadRequest
from core.figures.densities import exclusion_figure, radial_figure
from core.priors.radial import ExclusionCurve, Reading, exclusion_curve, radial_density
from pages.widgets.layout import draw, numbers, plain
from pages.widgets.state import View

_READINGS: dict[Reading, str] = {"later": "later text, s = c^(2/dim)", "earlier": "earlier text, s = exp(2/dim)·ln c"}
_STRENGTHS = np.geomspace(1.05, 1e6, 80)


def inspect_exclusion(view: View, c: float, dim: int, d_model: int) -> None:
    """Draw the curves up to the model's width, and the law at one point of them."""
    with st.container(horizontal=True):
        c = view.number("exclusion_c", "c", c, 1.000001, 1e12, format="%g", help="Strength of the exclusion.")
        dim = view.number(
            "exclusion_dim", "Dimensions", dim, 2, 65_536, step=1, help="Dimensions in which the prior excludes."
        )
        reading: Reading = view.segments("exclusion_reading", "Formula", _READINGS, width="content")
    over_dim = {name: _over_dim(max(d_model, dim), c, name) for name in _READINGS}
    over_c = {name: _over_c(dim, name) for name in _READINGS}
    here = exclusion_curve([dim], [c], reading)
    numbers(
        {
            "Acceptance": f"{here.acceptance[0]:.3%}",
            "Excluded radius": f"{here.excluded[0] * np.sqrt(dim):.4g}",
            "Radius of the shell": f"{np.sqrt(dim):.4g}",
            "Shell pushed out": f"{here.push[0]:.3g} %",
        },
        {
            "Acceptance": "Share of proposals from the widened Gaussian that are accepted.",
            "Excluded radius": "Mahalanobis distance from the mean below which nothing is drawn (above which, if the "
            "formula keeps the middle).",
            "Radius of the shell": "√dim, roughly where the fitted Gaussian itself lies.",
            "Shell pushed out": "Median Mahalanobis distance of the prior, relative to that of the fitted Gaussian.",
        },
    )
    try:
        curves = radial_density(dim, c, reading)
    except BadRequest as error:
        st.info(plain(error), icon=":material/info:")
    else:
        densities = {"fitted Gaussian": curves.gaussian, f"exclusion, {_READINGS[reading]}": curves.exclusion}
        law = radial_figure(curves.radius, densities, curves.excluded_radius)
        draw(law, "priors.exclusion.law", "Density over the radius, of the fitted Gaussian and of exclusion")
    figure = exclusion_figure(over_dim, over_c, dim, c)
    draw(figure, "priors.exclusion.curves", "Exclusion as a function of the dimension and of c")
    st.caption(
        f"Upper row: c = {c:g}, 2 to {max(d_model, dim):,} dimensions. Lower row: {dim:,} dimensions, c from "
        f"{_STRENGTHS[0]:g} to {_STRENGTHS[-1]:g}. Everything is in closed form. In few dimensions, exclusion cuts a "
        "hole. In many, the fitted Gaussian is already a shell, and the prior is that shell pushed outwards. Where s "
        "of the earlier text is below 1, its formula keeps the middle and excludes the outside (dotted)."
    )


@st.cache_data(show_spinner=False, max_entries=64)
def _over_dim(d_model: int, c: float, reading: Reading) -> tuple[NDArray[np.integer], ExclusionCurve]:
    dims = np.unique(np.geomspace(2, max(d_model, 3), 60).astype(int))
    return dims, exclusion_curve(dims.tolist(), [c] * len(dims), reading)


@st.cache_data(show_spinner=False, max_entries=64)
def _over_c(dim: int, reading: Reading) -> tuple[NDArray[np.floating], ExclusionCurve]:
    return _STRENGTHS, exclusion_curve([dim] * len(_STRENGTHS), _STRENGTHS.tolist(), reading)
