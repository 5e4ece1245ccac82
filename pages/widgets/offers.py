"""A job that makes what a page needs: its result, its progress, or an offer to start it."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import streamlit as st

from core.engine.lookup import find, find_nearest
from core.specs import Spec
from core.store import JobFolder, Store
from pages.widgets.cite import cite_job
from pages.widgets.jobs import NO_JOBS, follow, start
from pages.widgets.layout import plain
from pages.widgets.nearest import shown_instead
from pages.widgets.reach import closed

Request = TypeVar("Request", bound=Spec)
Found = TypeVar("Found")


def under_way(jobs: Sequence[JobFolder | None], store: Store, doing: Sequence[str] = ()) -> bool:
    """Show each job that has not succeeded under what it is `doing`; return if there is one."""
    left = [(i, job) for i, job in enumerate(jobs) if job and job.status().state != "succeeded"]
    for i, job in left:
        if doing:
            st.markdown(f"**{plain(doing[i])}**")
        follow(job, store)
    return bool(left)


def make(kind: str, request: Spec, store: Store, doing: str) -> None:
    """Show the job of a request; start it if there is none or its result is gone."""
    job = find(kind, request, store)
    if job is None or job.status().state == "succeeded":
        job = start(kind, request, store)
    under_way([job], store, [doing])


def need_result(
    kind: str,
    request: Request,
    find_result: Callable[[Request, Store], Found | None],
    store: Store,
    title: str,
    cost: Callable[[Request, Store], str],
    button: str,
) -> Found | None:
    """Return the result of a job, or the nearest one that is stored, with an offer of the job; or None."""
    found = find_result(request, store)
    near = find_nearest(kind, request, store) if found is None else None
    other = find_result(near.spec, store) if near else None
    cite_job(kind, near.spec if near and other else request)
    if found is None:
        with shown_instead([near] if near and other else []):
            there = partial(find_result, request, store)
            offer(kind, request, store, title, cost(request, store), button, there=there)
    return other if found is None else found


def offer(
    kind: str,
    requests: Spec | Sequence[Spec],
    store: Store,
    title: str,
    cost: str | Callable[[], Sequence[Spec]],
    button: str,
    doing: Sequence[str] = (),
    key: str = "",
    there: Callable[[], object] = lambda: None,
) -> None:
    """Show the jobs of requests, or their cost and a button that starts them.

    The title says in Markdown that the result is missing; `cost` is in words, or draws it and returns what is to be
    started in the requests' place; `doing` stands above the job of each request. `there` finds what the page has looked
    for in vain: where it is there now, its job ended in between, and the page is drawn again.
    """
    specs = [requests] if isinstance(requests, Spec) else list(requests)
    if under_way([find(kind, spec, store) for spec in specs], store, doing):
        return
    if there() is not None:
        st.rerun()
    with st.container(border=True):
        st.markdown(f"#### {title}")
        if closed(NO_JOBS):
            return
        if isinstance(cost, str):
            st.caption(cost)
        else:
            specs = cost()
        pressed = st.button(button, type="primary", icon=":material/play_arrow:", key=key or f"offer.{kind}.{title}")
        started = [start(kind, spec, store) for spec in specs] if pressed else [None]
        if all(started):
            st.rerun()


def priced(cost: str, button: str, icon: str = "play_arrow", **options: Any) -> bool:
    """Draw a cost with a button beside it, and return whether it was pressed."""
    with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(cost, width="content")
        return not closed(NO_JOBS) and st.button(button, icon=f":material/{icon}:", **options)
