"""The list of pages. They have no icons: the tab would fetch its picture from somebody else's server."""

from pathlib import Path

import streamlit as st

APP_RAN = "app_ran"
"""Set in the session's state once `app.py` has drawn a page."""
_FOLDER = Path(__file__).resolve().parents[1]


def _page(name: str, default: bool = False):
    return st.Page(_FOLDER / f"{name}.py", title=name.capitalize(), url_path=name, default=default)


OVERVIEW = _page("overview", default=True)
ACTIVATIONS = _page("activations")
PRIORS = _page("priors")
TUNE = _page("tune")
COMPARE = _page("compare")
SYSTEM = _page("system")
ALL = [OVERVIEW, ACTIVATIONS, PRIORS, TUNE, COMPARE, SYSTEM]
