"""The film: one figure whose frames move the points from site to site."""

from typing import Any

import numpy as np
import pytest

from core.analysis.map_alignment import SmallMap
from core.figures.film import film_figure

SITES: list[int | str] = [*range(9), "final"]
MOST_BYTES = 3_000_000


def film(sites: list[int | str] = SITES, n: int = 30, active: int = 0) -> Any:
    rng = np.random.default_rng(0)
    maps = [SmallMap(site, rng.normal(size=(n, 2)).astype(np.float32), 0.25) for site in sites]
    return film_figure(maps, ["news <b>", "math"], np.arange(n) % 2, ["a&b"] * n, active)


def test_each_site_is_a_frame_that_moves_every_data_set():
    figure = film(active=9)
    assert [trace.name for trace in figure.data] == ["news &lt;b&gt;", "math"]
    assert [frame.name for frame in figure.frames] == [str(k) for k in range(10)]
    assert {frame.traces for frame in figure.frames} == {(0, 1)}
    assert [step.label for step in figure.layout.sliders[0].steps] == [str(site) for site in SITES]
    last = figure.frames[9]
    np.testing.assert_array_equal(last.data[1].x, figure.data[1].x)
    assert last.layout.annotations[0].text == "<b>site final</b> · its plane shows 25 % of the variance"
    assert figure.layout.annotations[0].text == last.layout.annotations[0].text
    assert figure.layout.sliders[0].active == 9


def test_frames_keep_what_points_are_and_the_axes_as_they_are():
    figure = film()
    assert set(figure.data[0].hovertext) == {"a&amp;b"}
    assert all(trace.hovertext is None for frame in figure.frames for trace in frame.data)
    assert all(frame.layout.xaxis.range is None for frame in figure.frames)
    assert figure.layout.xaxis.range[0] < figure.layout.xaxis.range[1]


def test_a_frame_takes_away_the_outline_of_a_lasso_which_would_select_other_points_there():
    assert film().layout.dragmode == "lasso"
    assert [button.args[0]["dragmode"] for button in film().layout.updatemenus[1].buttons] == ["lasso", "pan"]
    assert {outline.path for frame in film().frames for outline in frame.layout.selections} == {""}


@pytest.mark.parametrize(("n", "drawn"), [(1500, 1500), (20_000, 4000)])
def test_a_model_of_33_sites_is_under_3_mb_with_as_many_points_as_an_atlas_can_have(n, drawn):
    figure = film([*range(32), "final"], n)
    assert sum(len(trace.x) for trace in figure.data) == drawn
    assert len(figure.to_json()) < MOST_BYTES
