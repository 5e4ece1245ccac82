from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.figures.training import loss_figure, smooth


def _loose(draw: Callable[..., Any]) -> Callable[..., Any]:
    """Plotly's own annotations do not know what is inside a figure."""
    return draw


def test_losses_with_baselines():
    figure = _loose(loss_figure)(
        np.arange(1, 31),
        np.linspace(3, 1, 30),
        np.array([0, 25]),
        np.array([2.5, 1.2]),
        {"no prompt": 4.0, "prior sample": 3.25},
        100,
    )
    assert [trace.name for trace in figure.data] == [
        "training",
        "training, smoothed",
        "validation",
        "no prompt (4.000)",
        "prior sample (3.250)",
    ]
    assert figure.data[3].x.tolist() == [0, 100]
    assert figure.layout.xaxis.range == (0, 100)


def test_a_run_that_has_only_begun():
    figure = _loose(loss_figure)(np.array([]), np.array([]), np.array([]), np.array([]), {}, 50)
    assert [trace.name for trace in figure.data] == ["training", "validation"]


def test_smoothing_is_the_weighted_mean_so_far():
    losses = np.array([4.0, 2.0, 1.0])
    weights = np.array([0.81, 0.9, 1])
    assert smooth(losses)[2] == pytest.approx((losses * weights).sum() / weights.sum())
    assert smooth(np.full(20, 3.0)) == pytest.approx(np.full(20, 3.0))
