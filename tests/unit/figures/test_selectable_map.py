"""Selectable maps: context, marks, one scale of colours."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.figures.cloud_map import pca_axes
from core.figures.layer import Layer
from core.figures.selectable_map import HIT, SiteMap, lit, selectable_map, sites_figure

EXPLAINED = np.array([0.5, 0.2, 0.1], np.float32)
FIRST = Layer("first", np.arange(8, dtype=np.float32).reshape(4, 2), "dataset", 0, ids=np.array([0, 1, 2, 3]))
SECOND = Layer("second", -np.arange(6, dtype=np.float32).reshape(3, 2), "dataset", 1, ids=np.array([10, 11, 12]))


def _traces(figure) -> Any:
    return figure.data


def _layout(figure) -> Any:
    return figure.layout


def test_without_a_selection_there_is_no_context():
    figure = selectable_map([FIRST, SECOND], pca_axes(EXPLAINED, 2))
    assert [trace.selectedpoints for trace in _traces(figure)] == [None, None]
    assert _layout(figure).dragmode == "lasso"


def test_a_selection_is_lit_by_ids_and_the_rest_is_grey_context():
    figure = selectable_map([FIRST, SECOND], pca_axes(EXPLAINED, 2), np.array([3, 11, 99]))
    assert [trace.selectedpoints for trace in _traces(figure)] == [(3,), (1,)]
    assert {trace.unselected.marker.opacity for trace in _traces(figure)} == {0.18}
    assert {trace.marker.color for trace in _traces(figure)} == {"#E69F00", "#7B5EA7"}


def test_an_empty_selection_leaves_only_context():
    figure = selectable_map([FIRST], pca_axes(EXPLAINED, 2), np.array([], int))
    assert _traces(figure)[0].selectedpoints == ()


def test_marks_have_no_ids_and_no_selection_hides_them():
    marks = Layer("found", FIRST.coordinates[:2], mark=HIT)
    figure = selectable_map([FIRST], pca_axes(EXPLAINED, 2), np.array([0]), [marks])
    points, found = _traces(figure)
    assert found.customdata is None
    assert found.hoverinfo == "skip"
    assert found.unselected.marker.opacity == HIT.opacity == found.marker.opacity
    assert points.customdata.tolist() == [0, 1, 2, 3]


def test_in_three_dimensions_the_selected_points_are_a_layer_over_the_context():
    solid = Layer("all", np.zeros((4, 3), np.float32), "dataset", ids=np.array([0, 1, 2, 3]))
    figure = selectable_map([solid], pca_axes(EXPLAINED, 3), np.array([2]))
    assert [(trace.name, len(trace.x)) for trace in _traces(figure)] == [("not selected: all", 3), ("all", 1)]
    assert len(_traces(selectable_map([solid], pca_axes(EXPLAINED, 3)))) == 1


def test_lit_keeps_each_point_once():
    parts = lit(FIRST, np.array([1, 2]))
    assert sorted(np.concatenate([part.ids for part in parts if part.ids is not None]).tolist()) == [0, 1, 2, 3]
    assert [part.role for part in parts] == ["reference", "dataset"]


def test_layers_with_values_share_one_scale():
    values = np.array([1, 2, 3, 1000], np.float32)
    layers = [
        Layer("a", FIRST.coordinates, "dataset", 0, values=values, values_title="norm", ids=FIRST.ids),
        Layer("b", FIRST.coordinates, "dataset", 1, values=values[::-1], values_title="norm", ids=FIRST.ids),
    ]
    figure = selectable_map(layers, pca_axes(EXPLAINED, 2))
    assert {trace.marker.coloraxis for trace in _traces(figure)} == {"coloraxis"}
    assert _layout(figure).coloraxis.cmin == pytest.approx(np.percentile(np.tile(values, 2), 1))
    assert _layout(figure).coloraxis.colorbar.title.text == "norm"


def test_a_logarithmic_scale_is_labelled_with_the_numbers_themselves():
    values = np.log10(np.array([1, 10, 100, 1000], np.float32))
    layer = Layer(
        "a", FIRST.coordinates, "dataset", 0, values=values, values_title="times", decades=True, ids=FIRST.ids
    )
    bar = _layout(selectable_map([layer], pca_axes(EXPLAINED, 2))).coloraxis.colorbar
    assert bar.title.text == "times"
    assert bar.ticktext[:4] == ("1", "10", "100", "1,000")


def test_figures_of_different_turns_differ():
    first, second = (selectable_map([FIRST], pca_axes(EXPLAINED, 2), turn=turn) for turn in (1, 2))
    assert first.to_json() != second.to_json()
    assert first.to_json() == selectable_map([FIRST], pca_axes(EXPLAINED, 2), turn=1).to_json()


def test_maps_of_several_sites_share_legend_entries_and_the_context_has_none():
    layers = [replace(FIRST, name="first (4)", group="first"), SECOND]
    maps = [SiteMap(f"site {site}", layers, pca_axes(EXPLAINED, 2), np.array([1, 10])) for site in (0, 1)]
    shown = [(trace.name, trace.showlegend) for trace in _traces(sites_figure(maps))]
    one = ["not selected", "not selected", "first", "second"]
    assert [name for name, _ in shown] == one + one
    assert [name for name, in_legend in shown if in_legend] == ["first", "second"]
