"""What points are coloured by."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from core.figures.clouds import Layer, split_by_token
from pages.common.activations.points import Points


@dataclass(frozen=True)
class Colour:
    """One way to colour points.

    Attributes:
        title: for the control.
        layers: what to draw.
    """

    title: str
    layers: Callable[[Points], list[Layer]]


def by_number(title: str, values_of: Callable[[pd.DataFrame], Any]) -> Callable[[Points], list[Layer]]:
    """Colour by a number of each point on one scale; a title that begins with 'log ' has decimal logarithms."""

    def layers(points: Points) -> list[Layer]:
        values = np.asarray(values_of(points.frame), np.float32)
        clouds = points.frame["cloud"].to_numpy()
        return [
            replace(layer, values=values[clouds == place], values_title=title)
            for place, layer in enumerate(points.layers())
        ]

    return layers


def by_token(points: Points) -> list[Layer]:
    """Colour the most frequent tokens on the map; the rest is grey."""
    everything = points.layer(np.ones(len(points), dtype=bool), "tokens", 0)
    return split_by_token(everything, points.frame["token"].tolist())


COLOURS = {
    "dataset": Colour("Data set", Points.layers),
    "position": Colour("Position", by_number("position", lambda frame: frame["position"])),
    "token": Colour("Token", by_token),
    "norm": Colour("Norm", by_number("log norm", lambda frame: np.log10(np.maximum(frame["norm"], 1e-6)))),
}
