"""What runs, what is stored, and on what machine."""

import streamlit as st

from pages.widgets.pages import through_app

through_app()

import platform
import shutil
import subprocess
import time

import pandas as pd
import psutil

from core import __version__
from core.commands.doctor import packages
from core.engine import client
from core.specs.model import short_name
from core.store import JobFolder, Store, damaged_folders, list_jobs
from core.store.endings import ending_of, may_end_early
from core.store.imported import provenance
from core.store.listing import DamagedFolder
from core.store.maintenance import cache_entries, prune
from core.store.read_only import read_only
from pages.system_parts.maps import named_maps
from pages.widgets.beside import columns_or_rows
from pages.widgets.jobs import MARKS, STOPPED, describe
from pages.widgets.layout import empty, errors, numbers, plain, size
from pages.widgets.reach import closed

N_JOBS = 25
BUSY_SECONDS, IDLE_SECONDS = 3.0, 15.0
"""Between two looks at the engine, while it has jobs and while it has none."""


def engine(store: Store) -> None:
    """Show the engine's state, and the jobs, while the page is open; look rarely while nothing happens."""
    busy = has_jobs(client.engine_state(store))
    st.fragment(errors()(engine_and_jobs), run_every=BUSY_SECONDS if busy else IDLE_SECONDS)(store, busy)


def has_jobs(state: client.EngineState) -> bool:
    """Return whether jobs run or wait."""
    return bool(state.jobs_running or state.jobs_queued)


def engine_and_jobs(store: Store, busy: bool) -> None:
    """Show the engine's state and the jobs; draw the page again, at the other pace, once `busy` no longer holds."""
    state = client.engine_state(store)
    if has_jobs(state) != busy:
        st.rerun()
    memory = sum(worker.memory_bytes for worker in state.workers)
    numbers(
        {
            "Engine": "running" if state.running else "asleep",
            "Jobs running": str(len(state.jobs_running)),
            "Jobs queued": str(len(state.jobs_queued)),
            "Memory of workers": size(memory),
        },
        {"Engine": "It starts with the first job and stops when idle."},
    )
    where = f"at {plain(state.address)}" if state.address else "it starts with the next job"
    stale = " It runs an older version of the program and will be replaced when idle." if state.outdated else ""
    st.caption(f"{'This machine' if state.local else 'A named cluster'}, {where}.{stale}")
    jobs_table(store)


def jobs_table(store: Store) -> None:
    """Show the jobs, each with its buttons."""
    st.subheader("Jobs", anchor=False)
    jobs, damaged = list_jobs(store), damaged_folders(store)
    closed("jobs are not cancelled, resumed or deleted here")
    if damaged:
        with st.container(border=True):
            for folder in damaged:
                damaged_row(folder)
    if not jobs and not damaged:
        empty("inbox", "No jobs yet", "Captures, maps and tuning runs appear here.")
        return
    with st.container(border=True):
        for job in jobs[:N_JOBS]:
            with errors():
                job_row(job, store)
    if len(jobs) > N_JOBS:
        st.caption(f"Showing the newest {N_JOBS} of {len(jobs)}; `python -m core runs list` shows all.")


def job_row(job: JobFolder, store: Store) -> None:
    """Show one job and its buttons."""
    status = job.status()
    what, how, buttons = st.columns([5, 3, 2], vertical_alignment="center")
    what.markdown(f"{MARKS[status.state]} **{job.kind}** `{job.id}` {plain(subject(job))}")
    if status.state == "running":
        how.progress(status.fraction, text=describe(status, time.time(), may_end_early(job)))
    else:
        how.markdown(f"{ending_of(job) or status.state} :gray[{ago(status.created)}  {plain(status.error)}]")
    if read_only():
        return
    with buttons.container(horizontal=True, horizontal_alignment="right"):
        if not status.ended and st.button("Cancel", key=f"system.cancel.{job.id}"):
            client.cancel(job, store)
            st.rerun(scope="fragment")
        if status.state in STOPPED and st.button("Resume", key=f"system.resume.{job.id}"):
            client.resume(job, store)
            st.rerun(scope="fragment")
        if status.ended and st.button("Delete", key=f"system.delete.{job.id}", icon=":material/delete:"):
            job.delete()
            st.rerun(scope="fragment")


