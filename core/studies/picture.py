"""A stored map's points as a table, and such a table as layers of a picture."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from core.activations.clouds import Cloud
from core.figures.hover import token_hover
from core.figures.layer import Layer
from core.figures.palette import DATASET_MARKS, PRIOR, Mark
from core.figures.text import token
from core.figures.text_trajectories import TextTrajectory, connected
from core.jobs.projection import StoredMap
from core.jobs.trajectory import ANSWER, Trajectories

AXES = ("x", "y")
BLUE = replace(DATASET_MARKS[0], colour=PRIOR.colour)
PINK = replace(DATASET_MARKS[0], colour=DATASET_MARKS[4].colour)
"""The paper's colours of questions and of plain texts, where texts are not grey."""
KEPT = ("row_id", "token_id", "document", "record", "position", "token", "context_before", "context_after", "pad")


def points_of(stored: StoredMap, clouds: Mapping[str, Cloud]) -> pd.DataFrame:
    """Return the points that a map was fitted on: x, y, cloud, and what each is.

    Args:
        stored: a map in two dimensions.
        clouds: that it was fitted on, by the name to show.
    """
    parts = []
    for name, cloud in clouds.items():
        own, coordinates = stored.fitted_on(cloud.key)
        rows = cloud.rows.iloc[own]
        part = rows[[column for column in KEPT if column in rows]].reset_index(drop=True)
        xy = pd.DataFrame(coordinates, columns=list(AXES))
        parts.append(pd.concat([xy, part], axis=1).assign(cloud=name))
    return pd.concat(parts, ignore_index=True)


def layers_of(points: pd.DataFrame, marks: Mapping[str, Mark]) -> list[Layer]:
    """Return one layer per cloud, the first at the bottom.

    Args:
        points: as `points_of` gives them.
        marks: of each cloud, by its name.
    """
    layers = []
    for name, mark in marks.items():
        rows = points.loc[points["cloud"] == name]
        layers.append(
            Layer(
                name=f"{name} ({len(rows):,})",
                coordinates=rows[list(AXES)].to_numpy(np.float32),
                hover=token_hover(rows),
                mark=mark,
            )
        )
    return layers


def trajectories_of(
    followed: Trajectories, site: int | str, stored: StoredMap
) -> tuple[list[TextTrajectory], pd.DataFrame]:
    """Return texts as trajectories on a map, and their points.

    Args:
        followed: texts, read or answered.
        site: whose stream is shown; at site 0 tokens that the map was fitted on have the
            coordinates of their vocabulary rows.
        stored: the map, in two dimensions.
    """
    texts: list[TextTrajectory] = []
    tables = []
    counted = ~followed.tokens["special"].to_numpy() & (~followed.tokens["first"].to_numpy() | (site == 0))
    answered = bool((followed.tokens["part"] == ANSWER).any())
    for (number, part), rows in followed.tokens.loc[counted].groupby(["text", "part"], sort=False):
        points, ids = followed.streams(site)[rows.index], rows["token_id"].to_numpy()
        xy = stored.of_tokens(ids) if site == 0 else np.full((len(ids), 2), np.nan, np.float32)
        unknown = np.isnan(xy).any(axis=1)
        xy[unknown] = stored.map.overlay(points[unknown]).coordinates
        words = [token(word) for word in rows["token"]]
        kind = "answer" if part == ANSWER else "question" if answered else "sentence"
        name = kind if answered else f"sentence {int(number) + 1}"
        texts.append(TextTrajectory(name, kind, int(number), xy, words, () if kind == "question" else words))
        where = pd.DataFrame(xy, columns=list(AXES), index=rows.index)
        tables.append(where.assign(cloud=name, token=rows["token"], position=rows["order"], document=number))
    return connected(texts), pd.concat(tables, ignore_index=True)
