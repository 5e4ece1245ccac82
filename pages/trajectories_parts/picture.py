"""The Trajectories page's picture: texts on a map, token by token."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.activations.clouds import find_cloud, find_vocabulary, nearest_cloud
from core.figures.cloud_map import map_axes
from core.figures.hover import hover
from core.figures.layer import Layer
from core.figures.text import outer_blanks, show, token
from core.figures.text_trajectories import TextTrajectory, connected, trajectories_figure
from core.jobs.projection import StoredMap
from core.jobs.trajectory import ANSWER, TEXT, Trajectories
from core.specs.model import short_name
from core.store import Store
from pages.maps.choice import map_words, need_chosen_map, offer_name
from pages.maps.clouds import map_layers, need_vocabulary
from pages.maps.nearest import stored_view
from pages.maps.overlays import overlay_vectors
from pages.maps.words import write_words
from pages.trajectories_parts.controls import TrajectoryRequest
from pages.widgets.layout import plain, redraw
from pages.widgets.state import View

_SAME = 0.01
"""Largest relative difference between a token's stream at site 0 and its vocabulary row."""
_NAME, _CONTEXT, _SHOWN_ALTERNATIVES = 34, 8, 4
"""Characters of a legend entry; in hovers, tokens on either side and alternatives to one."""


@dataclass(frozen=True)
class Part:
    """A text's own tokens, or those of its answer, at one site.

    Attributes:
        name: for legends and tables.
        found: the job's trajectories that this is a part of.
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

    @property
    def run(self) -> str | None:
        """Return the run whose prompt stood before the text, if any."""
        return self.found.job.spec["run"]

    def points(self, site: int | str) -> NDArray[np.float32]:
        """Return the stream at a site, (n, d_model)."""
        return self.found.streams(site)[self.rows]

    def labelled(self, frame: pd.DataFrame, site: int | str) -> pd.DataFrame:
        """Return a table of this part with columns that say what it is of."""
        return frame.assign(path=self.name, run=self.run, site=site)


def parts_of(request: TrajectoryRequest, found: Sequence[Trajectories]) -> list[Part]:
    """Return the parts that are shown, each text before its answer."""
    parts = []
    for one in found:
        counted = shown_tokens(request, one.tokens)
        for number, about in enumerate(one.summary["texts"]):
            for part in (TEXT, ANSWER):
                own = (one.tokens["text"] == number) & (one.tokens["part"] == part)
                chosen = np.flatnonzero(own.to_numpy() & counted)
                if len(chosen):
                    parts.append(Part(_name(request, one, about["text"], part), one, number, part, chosen))
    return parts


def shown_tokens(request: TrajectoryRequest, tokens: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which tokens are shown, always with the first at site 0, where it is no sink."""
    kept = np.ones(len(tokens), bool)
    if not request.tokens.special:
        kept &= ~tokens["special"].to_numpy()
    if not request.tokens.first_position and request.site != 0:
        kept &= ~tokens["first"].to_numpy()
    return kept


def picture(
    view: View, request: TrajectoryRequest, parts: Sequence[Part], stored: StoredMap, store: Store
) -> pd.DataFrame | None:
    """Draw the trajectories and return where each token is; None while a job overlays them."""
    prompts = _prompts(request, parts)
    placed = overlaid(request, stored, parts, prompts, store)
    if placed is None:
        return None
    paths = connected([_path_text(request, part, placed[str(i)]) for i, part in enumerate(parts)])
    last = max(path.ends for path in paths)
    background = _background(stored, store)
    figure = trajectories_figure(
        [*background, *(Layer(name, placed[name], "posterior") for name in prompts)],
        _distinct(paths),
        map_axes(stored.map),
        [_frame_label(paths, parts, k) for k in range(last + 1)] if request.play and last else (),
        revision=f"{stored.artifact.key}.{request.site}",
    )
    words_at_first = not request.words  # those of the texts and those of regions hide each other
    write_words(view, figure, stored, background, list(placed.values()), store, words_at_first)
    redraw(figure, view.key("map"), f"Map of site {request.site} with the texts as trajectories, token by token.")
    st.caption(_caption(request, parts, stored, store))
    offer_name(view, stored, store)
    return pd.concat(
        [_coordinates(part, path, request.site) for part, path in zip(parts, paths, strict=True)], ignore_index=True
    )


