from typing import Any

import numpy as np

from core.figures.cloud_map import Axes
from core.figures.layer import Layer
from core.figures.panels import panels_figure

AXES = Axes(("PC1", "PC2"))


def cloud(name: str, n: int, role: Any = "reference") -> Layer:
    points = np.random.default_rng(n).standard_normal((n, 2)).astype(np.float32)
    return Layer(name, points, role, hover=[str(i) for i in range(n)])


def test_each_panel_has_the_background_and_its_own_layers_on_shared_axes():
    titles = ["one", "two <b>", "three", "four"]
    panels = [(title, [cloud(f"sample {title}", 5, "prior")]) for title in titles]
    figure: Any = panels_figure([cloud("reference", 4000)], panels, AXES)
    assert [note.text for note in figure.layout.annotations] == ["one", "two &lt;b&gt;", "three", "four"]
    names = [trace.name for trace in figure.data]
    assert names.count("reference") == 4
    assert sum(bool(trace.showlegend) for trace in figure.data) == 5
    background = next(trace for trace in figure.data if trace.name == "reference")
    assert len(background.x) <= 1500
    assert background.hovertext is None
    for axes in (list(figure.select_xaxes()), list(figure.select_yaxes())):
        assert len({axis.matches for axis in axes} - {None}) == 1
        assert [axis.visible for axis in axes] == [None] * 4 + [False] * 2
