"""A demo of the findings: seven screens with one sentence, one picture and one control each."""

import streamlit as st

from pages.widgets.pages import through_app

through_app()

from core.store import Store
from pages.story_parts.frame import frame
from pages.story_parts.screens import SCREENS, show_claims
from pages.widgets.layout import errors
from pages.widgets.state import View

page_view, page_store = View("story"), Store.default()
with errors():
    screen, study = frame(page_view, [screen.title for screen in SCREENS], page_store)
    shown = SCREENS[screen - 1]
    st.subheader(shown.sentence, anchor=False)
    with errors():
        shown.draw(page_view, study, page_store)
    show_claims(shown.claims, study, page_store)
