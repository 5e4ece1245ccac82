"""The loss along the straight line between the prompts of two chosen runs."""

from collections.abc import Sequence

import streamlit as st

from core.errors import BadRequest
from core.figures.readings import LossLine, lines_figure
from core.jobs.readings import find_line, line_spec
from core.specs import LineSpec
from core.store import Store, find_job
from pages.compare_parts.measures import has_posterior, reading_cost
from pages.compare_parts.trajectories import ChosenRun
from pages.widgets.layout import draw, plain
from pages.widgets.offers import need_result
from pages.widgets.state import View


def show_line(view: View, chosen: Sequence[ChosenRun], store: Store) -> None:
    """Draw the line between two of the chosen runs, or offer to measure it; nothing without two."""
    runs = {run.job.id: run for run in chosen if has_posterior(run.job)}
    if len(runs) < 2:
        return
    st.subheader("Between two prompts", anchor=False)
    left, right = st.columns(2)
    names = list(runs)
    with left:
        first = view.choice("line_from", "Line from", names, show=lambda name: runs[name].name)
    others = [name for name in names if name != first]
    with right:
        second = view.choice("line_to", "Line to", others, show=lambda name: runs[name].name)
    try:
        spec = line_spec(runs[first].job, runs[second].job)
    except BadRequest as error:
        st.caption(plain(str(error)))
        return
    title = "The loss along the line between them is not measured yet"
    found = need_result("line", spec, find_line, store, title, _cost, "Measure the line")
    if found is None:
        return
    ends = f"{runs[first].name} → {runs[second].name}"
    figure = lines_figure({ends: [LossLine("validation loss", found.shares, found.losses)]})
    draw(figure, view.key("line"), f"Validation loss along the straight line from {first} to {second}")
    data = runs[first].spec.dataset.label
    st.caption(
        f"Validation loss on {plain(data)} of the prompts on the straight line. The barrier, the highest loss on it "
        f"minus the loss at its worse end, is **{found.barrier:.3f}** nats per token; 0 means that no prompt between "
        "the ends is worse than both."
    )


def _cost(spec: LineSpec, store: Store) -> str:
    return reading_cost(find_job(store, spec.first), spec.n_points, store)
