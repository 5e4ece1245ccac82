"""Results of a sweep: best rates, priors compared at them, quality against displacement, and the table."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.figures.palette import prior_marks
from core.figures.sweep_results import Compared, Curve, compared_figure, rates_figure
from core.figures.tradeoff import tradeoff_figure
from core.jobs.best_rates import CHOSEN_ON, BestRates, GroupDifference, best_rates
from core.jobs.outcomes import runs_table
from core.jobs.sweep import Standing
from core.specs import SweepSpec
from core.specs.cells import NO_REGULARISER
from core.store.losses import BASELINES
from pages.widgets.layout import draw, plain, table
from pages.widgets.pages import link
from pages.widgets.tables import download, number_words

_NUMBERED = {"learning_rate": "rate", "seed": "seed"}
_LINKED = 24
"""At most this many runs are opened on the Compare page at once."""


def show_results(sweep_id: str, sweep: SweepSpec, found: Sequence[Standing]) -> None:
    """Draw the results of the runs that have succeeded."""
    done = [one for one in found if one.state == "succeeded"]
    if not done:
        return
    frame = runs_table(found, sweep.target)
    names = varying([one.cell.shown for one in found])
    best = best_rates(found, sweep.target)
    if "learning_rate" in names and best.groups:
        _rates(sweep_id, best, names)
    if len(best.groups) > 1:
        _compared(sweep_id, best, names)
    _tradeoff(sweep_id, frame, names)
    _table(sweep_id, frame)


def _rates(sweep_id: str, best: BestRates, names: Sequence[str]) -> None:
    st.markdown("##### Which rate suits which prior")
    curves = []
    for group, look in zip(best.groups, _marks(best), strict=True):
        losses = [np.nan if trial.loss is None else trial.loss for trial in group.search]
        rates = np.array([trial.rate for trial in group.search])
        curves.append(Curve(words_of(group.names, names), look, rates, np.array(losses), group.rate))
    draw(
        rates_figure(curves, revision=sweep_id),
        f"sweep.rates.{sweep_id}",
        "Validation loss over the learning rate, a curve per group",
    )
    st.caption("Each point is a run. Lines connect the means over seeds; a ring marks the rate with the lowest mean.")
    edges = [words_of(group.names, names) for group in best.groups if group.at_edge]
    if edges:
        st.info(
            "The best rate is the lowest or highest one tried, so a better one may lie beyond it, for: "
            f"{plain('; '.join(edges))}.",
            icon=":material/lightbulb:",
        )


def _compared(sweep_id: str, best: BestRates, names: Sequence[str]) -> None:
    groups = best.groups
    one_rate = all(group.chosen_on == "given" for group in groups)
    st.markdown("##### Compared" + ("" if one_rate else ", each at its own best rate"))
    compared, rows = [], []
    for group, look in zip(groups, _marks(best), strict=True):
        name, loss = words_of(group.names, names), group.loss
        rates = ", ".join(f"{rate:g}" for rate in sorted(set(group.rates.values())))
        shown = name if one_rate else f"{name} (rate {rates})"
        mean = np.nan if loss["value"] is None else loss["value"]
        bounds = loss.get("low", np.nan), loss.get("high", np.nan)
        compared.append(Compared(shown, look, mean, *bounds, np.array(list(group.losses.values()))))
        reached = [step for step in group.steps_to_target.values() if step is not None]
        rows.append(
            {
                "": shown,
                "loss": number_words(loss),
                "seeds": len(group.losses),
                "target": group.target,
                "steps to target, median": group.steps_to_target_median,
                "reached it": f"{len(reached)} of {len(group.losses)}",
            }
        )
    draw(
        compared_figure(compared, revision=sweep_id),
        f"sweep.compared.{sweep_id}",
        "Mean validation loss of each group with its interval and runs",
    )
    said = " ".join(dict.fromkeys(CHOSEN_ON[group.chosen_on] for group in groups))
    st.caption(
        f"Mean validation loss over seeds with its 95 % t interval; each grey point is a run. {said} Do not compare "
        "losses on different data."
    )
    table(pd.DataFrame(rows))
    pairs = [_pair(pair, names) for pair in best.differences]
    if pairs:
        table(pd.DataFrame(pairs))
        st.caption(
            "Differences are paired by seed (runs with the same seed see the examples in the same order) and shown for "
            "groups that differ in one setting on the same data. p comes from a paired t test, Holm-corrected "
            "over these pairs. A difference that is not significant may still exist."
        )
    runs = [run for group in groups for run in group.runs]
    if len(runs) <= _LINKED:
        link("compare", f"Compare these {len(runs)} runs", runs=json.dumps(runs))


def _pair(pair: GroupDifference, names: Sequence[str]) -> dict[str, object]:
    first, second = words_of(pair.first, names), words_of(pair.second, names)
    difference = pair.difference.copy()
    p = difference.pop("p", None)
    found = number_words(difference)
    return {"loss of": first, "minus that of": second, "is": found, "p": p, "seeds": pair.n_seeds}


def _tradeoff(sweep_id: str, frame: pd.DataFrame, names: Sequence[str]) -> None:
    """Draw quality against displacement where one thing is varied."""
    done = frame.loc[(frame["status"] == "succeeded") & frame["angle_median"].notna()]
    if len(names) != 1 or names == ["data"] or done.empty:
        return
    (name,) = names
    baselines = {word: done[f"loss_{key}"].iloc[0] for key, word in BASELINES.items() if f"loss_{key}" in done}
    figure = tradeoff_figure(
        [f"{value:g}" if isinstance(value, int | float) else str(value) for value in done[name]],
        done["angle_median"].to_numpy(),
        done["loss"].to_numpy(),
        name.replace("_", " "),
        {word: float(loss) for word, loss in baselines.items() if pd.notna(loss)},
        revision=sweep_id,
    )
    draw(figure, f"sweep.tradeoff.{sweep_id}", "Validation loss of each run over its median displacement angle")
    st.caption(
        "Each point is a run: its validation loss against the median angle between the prior sample and the posterior "
        "of a vector, over all prompted sites. Lines connect the values in order. The baselines are those of the first "
        "run shown."
    )


def _table(sweep_id: str, frame: pd.DataFrame) -> None:
    with st.expander(f"All {len(frame)} runs as a table"):
        table(frame.dropna(axis=1, how="all"))
        st.caption(
            "Steps to the target: the first evaluated step whose validation loss is at most the target; `not before` "
            "is the evaluation before it. Without a target, the worst of the best losses on the same data is used."
        )
        download("All runs", frame, sweep_id)


def _marks(best: BestRates) -> list[Any]:
    return prior_marks([group.prior for group in best.groups])


def varying(places: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of places that are not the same for all runs."""
    return [name for name in places[0] if len({place.get(name) for place in places}) > 1] if places else []


def words_of(place: Mapping[str, Any], names: Sequence[str]) -> str:
    """Return places of these names in words; the first place if there are none."""
    shown = {name: value for name, value in place.items() if name in names} or dict(list(place.items())[:1])
    return " · ".join(_word(name, value) for name, value in shown.items())


def _word(name: str, value: Any) -> str:
    if name == "regularisers" and value == NO_REGULARISER:
        return "no regulariser"
    if isinstance(value, str):
        return value
    return f"{_NUMBERED.get(name, name.replace('_', ' '))} {value:g}"