def damaged_row(folder: DamagedFolder) -> None:
    """Show a job's folder that cannot be read, and the button that deletes it."""
    what, buttons = st.columns([8, 2], vertical_alignment="center")
    what.markdown(f"{MARKS['damaged']} {plain(folder.reason)} :gray[{ago(folder.changed)}]")
    if not read_only() and buttons.button("Delete", key=f"system.delete.{folder.job.id}", icon=":material/delete:"):
        with errors():
            folder.job.delete()
            st.rerun(scope="fragment")


def subject(job: JobFolder) -> str:
    """Return what a job is about in a few words."""
    spec = job.spec
    model = spec["model"]["name"] if "model" in spec else spec.get("name", "")
    data = (spec.get("dataset") or {}).get("module") or (spec.get("dataset") or {}).get("name", "")
    parts = [short_name(model), data, (spec.get("prior") or {}).get("kind", ""), spec.get("method", "")]
    return " · ".join(part for part in parts if part)


def ago(moment: float) -> str:
    """Return how long ago a moment was."""
    seconds = max(0.0, time.time() - moment)
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            n = int(seconds // length)
            return f"{n} {unit}{'s' if n > 1 else ''} ago"
    return "just now"


def cache(store: Store) -> None:
    """Show what is stored, and offer to prune it."""
    st.subheader("Cache", anchor=False)
    entries = cache_entries(store)
    free = shutil.disk_usage(store.root).free
    st.caption(f"{plain(store.root)} · {size(sum(entry.bytes for entry in entries))} stored · {size(free)} free")
    if not entries:
        empty(
            "inventory_2", "Nothing stored yet", "Models, texts, activations and maps appear here once they are made."
        )
        return
    rows = [
        {
            "kind": entry.kind,
            "what": entry.description,
            "size": size(entry.bytes),
            "used": ago(entry.used),
            "key": entry.key,
        }
        for entry in entries
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", height=min(420, 38 + 35 * len(rows)))
    if closed("nothing is deleted here"):
        return
    with st.popover("Prune", icon=":material/delete_sweep:"):
        kinds = ["everything", *sorted({entry.kind for entry in entries})]
        kind = st.selectbox("What", kinds)
        days = st.number_input("Unused for (days)", 0, 3650, 30)
        chosen = prune(store, None if kind == "everything" else kind, days * 86400.0)
        st.caption(
            f"{len(chosen)} entries, {size(sum(e.bytes for e in chosen))}. Runs are never deleted; everything "
            "else can be made again."
        )
        if st.button("Delete these", type="primary", disabled=not chosen):
            prune(store, None if kind == "everything" else kind, days * 86400.0, dry_run=False)
            st.rerun()


@st.cache_data(show_spinner=False)
def machine() -> pd.DataFrame:
    """Return device and versions."""
    memory = psutil.virtual_memory()
    rows = [
        ("priorscope", __version__),
        ("Python", platform.python_version()),
        ("system", f"{platform.system()} {platform.machine()}"),
        ("processor", f"{psutil.cpu_count(logical=False)} cores, {psutil.cpu_count()} threads"),
        ("memory", size(memory.total)),
        ("GPU", ", ".join(gpus()) or "none found"),
        *((name, found or "not installed") for name, found in packages().items()),
    ]
    return pd.DataFrame(rows, columns=["part", "is"])


def runs_on(store: Store) -> str:
    """Return where the newest tuning run ran; asking torch would load it into the app."""
    for job in list_jobs(store, "tune"):
        known = provenance(job)
        if known.hardware:
            return f"Last run: {known.hardware} ({known.device}), {known.dtype}."
    return "No run yet."


def gpus() -> list[str]:
    """Return the names of NVIDIA GPUs, from their driver's tool."""
    tool = shutil.which("nvidia-smi")
    if not tool:
        return []
    told = subprocess.run(
        [tool, "--query-gpu=name,memory.total", "--format=csv,noheader"], capture_output=True, text=True, check=False
    )
    return told.stdout.splitlines() if told.returncode == 0 else []


page_store = Store.default()
with errors():
    engine(page_store)
left_side, right_side = columns_or_rows("stored_and_machine", (2, 34), (1, 18))
with left_side, errors():
    cache(page_store)
with left_side, errors():
    named_maps(page_store)
with right_side, errors():
    st.subheader("Machine", anchor=False)
    st.caption(
        "The worker that runs a job chooses the device and the number format, unless *Where it runs* beside the "
        f"model sets them. {plain(runs_on(page_store))}"
    )
    st.dataframe(machine(), hide_index=True, width="stretch", height=420)
