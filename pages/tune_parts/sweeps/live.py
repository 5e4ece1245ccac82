"""Start a sweep, choose one, and follow its grid of runs."""

import time
from collections import Counter
from collections.abc import Callable, Sequence

import streamlit as st

from core.engine import client
from core.figures.sweep_results import Square, states_figure
from core.jobs.costs import Paces, total
from core.jobs.outcomes import outcome
from core.jobs.sweep import Standing, cancel_runs, find_sweep, keep_sweep, kept_sweeps, standings, submit_runs, to_do
from core.specs import SweepSpec
from core.specs.cells import cells_of
from core.specs.sweep import sweep_yaml
from core.store import Store
from pages.tune_parts.costs import tuning_cost
from pages.tune_parts.sweeps.results import show_results, varying, words_of
from pages.widgets.cite import cite_command
from pages.widgets.jobs import ALIVE, POLL_SECONDS, start_several
from pages.widgets.layout import counted, draw, duration, empty, errors, plain
from pages.widgets.offers import priced
from pages.widgets.reach import closed
from pages.widgets.state import View

_SILENT_SECONDS = 10.0


def launch_sweep(view: View, sweep: SweepSpec, store: Store) -> None:
    """Draw the cost of a sweep and the button that starts it, or shows it where nothing is left to do.

    Raises:
        UnknownName, BadRequest: see `cells_of`.
    """
    found = standings(sweep, store)
    left = to_do(found)
    words = tuning_cost([one.cell.spec for one in left], store)
    label, icon = (f"Start {counted(len(left), 'run')}", "play_arrow") if left else ("Show", "grid_on")
    words = f"{counted(len(found), 'run')}, {len(left)} of them to do. {words}"
    pressed = priced(words, label, icon, key="sweep.launch", type="primary")
    if pressed and (not left or start_several(lambda: submit_runs(found, store))):
        view.choose("sweep", keep_sweep(sweep, store))
        st.rerun()


def chosen_sweep(view: View, store: Store) -> None:
    """Draw the list of sweeps and the chosen one, the newest at first."""
    known = kept_sweeps(store)
    if not known:
        empty("grid_on", "No sweep yet", "Choose a ready-made sweep or fill an axis above, then start its runs.")
        return
    chosen = view.choice("sweep", "Sweep", known, pin=True, show=lambda sweep_id: _label(sweep_id, store))
    show_sweep(chosen, find_sweep(chosen, store), store)


def _label(sweep_id: str, store: Store) -> str:
    """Return a sweep's name, else what it varies."""
    sweep = find_sweep(sweep_id, store)
    axes = {
        "priors": sweep.priors,
        "methods": sweep.methods,
        "data sets": sweep.datasets,
        "rates": sweep.learning_rates,
        "regularisers": sweep.regularisers,
        "seeds": sweep.seeds,
        **sweep.vary,
    }
    words = [f"{len(values)} {name.replace('_', ' ')}" for name, values in axes.items() if len(values) > 1]
    return f"{sweep.name or ', '.join(words) or counted(len(cells_of(sweep)), 'run')} · {sweep_id}"


def show_sweep(sweep_id: str, sweep: SweepSpec, store: Store) -> None:
    """Show a sweep, and refresh it until its runs have ended."""
    cite_command("sweep", sweep.canonical_json())
    found = standings(sweep, store)
    if any(one.state in ALIVE for one in found):
        _living(sweep_id, sweep, store)
    else:
        _state(sweep_id, sweep, found, store)
    show_results(sweep_id, sweep, found)


@st.fragment(run_every=POLL_SECONDS)
@errors()
def _living(sweep_id: str, sweep: SweepSpec, store: Store) -> None:
    found = standings(sweep, store)
    ended = not any(one.state in ALIVE for one in found)
    newly = sum(one.state == "succeeded" for one in found)
    key = f"sweep.done.{sweep_id}"
    if ended or st.session_state.setdefault(key, newly) != newly:
        st.session_state[key] = newly
        st.rerun()  # the whole page: there is a result more
    _revive_if_silent(found, store)
    _state(sweep_id, sweep, found, store)


def _revive_if_silent(found: Sequence[Standing], store: Store) -> None:
    """Make sure that an engine works on the runs."""
    statuses = [one.status for one in found if one.status and one.state in ALIVE]
    if statuses and time.time() - max(max(s.heartbeat, s.created) for s in statuses) > _SILENT_SECONDS:
        client.revive(store)


def _state(sweep_id: str, sweep: SweepSpec, found: Sequence[Standing], store: Store) -> None:
    """Draw counts, buttons and the grid."""
    counts = Counter(one.state for one in found)
    done = sum(counts[state] for state in ("succeeded", "failed", "refused"))
    words = ", ".join(f"{n} {state}" for state, n in counts.items())
    left = _time_left(found, store)
    about = "at most" if any(one.cell.spec.patience for one in found if one.state in ALIVE) else "about"
    st.progress(done / len(found), text=f"{words}{f' · {about} {duration(left)} left' if left else ''}")
    new, failed = to_do(found), [one for one in found if one.state in ("failed", "refused")]
    off = closed("it starts and cancels no runs")
    with st.container(horizontal=True, vertical_alignment="center"):
        if new and not off:
            st.markdown(tuning_cost([one.cell.spec for one in new], store), width="content")
            _button(
                f"Start the rest: {counted(len(new), 'run')}",
                "start",
                "play_arrow",
                sweep_id,
                lambda: submit_runs(found, store),
                primary=True,
            )
        if any(one.state in ALIVE for one in found) and not off:
            _button("Cancel all", "cancel", "stop_circle", sweep_id, lambda: cancel_runs(found, store))
        if failed and not off:
            _button(
                f"Retry {counted(len(failed), 'run')}",
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
    for error in dict.fromkeys(str(outcome(one).get("error", "")) for one in failed):
        if error:
            st.error(plain(error), icon=":material/error:")


def _button(label: str, what: str, icon: str, sweep_id: str, act: Callable[[], object], primary: bool = False) -> None:
    looks = "primary" if primary else "secondary"
    pressed = st.button(label, key=f"sweep.{what}.{sweep_id}", icon=f":material/{icon}:", type=looks)
    if pressed and start_several(lambda: [act()]):
        st.rerun()


def _time_left(found: Sequence[Standing], store: Store) -> float | None:
    """Return the seconds that unfinished runs still take, one after the other; None if unknown."""
    living = [one for one in found if one.state in ALIVE]
    paces, now = Paces(store), time.time()
    left = [one.status.seconds_left(now) if one.status else None for one in living]
    return total(own or paces.seconds(one.cell.spec) for own, one in zip(left, living, strict=True)) or None


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
        how = outcome(one).get("ending") or one.state
        words = f"{row} · {column} · {how} {one.job.id if one.job else ''}"
        squares.append(Square(row, column, one.state, _text(one), words))
    return squares


def _text(one: Standing) -> str:
    if one.state == "succeeded":
        return f"{outcome(one)['validation']['loss']:.3f}"
    if one.state == "running" and one.status:
        return f"{100 * one.status.fraction:.0f} %"
    return {"not started": "–"}.get(one.state, one.state)
