"""The controls of the Trajectories page: texts or a question, a prompt, a site, a map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from core.jobs.trajectory import trajectory_spec
from core.sources.model_facts import ModelFacts
from core.specs import CloudSpec, DatasetSpec, ModelSpec, ProjectionSpec, TokenFilter, TrajectorySpec
from core.specs.trajectory import MAX_TEXTS
from core.store import JobFolder, Store, list_jobs
from pages.maps.choice import MapRequest, map_choice
from pages.trajectories_parts.stored import stored_trajectories
from pages.widgets.choices import dataset_choices, model_choice, seed_field, site_choice, token_filter
from pages.widgets.forms import spec_fields
from pages.widgets.layout import errors
from pages.widgets.runs import label
from pages.widgets.state import View
from pages.widgets.stored import stored_choice

SENTENCES = (
    "The cat sat on the mat and looked out of the window.\n"
    "Shares fell sharply after the bank raised its interest rates again.\n"
    "She opened the old book, and a small letter fell to the floor."
)
QUESTION = "Question: What is 42 + 17?\nAnswer:"
"""In the form of the questions that runs on arithmetic are trained on."""
NO_RUN = ""
MODES = {"read": "Sentences", "generate": "Question and answer"}
BACKGROUNDS = {"vocabulary": "Vocabulary", "data": "Data"}
SOURCES = {"typed": "typed", "drawn": "from a data set"}


@dataclass(frozen=True)
class TextRequest:
    """Which texts to read, as fields of a `TrajectorySpec`; None leaves a field at its default."""

    texts: tuple[str, ...] | None = None
    dataset: DatasetSpec | None = None
    n_texts: int | None = None
    seed: int | None = None
    max_new_tokens: int | None = None

    def specs(
        self, model: ModelSpec, mode: str, run: JobFolder | None, beside: bool, store: Store
    ) -> tuple[TrajectorySpec, ...]:
        """Return one spec, or two for an answer with and without a prompt; none without a text."""
        if not self.texts and not self.dataset:
            return ()
        given = {name: value for name, value in vars(self).items() if value is not None}
        runs = [None] if run is None else [None, run.id] if beside else [run.id]
        return tuple(trajectory_spec(store, model=model, mode=mode, run=run_id, **given) for run_id in runs)


@dataclass(frozen=True)
class TrajectoryRequest:
    """What a person asks for.

    Attributes:
        specs: of the texts: one, or two for an answer with and without a prompt, or none.
        site: whose stream is shown.
        map: that the trajectories are drawn on.
        map_name: of a named map to draw on instead; empty for none.
        clouds: of the data sets at the site; the first one's tokens are what nulls are drawn from.
        tokens: which tokens count.
        words: whether tokens are written beside their points.
        play: whether the trajectories can be played.
    """

    specs: tuple[TrajectorySpec, ...]
    site: int | str
    map: ProjectionSpec
    map_name: str
    clouds: tuple[CloudSpec, ...]
    tokens: TokenFilter
    words: bool
    play: bool

    @property
    def generates(self) -> bool:
        """Return whether answers are asked for."""
        return bool(self.specs) and self.specs[0].mode == "generate"


def controls(view: View, store: Store) -> TrajectoryRequest | None:
    """Draw the controls and return what they ask for; None while a data set is missing."""
    with st.container(border=True):
        model, facts = model_choice(store)
        with errors():  # a model that cannot be read leaves the other fields to choose with
            stored_choice(view, stored_trajectories(model, store))
        mode = view.segments("mode", "Show", MODES)
        run = _run_choice(view, model, store) if mode == "generate" else None
        beside = run is not None and view.switch("beside", "Also show the answer without a prompt", True)
        source = view.segments("source", "Texts are" if mode == "read" else "The question is", SOURCES)
        text_box = st.container()
    with st.container(border=True):
        site = site_choice(view, facts)
        on_vocabulary = site == 0 and view.segments("ground", "Overlaid on", BACKGROUNDS) == "vocabulary"
        map_request = map_choice(view, store)
        datasets = dataset_choices(view, store)
        with st.expander("Tokens and points"):
            rows = view.number("rows", "Points per data set", 5000, 50, 200_000, step=1000)
            tokens = token_filter(view)
        words = view.switch("words", "Write tokens beside their points", True)
        play = view.switch("play", "Play trajectories", True, help="Adds buttons and a slider below the map.")
    with text_box:
        texts = _texts(view, mode, source, run, datasets)
    if not datasets and (texts.dataset or not on_vocabulary):
        return None
    clouds = tuple(
        CloudSpec(model=model, dataset=dataset, sites=(site,), tokens=tokens, rows=rows) for dataset in datasets
    )
    fitted_on: Mapping[str, object] = {"clouds": clouds, "n_points": rows}
    if on_vocabulary:
        fitted_on = {"vocabulary": True, **_every_row(map_request, facts)}
    spec = ProjectionSpec.parse({"model": model, "site": site, **map_request.settings, **fitted_on})
    specs = texts.specs(model, mode, run, beside, store)
    return TrajectoryRequest(specs, site, spec, map_request.name, clouds, tokens, words, play)


def _run_choice(view: View, model: ModelSpec, store: Store) -> JobFolder | None:
    """Draw the list of a model's runs and return the one whose prompt is used."""
    runs = {
        run.id: run
        for run in list_jobs(store, "tune")
        if run.spec["model"]["name"] == model.name
        and (run.path / "posterior.safetensors").is_file()
        and run.status().state != "damaged"
    }
    names = {run_id: label(run) for run_id, run in runs.items()}
    chosen = view.choice(
        "run",
        "Prompt before the question",
        [NO_RUN, *runs],
        NO_RUN,
        show=lambda run_id: names.get(run_id, "none"),
        help="The tuned prompt of a run of this model; it is used here as in its own run.",
    )
    return runs.get(chosen)


