"""All items of a study at once: what is there, what is left, one button, and the report."""

import time
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from core.engine import client
from core.specs import StudyItemSpec, StudySpec
from core.store import JobFolder, Store
from core.studies.items import ITEMS, KIND, Found, find_item
from core.studies.report import report_html
from pages.findings_parts.cost import cost_words
from pages.widgets.jobs import POLL_SECONDS, describe, start_several
from pages.widgets.layout import draw, duration, errors, plain
from pages.widgets.offers import offer
from pages.widgets.state import View

MARKS = {
    "made": ":material/check_circle:",
    "running": ":material/progress_activity:",
    "queued": ":material/schedule:",
    "failed": ":material/error:",
    "cancelled": ":material/cancel:",
    "interrupted": ":material/pause_circle:",
    "open": ":material/circle:",
}
_COLUMNS = 3


@dataclass(frozen=True)
class Line:
    """How an item stands.

    Attributes:
        item: its name.
        state: a key of `MARKS`.
        job: that makes it, if there is one.
        found: what was made.
    """

    item: str
    state: str
    job: JobFolder | None
    found: Found | None


def show_everything(study: StudySpec, store: Store) -> None:
    """Draw all items of a study, the button that makes those that are left, and the report."""
    lines = read_lines(study, store)
    left = [line for line in lines if line.state not in ("made", "running", "queued")]
    living = any(line.state in ("running", "queued") for line in lines)
    if living:
        _progress(study, store.root)
    else:
        _checklist(lines)
    if left and not living:
        with st.container(border=True):
            st.caption(f"**{len(left)} of {len(lines)} items** are left. {_cost(study, lines, store)}")
            if st.button("Reproduce everything", type="primary", icon=":material/play_arrow:"):
                asked = [StudyItemSpec(study=study, item=line.item) for line in left]
                if start_several(lambda: [client.submit(KIND, spec, store) for spec in asked]):
                    st.rerun()
    if any(line.found for line in lines):
        _report(study, store)


def read_lines(study: StudySpec, store: Store) -> list[Line]:
    """Return how each item of a study stands."""
    lines = []
    for item in ITEMS:
        spec = StudyItemSpec(study=study, item=item)
        found, job = find_item(spec, store), client.find(KIND, spec, store)
        state = "made" if found else "open"
        if not found and job:
            status = job.status()
            state = "open" if status.state == "succeeded" else status.state
        lines.append(Line(item, state, job, found))
    return lines


@st.fragment(run_every=POLL_SECONDS)
@errors()
def _progress(study: StudySpec, root: Path) -> None:
    """Show the items while they are made; one after the other."""
    store = Store(root)
    lines = read_lines(study, store)
    living = [line for line in lines if line.state in ("running", "queued")]
    if not living:
        st.rerun()
    done = sum(line.state == "made" for line in lines)
    bar, button = st.columns([6, 1], vertical_alignment="bottom")
    running = next((line for line in living if line.state == "running" and line.job), None)
    words = f"{done} of {len(lines)} items"
    if running and running.job:
        words += f" · {plain(ITEMS[running.item].title)} · {describe(running.job.status(), time.time())}"
    bar.progress(done / len(lines), text=words)
    if button.button("Cancel all", icon=":material/stop_circle:", width="stretch"):
        for line in reversed(living):
            if line.job:
                client.cancel(line.job, store)
        st.toast("Asked all of them to stop; what is made is kept.")
    st.caption(_time_left(lines, living))
    _checklist(lines)


def _checklist(lines: list[Line]) -> None:
    """Write the items in columns, each with how it stands and why it failed."""
    for column, part in zip(st.columns(_COLUMNS), _parts(lines), strict=True):
        for line in part:
            column.markdown(f"{MARKS[line.state]} {plain(ITEMS[line.item].title)}")
            if line.state == "failed" and line.job:
                column.caption(plain(line.job.status().error))


def _parts(lines: list[Line]) -> list[list[Line]]:
    size = -(-len(lines) // _COLUMNS)
    return [lines[i * size : (i + 1) * size] for i in range(_COLUMNS)]


def _time_left(lines: list[Line], living: list[Line]) -> str:
    """Say how long the living items still take, by those that were made."""
    took = [float(line.found.result["seconds"]) for line in lines if line.found]
    if not took:
        return "How long that takes is told once something is made."
    mean = sum(took) / len(took)
    return f"About {duration(mean * len(living))} left, at the mean pace of {len(took)} items that were made."


def _cost(study: StudySpec, lines: list[Line], store: Store) -> str:
    """Say what the items that are left take: their runs, and what was made so far."""
    took = [float(line.found.result["seconds"]) for line in lines if line.found]
    made = f"{len(took)} items took {duration(sum(took))} so far. " if took else ""
    return (
        f"{cost_words(study, [line.item for line in lines], store)} {made}It can be stopped at any time and goes on "
        "from there; nothing runs twice."
    )


def _report(study: StudySpec, store: Store) -> None:
    """Offer the report of what is made; it is written when it is asked for."""
    st.download_button(
        "Report as one page",
        lambda: report_html(study, store).encode(),
        f"priorscope-{study.fingerprint()[:8]}.html",
        "text/html",
        icon=":material/download:",
        on_click="ignore",
        help="Verdicts, pictures and numbers of everything made so far; opens without a network.",
    )


def show_transfer(view: View, study: StudySpec, store: Store) -> None:
    """Draw the transfer matrix, or offer it."""
    spec = StudyItemSpec(study=study, item="transfer")
    found = find_item(spec, store)
    if found is None:
        offer(
            KIND,
            spec,
            store,
            ":material/swap_horiz: Transfer is not measured on this study yet",
            "Tunes each task from scratch and from the posterior of each other task, with the same budget and seeds. "
            + cost_words(study, ["transfer"], store),
            "Measure transfer",
        )
        return
    draw(found.reproduced.picture, key=view.key("transfer"))
    st.caption(plain(found.reproduced.caption))
