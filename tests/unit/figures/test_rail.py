import numpy as np

from core.figures.layer import Layer
from core.figures.rail import Rail


def test_the_rail_holds_those_without_a_place_and_no_others():
    inside = np.array([[0, 0], [np.nan, np.nan], [4, 2]], np.float32)
    rail = Rail.under([Layer("a", inside)], 2)
    lined = rail.line_up(Layer("a", inside), 1, 0.5).coordinates
    assert np.isnan(lined[[0, 2]]).all()
    assert lined[1, 0] == 2
    assert lined[1, 1] < rail.edge < 0
    assert rail.line_up(Layer("a", inside), 0).coordinates[1, 1] > lined[1, 1]
    empty = Rail.under([Layer("a", inside[1:2])], 2)
    assert np.isfinite(empty.line_up(Layer("a", inside[1:2]), 0).coordinates).all()
