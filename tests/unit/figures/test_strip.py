from typing import Any

import numpy as np

from core.analysis.map_alignment import SmallMap
from core.figures.strip import site_of_trace, strip_figure

SITES: list[int | str] = [*range(9), "final"]


def strip(chosen: int | str | None = None) -> Any:
    rng = np.random.default_rng(0)
    maps = [SmallMap(site, rng.normal(size=(30, 2)).astype(np.float32), 0.25) for site in SITES]
    datasets = np.arange(30) % 2
    return strip_figure(maps, ["news <b>", "math"], datasets, ["a&b"] * 30, chosen)


def test_each_site_has_a_panel_with_every_data_set_and_one_entry_each_in_the_legend():
    figure = strip()
    assert len(figure.data) == 20
    assert {trace.type for trace in figure.data} == {"scattergl"}
    assert [trace.name for trace in figure.data if trace.showlegend] == ["news &lt;b&gt;", "math"]
    assert [note.text for note in figure.layout.annotations][-1] == "final · 25 %"
    assert figure.data[0].hovertext[0] == "a&amp;b"
    assert len(figure.data[0].x) == 15


def test_a_trace_tells_its_site():
    assert [site_of_trace(i, SITES, 2) for i in (0, 1, 2, 19)] == [0, 0, 1, "final"]
    assert site_of_trace(20, SITES, 2) is None
    assert "final" in strip().data[19].hovertemplate


def test_zoom_is_shared_and_empty_places_are_not_drawn():
    figure = strip()
    drawn = [axis for axis in figure.select_xaxes() if axis.visible is not False]
    assert len(drawn) == 10
    assert {axis.matches for axis in drawn} == {"x"}
    assert len(list(figure.select_xaxes())) == 16


def test_the_chosen_site_is_marked():
    titles = [note.text for note in strip("final").layout.annotations]
    assert titles[-1].startswith("<b>")
    assert not titles[0].startswith("<b>")


def test_a_few_points_far_out_do_not_shrink_the_frames():
    rng = np.random.default_rng(1)
    near = rng.normal(size=(500, 2)).astype(np.float32)
    far = np.vstack([near[:450], near[:50] + 1000]).astype(np.float32)
    maps = [SmallMap(i, coordinates, 0.5) for i, coordinates in enumerate([near, near, near, near, near, far, far])]
    figure: Any = strip_figure(maps, ["news"], np.zeros(500, int), ["a"] * 500)
    assert figure.layout.xaxis.range[1] < 10
