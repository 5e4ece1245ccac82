"""What points are coloured by."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.activations.annotate import PARTS, find_annotation
from core.activations.estimate import estimate
from core.figures.cloud_map import split_by_token
from core.figures.layer import Layer
from core.jobs.costs import total
from core.store import Store
from pages.activations_parts.points import Points
from pages.widgets.layout import duration, errors
from pages.widgets.offers import offer

FORESEEN = ("the likeliest token", "among the ten likeliest", "less likely")
_TEN = 10


@dataclass(frozen=True)
class Colour:
    """A way to colour points."""

    title: str
    layers: Callable[[Points, pd.DataFrame], list[Layer]]
    annotated: bool = False


def by_number(title: str, column: str, decades: bool = False) -> Callable[..., list[Layer]]:
    """Colour by a number per point on one scale, with `decades` a logarithmic one."""

    def layers(points: Points, frame: pd.DataFrame) -> list[Layer]:
        values = frame[column].to_numpy(np.float64)
        if decades:
            values = np.log10(np.maximum(values, 1e-6))
        clouds = points.frame["cloud"].to_numpy()
        return [
            replace(layer, values=values[clouds == i].astype(np.float32), values_title=title, decades=decades)
            for i, layer in enumerate(points.layers())
        ]

    return layers


def by_hidden(title: str, column: str, decades: bool = False) -> Callable[..., list[Layer]]:
    """Colour by the share of each point that the plane of the first components hides."""
    return lambda points, _: by_number(title, column, decades)(points, points.hidden)


def by_name(names_of: Callable[[pd.DataFrame], NDArray[Any]], order: tuple[str, ...]) -> Callable[..., list[Layer]]:
    """Colour by a word per point, one hue per word in order; points without a word stay grey."""

    def layers(points: Points, frame: pd.DataFrame) -> list[Layer]:
        names = names_of(frame)
        unknown = replace(points.layer(~np.isin(names, order), "unknown", 0), role="reference")
        known = [points.layer(names == name, name, i) for i, name in enumerate(order)]
        return [layer for layer in (unknown, *known) if len(layer.coordinates)]

    return layers


def by_token(points: Points, _: pd.DataFrame) -> list[Layer]:
    """Colour the most frequent tokens on the map; the others stay grey."""
    everything = points.layer(np.ones(len(points), dtype=bool), "tokens", 0)
    return split_by_token(everything, points.frame["token"].tolist())


def foreseen(frame: pd.DataFrame) -> NDArray[Any]:
    """Return how each token ranked among the model's predictions, in words; empty without one."""
    rank = frame["rank"].to_numpy(np.float64)
    return np.select([rank == 1, rank <= _TEN, rank > _TEN], list(FORESEEN), "")


def by_cloud(points: Points, _: pd.DataFrame) -> list[Layer]:
    """Colour by data set."""
    return points.layers()


COLOURS = {
    "dataset": Colour("Data set", by_cloud),
    "position": Colour("Position", by_number("position", "position")),
    "token": Colour("Token", by_token),
    "norm": Colour("Norm", by_number("norm", "norm", decades=True)),
    "off_plane": Colour("Off the plane", by_hidden("share off the plane", "off_plane")),
    "t_squared": Colour("T²", by_hidden("T²", "t_squared", decades=True)),
    "frequency": Colour("Frequency", by_number("occurrences", "count", decades=True), True),
    "part": Colour("Part", by_name(lambda frame: frame["part"].to_numpy(object), PARTS), True),
    "foreseen": Colour("Predicted", by_name(foreseen, FORESEEN), True),
    "surprise": Colour("Surprisal", by_number("surprisal (nats)", "surprise"), True),
}
HELP = (
    "Off the plane: the share of a point's squared distance from the mean that the first components do not show. T²: "
    "the squared distance from the mean in their plane, in standard deviations. Frequency: how often the token occurs "
    "in all texts read from its data set. Part: context, question or answer. Predicted: how the token ranked among the "
    "model's predictions from the tokens before it. Surprisal: its negative log-probability there."
)


def annotations_of(points: Points, store: Store) -> pd.DataFrame | None:
    """Return the annotations of the points in order; None while a cloud is not annotated."""
    found = [find_annotation(spec, store) for spec in points.specs]
    if any(columns is None for columns in found):
        return None
    parts = []
    for i, columns in enumerate(columns for columns in found if columns is not None):
        rows = points.frame.loc[points.frame["cloud"] == i, "row_id"]
        parts.append(columns.iloc[rows].astype({"part": object}))
    return pd.concat(parts, ignore_index=True)


def offer_annotations(points: Points, store: Store) -> None:
    """Offer to annotate the clouds, with the cost, and show the jobs."""
    missing = [spec for spec in points.specs if find_annotation(spec, store) is None]
    costs = [estimate(spec.model_copy(update={"sites": "all"}), store) for spec in missing]
    seconds = total(cost["seconds"] for cost in costs)
    time = "" if seconds is None else f", about {duration(seconds)}"
    with errors():
        offer(
            "annotate",
            missing,
            store,
            "For these colours the model reads the texts once more",
            f"{sum(cost['tokens'] for cost in costs):,} tokens{time}, for all sites.",
            "Annotate the tokens",
            [f"Annotating {spec.dataset.label}" for spec in missing],
            key="activations.annotate",
        )
