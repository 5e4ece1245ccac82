from typing import Any

import numpy as np
import pandas as pd

from core.figures.atlas_curves import curves_figure
from core.figures.palette import mark

SITES: list[int | str] = [0, 1, "final"]


def table() -> pd.DataFrame:
    rows = []
    for quantity, cloud in (("lda_accuracy", "all"), ("energy", "news / math"), ("two_nn_dimension", "math")):
        for i, site in enumerate(SITES):
            rows.append(
                {
                    "site": site,
                    "quantity": quantity,
                    "cloud": cloud,
                    "value": i + 1.0,
                    "low": i + 0.5,
                    "high": i + 2.0,
                    "null": 0.2,
                    "null_low": 0.1,
                    "null_high": 0.4,
                    "p": np.nan if cloud == "math" else 0.1 - 0.04 * i,
                }
            )
    return pd.DataFrame(rows)


def curve(figure: Any, name: str) -> Any:
    return next(trace for trace in figure.data if trace.name == name and trace.customdata is not None)


def drawn(**more: Any) -> Any:
    return curves_figure(table(), ["lda_accuracy", "energy", "two_nn_dimension"], ["news", "math"], SITES, **more)


def test_each_quantity_is_a_panel_over_sites_with_interval_and_null():
    figure = drawn()
    assert [note.text for note in figure.layout.annotations] == ["LDA accuracy", "Energy distance", "TwoNN dimension"]
    together = curve(figure, "all together")
    assert list(together.y) == [1, 2, 3]
    assert list(together.error_y.array) == [1, 1, 1]
    assert list(together.error_y.arrayminus) == [0.5, 0.5, 0.5]
    assert list(together.customdata) == ["0", "1", "final"]
    bands = [trace for trace in figure.data if trace.fill == "tonexty"]
    assert len(bands) == 3
    assert list(bands[0].y) == [0.1] * 3
    assert list(figure.layout.xaxis.ticktext) == ["0", "1", "final"]


def test_open_points_are_those_that_the_null_may_explain():
    figure = drawn()
    white = [colour == "#FFFFFF" for colour in curve(figure, "all together").marker.color]
    assert white == [True, True, False]
    assert "#FFFFFF" not in curve(figure, "math").marker.color


def test_a_pair_has_the_line_of_one_and_the_points_of_the_other():
    figure = drawn()
    pair = curve(figure, "news / math")
    assert pair.line.color == mark("dataset", 0).colour
    assert pair.marker.line.color == mark("dataset", 1).colour
    assert curve(figure, "math").line.color == mark("dataset", 1).colour
    assert "p 0.02" in pair.hovertext[2]
    assert "p" not in curve(figure, "math").hovertext[0].replace("TwoNN", "").split("null")[1]


def test_the_chosen_site_is_marked_and_an_unknown_one_is_not():
    assert len(drawn(chosen="final").layout.shapes) == 3
    assert len(drawn(chosen=7).layout.shapes) == 0
