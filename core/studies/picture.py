"""A stored map's points as a table, and a table as layers of a picture."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.activations.clouds import Cloud
from core.figures.cloud_map import Axes, Layer, pca_axes, tsne_axes
from core.figures.hover import token_hover
from core.figures.palette import ANSWER as ANSWER_LOOK
from core.figures.palette import DATASET_MARKS, PRIOR, QUESTION, Mark
from core.figures.text import token
from core.figures.text_trajectories import TextTrajectory, sentence_mark
from core.jobs.projection import StoredMap
from core.jobs.trajectory import ANSWER, Trajectories

AXES = ("x", "y")
BLUE = replace(DATASET_MARKS[0], colour=PRIOR.colour)
PINK = replace(DATASET_MARKS[0], colour=DATASET_MARKS[4].colour)
"""What the paper draws questions and plain texts in, where texts are not grey."""
KEPT = ("row_id", "token_id", "document", "record", "position", "token", "context_before", "context_after", "pad")


def points_of(stored: StoredMap, clouds: Mapping[str, Cloud]) -> pd.DataFrame:
    """Return the points that a map was fitted on: x, y, cloud, and what each is.

    Args:
        stored: a map in two dimensions.
        clouds: that it was fitted on, by the name to show.
    """
    parts = []
    for name, cloud in clouds.items():
        own = (stored.reference["cloud"] == cloud.key).to_numpy()
        rows = cloud.rows.iloc[stored.reference.loc[own, "row"]]
        part = rows[[column for column in KEPT if column in rows]].reset_index(drop=True)
        xy = pd.DataFrame(np.asarray(stored.map.coordinates[own]), columns=list(AXES))
        parts.append(pd.concat([xy, part], axis=1).assign(cloud=name))
    return pd.concat(parts, ignore_index=True)


def layers_of(points: pd.DataFrame, looks: Mapping[str, Mark]) -> list[Layer]:
    """Return a layer a cloud, the first at the bottom.

    Args:
        points: as `points_of` gives them.
        looks: of each cloud, by its name.
    """
    layers = []
    for name, look in looks.items():
        rows = points.loc[points["cloud"] == name]
        layers.append(
            Layer(
                name=f"{name} ({len(rows):,})",
                coordinates=rows[list(AXES)].to_numpy(np.float32),
                hover=token_hover(rows),
                ids=rows["row_id"].to_numpy(),
                mark=look,
            )
        )
    return layers


def axes_of(stored: StoredMap) -> Axes:
    """Return the axes of a map in two dimensions."""
    if stored.map.method == "tsne":
        return tsne_axes(2)
    return pca_axes(stored.map.pca.explained, 2)


def paths_of(
    followed: Trajectories, site: int | str, stored: StoredMap, places: pd.Series | None = None
) -> tuple[list[TextTrajectory], pd.DataFrame]:
    """Return texts that were followed as paths on a map, an answer going on from its question, and their points.

    Args:
        followed: texts, read or answered.
        site: whose stream is laid on the map.
        stored: the map.
        places: of a vocabulary map, token id → point of the map; other tokens are laid on it, as all are without.
    """
    paths: list[TextTrajectory] = []
    tables = []
    counted = ~followed.tokens["special"].to_numpy() & (~followed.tokens["first"].to_numpy() | (site == 0))
    answers = bool((followed.tokens["part"] == ANSWER).any())
    for (number, part), rows in followed.tokens.loc[counted].groupby(["text", "part"], sort=False):
        xy = _laid(followed.streams(site)[rows.index], rows["token_id"].to_numpy(), stored, places)
        words = [token(word) for word in rows["token"]]
        question = paths[-1].coordinates if part == ANSWER else None
        look = (ANSWER_LOOK if part == ANSWER else QUESTION) if answers else sentence_mark(int(number))
        name = ("answer" if part == ANSWER else "question") if answers else f"sentence {int(number) + 1}"
        paths.append(
            TextTrajectory(
                name=name,
                coordinates=xy,
                hover=words,
                mark=look,
                words=() if answers and part != ANSWER else words,
                begins=0 if question is None else len(question),
                after=None if question is None else question[-1],
            )
        )
        where = pd.DataFrame(xy, columns=list(AXES), index=rows.index)
        tables.append(where.assign(cloud=name, token=rows["token"], position=rows["order"], document=number))
    return paths, pd.concat(tables, ignore_index=True)


def _laid(
    points: NDArray[np.float32], ids: NDArray[np.integer], stored: StoredMap, places: pd.Series | None
) -> NDArray[np.float32]:
    if places is None:
        return stored.map.overlay(points).coordinates
    found = np.full((len(ids), 2), np.nan, np.float32)
    known = np.isin(ids, places.index)
    found[known] = np.asarray(stored.map.coordinates)[places[ids[known]]]
    found[~known] = stored.map.overlay(points[~known]).coordinates
    return found
