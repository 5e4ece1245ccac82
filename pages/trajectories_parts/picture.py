"""The Trajectories page's picture: paths laid on a map, token by token."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.activations.clouds import find_vocabulary
from core.figures.cloud_map import Layer
from core.figures.hover import hover
from core.figures.palette import ANSWER as ANSWER_MARK
from core.figures.palette import ANSWER_AFTER_PROMPT, QUESTION
from core.figures.text import outer_blanks, show, token
from core.figures.text_trajectories import TextTrajectory, sentence_mark, trajectories_figure
from core.jobs.projection import StoredMap
from core.jobs.trajectory import ANSWER, TEXT, Trajectories
from core.specs.model import short_name
from core.store import Store
from pages.trajectories_parts.controls import Wanted
from pages.widgets.clouds import axes, map_layers, need_vocabulary
from pages.widgets.layout import draw, plain
from pages.widgets.maps import map_words, need_chosen_map, offer_name
from pages.widgets.overlays import lay_vectors
from pages.widgets.state import View

_SAME = 0.01
"""Share of its norm by which a token's stream at site 0 may differ from its vocabulary row and still count as it."""
_NAME = 34
"""Characters of a sentence in the legend."""
_SHOWN_ALTERNATIVES = 4


@dataclass(frozen=True)
class Part:
    """A text's own tokens, or its answer's, at one site.

    Attributes:
        name: for legends and tables.
        found: what they are part of.
        number: of the text.
        part: 'text' or 'answer'.
        rows: (n,) of `found.tokens` that are shown.
    """

    name: str
    found: Trajectories
    number: int
    part: str
    rows: NDArray[np.intp]

    @property
    def tokens(self) -> pd.DataFrame:
        """Return what each token is."""
        return self.found.tokens.iloc[self.rows]

    def points(self, site: int | str) -> NDArray[np.float32]:
        """Return (n, d_model)."""
        return self.found.streams(site)[self.rows]


def parts_of(wanted: Wanted, found: Sequence[Trajectories]) -> list[Part]:
    """Return the parts that are shown, each text's before its answer's; a question read twice alike is shown once."""
    parts = []
    for one in found:
        for number, about in enumerate(one.summary["texts"]):
            mine = (one.tokens["text"] == number).to_numpy()
            for part in (TEXT, ANSWER):
                chosen = np.flatnonzero(
                    mine & (one.tokens["part"] == part).to_numpy() & shown_tokens(wanted, one.tokens)
                )
                if len(chosen):
                    parts.append(Part(_name(wanted, one, about, part), one, number, part, chosen))
    return parts


