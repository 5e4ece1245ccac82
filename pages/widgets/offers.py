"""A job that measures something: followed while it lives, offered with its cost where nobody asked for it yet."""

import streamlit as st

from core.specs import Spec
from core.store import Store
from pages.widgets.clouds import job_of
from pages.widgets.jobs import follow, start


def offer(kind: str, asked: Spec, store: Store, title: str, cost: str, button: str) -> None:
    """Show the job that was asked for, or what it costs and a button that starts it.

    Args:
        kind: of the job.
        asked: its spec.
        store: the cache folder.
        title: that it is not there yet, in Markdown.
        cost: in words.
        button: what it says.
    """
    job = job_of(kind, [asked], store)
    if job and job.status().state != "succeeded":
        follow(job, store)
        return
    with st.container(border=True):
        st.markdown(f"#### {title}")
        st.caption(cost)
        pressed = st.button(button, type="primary", icon=":material/play_arrow:")
        if pressed and start(kind, asked, store):
            st.rerun()
