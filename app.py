"""The heading first, then what every page has above and below it, and the page itself."""

import streamlit as st

from pages.widgets.pages import AHEAD, load_plotly, open_page

st.set_page_config(page_title="priorscope", layout="wide")
if st.user.get("is_logged_in") is False:  # there is a login: docs/hosting.md
    st.button("Log in", on_click=st.login)
    st.stop()
page = open_page()
st.html(f"<style>.st-key-{AHEAD} {{display: none}}</style>")
ahead = load_plotly(page)

# What is imported from here on takes longer than the heading.
from core.engine import client
from core.figures.palette import POINTS_BELOW, POSTERIOR, PRIOR, REFERENCE
from core.store import Store
from pages.widgets import cite
from pages.widgets.reach import limit_paths

ICON = (
    (16, 20, 9, REFERENCE),
    (44, 14, 7, REFERENCE),
    (30, 52, 7, REFERENCE),
    (24, 36, 10, PRIOR),
    (48, 42, 10, POSTERIOR),
)
"""Points on the browser's tab; a named icon would be fetched from somebody else's server."""


METRICS = ".stColumn:has(.stMetric) {min-width: 8rem}"
"""Numbers in a row take several rows in a narrow window, which would cut their names."""


@st.cache_resource(scope="session", show_spinner=False)
def revive() -> None:
    """Continue the jobs of an engine that has died, once per session."""
    client.revive(Store.default())


points = "".join(f'<circle cx="{x}" cy="{y}" r="{r}" fill="{look.colour}"/>' for x, y, r, look in ICON)
st.set_page_config(page_icon=f'<svg viewBox="0 0 64 64">{points}</svg>')
st.html(
    f"<style>.stMainBlockContainer {{padding: 4.2rem 2.5rem 3rem; max-width: 1800px}} {METRICS} {POINTS_BELOW}</style>"
)
cite.begin(page.title)
limit_paths(Store.default())
revive()
page.run()
ahead.empty()
cite.box()
