"""A prior whose fit takes long: what it costs, the job, and its way."""

import streamlit as st

from core.activations.references import Place
from core.priors.fitting import estimate_fit
from core.specs import FitSpec, PriorSpec
from core.store import Store
from pages.widgets.clouds import job_of
from pages.widgets.jobs import follow, start
from pages.widgets.layout import duration, errors, plain

_AT_ONCE_SECONDS = 10.0
"""A fit that is shorter is started without asking, as a PCA map is."""


def need_fit(prior: PriorSpec, place: Place, n_points: int, d_model: int, store: Store) -> None:
    """Start the fit of a prior or offer to, with its cost, and show the job.

    Args:
        prior: whose fit is not in the store.
        place: what it is fitted on; its clouds are there.
        n_points: of the reference.
        d_model: its width.
        store: the cache folder.
    """
    asked = FitSpec(prior=prior, model=place.model, reference=place.cloud, site=place.site)
    with errors():
        job = job_of("fit", [asked], store)
        if job and job.status().state != "succeeded":
            st.markdown(f"**Fitting {plain(prior.title)}**")
            follow(job, store)
            return
        seconds, basis = estimate_fit(prior, n_points, d_model, store)
        if job is None and seconds < _AT_ONCE_SECONDS:
            if start("fit", asked, store):
                st.rerun()
            return
        with st.container(border=True):
            st.markdown(f"#### :material/model_training: {plain(prior.title)} is not trained on this cloud yet")
            pace = "by the pace of earlier fits here" if basis == "measured" else "a guess: its pace is not known here"
            st.caption(
                f"It takes {duration(seconds)} at most, {pace}; once, and is kept. Samples, runs and this page then "
                "draw from the same fit."
            )
            key = f"fit.{asked.fingerprint()}"
            wanted = st.button("Train it", type="primary", icon=":material/play_arrow:", key=key)
            if wanted and start("fit", asked, store):
                st.rerun()
