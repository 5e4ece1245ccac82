"""One setting varied: a run a value, how each stands, and what it gave for what it travelled."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from core.engine import client
from core.engine.grid import Cell, cell_row, grid, submit_grid
from core.figures.tradeoff import tradeoff_figure
from core.specs import TuningSpec
from core.specs.base import canonical_json
from core.specs.describe import describe
from core.store import JobFolder, Store, list_jobs
from pages.common.costs import several_runs_cost
from pages.common.jobs import POLL_SECONDS, start_several
from pages.common.jobs import describe as words
from pages.common.layout import draw, errors, plain
from pages.common.runs import BASELINES
from pages.common.state import View
from pages.common.tuning import Asked

VALUES = "0, 0.01, 0.1, 1"
_STATES = {"succeeded": "done", "interrupted": "interrupted; start again to go on", "cancelled": "cancelled; start "
           "again to go on"}  # fmt: skip


def vary(view: View, asked: Asked, store: Store) -> None:
    """Draw the expander; while it is open, the setting and its values, the button, and the runs that there are."""
    key = view.key("varying")
    if key not in st.session_state:
        st.session_state[key] = view.read("varying", False)
    box = st.expander("Vary one setting", key=key, on_change="rerun")
    view.write("varying", bool(st.session_state[key]), False)
    if not st.session_state[key]:
        return
    with box, errors():
        titles = _titles(asked.spec)
        left, right = st.columns([1, 1.4])
        with left:
            field = view.choice("vary", "Setting", list(titles), show=lambda name: titles[name])
        with right:
            given = view.text("values", "Values", VALUES, help="Separated by commas: a run for each, one at a time.")
        values = [value.strip() for value in given.split(",") if value.strip()]
        specs = grid(asked.spec, field, values)
        jobs = _jobs(specs, store)
        _launch(asked, field, values, [spec for spec, job in zip(specs, jobs, strict=True) if _to_do(job)], store)
        if any(jobs):
            shown = [(value, job.path if job else None) for value, job in zip(values, jobs, strict=True)]
            ended = all(job is None or job.status().ended for job in jobs)
            (_state if ended else _living)(shown, specs, titles[field], store.root)


def _launch(asked: Asked, field: str, values: Sequence[str], new: Sequence[TuningSpec], store: Store) -> None:
    """Draw what the runs that are still to do cost, and the button that starts them."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(several_runs_cost(new, asked.facts, asked.sites, store), width="content")
        word = "1 run" if len(new) == 1 else f"{len(new)} runs"
        pressed = new and st.button(f"Start {word}", key="tune.vary.start", icon=":material/grid_on:")
    if pressed:
        cells = start_several(lambda: submit_grid(asked.spec, field, values, store))
        for cell in cells:
            if cell.error:
                st.error(f"{plain(field)} {plain(cell.value)}: {plain(cell.error)}")
        if cells and not any(cell.error for cell in cells):
            st.rerun()


def _titles(spec: TuningSpec) -> dict[str, str]:
    """Return the numbers of a run and of its prior that can be varied, with what they are called."""
    own = {field.name: field.title for field in describe(TuningSpec) if field.kind in ("number", "integer")}
    prior = {
        f"prior.{field.name}": f"{type(spec.prior).title}: {field.title}"
        for field in describe(type(spec.prior))
        if field.kind in ("number", "integer")
    }
    first = {name: own[name] for name in ("spread_weight", *TuningSpec.weight_fields)}
    return {**first, **prior, **own}


def _jobs(specs: Sequence[TuningSpec], store: Store) -> list[JobFolder | None]:
    """Return the newest run of each spec, if there is one."""
    known = {canonical_json(job.spec): job for job in reversed(list_jobs(store, "tune"))}
    return [known.get(spec.canonical_json()) for spec in specs]


def _to_do(job: JobFolder | None) -> bool:
    return job is None or job.status().state in ("failed", "cancelled", "interrupted")


@st.fragment(run_every=POLL_SECONDS)
@errors()
def _living(shown: Sequence[tuple[str, Path | None]], specs: Sequence[TuningSpec], title: str, root: Path) -> None:
    if all(path is None or JobFolder(path).status().ended for _, path in shown):
        st.rerun()  # the whole page, which then shows the end without a fragment
    _state(shown, specs, title, root)


def _state(shown: Sequence[tuple[str, Path | None]], specs: Sequence[TuningSpec], title: str, root: Path) -> None:
    """Draw a line a run, and the figure of those that are done."""
    rows = []
    for (value, path), spec in zip(shown, specs, strict=True):
        row: dict[str, Any] = {"value": value, "status": "not started"}
        if path:
            row |= cell_row(Cell(value, spec, JobFolder(path)))
        rows.append(row)
        _line(row, JobFolder(path) if path else None, Store(root))
    done = [row for row in rows if row["status"] == "succeeded" and "displacement" in row]
    if done:
        baselines = done[0].get("baseline") or {}
        figure = tradeoff_figure(
            [row["value"] for row in done],
            np.array([row["displacement"]["angle_median"] for row in done]),
            np.array([row["validation"]["loss"] for row in done]),
            title,
            {word: baselines[name]["loss"] for name, word in BASELINES.items() if baselines.get(name)},
            revision=title,
        )
        draw(figure, key="tune.tradeoff")
        st.caption(
            "Each point is a run: its validation loss over the median angle between a vector of its prior sample and "
            "the same vector of its posterior, at all prompted sites together; connected in the order of the values. "
            "Baselines are those of the first run shown."
        )


def _line(row: dict[str, Any], job: JobFolder | None, store: Store) -> None:
    value, state, button = st.columns([1, 5, 1.4], vertical_alignment="center")
    value.markdown(f"**{plain(row['value'])}**")
    status = row["status"]
    if status == "succeeded" and "displacement" in row:
        state.markdown(
            f"loss {row['validation']['loss']:.4f} · angle {row['displacement']['angle_median']:.1f}° · `{row['run']}`"
        )
    elif job and status in ("queued", "running"):
        now = job.status()
        state.progress(now.fraction, text=words(now, time.time()))
        if button.button("Cancel", key=f"vary.cancel.{job.id}", icon=":material/stop_circle:"):
            with errors():
                client.cancel(job, store)
    elif status == "failed":
        state.markdown(f":red[failed:] {plain(row.get('error', ''))}")
    else:
        state.markdown(f":gray[{_STATES.get(status, status)}]")
