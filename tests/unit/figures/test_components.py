from typing import Any

import numpy as np
import pytest

from core.figures.components import explained_variance_figure


def test_explained_variance_marks_what_is_drawn():
    figure: Any = explained_variance_figure(np.array([0.5, 0.25, 0.125]), 2)
    bars, together = figure.data
    assert bars.y.tolist() == [50, 25, 12.5]
    assert bars.marker.color[0] == bars.marker.color[1] != bars.marker.color[2]
    assert together.y[-1] == pytest.approx(87.5)
