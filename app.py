"""Page configuration, navigation, and what every page has above and below it."""

import streamlit as st

from core.figures.palette import POINTS_BELOW
from pages.widgets.icon import tab_icon
from pages.widgets.pages import open_page


def revive() -> None:
    """Take up the jobs of an engine that has died."""
    from core.engine import client
    from core.store import Store

    client.revive(Store.default())


st.set_page_config(page_title="priorscope", page_icon=tab_icon(), layout="wide")
st.html(f"<style>.stMainBlockContainer {{padding: 4.2rem 2.5rem 3rem; max-width: 1800px}} {POINTS_BELOW}</style>")
page = open_page(once=revive)

from pages.widgets import cite  # noqa: E402 - what it imports takes longer than the heading

cite.begin(page.title)
page.run()
cite.box()
