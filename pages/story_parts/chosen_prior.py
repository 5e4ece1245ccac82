"""A prior is a choice: its samples in two dimensions and in the model's width, computed at once."""

import numpy as np
import streamlit as st

from core.figures.shells import shells_figure
from core.priors.radial import exclusion_curve
from core.priors.shells import shell
from core.sources.models import describe_model
from core.specs import StudySpec
from core.store import Store
from pages.widgets.layout import redraw
from pages.widgets.state import View

_PRIORS = {"exclusion": "Gaussian exclusion", "gaussian": "Fitted Gaussian", "isotropic": "Isotropic Gaussian"}
_STRENGTHS = (1.1, 1.5, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0)
_FEW, _WIDTH = 2, 576
"""Dimensions on the left, and on the right where the model's width is not known."""
_N_SAMPLES = 1200


def chosen_prior(view: View, study: StudySpec, store: Store) -> None:
    """Draw samples of a prior on two axes, and the law of their distance."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = view.segments("kind", "Prior", _PRIORS, label_visibility="collapsed", width="content")
        excluded = kind == "exclusion"
        c = view.steps("c", "c, the strength of exclusion", _STRENGTHS, 5.0, width=420) if excluded else None
    many = describe_model(study.model, store).d_model or _WIDTH
    shells = [shell(dim, c, _N_SAMPLES, np.random.default_rng(0)) for dim in (_FEW, many)]
    redraw(
        shells_figure(shells, _PRIORS[kind]),
        view.key("shells"),
        f"Samples of the prior in {_FEW} and in {many} dimensions, and the law of their distance from the mean",
    )
    st.caption(_words(kind, c, many))


def _words(kind: str, c: float | None, many: int) -> str:
    if c is not None:
        push = exclusion_curve([_FEW, many], [c, c], "later").push
        return (
            f"In {_FEW} dimensions exclusion cuts a hole that the picture shows, and pushes the median distance out "
            f"by {push[0]:.0f} %. In {many} dimensions the fitted Gaussian is itself a thin shell, with hardly a "
            f"sample in its middle; exclusion pushes that shell out by {push[1]:.2g} %, and two of {many} coordinates "
            "show a full disc. Closed forms, with the covariance as the unit."
        )
    same = "As for the fitted Gaussian, in units of its own spread; it differs in centre and scale. "
    return (
        f"{same if kind == 'isotropic' else ''}In {_FEW} dimensions samples fill a disc. In {many} dimensions they lie "
        f"on a thin shell of radius √{many} ≈ {np.sqrt(many):.0f}, and two of {many} coordinates show a disc all the "
        "same. Closed forms, with the covariance as the unit."
    )