def over_what_is_stored(view: View, request: TrajectoryRequest, store: Store) -> TrajectoryRequest:
    """Return the request, with the nearest stored activations in place of missing ones.

    If none are near, the job that draws the map captures them.
    """
    own_map = not request.map.vocabulary and not request.map_name
    if not own_map or not all(find_cloud(one, store) or nearest_cloud(one, store) for one in request.map.clouds):
        return request
    shown = stored_view(request.map, store, view.key("ground"))
    return replace(request, map=shown, site=shown.site, clouds=shown.clouds) if shown else request


def need_background(request: TrajectoryRequest, store: Store) -> StoredMap | None:
    """Return the map to draw on; None while it, or the vocabulary, is not in the store."""
    if request.map.vocabulary and not request.map_name and need_vocabulary(request.map.model, store) is None:
        return None
    return need_chosen_map(request.map_name, request.map, store)


def overlaid(
    request: TrajectoryRequest,
    stored: StoredMap,
    parts: Sequence[Part],
    prompts: dict[str, NDArray[np.float32]],
    store: Store,
) -> dict[str, NDArray[np.float32]] | None:
    """Return where parts (by index, as text) and prompts are on a map; None while a job works.

    A token whose vocabulary row is a point of the map keeps that position; all others are overlaid.
    """
    groups = {str(i): part.points(request.site) for i, part in enumerate(parts)} | prompts
    found = {
        name: np.full((len(points), stored.map.n_components), np.nan, np.float32) for name, points in groups.items()
    }
    if request.site == 0 and stored.spec.vocabulary:
        found |= {str(i): _vocabulary_positions(request, stored, part, store) for i, part in enumerate(parts)}
    open_rows = {name: ~np.isfinite(spots).all(axis=1) for name, spots in found.items()}
    left = {name: groups[name][rows] for name, rows in open_rows.items() if rows.any()}
    placed = overlay_vectors(stored, left, store) if left else {}
    if placed is None:
        return None
    for name, placement in placed.items():
        found[name][open_rows[name]] = placement.coordinates
    return found


def _vocabulary_positions(
    request: TrajectoryRequest, stored: StoredMap, part: Part, store: Store
) -> NDArray[np.float32]:
    """Return where tokens are, (n, 2 or 3), whose stream is a vocabulary row; else NaN."""
    ids = part.tokens["token_id"].to_numpy()
    found = stored.of_tokens(ids)
    vocabulary = find_vocabulary(request.map.model, store)
    if vocabulary is None:
        return np.full_like(found, np.nan)
    rows = vocabulary.points(0)[ids]
    found[np.linalg.norm(part.points(0) - rows, axis=1) > _SAME * np.linalg.norm(rows, axis=1)] = np.nan
    return found


def _background(stored: StoredMap, store: Store) -> list[Layer]:
    """Return the map's own points: the first cloud grey, further data sets in their hues."""
    layers = map_layers(store.root, stored.artifact.key, stored.map.n_components)
    return [layer if i == 0 else replace(layer, role="dataset", index=i - 1) for i, layer in enumerate(layers)]


def _prompts(request: TrajectoryRequest, parts: Sequence[Part]) -> dict[str, NDArray[np.float32]]:
    """Return the prompted positions at the site, by name, of the runs that have some there."""
    found = {f"prompt of {part.run}": part.found.prompt(request.site) for part in parts}
    return {name: vectors for name, vectors in found.items() if vectors is not None}


