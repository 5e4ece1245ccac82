"""Prior and posterior clouds of several runs on one map, with the numbers beside them."""

import streamlit as st

from pages.widgets.pages import through_app

through_app()

from collections.abc import Mapping, Sequence

import pandas as pd

from core.analysis.quantities import BEHIND
from core.jobs.comparison import comparison, require_one_model
from core.jobs.measure import Measures
from core.specs import DatasetSpec
from core.store import Store, list_jobs
from pages.compare_parts.line import show_line
from pages.compare_parts.map import choose, picture, picture_controls
from pages.compare_parts.measures import asked_for_worth, has_posterior, need_measures, worth_cost
from pages.compare_parts.tables import points_of, show_group, show_retained
from pages.compare_parts.trajectories import ChosenRun
from pages.compare_parts.words import show_words
from pages.widgets.cite import cite_command, cite_run
from pages.widgets.layout import empty, errors
from pages.widgets.offers import priced
from pages.widgets.pages import link
from pages.widgets.state import View


def further_data(view: View, chosen: Sequence[ChosenRun], store: Store) -> list[DatasetSpec]:
    """Draw the picker of data sets to compare vectors with, besides the runs' own data."""
    own = {run.spec.dataset.canonical_json() for run in chosen}
    model = chosen[0].spec.model.as_json()
    found = [
        DatasetSpec.parse(job.spec["dataset"]) for job in list_jobs(store, "capture") if job.spec["model"] == model
    ]
    names = {spec.canonical_json(): spec.label for spec in found if spec.canonical_json() not in own}
    if not names:
        return []
    picked = view.several("place", "Compare vectors also with", list(names), [], format_func=names.__getitem__)
    return [DatasetSpec.parse(text) for text in picked]


def measure_all(
    chosen: Sequence[ChosenRun], further: Sequence[DatasetSpec], store: Store
) -> tuple[dict[str, Measures], list[ChosenRun]]:
    """Return the measures by run, and the runs whose vectors' worth has not been requested yet.

    Missing measures are started; the worth of vectors only where it was asked for.
    """
    whole = [run for run in chosen if has_posterior(run.job)]
    asked = [run for run in whole if asked_for_worth(run.job, further, store)]
    measured = need_measures([run.job for run in whole], further, store)
    measured |= need_measures([run.job for run in asked], further, store, worth=True)
    return measured, [run for run in whole if run not in asked]


def numbers(
    chosen: Sequence[ChosenRun],
    measured: Mapping[str, Measures],
    site: int,
    positions: pd.DataFrame | None,
    store: Store,
) -> None:
    """Write the tables of the measures."""
    found = [measured[run.job.id] for run in chosen if run.job.id in measured]
    document = comparison(found, store)
    vectors = points_of(found, "vectors").query("site == @site")
    evaluations = pd.concat(
        [pd.DataFrame(run["evaluations"]).assign(run=run["run"]) for run in document["runs"]], ignore_index=True
    )
    show_group(document, "quality", None)
    show_group(document, "speed", None, {"Evaluations": evaluations})
    behind = {"Vectors": vectors} | ({"Coordinates": positions} if positions is not None else {})
    show_group(document, "displacement", site, behind)
    show_group(document, "collapse", site, {"Null samples": points_of(found, "nulls").query("site == @site")})
    show_group(document, "place", site)
    show_group(document, f"collapse{BEHIND}", site)
    show_group(document, f"place{BEHIND}", site)
    show_group(document, "attention", None, {"Attention by vector": points_of(found, "attention")})
    show_group(document, "shape", site)
    show_retained(document, site)
    if any("worth" in at for run in document["runs"] for at in run["sites"]):
        show_group(document, "worth", site, {"Changed prompts": points_of(found, "worth")})


def offer_worth(chosen: Sequence[ChosenRun], further: Sequence[DatasetSpec], store: Store) -> None:
    """Draw the cost with a button beside it that starts the jobs."""
    price = worth_cost([(run.job, run.prompts) for run in chosen], store)
    pressed = priced(f"**What is each vector worth?** {price}", "Measure what each vector is worth")
    if pressed:
        need_measures([run.job for run in chosen], further, store, worth=True)
        st.rerun()


def cite(chosen: Sequence[ChosenRun], unasked: Sequence[ChosenRun]) -> None:
    """Note the commands that make the runs and their comparison."""
    for run in chosen:
        cite_run(run.job)
    if whole := [run.job.id for run in chosen if has_posterior(run.job)]:
        cite_command("compare", *whole, *(["--no-worth"] if unasked else []))


page_view, page_store = View("compare"), Store.default()
with errors():
    picked = choose(page_view, page_store)
    if not picked:
        empty("compare_arrows", "No finished run chosen", "Choose runs above, or tune a prompt first.")
        link("tune", "Tune a prompt")
    else:
        require_one_model([run.job for run in picked])
        shown = picture_controls(page_view, picked, page_store)
        above = st.container()
        more = further_data(page_view, picked, page_store)
        known, unasked = measure_all(picked, more, page_store)
        placed = None
        with above, errors():
            placed = picture(page_view, shown, picked, known, page_store)
        cite(picked, unasked)
        if known:
            numbers(picked, known, shown.site, placed, page_store)
        show_line(page_view, picked, page_store)
        show_words(page_view, picked, known, page_store)
        if unasked:
            offer_worth(unasked, more, page_store)
