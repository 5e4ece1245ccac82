"""The prompt of a chosen run in words: one table, one download."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from core.figures.text import outer_blanks, visible
from core.jobs.measure import Measures
from core.jobs.words import Words, find_words, words_spec
from core.specs import WordsSpec
from core.store import Store, find_job
from pages.compare_parts.measures import has_posterior, reading_cost
from pages.compare_parts.trajectories import ChosenRun
from pages.widgets.layout import plain, table
from pages.widgets.offers import need_result
from pages.widgets.state import View
from pages.widgets.tables import download

N_READ = 3
"""Prompts whose loss is measured: as tuned, and snapped in two ways."""
ALONE = "loss, this one snapped"
_HELPS = {
    "near by cosine": "Tokens in the most similar direction: rows of the vocabulary at site 0, activations elsewhere.",
    "near by distance": "The nearest tokens by Euclidean distance.",
    "output matrix": "Tokens that the model's output matrix ranks first, as if the vector left the last block.",
    ALONE: "Change of the validation loss when this vector alone is snapped to its nearest token by cosine.",
}


def show_words(view: View, chosen: Sequence[ChosenRun], measured: Mapping[str, Measures], store: Store) -> None:
    """Write a prompt in words, or offer to read it; nothing without a posterior."""
    runs = {run.job.id: run for run in chosen if has_posterior(run.job)}
    if not runs:
        return
    st.subheader("Prompts in words", anchor=False)
    names = list(runs)
    run = runs[view.choice("words", "Prompt of", names, show=lambda name: runs[name].name)]
    title = "This prompt has not been read in words yet"
    found = need_result("words", words_spec(run.job), find_words, store, title, _cost, "Read it in words")
    if found is None:
        return
    frame = words_table(found, measured.get(run.job.id))
    table(frame, {name: text for name, text in _HELPS.items() if name in frame})
    losses = found.summary["losses"]
    words = ", ".join(f"{name} **{loss:.3f}**" for name, loss in losses.items())
    st.caption(
        f"Tokens near each vector of {plain(run.name)}, the nearest first; *before* is the prior sample. Validation "
        f"loss, nats per label token: {words}. Snapped: every vector is replaced by its nearest token."
    )
    download("Prompt in words", frame, f"words-{run.job.id}")


def words_table(found: Words, measured: Measures | None) -> pd.DataFrame:
    """Return a row per site and vector with tokens joined, and what each vector is worth where that was measured."""
    frame = found.table.copy()
    for name in frame.columns.difference(["site", "vector"]):
        frame[name] = [" · ".join(visible(outer_blanks(token)) for token in tokens) for tokens in frame[name]]
    worth = pd.DataFrame() if measured is None else measured.table("worth")
    if not worth.empty:
        alone = worth.loc[worth["change"] == "snap", ["site", "vector", "delta_loss"]]
        frame = frame.merge(alone.rename(columns={"delta_loss": ALONE}), on=["site", "vector"], how="left")
    return frame


def _cost(spec: WordsSpec, store: Store) -> str:
    return reading_cost(find_job(store, spec.run), N_READ, store)
