"""The pictures that Overview opens on: those of a finished study, read where they lie.

Imports of this module must be fast, because the first picture waits for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
import streamlit as st

from core.specs.model import short_name
from core.studies.kept_picture import recall_picture
from core.studies.shipped import VERSION, finished_studies, finished_with
from pages.widgets.layout import draw, errors, plain
from pages.widgets.pages import link
from pages.widgets.state import View


@dataclass(frozen=True)
class Opening:
    """A picture to open on.

    Attributes:
        title: what it shows.
        items: of a study; the first one that was made is drawn.
        links: to pages that go deeper: page, label, parameters of its address.
    """

    title: str
    items: Sequence[str]
    links: Sequence[tuple[str, str, dict[str, str]]]


PROMPTS = Opening(
    "Where prompts begin, and where training leaves them",
    ("several-priors", "figure-8", "figure-11"),
    (
        ("story", "The story in seven screens", {}),
        ("priors", "Try a prior", {}),
        ("compare", "Compare runs of your own", {}),
    ),
)
LAYERS = Opening(
    "The same tokens, layer by layer",
    ("film", "figure-4"),
    (("story", "Layers in the story", {"screen": "2"}), ("activations", "Activations", {"show": "layers"})),
)


def show_opening(view: View, opening: Opening) -> None:
    """Draw a picture of a finished study, which is named, with its links; nothing where no study has it.

    The study of the model that everything starts with is taken if it has the picture.
    """
    study = finished_with(opening.items, VERSION)
    if study is None:
        return
    made = next(item for item in opening.items if study.item(item))
    with st.container(border=True), errors():
        st.markdown(f"##### {opening.title} :gray[· {plain(short_name(study.spec.model.name))}]")
        figure, caption = _picture(str(study.folder), made)
        draw(figure, view.key(made), opening.title)
        with st.container(horizontal=True):
            for name, label, parameters in opening.links:
                link(name, label, **parameters)
        with st.expander("What is shown"):
            st.caption(plain(caption))


@st.cache_resource(show_spinner=False, max_entries=8)
def _picture(folder: str, item: str) -> tuple[go.Figure, str]:
    """Return an item's picture and its caption, read only once."""
    study = next(one for one in finished_studies(VERSION) if str(one.folder) == folder)
    job = study.item(item)
    result = job.result() if job else None
    if job is None or result is None:
        raise LookupError(f"{item} of {folder} has no result")
    return recall_picture(job), result["caption"]
