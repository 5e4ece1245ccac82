"""Tables of compared runs: quantities with intervals and nulls, and their downloads."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.analysis.definitions import DEFINITIONS, null_words
from core.analysis.quantities import BEHIND, Quantity, each_quantity
from core.jobs.measure import Measures
from pages.widgets.layout import plain, table
from pages.widgets.tables import download, number_words

POSTERIOR, PRIOR = "posterior", "prior sample"
MAX_ROWS = 25
"""Tables of up to this many rows are shown in full."""
_TITLES = {
    "quality": (
        "Quality",
        "On each run's validation examples, with the initial prompt (a prior sample) and no prompt for comparison.",
    ),
    "speed": ("Speed", "From the run's own evaluations of the validation loss."),
    "displacement": (
        "Displacement",
        "Means over the vectors of a run, with 95 % bootstrap intervals over them. The vectors of a run were trained "
        "together, so the intervals say nothing about other seeds.",
    ),
    "collapse": ("Nearest tokens", "Medians over vectors; for null samples, the median and the central 95 %."),
    "place": ("Position in the clouds", "Compared with each cloud's own held-out points."),
    f"collapse{BEHIND}": (
        "Nearest tokens behind the norm",
        "As the block sees a cut prompt: without the vectors' length. Medians over vectors; for null samples, the "
        "median and the central 95 %.",
    ),
    f"place{BEHIND}": (
        "Position behind the norm",
        "As the block sees a cut prompt and the cloud: without their lengths. Compared with held-out points.",
    ),
    "attention": ("Attention", "What tokens of validation examples pay to the prompt, in each block that has one."),
    "shape": ("Shape", "Of a prompt's vectors as a set; for null samples, the median and the central 95 %."),
    "worth": ("What vectors are worth", "Positive: the change raises the loss, so the vector was useful."),
}


_APART = {"place": "cloud", f"place{BEHIND}": "cloud", "attention": "block"}
"""What tells several rows of a run apart, by group."""


def tidy(document: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per number of a comparison, with run, site, group, cloud and quantity."""
    rows = []
    for run in document["runs"]:
        for named in each_quantity(run):
            for of, numbers in _each_of(named.group, named.quantity):
                rows.append(
                    {
                        "run": run["run"],
                        "prior": run["prior_name"],
                        "group": named.group,
                        "site": named.site,
                        "cloud": named.cloud,
                        "quantity": named.name,
                        "of": of,
                        **{key: numbers.get(key) for key in ("value", "low", "high", "p")},
                    }
                )
    frame = pd.DataFrame(rows)
    return frame.astype({"site": "Int64", **dict.fromkeys(("value", "low", "high", "p"), "float64")})


def quantities_table(document: Mapping[str, Any], group: str, site: int | None) -> pd.DataFrame:
    """Return a group as a table to read: a row per run and part of it, a column per quantity."""
    rows: dict[tuple[str, str | None, str], dict[str, str | None]] = {}
    for run in document["runs"]:
        for named in each_quantity(run):
            if named.group == group and named.site in (site, None):
                for of, numbers in _each_of(group, named.quantity):
                    begun = {"run": run["run"], "prior": run["prior_name"]}
                    begun |= {"ended": run["ending"]} if group == "quality" else {}
                    row = rows.setdefault((run["run"], named.cloud, of), begun)
                    row |= {_APART[group]: named.cloud, "of": of} if group in _APART else {"of": of}
                    row[DEFINITIONS[f"{group}.{named.name}"].title] = number_words(numbers)
    frame = pd.DataFrame(list(rows.values()))
    order = [definition.title for name, definition in DEFINITIONS.items() if name.startswith(f"{group}.")]
    columns = [*(c for c in frame.columns if c not in order), *(c for c in order if c in frame)]
    return frame.reindex(columns=columns).fillna("")


def helps(group: str) -> dict[str, str]:
    """Return the definitions of a group's quantities by title."""
    return {d.title: d.text for name, d in DEFINITIONS.items() if name.startswith(f"{group}.")}


def show_group(
    document: Mapping[str, Any], group: str, site: int | None, points: Mapping[str, pd.DataFrame] | None = None
) -> None:
    """Write one group under its title, with downloads of the numbers and of the data behind them."""
    title, caption = _TITLES[group]
    frame = quantities_table(document, group, site)
    if frame.empty:  # an imported prompt has no displacement and no validation
        return
    st.subheader(title, anchor=False)
    table(frame, helps(group), height="content" if len(frame) <= MAX_ROWS else "auto")
    st.caption(caption)
    numbers = tidy(document).query("group == @group")
    with st.container(horizontal=True):
        download(title, numbers, group)
        for name, behind in (points or {}).items():
            download(name, behind, name.lower().replace(" ", "-"))


def show_retained(document: Mapping[str, Any], site: int) -> None:
    """Say whether the prior can still be recognised from the posteriors."""
    found = next((found for found in document["prior_retained"] if found["site"] == site), None)
    if found is None:
        return
    st.subheader("Can the prior still be recognised?", anchor=False, help=DEFINITIONS["prior_retained.accuracy"].text)
    if found["verdict"] == "undecided":
        st.markdown(f":gray[{plain(found['reason'].capitalize())}]")
        return
    accuracy = found["accuracy"]
    chance = accuracy["nulls"]["labels shuffled"]["value"]
    runs = ", ".join(f"{name} {n}" for name, n in found["n_runs"].items())
    st.markdown(
        f"Leave-one-run-out prior accuracy: **{100 * accuracy['value']:.0f} %** (with shuffled labels "
        f"{100 * chance:.0f} %, p {accuracy['p']:.2g}). Runs per prior: {plain(runs)}."
    )
    if found["reason"]:
        st.caption(plain(found["reason"].capitalize()))


def points_of(measured: Sequence[Measures], name: str) -> pd.DataFrame:
    """Return a table of all runs, with the run's id first."""
    frames = [found.table(name).assign(run=found.summary["run"]) for found in measured]
    frame = pd.concat(frames, ignore_index=True)
    return frame.reindex(columns=["run", *(column for column in frame.columns if column != "run")])


def _each_of(group: str, quantity: Quantity) -> Iterator[tuple[str, Quantity]]:
    """Yield the numbers of a quantity by what they describe: posterior, prior sample, each null."""
    yield POSTERIOR, quantity
    if "prior" in quantity:
        yield PRIOR, {"value": quantity["prior"]}
    for name, null in quantity.get("nulls", {}).items():
        yield name if group == "quality" else f"null: {null_words(name)}", null
