"""A job that measures something: its result, its progress, or an offer to start it, with the cost."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from core.specs import Spec
from core.store import Store
from pages.widgets.cite import cite_job
from pages.widgets.clouds import job_of
from pages.widgets.jobs import follow, start

Asked = TypeVar("Asked", bound=Spec)
Found = TypeVar("Found")


def need_result(
    kind: str,
    asked: Asked,
    find: Callable[[Asked, Store], Found | None],
    store: Store,
    title: str,
    cost: Callable[[Asked, Store], str],
    button: str,
) -> Found | None:
    """Return what a job has found; where it has not run yet, show or offer it as `offer` does, and return None."""
    cite_job(kind, asked)
    found = find(asked, store)
    if found is None:
        offer(kind, asked, store, title, cost(asked, store), button)
    return found


def offer(kind: str, asked: Spec, store: Store, title: str, cost: str, button: str) -> None:
    """Show the job that was asked for, or its cost and a button that starts it.

    Args:
        kind: of the job.
        asked: its spec.
        store: the cache folder.
        title: that the result is missing, in Markdown.
        cost: in words.
        button: its label.
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
