"""The screens that show what a study made."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.analysis.intervals import Interval
from core.figures.forest import Lines, forest_figure
from core.specs import StudyItemSpec, StudySpec
from core.store import Store
from core.studies.claims import CLAIMS
from core.studies.claims.outcomes import MARGIN
from core.studies.figure import Reproduced
from core.studies.items import ITEMS, KIND, find_item
from core.studies.judgements import best, judgements
from core.studies.several_priors import replay
from core.studies.shipped import VERSION, finished_studies, finished_with
from core.studies.tables import LOSS
from pages.findings_parts.cost import cost_words, gone
from pages.findings_parts.studies import lacking, matrix, study_key
from pages.widgets.layout import draw, plain
from pages.widgets.offers import need_result
from pages.widgets.pages import link
from pages.widgets.state import View

_TEXTS = {"figure-1": "On the vocabulary", "figure-2": "On a higher layer", "figure-3": "A question and its answer"}
_SCRUBBED, _BESIDE = "film", "figure-4"


def jumps(view: View, study: StudySpec, store: Store) -> None:
    """Draw trajectories of texts; of several sentences only one, since they hide each other."""
    with st.container(horizontal=True):
        item = view.segments("texts", "Texts", _TEXTS, label_visibility="collapsed", width="content")
        found = _found(study, item, store)
        sentences = found.numbers.get("sentences", ()) if found else ()
        choices = {number: f"Sentence {number}" for number in range(1, len(sentences) + 1)} | {0: "All"}
        number = 0
        if sentences:
            number = view.segments("sentence", "Sentence", choices, label_visibility="collapsed", width="content")
    if found:
        words = f"“{sentences[number - 1]}” " if number else ""
        figure = _only(found.picture, f"sentence {number}") if number else found.picture
        draw(figure, view.key(f"{item}.{number}"), ITEMS[item].title)
        st.caption(plain(words + found.caption))


def _only(picture: go.Figure, name: str) -> go.Figure:
    """Return a picture of sentences with all but one only in the legend."""

    def hide(trace: Any) -> None:
        if str(trace.legendgroup).startswith("sentence ") and trace.legendgroup != name:
            trace.visible = "legendonly"

    return picture.for_each_trace(hide)


def parted(view: View, study: StudySpec, store: Store) -> None:
    """Draw the clouds at every site: as a film if the study has one, else side by side."""
    beside = StudyItemSpec(study=study, item=_BESIDE)
    made = [name for name in (_SCRUBBED, _BESIDE) if name in ITEMS and find_item(_asked(study, name), store)]
    _whole(view, study, next(iter(made), _SCRUBBED if _SCRUBBED in ITEMS else beside.item), store)


def moves(view: View, study: StudySpec, store: Store) -> None:
    """Play one run: its prompt on the map, and its loss."""
    found = _found(study, "several-priors", store)
    if found:
        priors = {run["prior"]: run["prior"] for run in found.numbers["runs"]}
        prior = view.segments("prior", "Prior", priors, label_visibility="collapsed")
        figure = replay(found.points, found.numbers, prior, frame=0)
        draw(figure, view.key(f"replay.{prior}"), f"A prompt from the prior {prior} in training, and its loss")
        st.caption(
            plain(
                f"One run of {found.numbers['model']} on {found.numbers['task']} (seed 0), as it went: its "
                "prompt on the principal components of the vocabulary, with arrows from the prior sample, and its "
                "validation loss in nats per token."
            )
        )


def ended(view: View, study: StudySpec, store: Store) -> None:
    """Draw where the prompts of several priors ended, from the points of the runs."""
    found = _found(study, "several-priors", store)
    if found:
        draw(replay(found.points, found.numbers), view.key("ended"), ITEMS["several-priors"].title)
        st.caption(plain(found.caption))


def quality(view: View, study: StudySpec, store: Store) -> None:
    """Draw the final losses of a task from each prior."""
    found = _found(study, "table-quality", store)
    if found:
        table = pd.DataFrame(found.numbers["table"])
        task = view.choice("task", "Task", list(dict.fromkeys(table["task"])), label_visibility="collapsed")
        rows = table.loc[table["task"] == task].astype({"loss low": float, "loss high": float})
        named = zip(rows["prior"], rows["loss"], rows["loss low"], rows["loss high"], strict=True)
        lowest = float(rows["loss"].min())
        levels = {"lowest mean": lowest, f"{MARGIN:g} nats above": lowest + MARGIN}
        panel = Lines("", {name: Interval(*values) for name, *values in named}, levels)
        draw(
            forest_figure([panel], LOSS), view.key(f"quality.{task}"), "Final losses with intervals, one line per prior"
        )
        n_seeds = rows["seeds"].min()
        st.caption(
            f"Mean over at least {n_seeds} seeds with Student's 95 % interval, validation loss. The claims call losses "
            f"the same if they differ by less than {MARGIN:g} nats per label token."
        )


def verdicts(view: View, study: StudySpec, store: Store) -> None:
    """Draw the verdicts on all claims; a click tells more about one."""
    found = judgements(store)
    number = view.read("claim", 1, lambda number: number in CLAIMS)

    def choose(claim: int, _: StudySpec) -> None:
        view.keep("claim", claim, 1)

    came = [one.spec for one in finished_studies(VERSION)]
    shown = [one.without_seeds for one in ([study, *came] if study in came else [study])]
    matrix(view, study, number, [one for one in found if one.study.without_seeds in shown], choose)
    judged = best(found, study, number)
    claim = CLAIMS[number]
    missing = lacking(study, claim.item) or "Not judged on this study yet."
    words = plain(judged.judgement.words) if judged else f"{missing} {plain(claim.statistic)}"
    st.markdown(f"**C{number} · {plain(claim.title)}**  \n{words}")
    where = {"claim": str(number), "model": study.model.name, "study": study_key(study)}
    link("findings", "Open this claim in Findings", **where)


def _whole(view: View, study: StudySpec, item: str, store: Store) -> None:
    """Draw an item as the study made it, with its caption."""
    found = _found(study, item, store)
    if found:
        draw(found.picture, view.key(item), ITEMS[item].title)
        st.caption(plain(found.caption))


def _found(study: StudySpec, item: str, store: Store) -> Reproduced | None:
    """Return an item, or that of another finished study, which is named, or offer to make it."""
    lacks, other = lacking(study, item), finished_with([item], VERSION)
    if lacks and other and find_item(_asked(study, item), store) is None:
        whose, whose_not = plain(other.spec.model.label), plain(study.model.label)
        st.caption(f"From the study of {whose}; that of {whose_not} lacks it. {lacks}")
        study = other.spec
    title = f":material/movie: This study does not have “{plain(ITEMS[item].title)}” yet"
    asked = _asked(study, item)
    if find_item(asked, store) is None and gone(study, title):
        return None
    found = need_result(KIND, asked, find_item, store, title, _cost, "Make it")
    return found.reproduced if found else None


def _cost(asked: StudyItemSpec, store: Store) -> str:
    return cost_words(asked.study, [asked.item], store)


def _asked(study: StudySpec, item: str) -> StudyItemSpec:
    return StudyItemSpec(study=study, item=item)
