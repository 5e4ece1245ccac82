"""Page configuration and navigation."""

import streamlit as st

from core.engine import client
from pages.widgets.icon import tab_icon
from pages.widgets.pages import APP_RAN, all_pages
from pages.widgets.state import open_store

st.set_page_config(page_title="priorscope", page_icon=tab_icon(), layout="wide")
st.html("<style>.stMainBlockContainer {padding: 4.2rem 2.5rem 3rem; max-width: 1800px}</style>")
if APP_RAN not in st.session_state:
    client.revive(open_store())
    st.session_state[APP_RAN] = True
st.navigation(all_pages(), position="top").run()