def _texts(view: View, mode: str, source: str, run: JobFolder | None, datasets: Sequence[DatasetSpec]) -> TextRequest:
    """Draw the controls of the texts and return what they ask for."""
    longest = None
    if mode == "generate":
        longest = spec_fields(view, TrajectorySpec, ["max_new_tokens"], columns=1)["max_new_tokens"]
    if source == "typed":
        return TextRequest(texts=_typed(view, mode), max_new_tokens=longest)
    of_run = [DatasetSpec.parse(run.spec["dataset"])] if run else []
    choices = list(dict.fromkeys([*of_run, *datasets]))
    if not choices:
        st.caption("Choose a data set below.")
        return TextRequest()
    names = {dataset.canonical_json(): dataset.label for dataset in choices}
    drawn = view.choice("from", "Data set of the texts", list(names), show=names.__getitem__)
    with st.container(horizontal=True):
        n_texts = view.number("n_texts", "Number of texts", 1 if mode == "generate" else 3, 1, MAX_TEXTS, step=1)
        seed = seed_field(view, "text_seed", help="Determines which texts are drawn.")
    return TextRequest(dataset=DatasetSpec.parse(drawn), n_texts=n_texts, seed=seed, max_new_tokens=longest)


def _typed(view: View, mode: str) -> tuple[str, ...]:
    if mode == "generate":
        text = view.text(
            "question", "Question", QUESTION, rows=5, height=120, help="The model continues after the last character."
        )
        return (text,) if text.strip() else ()
    lines = view.text("text", "Sentences", SENTENCES, rows=8, height=190, help="One per line.").splitlines()
    return tuple(line.strip() for line in lines if line.strip())[:MAX_TEXTS]


def _every_row(map_request: MapRequest, facts: ModelFacts) -> dict[str, int]:
    """Return how many rows a t-SNE map is fitted on: all, so that it has a position for each."""
    tsne = map_request.settings["method"] == "tsne" and not map_request.name
    return {"n_points": facts.n_vocabulary} if tsne and facts.n_vocabulary else {}
