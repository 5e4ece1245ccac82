"""Buttons and slider below a figure."""

import plotly.graph_objects as go

from core.figures.player import add_player, place_slider


def test_the_slider_stands_beside_the_buttons_by_pixels_so_that_a_narrow_figure_has_room_for_both():
    figure = go.Figure()
    add_player(figure, [go.Frame(name="0"), go.Frame(name="1")], ["one", "two"], 1, 100)
    (slider,) = figure.layout.sliders
    assert (slider.x, slider.len, slider.active) == (0, 1, 1)
    assert slider.pad.l > 110
    earlier = go.Figure(layout={"sliders": [{"x": 0.16, "len": 0.81, "active": 1, "steps": slider.steps}]})
    place_slider(earlier)
    assert earlier.layout.sliders[0].pad == slider.pad
    assert earlier.layout.sliders[0].x == 0
    assert [step.label for step in earlier.layout.sliders[0].steps] == ["one", "two"]


def test_a_figure_without_a_slider_stays_as_it_is():
    figure = go.Figure()
    place_slider(figure)
    assert not figure.layout.sliders
