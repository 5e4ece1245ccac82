"""How a sweep stands: its grid of runs while they go on, and what came of them."""

import time
from collections import Counter
from collections.abc import Callable, Sequence

import streamlit as st

from core.engine import client
from core.figures.sweep_results import Square, states_figure
from core.jobs.costs import Paces, total
from core.jobs.outcomes import outcome
from core.jobs.sweep import Standing, cancel_runs, standings, submit_runs, to_do
from core.specs import SweepSpec
from core.specs.sweep import sweep_yaml
from core.store import Store
from pages.tune_parts.costs import tuning_cost
from pages.tune_parts.sweeps.results import show_results
from pages.tune_parts.sweeps.words import n_runs, varying, words_of
from pages.widgets.cite import cite_command
from pages.widgets.jobs import POLL_SECONDS, start_several
from pages.widgets.layout import draw, duration, errors, plain

LIVING = ("queued", "running")
_SILENT_SECONDS = 10.0


def show_sweep(sweep_id: str, sweep: SweepSpec, store: Store) -> None:
    """Show a sweep: refreshed while its runs go on, and not at all when they have ended."""
    cite_command("sweep", sweep.canonical_json())
    found = standings(sweep, store)
    if any(one.state in LIVING for one in found):
        _living(sweep_id, sweep, store)
    else:
        _state(sweep_id, sweep, found, store)
    show_results(sweep_id, sweep, found)


@st.fragment(run_every=POLL_SECONDS)
@errors()
def _living(sweep_id: str, sweep: SweepSpec, store: Store) -> None:
    found = standings(sweep, store)
    ended = not any(one.state in LIVING for one in found)
    newly = sum(one.state == "succeeded" for one in found)
    key = f"sweep.done.{sweep_id}"
    if ended or st.session_state.setdefault(key, newly) != newly:
        st.session_state[key] = newly
        st.rerun()  # the whole page: there is a result more
    _revive_if_silent(found, store)
    _state(sweep_id, sweep, found, store)


def _revive_if_silent(found: Sequence[Standing], store: Store) -> None:
    """See to it that somebody works on the runs."""
    statuses = [one.status for one in found if one.status and one.state in LIVING]
    if statuses and time.time() - max(max(s.heartbeat, s.created) for s in statuses) > _SILENT_SECONDS:
        client.revive(store)


def _state(sweep_id: str, sweep: SweepSpec, found: Sequence[Standing], store: Store) -> None:
    """Draw counts, buttons and the grid."""
    counts = Counter(one.state for one in found)
    done = sum(counts[state] for state in ("succeeded", "failed", "refused"))
    words = ", ".join(f"{n} {state}" for state, n in counts.items())
    left = _time_left(found, store)
    st.progress(done / len(found), text=f"{words}{f' · about {duration(left)} left' if left else ''}")
    new, failed = to_do(found), [one for one in found if one.state in ("failed", "refused")]
    with st.container(horizontal=True, vertical_alignment="center"):
        if new:
            st.markdown(tuning_cost([one.cell.spec for one in new], store), width="content")
            _button(
                f"Start the rest: {n_runs(len(new))}",
                "start",
                "play_arrow",
                sweep_id,
                lambda: submit_runs(found, store),
                primary=True,
            )
        if any(one.state in LIVING for one in found):
            _button("Cancel all", "cancel", "stop_circle", sweep_id, lambda: cancel_runs(found, store))
        if failed:
            _button(
                f"Retry {n_runs(len(failed))}",
                "retry",
                "replay",
                sweep_id,
                lambda: submit_runs(found, store, retry=True),
            )
        st.download_button(
            "Sweep as YAML",
            sweep_yaml(sweep),
            f"{sweep_id}.yaml",
            key=f"sweep.yaml.{sweep_id}",
            icon=":material/download:",
            help="For `python -m core sweep`, here or on a cluster.",
        )
    draw(
        states_figure(_squares(found), revision=sweep_id),
        f"sweep.states.{sweep_id}",
        "Grid of the runs of the sweep with the state of each",
    )
    for error in dict.fromkeys(text for one in found if (text := _error(one))):
        st.error(plain(error), icon=":material/error:")


def _button(label: str, what: str, icon: str, sweep_id: str, act: Callable[[], object], primary: bool = False) -> None:
    looks = "primary" if primary else "secondary"
    pressed = st.button(label, key=f"sweep.{what}.{sweep_id}", icon=f":material/{icon}:", type=looks)
    if pressed and start_several(lambda: [act()]):
        st.rerun()


def _time_left(found: Sequence[Standing], store: Store) -> float | None:
    """Return the seconds that runs on their way still take, one after the other; None while that is not known."""
    living = [one for one in found if one.state in LIVING]
    paces, now = Paces(store), time.time()
    left = [one.status.seconds_left(now) if one.status else None for one in living]
    return total(own or paces.seconds(one.cell.spec) for own, one in zip(left, living, strict=True)) or None


def _error(one: Standing) -> str:
    return str(outcome(one).get("error", "")) if one.state in ("failed", "refused") else ""


def _squares(found: Sequence[Standing]) -> list[Square]:
    """Return the grid: a row per group, a column per rate and seed."""
    names = varying([one.cell.shown for one in found])
    rates = "learning_rate" in names
    squares = []
    for one in found:
        place = one.cell.settings
        rate = "best rate" if one.cell.stage == "compare" else f"rate {place['learning_rate']:g}"
        column = " · ".join([rate, f"seed {place['seed']}"] if rates else [f"seed {place['seed']}"])
        row = words_of(one.cell.shown_of_group, names)
        squares.append(Square(row, column, one.state, _text(one), f"{row} · {column} · {one.state} {_run(one)}"))
    return squares


def _run(one: Standing) -> str:
    return one.job.id if one.job else ""


def _text(one: Standing) -> str:
    if one.state == "succeeded":
        return f"{outcome(one)['validation']['loss']:.3f}"
    if one.state == "running" and one.status:
        return f"{100 * one.status.fraction:.0f} %"
    return {"not started": "–"}.get(one.state, one.state)
