"""Start a sweep, and choose which one is shown."""

import streamlit as st

from core.jobs.sweep import find_sweep, keep_sweep, kept_sweeps, standings, submit_runs, to_do
from core.specs import SweepSpec
from core.specs.cells import cells_of
from core.store import Store
from pages.tune_parts.costs import tuning_cost
from pages.tune_parts.sweeps.live import show_sweep
from pages.tune_parts.sweeps.words import n_runs
from pages.widgets.jobs import start_several
from pages.widgets.layout import empty
from pages.widgets.offers import priced
from pages.widgets.state import View


def launch_sweep(view: View, sweep: SweepSpec, store: Store) -> None:
    """Draw the cost of a sweep and the button that starts it, or shows it where nothing is left to do.

    Raises:
        UnknownName, BadRequest: see `cells_of`.
    """
    found = standings(sweep, store)
    left = to_do(found)
    words = tuning_cost([one.cell.spec for one in left], store)
    label, icon = (f"Start {n_runs(len(left))}", "play_arrow") if left else ("Show", "grid_on")
    words = f"{n_runs(len(found))}, {len(left)} of them to do. {words}"
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
    return f"{sweep.name or ', '.join(words) or n_runs(len(cells_of(sweep)))} · {sweep_id}"
