"""The pages, their order and what each of them asks; which one is open.

They have no icons: the tab would fetch its picture from somebody else's server. This module is read before the first
page answers, so it imports nothing that takes long.
"""

from importlib import import_module
from pathlib import Path
from threading import Lock

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.navigation.page import StreamlitPage

QUESTIONS = {
    "overview": "Where do tuned prompt embeddings end up, and does it matter where they began?",
    "story": "What did one study find, told in seven screens?",
    "activations": "What do a model's activations on these texts look like at one site of the residual stream?",
    "trajectories": "How does a text move through the cloud, token by token, and where does its answer go?",
    "priors": "Where would the prompt start, before you pay for training?",
    "tune": "What does the prompt learn from this prior sample, and which way does it move?",
    "compare": "Where did the prompts end up, how far is that from where they began, and were they any good?",
    "findings": "Which of the paper's claims hold here, how certain is that, and what does it rest on?",
    "system": "What is running, what is stored, and on which machine?",
}
"""Each page's question, by the page's name, in the order of the navigation."""
NAMES = tuple(QUESTIONS)
SHARED = "model"
"""Owner of the widgets that all pages share."""
HEADING = "heading"
"""Key of the container of a page's title and question."""
AHEAD = "ahead"
"""Key of the container of a chart that is not seen."""
_OPEN, _AHEAD = "open_page", "plotly_ahead"
_STEADY = {"trajectories", "priors", "tune", "compare"}
"""Pages whose first picture is a steady chart, which has Plotly's code of its own."""
_ICONS = {
    "story": "slideshow",
    "activations": "bubble_chart",
    "trajectories": "timeline",
    "priors": "flare",
    "tune": "model_training",
    "compare": "compare_arrows",
    "findings": "gavel",
}
_FOLDER = Path(__file__).resolve().parents[1]
_ONE_AT_A_TIME = Lock()
"""Plotly looks whether pandas is loaded, and fails where another session is in the middle of loading it."""


def page(name: str) -> StreamlitPage:
    """Return a page to link or switch to, made again each time, as Streamlit requires."""
    return st.Page(_FOLDER / f"{name}.py", title=name.capitalize(), url_path=name, default=name == NAMES[0])


def link(name: str, label: str, **parameters: str) -> None:
    """Draw a link to a page with parameters in its address."""
    st.page_link(page(name), label=label, icon=f":material/{_ICONS[name]}:", query_params=parameters or None)


def open_page() -> StreamlitPage:
    """Draw the navigation and the heading of the page that is open, and return that page.

    If another page was open before, the address overrides what is kept of this page's widgets.
    """
    chosen = st.navigation([page(name) for name in NAMES], position="top")
    name = chosen.title.lower()
    with st.container(key=HEADING):
        st.header(chosen.title, anchor=False)
        st.markdown(f":gray[{QUESTIONS[name]}]")
    if st.session_state.get(_OPEN) != name:
        st.session_state[_OPEN] = name
        for parameter in st.query_params:
            drop(name, parameter)
            drop(SHARED, parameter)
    return chosen


def load_plotly(chosen: StreamlitPage) -> DeltaGenerator:
    """Have the browser load what draws a page's first picture while the server imports the rest.

    Both take more than a second on the first visit of a fresh server. The empty chart is not seen.

    Returns:
        What to empty when the page has been drawn.
    """
    slot, steady = st.container(key=AHEAD).empty(), chosen.title.lower() in _STEADY
    if steady not in st.session_state.setdefault(_AHEAD, set()):
        st.session_state[_AHEAD].add(steady)
        with _ONE_AT_A_TIME:
            if steady:
                from pages.widgets.steady_chart import load_ahead

                with slot:
                    load_ahead(f"{AHEAD}.steady")
            else:
                slot.plotly_chart(go.Figure(layout={"height": 10}), key=f"{AHEAD}.chart", width=10)
            import_module("pandas")
    return slot


def through_app() -> None:
    """Have `app.py` draw the page, where Streamlit has run the page's script by itself.

    It does so on the first visit of a fresh server, if that asks for another page than the first, because there is a
    folder called pages. Naming the pages once tells it that they are on a list. Each page's script calls this before
    it imports what takes long.
    """
    if _OPEN not in st.session_state:
        st.navigation([page(name) for name in NAMES], position="hidden")
        st.rerun()


def drop(owner: str, parameter: str) -> None:
    """Drop what is kept of a parameter and of the widgets under it, so that it starts from the address again."""
    own = f"{owner}.{parameter}"
    for key in [key for key in st.session_state if key == own or str(key).startswith(f"{own}.")]:
        del st.session_state[key]
