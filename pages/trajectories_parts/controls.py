"""What the Trajectories page is asked for: texts or a question, a prompt before it, a site and a cloud below."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.jobs.trajectory import trajectory_spec
from core.sources.models import ModelFacts
from core.specs import CloudSpec, DatasetSpec, ModelSpec, ProjectionSpec, TokenFilter, TrajectorySpec
from core.specs.trajectory import MAX_TEXTS
from core.store import JobFolder, Store, list_jobs
from pages.widgets.choices import dataset_choices, model_choice, site_choice, token_filter
from pages.widgets.forms import field_widget, fields
from pages.widgets.maps import MapRequest, map_choice
from pages.widgets.runs import label
from pages.widgets.state import View

SENTENCES = (
    "The cat sat on the mat and looked out of the window.\n"
    "Shares fell sharply after the bank raised its interest rates again.\n"
    "She opened the old book, and a small letter fell to the floor."
)
QUESTION = "Question: What is 42 + 17?\nAnswer:"
"""In the form that runs on arithmetic were trained with."""
NO_RUN = ""
MODES = {"read": "Sentences", "generate": "Question and answer"}
GROUNDS = {"vocabulary": "Vocabulary", "data": "Data"}
SOURCES = {"typed": "typed", "drawn": "from a data set"}


@dataclass(frozen=True)
class Wanted:
    """What a person asks for.

    Attributes:
        requests: one, or two where an answer is shown with and without a prompt; None where no text is given.
        site: where.
        map: on which the paths are laid.
        map_request: as `pages.widgets.maps` has it.
        clouds: of the data sets at the site; the first one's tokens are what nulls are drawn from.
        tokens: which tokens count.
        words: whether tokens are written beside their points.
        play: whether the paths can be played.
    """

    requests: tuple[TrajectorySpec, ...]
    site: int | str
    map: ProjectionSpec
    map_request: MapRequest
    clouds: tuple[CloudSpec, ...]
    tokens: TokenFilter
    words: bool
    play: bool

    @property
    def generates(self) -> bool:
        """Return whether answers are asked for."""
        return bool(self.requests) and self.requests[0].mode == "generate"


def controls(view: View, store: Store) -> Wanted | None:
    """Draw the controls and return what they ask for; None while no data set is chosen where one is needed."""
    with st.container(border=True):
        model, facts = model_choice(store)
        mode = view.segments("mode", "Show", MODES)
        run = _run_choice(view, model, store) if mode == "generate" else None
        beside = run is not None and view.switch("beside", "The answer without a prompt beside it", True)
        source = view.segments("source", "Texts are" if mode == "read" else "The question is", SOURCES)
        place = st.container()
    with st.container(border=True):
        site = site_choice(view, facts)
        ground = view.segments("ground", "Laid on", GROUNDS) if site == 0 else "data"
        map_request = map_choice(view, store)
        datasets = dataset_choices(view, store)
        with st.expander("Tokens and points"):
            rows = view.number("rows", "Points of each", 5000, 50, 200_000, step=1000)
            tokens = token_filter(view)
        words = view.switch("words", "Write the tokens beside their points", True)
        play = view.switch("play", "Play the paths", True, help="Buttons and a slider below the map.")
    with place:
        asked = _texts(view, mode, source, run, datasets)
    on_vocabulary = ground == "vocabulary"
    if not datasets and not (on_vocabulary and "dataset" not in asked):
        return None
    clouds = tuple(
        CloudSpec(model=model, dataset=dataset, sites=(site,), tokens=tokens, rows=rows) for dataset in datasets
    )
    laid_on: dict[str, Any] = {"model": model, "site": site, **map_request.settings}
    if on_vocabulary:
        laid_on |= {"vocabulary": True} | _every_row(map_request, facts)
    else:
        laid_on |= {"clouds": clouds, "n_points": rows}
    requests = _requests(asked, model, mode, run, beside, store)
    return Wanted(requests, site, ProjectionSpec.parse(laid_on), map_request, clouds, tokens, words, play)


def _run_choice(view: View, model: ModelSpec, store: Store) -> JobFolder | None:
    """Draw the list of runs of a model, and whether the answer without a prompt is shown beside."""
    runs = {
        run.id: run
        for run in list_jobs(store, "tune")
        if run.spec["model"]["name"] == model.name and (run.path / "posterior.safetensors").is_file()
    }
    names = {run_id: label(run) for run_id, run in runs.items()}
    chosen = view.choice(
        "run",
        "Prompt before the question",
        [NO_RUN, *runs],
        NO_RUN,
        show=lambda run_id: names.get(run_id, "none"),
        help="The posterior of a tuning run of this model, read through the run's own forward.",
    )
    return runs.get(chosen)


def _texts(
    view: View, mode: str, source: str, run: JobFolder | None, datasets: Sequence[DatasetSpec]
) -> dict[str, Any]:
    """Draw what tells the texts and return the fields of a request; none where there is no text."""
    asked: dict[str, Any] = {}
    if mode == "generate":
        (longest,) = fields(TrajectorySpec, ["max_new_tokens"])
        asked["max_new_tokens"] = field_widget(view, longest, "max_new_tokens", st.container())
    if source == "typed":
        return {**asked, "texts": _typed(view, mode)}
    choices = [DatasetSpec.parse(run.spec["dataset"])] if run else []
    choices = list(dict.fromkeys([*choices, *datasets]))
    if not choices:
        st.caption("Choose a data set below.")
        return {**asked, "texts": ()}
    names = {dataset.canonical_json(): dataset.label for dataset in choices}
    drawn = view.choice("from", "Drawn from", list(names), show=names.__getitem__)
    first, second = st.columns(2)
    with first:
        n_texts = view.number("n_texts", "How many", 1 if mode == "generate" else 3, 1, MAX_TEXTS, step=1)
    with second:
        seed = view.number("text_seed", "Seed", 0, 0, 2**31 - 1, step=1, help="Decides which ones.")
    return {**asked, "dataset": DatasetSpec.parse(drawn), "n_texts": n_texts, "seed": seed}


def _typed(view: View, mode: str) -> tuple[str, ...]:
    if mode == "generate":
        text = view.text(
            "question", "Question", QUESTION, rows=5, height=120, help="The model goes on from its last character."
        )
        return (text,) if text.strip() else ()
    lines = view.text("text", "Sentences", SENTENCES, rows=8, height=190, help="One a line.").splitlines()
    return tuple(line.strip() for line in lines if line.strip())[:MAX_TEXTS]


def _requests(
    asked: dict[str, Any], model: ModelSpec, mode: str, run: JobFolder | None, beside: bool, store: Store
) -> tuple[TrajectorySpec, ...]:
    if not asked.get("texts") and "dataset" not in asked:
        return ()
    plain = trajectory_spec(store, model=model, mode=mode, **asked)
    if run is None:
        return (plain,)
    prompted = trajectory_spec(store, model=model, mode=mode, run=run.id, **asked)
    return (plain, prompted) if beside else (prompted,)


def _every_row(map_request: MapRequest, facts: ModelFacts) -> dict[str, Any]:
    """Return how many vocabulary rows a t-SNE map is fitted on: all, so that every token has a place of its own."""
    tsne = map_request.settings["method"] == "tsne" and not map_request.name
    return {"n_points": facts.n_vocabulary} if tsne and facts.n_vocabulary else {}
