"""The figures of a sweep: what they were given is what they draw, and text is escaped."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from core.figures.palette import PRIOR, XAVIER
from core.figures.sweep_results import (
    STATES,
    Compared,
    Curve,
    Square,
    compared_figure,
    rates_figure,
    states_figure,
    transfer_figure,
)


def traces(figure: go.Figure) -> list[Any]:
    return list(figure.data)


def layout(figure: go.Figure) -> Any:
    return figure.layout


def square(row: str, column: str, state: str, text: str = "1.0") -> Square:
    return Square(row, column, state, text, f"{row} {column}")


def test_each_run_is_a_square_in_the_colour_of_its_state():
    squares = [
        square("a", "x", "succeeded"),
        square("a", "y", "failed", "failed"),
        square("<b>", "y", "running", "50 %"),
    ]
    figure = states_figure(squares)
    (drawn,) = traces(figure)
    names = list(STATES)
    assert drawn["z"][0].tolist() == [names.index("succeeded"), names.index("failed")]
    assert np.isnan(drawn["z"][1][0]), "there is no such run"
    assert drawn["text"][1][1] == "50 %"
    assert list(layout(figure).yaxis.ticktext) == ["a", "&lt;b&gt;"]
    assert list(layout(figure).xaxis.ticktext) == ["x", "y"]
    assert drawn["customdata"][1][1] == "&lt;b&gt; y"


def test_every_state_has_its_own_place_on_the_scale():
    figure = states_figure([square(state, "x", state) for state in STATES])
    (drawn,) = traces(figure)
    for row, (state, colour) in enumerate(STATES.items()):
        share = (drawn["z"][row][0] + 0.5) / len(STATES)
        below = [found for edge, found in drawn["colorscale"] if edge <= share]
        assert below[-1] == colour, state


def test_rates_have_a_point_a_run_a_line_of_means_and_a_ring_at_the_best():
    rates, losses = np.array([1e-3, 1e-3, 1e-2, 1e-2, 1e-1]), np.array([2.0, 2.2, 1.0, 1.2, np.nan])
    line, points, ring = traces(rates_figure([Curve("isotropic", PRIOR, rates, losses, 1e-2)]))
    assert line["x"].tolist() == pytest.approx([1e-3, 1e-2]), "a rate at which a run failed has no mean"
    assert line["y"].tolist() == pytest.approx([2.1, 1.1])
    assert len(points["x"]) == 5
    assert (ring["x"][0], ring["y"][0]) == pytest.approx((1e-2, 1.1))
    assert layout(rates_figure([Curve("a", PRIOR, rates, losses, None)])).xaxis.type == "log"
    assert not traces(rates_figure([]))


def test_compared_groups_have_their_interval_and_their_runs():
    groups = [
        Compared("a", PRIOR, 2.0, 1.8, 2.3, np.array([1.9, 2.1])),
        Compared("b", XAVIER, 2.5, np.nan, np.nan, np.array([2.5])),
    ]
    figure = compared_figure(groups)
    runs, mean, _, single = traces(figure)
    assert runs["x"].tolist() == pytest.approx([1.9, 2.1])
    assert mean["error_x"]["array"] == pytest.approx((0.3,))
    assert mean["error_x"]["arrayminus"] == pytest.approx((0.2,))
    assert single["error_x"]["array"] is None
    assert list(layout(figure).yaxis.ticktext) == ["a", "b"]


def test_gains_of_transfer_are_written_in_on_a_scale_with_its_middle_at_none():
    gains = np.array([[np.nan, 0.5], [-0.1, np.nan]])
    (drawn,) = traces(transfer_figure(["one", "other"], gains, {(0, 1): "+0.500"}))
    assert (drawn["zmin"], drawn["zmax"]) == (-0.5, 0.5)
    assert drawn["text"][0][1] == "+0.500"
    assert drawn["text"][1][0] == ""
    nothing = transfer_figure(["one", "other"], np.full((2, 2), np.nan), {})
    assert traces(nothing)[0]["zmax"] == 1
