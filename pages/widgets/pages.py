"""The pages and their order. They have no icons: the tab would fetch its picture from somebody else's server.

Made anew in each run of a script: Streamlit leaves a page unfinished that is made outside of one.
"""

from pathlib import Path

import streamlit as st

APP_RAN = "app_ran"
"""Set in the session's state once `app.py` has drawn a page."""
NAMES = ("overview", "activations", "trajectories", "priors", "tune", "compare", "findings", "system")
_FOLDER = Path(__file__).resolve().parents[1]


def page(name: str):
    """Return a page to link or switch to."""
    return st.Page(_FOLDER / f"{name}.py", title=name.capitalize(), url_path=name, default=name == NAMES[0])


def all_pages() -> list:
    """Return all pages in the order of the navigation."""
    return [page(name) for name in NAMES]
