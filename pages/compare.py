"""Prior and posterior clouds of several runs on one map, with the numbers beside them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.figures.clouds import Layer, map_figure
from core.figures.palette import POSTERIOR, PRIOR, XAVIER
from core.figures.text import token
from core.specs import ModelSpec, ProjectionSpec
from core.store import JobFolder, Store, list_jobs
from core.store.prompts import RunPrompts, read_prompts
from pages.common.choices import short_name
from pages.common.clouds import axes, map_layers, need_map, need_vocabulary
from pages.common.layout import draw, empty, errors, header, plain, table
from pages.common.measures import measures, nearest_tokens
from pages.common.pages import page
from pages.common.runs import coordinates_table, label, quality_row, spec_of
from pages.common.state import View, open_store

SYMBOLS = (("diamond", "x"), ("square", "star"), ("triangle-up", "hexagram"), ("circle", "cross"))


@dataclass(frozen=True)
class Chosen:
    """A run with its prompts, and which symbols tell it from the others."""

    job: JobFolder
    prompts: RunPrompts
    index: int


def choose(view: View, store: Store) -> list[Chosen]:
    """Draw the picker of runs and return those that have a prompt to show."""
    jobs = {job.id: job for job in list_jobs(store, "tune")}
    done = [job_id for job_id, job in jobs.items() if job.status().ended]
    names = {job_id: label(jobs[job_id]) for job_id in done}
    picked = view.several("runs", "Runs", done, done[:1], format_func=lambda job_id: names[job_id])
    found = [(jobs[job_id], read_prompts(jobs[job_id])) for job_id in picked]
    return [Chosen(job, prompts, i) for i, (job, prompts) in enumerate(found) if prompts is not None]


def picture(view: View, store: Store, model: ModelSpec, chosen: Sequence[Chosen]) -> None:
    """Draw all clouds on the vocabulary's map, then the tables."""
    if need_vocabulary(model, store) is None:
        return
    first, second, third = st.columns([1, 1, 2])
    with first:
        dimensions = view.segments("dimensions", "Dimensions", {2: "2-D", 3: "3-D"})
    with second:
        arrows = view.switch("arrows", "Arrows from prior to posterior", True)
    with third:
        way = view.number("way", "Share of the way shown", 100, 0, 100, step=5, help="100 is the end of each run.")
    spec = ProjectionSpec.parse({"model": model, "vocabulary": True, "n_components": dimensions})
    stored = need_map(spec, store)
    if stored is None:
        return
    stamp = [max((path.stat().st_mtime for path in run.job.path.glob("*.safetensors")), default=0) for run in chosen]
    tables = measures(store.root, model.canonical_json(), [run.job.id for run in chosen], stamp)
    layers = map_layers(store.root, spec.canonical_json(), stored.artifact.key, "dataset", True)
    pairs, downloads = [], []
    for run in chosen:
        near = tables["vectors"].query("run == @run.job.id")
        step = round(way / 100 * (len(run.prompts.vectors) - 1))
        snapshot = run.prompts.at(0)[step]
        words = [near["nearest token before"].tolist(), near["nearest token"].tolist()]
        if step < len(run.prompts.vectors) - 1:
            words[1] = nearest_tokens(store.root, model.canonical_json(), snapshot)
        before, after = stored.map.place(run.prompts.prior(0)), stored.map.place(snapshot)
        pair = cloud_pair(run, before.coordinates, after.coordinates, words, len(chosen) > 1)
        layers += pair
        pairs += [pair] if arrows else []
        downloads.append(coordinates_table(run.job, run.prompts, before.coordinates, after.coordinates))
    draw(map_figure(layers, axes(stored), pairs, height=620, revision=stored.artifact.key), key="compare.map")
    info = stored.artifact.info
    st.caption(
        f"Axes: principal components of {info['n_points']:,} of {info['n_available']:,} vocabulary rows of "
        f"{plain(short_name(model.name))} (seed {spec.seed}), fitted without the prompts and frozen. "
        "Hover shows each vector's nearest token."
    )
    show_tables(chosen, tables, pd.concat(downloads, ignore_index=True))


def cloud_pair(
    run: Chosen, before: NDArray, after: NDArray, words: Sequence[Sequence[str]], several: bool
) -> tuple[Layer, Layer]:
    """Return a run's prior and posterior layers; `words` are the tokens nearest to the vectors of each."""
    kind = spec_of(run.job).prior.kind
    suffix = f" · {kind} {run.job.id}" if several else ""
    symbols = SYMBOLS[run.index % len(SYMBOLS)]
    texts = [
        [f"vector {i}<br>nearest token <b>{token(word)}</b>" for i, word in enumerate(nearest)] for nearest in words
    ]
    start = Layer(f"prior{suffix}", before, "xavier" if kind == "xavier" else "prior", hover=texts[0])
    end = Layer(f"posterior{suffix}", after, "posterior", hover=texts[1])
    if several:
        look = XAVIER if kind == "xavier" else PRIOR
        start = replace(start, mark=replace(look, symbol=symbols[0]))
        end = replace(end, mark=replace(POSTERIOR, symbol=symbols[1]))
    return start, end


def show_tables(chosen: Sequence[Chosen], tables: dict[str, pd.DataFrame], coordinates: pd.DataFrame) -> None:
    """Write quality, displacement and collapse, and offer downloads."""
    st.subheader("Quality", anchor=False)
    quality = pd.DataFrame([quality_row(run.job) for run in chosen]).dropna(axis=1, how="all")
    table(quality)
    st.caption("On the validation examples of each run, beside no prompt and its untrained prior sample.")
    vectors = tables["vectors"]
    left, right = st.columns(2)
    with left:
        st.subheader("Way travelled", anchor=False)
        table(vectors, height=320)
        st.caption("Norms and distances are lengths in the embedding space; the angle is in degrees.")
    with right:
        st.subheader("Nearness to tokens", anchor=False)
        table(tables["nulls"], height=320)
        st.caption(
            "Distance to the nearest vocabulary row. Vocabulary rows are compared with all others but themselves."
        )
    with st.container(horizontal=True):
        st.download_button("Quality (CSV)", quality.to_csv(index=False), "quality.csv", "text/csv")
        st.download_button("Vectors (CSV)", vectors.to_csv(index=False), "vectors.csv", "text/csv")
        st.download_button("Coordinates (CSV)", coordinates.to_csv(index=False), "coordinates.csv", "text/csv")


header("Compare", "Where did the prompts end up, how far is that from where they began, and were they any good?")
page_view, page_store = View("compare"), open_store()
with errors():
    picked = choose(page_view, page_store)
    models = {spec.canonical_json(): spec for spec in (spec_of(run.job).model for run in picked)}
    if not picked:
        empty("compare_arrows", "No finished run chosen", "Tune a prompt first, or choose runs above.")
        st.page_link(page("tune"), label="Tune a prompt", icon=":material/model_training:")
    elif len(models) > 1:
        names = ", ".join(sorted(model.name for model in models.values()))
        st.warning(f"These runs are of different models ({plain(names)}) and share no space; choose runs of one model.")
    else:
        picture(page_view, page_store, next(iter(models.values())), picked)
