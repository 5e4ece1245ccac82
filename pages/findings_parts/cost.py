"""The cost of a study's items before they are started, in words, or why they cannot be made here."""

from collections.abc import Sequence

import streamlit as st

from core.sources.models import why_unknown
from core.specs import StudySpec
from core.store import Store
from core.studies.cost import study_cost
from pages.widgets.layout import counted, duration, plain, size


def away(study: StudySpec) -> str:
    """Return why nothing of a study can be made here, with the remedy; empty where its model can be had.

    A study that came with the program may be of a model that was a folder where it was made.
    """
    if not why_unknown(study.model):
        return ""
    return (
        f"More of this study cannot be made here: its model, {study.model.name}, is not in a registry. Start the "
        "program in the directory that holds a folder of that name with config.json and safetensors weights."
    )


def gone(study: StudySpec, title: str = "") -> bool:
    """Where a study's model cannot be had, write a title and why; return whether it is so."""
    reason = away(study)
    if reason:
        st.markdown(f"**{title}**  \n{plain(reason)}" if title else plain(reason))
    return bool(reason)


def cost_words(study: StudySpec, items: Sequence[str], store: Store) -> str:
    """Say what items still need: runs, captures, readings, time and disk. What they share counts once."""
    if reason := away(study):
        return reason
    cost = study_cost(study, items, store)
    parts = ((cost.n_runs, "tuning run"), (cost.n_captures, "capture"), (cost.n_readings, "reading"))
    left = " and ".join(counted(n, noun) for n, noun in parts if n)
    if not left:
        return "All runs and captures are in the store; only measuring and drawing is left."
    if cost.seconds is None:
        return f"**{left}** still needed; the time is not known until the model is on this machine."
    disk = "" if cost.bytes is None else f" and {size(cost.bytes)} of disk"
    basis = "at the pace measured here" if cost.measured else "partly a guess"
    return (
        f"**{left}** still needed: about {duration(cost.seconds)}{disk} if no run ends early ({basis}), plus maps and "
        "statistics."
    )
