"""Runs that are played with their losses: what moves, what stays, and that a frame holds both."""

from typing import Any

import numpy as np
import pytest

from core.figures.cloud_map import Axes
from core.figures.layer import Layer
from core.figures.palette import POSTERIOR, PRIOR, XAVIER
from core.figures.replay import Replay, replay_figure

AXES = Axes(("PC1", "PC2"))
LABELS = ["step 0", "step 5", "step 10"]
WAYS = np.array([[[0, 0], [1, 0]], [[0, 1], [1, 1]], [[0, 9], [1, 9]]], np.float32)
LOSSES = np.array([3.0, np.nan, 1.0])


def run(name: str, mark=PRIOR) -> Replay:
    return Replay(name, (mark, POSTERIOR), WAYS, np.array([0, 5, 10]), LOSSES)


def drawn(*runs: Replay, frame: int = 0) -> Any:
    ground = [Layer("vocabulary", np.array([[-5, -5], [5, 5]], np.float32))]
    return replay_figure(ground, runs, AXES, LABELS, frame, {"no prompt": 3.5})


def moved(figure: Any, frame: int) -> list[Any]:
    return list(figure.frames[frame].data)


def test_a_frame_moves_the_prompt_its_arrows_and_its_loss():
    figure = drawn(run("one"))
    assert [frame.name for frame in figure.frames] == ["0", "1", "2"]
    arrows, prompt, curve, now = moved(figure, 2)
    assert prompt.y.tolist() == [9, 9]
    assert arrows.y[:2].tolist() == [0, 9]
    assert curve.x.tolist() == [0, 5, 10]
    assert (now.x.tolist(), now.y.tolist()) == ([10], [1.0])
    shown = [figure.data[i] for i in figure.frames[2].traces]
    assert [trace.yaxis for trace in shown] == ["y", "y", "y2", "y2"]


def test_the_first_picture_is_the_frame_that_is_asked_for():
    figure = drawn(run("one"), frame=1)
    places = figure.frames[1].traces
    for place, one in zip(places, moved(figure, 1), strict=True):
        assert np.array_equal(figure.data[place].y, one.y, equal_nan=True)
    assert figure.layout.sliders[0].active == 1


def test_the_map_holds_every_frame():
    low, high = drawn(run("one")).layout.yaxis.range
    assert low < -5
    assert high > 9


@pytest.mark.parametrize(
    ("names", "entries"),
    [
        (["one"], {"vocabulary", "one: prior sample", "prompt", "displacement", "no prompt (3.500)"}),
        (["one", "other"], {"vocabulary", "one", "other", "displacement", "no prompt (3.500)"}),
    ],
)
def test_several_runs_have_one_entry_each_and_a_single_one_has_one_per_end(names, entries):
    figure = drawn(*(run(name, XAVIER if name == "other" else PRIOR) for name in names))
    assert {trace.name for trace in figure.data if trace.showlegend} == entries
