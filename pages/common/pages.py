"""The list of pages, and links between them that carry a view along."""

from pathlib import Path

import streamlit as st

APP_RAN = "app_ran"
"""Set in the session's state once `app.py` has drawn a page."""
_FOLDER = Path(__file__).resolve().parents[1]


def _page(name: str, icon: str, default: bool = False):
    return st.Page(
        _FOLDER / f"{name}.py", title=name.capitalize(), icon=f":material/{icon}:", url_path=name, default=default
    )


OVERVIEW = _page("overview", "home", default=True)
ACTIVATIONS = _page("activations", "bubble_chart")
PRIORS = _page("priors", "flare")
TUNE = _page("tune", "model_training")
COMPARE = _page("compare", "compare_arrows")
SYSTEM = _page("system", "memory")
ALL = [OVERVIEW, ACTIVATIONS, PRIORS, TUNE, COMPARE, SYSTEM]