def _name(request: TrajectoryRequest, found: Trajectories, text: str, part: str) -> str:
    text = " ".join(text.split())
    short = text if len(text) <= _NAME else f"{text[: _NAME - 1]}…"
    if not request.generates:
        return short
    run = found.job.spec["run"]
    after = f" after the prompt of {run}" if run else " without a prompt" if len(request.specs) > 1 else ""
    return f"{'question' if part == TEXT else 'answer'}{after}{f': {short}' if len(found.summary['texts']) > 1 else ''}"


def _path_text(request: TrajectoryRequest, part: Part, positions: NDArray[np.float32]) -> TextTrajectory:
    kind = "answer" if part.part == ANSWER else "question" if request.generates else "sentence"
    words = [token(word) for word in part.tokens["token"]] if request.words else ()
    return TextTrajectory(part.name, kind, part.number, positions, hover_of(part), words, bool(part.run))


def hover_of(part: Part) -> list[str]:
    """Return a text per token: its context and number; in an answer, its probability and rivals."""
    rows, others = part.tokens, part.found.alternatives
    every = part.found.tokens
    words = every.loc[every["text"] == part.number, "token"].tolist()
    texts = []
    others = others[(others["text"] == part.number) & (others["rank"] > 1)]
    for k, word, probability in zip(rows["order"], rows["token"], rows["probability"], strict=True):
        context = ("".join(words[max(0, k - _CONTEXT) : k]), word, "".join(words[k + 1 : k + 1 + _CONTEXT]))
        lines = [f"token {k + 1}"]
        if not np.isnan(probability):
            rest = others.loc[others["order"] == k][:_SHOWN_ALTERNATIVES]
            rivals = zip(rest["token"], rest["probability"], strict=True)
            named = ", ".join(f"{outer_blanks(rival)} {share:.2f}" for rival, share in rivals)
            lines = [f"token {k + 1} · probability {probability:.2f}", f"next likeliest: {named}"]
        texts.append(hover(context, *lines))
    return texts


def _distinct(paths: Sequence[TextTrajectory]) -> list[TextTrajectory]:
    """Leave out a question that equals another: a cut prompt changes it in later blocks only."""
    seen: list[NDArray[np.float32]] = []
    found = []
    for path in paths:
        again = path.after is None and any(np.array_equal(path.coordinates, one, equal_nan=True) for one in seen)
        seen.append(path.coordinates)
        if not again:
            found.append(path)
    return found


def _frame_label(paths: Sequence[TextTrajectory], parts: Sequence[Part], frame: int) -> str:
    """Return the slider's label of a frame: the token that appears, or its number if several do."""
    appears = {
        part.tokens["token"].iloc[frame - path.begins]
        for part, path in zip(parts, paths, strict=True)
        if path.begins <= frame <= path.ends
    }
    return token(appears.pop()) if len(appears) == 1 else show(f"token {frame + 1}")


def _coordinates(part: Part, path: TextTrajectory, site: int | str) -> pd.DataFrame:
    axes = {f"component_{axis + 1}": column for axis, column in enumerate(path.coordinates.T)}
    return part.labelled(part.tokens, site).assign(**axes)


def _caption(request: TrajectoryRequest, parts: Sequence[Part], stored: StoredMap, store: Store) -> str:
    sinks = request.site != 0 and not request.tokens.first_position
    jobs = {part.found.job.id: part.found for part in parts}.values()
    n_cut = sum(text["truncated"] for found in jobs for text in found.summary["texts"])
    sentences = [
        map_words(stored, store),
        f"Each trajectory is the stream at site {request.site} of {plain(short_name(request.map.model.name))}, one "
        "point per token: an open circle marks the first, a large symbol the last, and arrows connect them.",
        "First tokens are left out, because they are attention sinks." if sinks else "",
        f"{n_cut} texts were cut to the longest length." if n_cut else "",
        "A map distorts lengths; the numbers below are measured in the full space.",
    ]
    return " ".join(filter(None, sentences))
