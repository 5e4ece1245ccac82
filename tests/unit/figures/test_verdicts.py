import math
from typing import Any

import numpy as np
import pytest

from core.analysis.intervals import Interval
from core.analysis.verdict import FAILS, HOLDS, UNDECIDED, Bounds, Verdict
from core.figures.verdicts import VERDICT_MARKS, VERDICT_SIGNS, Row, intervals_figure, matrix_figure


def row(name, value, reach, verdict: Verdict = HOLDS, bounds=None, **more):
    interval = Interval(value, value - reach, value + reach)
    return Row(name, "accuracy", interval, bounds or Bounds(low=0.9), Interval(0.5, 0.4, 0.6), verdict, **more)


def test_each_interval_is_drawn_over_the_region_that_is_claimed():
    figure: Any = intervals_figure([row("one", 0.95, 0.02), row("two", 0.5, 0.02, FAILS)])
    points = {trace.name: trace for trace in figure.data}
    assert list(points) == ["by chance", "holds, this interval alone", "fails, this interval alone"]
    assert points["fails, this interval alone"].x == (0.5,)
    assert points["fails, this interval alone"].y == (1,)
    assert points["holds, this interval alone"].error_x.array == pytest.approx((0.02,))
    assert points["by chance"].error_x.arrayminus == pytest.approx((0.1, 0.1))
    regions = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert [shape.x0 for shape in regions] == [0.9, 0.9]
    assert list(figure.layout.yaxis.ticktext) == ["one", "two"]


def test_each_quantity_has_a_panel_and_what_decides_nothing_is_told_apart():
    other = Row("three", "ratio", Interval(2, 1, 3), Bounds(), None, HOLDS, decides=False)
    figure: Any = intervals_figure([row("one", 0.95, 0.02), other])
    assert [note.text for note in figure.layout.annotations] == ["accuracy", "ratio"]
    assert figure.data[-1].name == "not part of the verdict"
    assert figure.layout.yaxis2.ticktext == ("<i>three</i>",)
    assert len([shape for shape in figure.layout.shapes if shape.type == "rect"]) == 1


def test_an_interval_without_bounds_or_one_that_is_endless_is_a_point_with_what_is_known():
    unknown = Row("one", "steps", Interval(3, math.nan, math.nan), Bounds(low=0), None, UNDECIDED)
    endless = Row("two", "steps", Interval(3, 1, math.inf), Bounds(low=0), None, HOLDS)
    figure: Any = intervals_figure([unknown, endless])
    ends, blank = (next(trace for trace in figure.data if name in trace.name) for name in (HOLDS, UNDECIDED))
    low, high = figure.layout.xaxis.range
    assert (ends.error_x.array, ends.error_x.arrayminus) == ((high - low,), (2,))
    assert (blank.error_x.array, blank.error_x.arrayminus) == ((0,), (0,))
    assert "no interval" in blank.hovertext[0]
    assert np.isfinite(figure.layout.xaxis.range).all()


def test_an_interval_of_few_seeds_does_not_hide_the_others():
    figure: Any = intervals_figure([row("one", 0.95, 50, UNDECIDED), row("two", 0.6, 0.02, FAILS)])
    low, high = figure.layout.xaxis.range
    assert high - low < 5


def test_names_are_text():
    figure: Any = intervals_figure([row("<b>one</b>", 0.95, 0.02)])
    assert figure.layout.yaxis.ticktext == ("&lt;b&gt;one&lt;/b&gt;",)


def test_one_interval_is_a_figure_too():
    assert intervals_figure([row("one", 0.95, 0.02)]).data


def test_the_matrix_has_a_cell_a_claim_and_study():
    figure: Any = matrix_figure(
        [(1, "Paths"), (6, "Quality")],
        ["smollm2 · <quick>", "stories"],
        {(1, 0): HOLDS, (6, 1): FAILS},
        {(1, 0): "C1 holds <b>"},
        chosen=(6, 1),
    )
    cells = {
        tuple(data): text for trace in figure.data for data, text in zip(trace.customdata, trace.text, strict=True)
    }
    assert cells == {
        (1, 0): VERDICT_SIGNS[HOLDS],
        (1, 1): VERDICT_SIGNS[""],
        (6, 0): VERDICT_SIGNS[""],
        (6, 1): VERDICT_SIGNS[FAILS],
    }
    assert list(figure.layout.xaxis.ticktext) == ["smollm2 · &lt;quick&gt;", "stories"]
    assert list(figure.layout.yaxis.ticktext) == ["C1 Paths", "C6 Quality"]
    framed = [shape for shape in figure.layout.shapes if shape.line.width == 2]
    assert [(shape.x0, shape.y0) for shape in framed] == [(0.52, 0.54)]
    hovers = [text for trace in figure.data for text in trace.hovertext]
    assert "C1 holds &lt;b&gt;" in hovers


def test_verdicts_are_told_apart_without_colour():
    assert len({mark.symbol for mark in VERDICT_MARKS.values()}) == 3
    assert len({sign[0] for sign in VERDICT_SIGNS.values()}) == 4
