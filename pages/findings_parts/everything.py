"""All items of a study at once: what is made, what is left, one button, and the report."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from core.engine import client, lookup
from core.specs import StudyItemSpec, StudySpec
from core.store import JobFolder, Store
from core.studies.items import ITEMS, KIND, Found, find_item
from core.studies.report import report_html
from pages.findings_parts.cost import away, cost_words, gone
from pages.widgets.jobs import ALIVE, MARKS, NO_JOBS, POLL_SECONDS, describe, start_several, state_of
from pages.widgets.layout import counted, draw, duration, errors, plain
from pages.widgets.offers import need_result
from pages.widgets.reach import closed
from pages.widgets.state import View

_COLUMNS = 3
_BETWEEN_SECONDS = 30.0
"""For this long after an item has ended, the next one is expected."""


@dataclass(frozen=True)
class ItemState:
    """An item of a study and its state, a key of `pages.widgets.jobs.MARKS`."""

    item: str
    state: str
    job: JobFolder | None
    found: Found | None

    @property
    def title(self) -> str:
        """Return the item's title, in Markdown."""
        return plain(ITEMS[self.item].title)


def show_everything(study: StudySpec, store: Store) -> None:
    """Draw all items of a study, a button that makes those that are left, and the report."""
    items = read_items(study, store)
    running = is_running(items)
    if running:
        _progress(study, store.root)
    else:
        _checklist(items)
    left = [item for item in items if item.state not in ("succeeded", *ALIVE)]
    if left and not running:
        with st.container(border=True):
            st.caption(f"**{len(left)} of {len(items)} items** are left. {_cost(study, items, store)}")
            if (
                not away(study)
                and not closed(NO_JOBS)
                and st.button("Reproduce everything", type="primary", icon=":material/play_arrow:")
            ):
                asked = [StudyItemSpec(study=study, item=item.item) for item in left]
                if start_several(lambda: [client.submit(KIND, spec, store) for spec in asked]):
                    st.rerun()
    if any(item.found for item in items):
        _report(study, store)


def read_items(study: StudySpec, store: Store) -> list[ItemState]:
    """Return the state of each item of a study."""
    items = []
    for item in ITEMS:
        spec = StudyItemSpec(study=study, item=item)
        found, job = find_item(spec, store), lookup.find(KIND, spec, store)
        items.append(ItemState(item, state_of(job, found is not None), job, found))
    return items


def is_running(items: Sequence[ItemState]) -> bool:
    """Return whether a study is being made.

    Between two items the command line requests none for a moment.
    """
    if any(item.state in ALIVE for item in items):
        return True
    ends = [item.job.status().finished or 0 for item in items if item.job]
    return any(item.state == "open" for item in items) and time.time() - max(ends, default=0) < _BETWEEN_SECONDS


def show_running(study: StudySpec, store: Store) -> None:
    """While a study is being made, show how far it is, on every view of the page."""
    if is_running(read_items(study, store)):
        _bar_of_running(study, store.root)


@st.fragment(run_every=POLL_SECONDS)
@errors()
def _bar_of_running(study: StudySpec, root: Path) -> None:
    items = read_items(study, Store(root))
    n_made, key = sum(item.state == "succeeded" for item in items), f"findings.made.{study.fingerprint()}"
    if not is_running(items) or st.session_state.setdefault(key, n_made) != n_made:
        st.session_state[key] = n_made
        st.rerun()  # the whole page: there is a result more
    st.progress(n_made / len(items), text=_how_far(items, n_made))


def _how_far(items: Sequence[ItemState], n_made: int) -> str:
    """Say how many items are made, and what the running one is doing."""
    running = next((item for item in items if item.state == "running"), None)
    words = f"{n_made} of {len(items)} items"
    if running and running.job:
        words += f" · {running.title} · {describe(running.job.status(), time.time())}"
    return words


@st.fragment(run_every=POLL_SECONDS)
@errors()
def _progress(study: StudySpec, root: Path) -> None:
    """Show the items while they are made, one after the other."""
    store = Store(root)
    items = read_items(study, store)
    alive = [item for item in items if item.state in ALIVE]
    if not is_running(items):
        st.rerun()
    n_made = sum(item.state == "succeeded" for item in items)
    bar, button = st.columns([6, 1], vertical_alignment="bottom")
    bar.progress(n_made / len(items), text=_how_far(items, n_made))
    if not closed("it shows these jobs and cannot stop them") and button.button(
        "Cancel all", icon=":material/stop_circle:", width="stretch"
    ):
        for item in reversed(alive):
            if item.job:
                client.cancel(item.job, store)
        st.toast("All items were asked to stop. Finished ones are kept.")
    st.caption(_time_left(items, len(alive)))
    _checklist(items)


def _checklist(items: list[ItemState]) -> None:
    """Write the items in columns, each with its state and, where it failed, the reason."""
    height = -(-len(items) // _COLUMNS)
    for i, column in enumerate(st.columns(_COLUMNS)):
        for item in items[i * height : (i + 1) * height]:
            column.markdown(f"{MARKS[item.state]} {item.title}")
            if item.state == "failed" and item.job:
                column.caption(plain(item.job.status().error))


def _seconds(items: list[ItemState]) -> list[float]:
    """Return how long each finished item took."""
    return [item.found.result.seconds for item in items if item.found]


def _time_left(items: list[ItemState], n_alive: int) -> str:
    """Say how long the items in progress will take, at the pace of the finished ones."""
    took = _seconds(items)
    if not took:
        return "The remaining time is known after the first finished item."
    mean = sum(took) / len(took)
    return f"About {duration(mean * n_alive)} left, at the mean pace of {counted(len(took), 'finished item')}."


def _cost(study: StudySpec, items: list[ItemState], store: Store) -> str:
    """Say what the remaining items cost, and how long the finished ones took."""
    took = _seconds(items)
    made = f"{counted(len(took), 'item')} took {duration(sum(took))} so far. " if took else ""
    return (
        f"{cost_words(study, [item.item for item in items], store)} {made}You can stop at any time and resume later; "
        "nothing runs twice."
    )


def _report(study: StudySpec, store: Store) -> None:
    """Offer the report of the finished items, which is written on demand."""
    st.download_button(
        "Report as one page",
        lambda: report_html(study, store).encode(),
        f"priorscope-{study.fingerprint()[:8]}.html",
        "text/html",
        icon=":material/download:",
        on_click="ignore",
        help="Verdicts, pictures and numbers of everything made so far; the page works offline.",
    )


def show_transfer(view: View, study: StudySpec, store: Store) -> None:
    """Draw the transfer matrix, or offer it."""
    title = ":material/swap_horiz: Transfer has not been measured on this study yet"
    spec = StudyItemSpec(study=study, item="transfer")
    if find_item(spec, store) is None and gone(study, title):
        return
    found = need_result(KIND, spec, find_item, store, title, _transfer_cost, "Measure transfer")
    if found:
        draw(found.reproduced.picture, view.key("transfer"), f"Matrix of transfer: {found.reproduced.caption}")
        st.caption(plain(found.reproduced.caption))


def _transfer_cost(asked: StudyItemSpec, store: Store) -> str:
    what = "Tunes each task from scratch and from the tuned prompt of each other task, on equal budgets and seeds."
    return f"{what} {cost_words(asked.study, [asked.item], store)}"
