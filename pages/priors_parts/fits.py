"""A prior whose fit takes long: what it costs, and its job."""

import streamlit as st

from core.activations.references import ReferenceRequest
from core.engine.lookup import find
from core.priors.fitting import estimate_fit
from core.specs import FitSpec, PriorSpec
from core.store import Store
from pages.widgets.jobs import start
from pages.widgets.layout import duration, errors, plain
from pages.widgets.offers import offer

_AT_ONCE_SECONDS = 10.0
"""Shorter fits start without asking, as PCA maps do."""


def need_fit(prior: PriorSpec, place: ReferenceRequest, n_points: int, d_model: int, store: Store) -> None:
    """Start the fit of a prior on a reference, or offer it with its cost, and show the job."""
    request = FitSpec(prior=prior, model=place.model, reference=place.cloud, site=place.site)
    with errors():
        seconds, basis = estimate_fit(prior, n_points, d_model, store)
        if seconds < _AT_ONCE_SECONDS and find("fit", request, store) is None:
            if start("fit", request, store):
                st.rerun()
            return
        pace = "at the pace of earlier fits" if basis == "measured" else "a guess: no fit has been timed here yet"
        offer(
            "fit",
            request,
            store,
            f":material/model_training: {plain(prior.title)} has not been trained on this cloud yet",
            f"Training takes {duration(seconds)} at most ({pace}), and only once: samples, runs and this page all use "
            "the stored fit.",
            "Train it",
            [f"Fitting {prior.title}"],
            key=f"fit.{request.fingerprint()}",
        )