def shown_tokens(wanted: Wanted, tokens: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which tokens count; a first one that is no sink, at the token embeddings, always does."""
    kept = np.ones(len(tokens), bool)
    if not wanted.tokens.special:
        kept &= ~tokens["special"].to_numpy()
    if not wanted.tokens.first_position and wanted.site != 0:
        kept &= ~tokens["first"].to_numpy()
    return kept


def picture(view: View, wanted: Wanted, parts: Sequence[Part], stored: StoredMap, store: Store) -> pd.DataFrame | None:
    """Draw the paths and return where each token is on the map; None while a job lays them there."""
    groups = {str(i): part.points(wanted.site) for i, part in enumerate(parts)}
    prompts = _prompts(wanted, parts)
    placed = place(wanted, stored, parts, groups | prompts, store)
    if placed is None:
        return None
    paths = [_path(wanted, part, placed[str(i)]) for i, part in enumerate(parts)]
    paths = _joined(parts, paths)
    last = max(path.ends for path in paths)
    figure = trajectories_figure(
        [*_ground(stored, store), *(Layer(name, placed[name], "posterior") for name in prompts)],
        _once(paths),
        axes(stored),
        [_frame(paths, parts, k) for k in range(last + 1)] if wanted.play and last else (),
        revision=f"{stored.artifact.key}.{wanted.site}",
    )
    draw(figure, key=view.key("map"))
    st.caption(_caption(wanted, parts, stored, store))
    offer_name(view, stored, store)
    return pd.concat(
        [_coordinates(part, path, wanted.site) for part, path in zip(parts, paths, strict=True)], ignore_index=True
    )


def need_ground(wanted: Wanted, store: Store) -> StoredMap | None:
    """Return the map that paths are laid on; None while it, or the vocabulary, is not there."""
    if wanted.map.vocabulary and not wanted.map_wish.name and need_vocabulary(wanted.map.model, store) is None:
        return None
    return need_chosen_map(wanted.map_wish.name, wanted.map, store)


def place(
    wanted: Wanted, stored: StoredMap, parts: Sequence[Part], groups: dict[str, NDArray[np.float32]], store: Store
) -> dict[str, NDArray[np.float32]] | None:
    """Return where groups of points are on a map: tokens that are rows of it exactly there, the others laid on it."""
    known = {str(i): _own_places(wanted, stored, part, store) for i, part in enumerate(parts)}
    found = {
        name: known.get(name, np.full((len(points), stored.map.n_components), np.nan, np.float32))
        for name, points in groups.items()
    }
    open_rows = {name: ~np.isfinite(spots).all(axis=1) for name, spots in found.items()}
    left = {name: groups[name][rows] for name, rows in open_rows.items() if rows.any()}
    if left:
        laid = lay_vectors(stored, left, store)
        if laid is None:
            return None
        for name, placement in laid.items():
            found[name][open_rows[name]] = placement.coordinates
    return found


def _own_places(wanted: Wanted, stored: StoredMap, part: Part, store: Store) -> NDArray[np.float32]:
    """Return the places (n, 2 or 3) of tokens whose vocabulary row the map was fitted on; NaN for the others."""
    ids = part.tokens["token_id"].to_numpy()
    found = np.full((len(ids), stored.map.n_components), np.nan, np.float32)
    vocabulary = find_vocabulary(wanted.map.model, store) if wanted.site == 0 and stored.spec.vocabulary else None
    if vocabulary is None:
        return found
    rows = vocabulary.points(0)[ids]
    same = np.linalg.norm(part.points(0) - rows, axis=1) <= _SAME * np.linalg.norm(rows, axis=1)
    where = stored.vocabulary_points
    there = same & np.isin(ids, where.index)
    found[there] = np.asarray(stored.map.coordinates)[where[ids[there]]]
    return found


def _ground(stored: StoredMap, store: Store) -> list[Layer]:
    """Return the map's own points: the first cloud grey, further data sets in their hues."""
    layers = map_layers(store.root, stored.artifact.key, stored.map.n_components)
    return [layer if i == 0 else replace(layer, role="dataset", index=i - 1) for i, layer in enumerate(layers)]


def _prompts(wanted: Wanted, parts: Sequence[Part]) -> dict[str, NDArray[np.float32]]:
    """Return the prompted positions at the site, by name, of the runs that have some there."""
    found = {}
    for part in parts:
        vectors = part.found.prompt(wanted.site)
        if vectors is not None:
            found[f"prompt of {part.found.job.spec['run']}"] = vectors
    return found


def _name(wanted: Wanted, found: Trajectories, about: dict, part: str) -> str:
    text = " ".join(about["text"].split())
    short = text if len(text) <= _NAME else f"{text[: _NAME - 1]}…"
    if not wanted.generates:
        return short
    run = found.job.spec["run"]
    after = f" after the prompt of {run}" if run else " without a prompt" if len(wanted.requests) > 1 else ""
    return f"{'question' if part == TEXT else 'answer'}{after}{f': {short}' if len(found.summary['texts']) > 1 else ''}"


def _path(wanted: Wanted, part: Part, spots: NDArray[np.float32]) -> TextTrajectory:
    rows = part.tokens
    run = part.found.job.spec["run"]
    look = sentence_mark(part.number)
    if wanted.generates:
        look = QUESTION if part.part == TEXT else ANSWER_AFTER_PROMPT if run else ANSWER_MARK
    return TextTrajectory(
        name=part.name,
        coordinates=spots,
        hover=hover_of(part),
        mark=look,
        words=[token(word) for word in rows["token"]] if wanted.words else (),
        dash=("solid", "dash", "dot")[part.number % 3] if not wanted.generates else "dash" if run else "solid",
    )


def hover_of(part: Part) -> list[str]:
    """Return a text a token: the token among others, its number, and of an answer the probability and the next best."""
    rows = part.tokens
    every, others = part.found.tokens, part.found.alternatives
    words = every.loc[every["text"] == part.number, "token"].tolist()
    places = rows["order"].tolist()
    before = ["".join(words[max(0, k - 8) : k]) for k in places]
    after = ["".join(words[k + 1 : k + 9]) for k in places]
    others = others[others["text"] == part.number]
    texts = []
    for k, word, left, right, probability in zip(
        places, rows["token"], before, after, rows["probability"], strict=True
    ):
        if np.isnan(probability):
            texts.append(hover((left, word, right), f"token {k + 1}"))
            continue
        rest = others.loc[(others["order"] == k) & (others["rank"] > 1)][:_SHOWN_ALTERNATIVES]
        instead = ", ".join(
            f"{outer_blanks(other)} {p:.2f}" for other, p in zip(rest["token"], rest["probability"], strict=True)
        )
        known = f"token {k + 1} · probability {probability:.2f}"
        texts.append(hover((left, word, right), known, f"instead of: {instead}"))
    return texts


def _joined(parts: Sequence[Part], paths: Sequence[TextTrajectory]) -> list[TextTrajectory]:
    """Return the paths with each answer going on from its question."""
    found: list[TextTrajectory] = []
    for before, part, path in zip([None, *parts], parts, paths, strict=False):
        question = found[-1].coordinates if before and before.part == TEXT and part.part == ANSWER else None
        found.append(path if question is None else replace(path, after=question[-1], begins=len(question)))
    return found


def _once(paths: Sequence[TextTrajectory]) -> list[TextTrajectory]:
    """Leave out a question that is where it was before: a prompt that is cut changes it in later blocks only."""
    seen: list[NDArray[np.float32]] = []
    found = []
    for path in paths:
        again = path.after is None and any(np.array_equal(path.coordinates, one, equal_nan=True) for one in seen)
        seen.append(path.coordinates)
        if not again:
            found.append(path)
    return found


def _frame(paths: Sequence[TextTrajectory], parts: Sequence[Part], frame: int) -> str:
    """Return what the slider says of a frame: the token that appears, where there is one path at a time."""
    appears = [
        part.tokens["token"].iloc[frame - path.begins]
        for part, path in zip(parts, paths, strict=True)
        if path.begins <= frame <= path.ends
    ]
    return token(appears[0]) if len(set(appears)) == 1 else show(f"token {frame + 1}")


def _coordinates(part: Part, path: TextTrajectory, site: int | str) -> pd.DataFrame:
    frame = part.tokens.assign(path=part.name, run=part.found.job.spec["run"], site=site)
    for axis in range(path.coordinates.shape[1]):
        frame[f"component_{axis + 1}"] = path.coordinates[:, axis]
    return frame


def _caption(wanted: Wanted, parts: Sequence[Part], stored: StoredMap, store: Store) -> str:
    model = plain(short_name(wanted.map.model.name))
    first = "" if wanted.site == 0 or wanted.tokens.first_position else " First tokens, which are sinks, are left out."
    cut = sum(
        text["truncated"] for one in {id(p.found): p.found for p in parts}.values() for text in one.summary["texts"]
    )
    long = f" {cut} texts are cut." if cut else ""
    return (
        f"{map_words(stored, store)} Paths: the stream at site {wanted.site} of {model}, a point a token; an open "
        f"circle begins a path, its last symbol is large, arrows go from token to token.{first}{long} Lengths on a map "
        "are not those in the full space, which the numbers below are from."
    )
