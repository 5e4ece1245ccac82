import json
from typing import Any

import numpy as np

from core.figures import cloud_map
from core.figures.cloud_map import pca_axes, split_by_token, tsne_axes
from core.figures.layer import Layer
from core.figures.palette import POSTERIOR, PRIOR, REFERENCE
from core.figures.text import show, token


def _points(n: int, n_dimensions: int = 2, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, n_dimensions)).astype(np.float32)


def map_figure(*args, **kwargs) -> Any:
    return cloud_map.map_figure(*args, **kwargs)


def _traces(figure: Any) -> dict[str, Any]:
    return {trace.name: trace for trace in figure.data}


AXES = pca_axes(np.array([0.1234, 0.05, 0.01]), 2)


def test_layers_keep_their_order_marks_and_float32():
    figure = map_figure([Layer("vocabulary", _points(50)), Layer("prior", _points(20, seed=1), "prior")], AXES)
    reference, prior = figure.data
    assert reference.type == "scattergl"
    assert reference.marker.color == REFERENCE.colour
    assert prior.marker.symbol == PRIOR.symbol
    assert reference.x.dtype == np.float32
    assert np.array_equal(reference.y, _points(50)[:, 1])


def test_axes_say_the_share_of_variance_and_have_equal_units():
    figure = map_figure([Layer("a", _points(5))], AXES)
    assert figure.layout.xaxis.title.text == "PC1 (12.3 % of variance)"
    assert figure.layout.yaxis.title.text == "PC2 (5.0 % of variance)"
    assert figure.layout.yaxis.scaleanchor == "x"
    free = map_figure([Layer("a", _points(5))], pca_axes(np.array([0.5, 0.1]), 2, equal=False))
    assert free.layout.yaxis.scaleanchor is None


def test_a_tsne_map_has_no_ticks():
    figure = map_figure([Layer("a", _points(5))], tsne_axes(2))
    assert figure.layout.xaxis.showticklabels is False
    assert figure.layout.yaxis.showticklabels is False


def test_three_dimensions():
    figure = map_figure(
        [Layer("a", _points(5, 3)), Layer("posterior", _points(4, 3), "posterior")],
        pca_axes(np.array([0.5, 0.2, 0.1]), 3),
        arrows=[(Layer("p", _points(4, 3)), Layer("q", _points(4, 3, 1)))],
    )
    assert {trace.type for trace in figure.data} == {"scatter3d"}
    assert figure.layout.scene.zaxis.title.text == "PC3 (10.0 % of variance)"
    assert figure.data[1].marker.symbol == POSTERIOR.symbol_3d


def test_ids_are_customdata_and_follow_their_points():
    coordinates = _points(6)
    coordinates[2] = np.nan
    figure = map_figure([Layer("a", coordinates, ids=np.arange(100, 106))], tsne_axes(2))
    traces = _traces(figure)
    assert traces["a"].customdata.tolist() == [100, 101, 103, 104, 105]
    assert traces["a, outside the support"].customdata.tolist() == [102]


def test_points_without_a_place_stand_on_a_rail_below_everything():
    coordinates = _points(40)
    coordinates[:7] = np.nan
    figure = map_figure([Layer("reference", _points(100, seed=3)), Layer("prior", coordinates, "prior")], tsne_axes(2))
    rail = _traces(figure)["prior, outside the support"]
    lowest = min(_points(100, seed=3)[:, 1].min(), coordinates[7:, 1].min())
    assert len(rail.x) == 7
    assert (rail.y < lowest).all()
    assert "no position on this map" in figure.layout.annotations[0].text


def test_two_layers_on_the_rail_do_not_cover_each_other():
    nowhere = np.full((3, 2), np.nan, np.float32)
    figure = map_figure(
        [Layer("r", _points(9)), Layer("prior", nowhere, "prior"), Layer("posterior", nowhere, "posterior")],
        tsne_axes(2),
    )
    traces = _traces(figure)
    assert traces["prior, outside the support"].y[0] != traces["posterior, outside the support"].y[0]


def test_only_points_outside_still_make_a_figure():
    figure = map_figure([Layer("prior", np.full((3, 3), np.nan, np.float32), "prior")], tsne_axes(3))
    assert len(figure.data) == 1


def test_arrows_join_pairs_that_both_have_a_place():
    before, after = _points(5), _points(5, seed=1)
    after[1] = np.nan
    figure = map_figure([], AXES, arrows=[(Layer("prior", before), Layer("posterior", after))])
    arrows = figure.data[0]
    assert len(arrows.x) == 3 * 4
    assert arrows.x[:2].tolist() == [before[0, 0], after[0, 0]]
    assert np.isnan(arrows.x[2])
    assert list(arrows.marker.size[:3]) == [0, 9, 0]


def test_values_colour_the_points_with_a_bar():
    figure = map_figure([Layer("a", _points(5), values=np.arange(5.0), values_title="position <b>")], AXES)
    assert figure.data[0].marker.color.tolist() == [0, 1, 2, 3, 4]
    assert figure.data[0].marker.colorbar.title.text == "position &lt;b&gt;"


def test_frequent_tokens_get_hues_and_the_rest_stays_grey():
    tokens = ["the"] * 5 + ["<s>"] * 3 + ["a", "b"]
    layers = split_by_token(Layer("x", _points(10), "dataset", ids=np.arange(10)), tokens, 2)
    assert [layer.name for layer in layers] == ["other tokens", "'the'", "'<s>'"]
    assert [len(layer.coordinates) for layer in layers] == [2, 5, 3]
    assert layers[2].ids is not None
    assert layers[2].ids.tolist() == [5, 6, 7]
    assert layers[0].role == "reference"


def test_names_of_layers_never_are_markup():
    figure = map_figure([Layer("<b>&", _points(1), "dataset")], AXES)
    assert json.loads(figure.to_json())["data"][0]["name"] == show("<b>&") == "&lt;b&gt;&amp;"


def test_white_space_in_tokens_is_seen():
    assert token(" the") == "␣the"
    assert token("\n\n") == "⏎⏎"
    assert token("   ") == "␣␣␣"


def test_zoom_survives_while_the_revision_stays():
    assert map_figure([Layer("a", _points(3))], AXES, revision="key").layout.uirevision == "key"


def test_equal_tables_give_equal_figures():
    layers = [Layer("a", _points(30)), Layer("b", _points(4, seed=2), "prior")]
    assert map_figure(layers, AXES).to_json() == map_figure(layers, AXES).to_json()


def test_weights_decide_the_sizes_of_points():
    layer = Layer("prior", np.zeros((4, 2), np.float32), "prior", weights=np.array([0, 0.5, 2, np.nan]))
    assert map_figure([layer], tsne_axes(2)).data[0].marker.size.tolist() == [5, 12.5, 20, 5]
    chosen = layer.subset(np.array([False, True, False, False])).weights
    assert chosen is not None
    assert chosen.tolist() == [0.5]
