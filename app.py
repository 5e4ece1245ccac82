"""Page configuration and navigation."""

import streamlit as st

from core.engine import client
from pages.common.pages import ALL
from pages.common.state import open_store

st.set_page_config(page_title="priorscope", page_icon=":material/scatter_plot:", layout="wide")
if "engine_revived" not in st.session_state:
    st.session_state["engine_revived"] = client.revive(open_store())
st.navigation(ALL).run()
