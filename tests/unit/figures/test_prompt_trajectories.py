import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.figures.cloud_map import pca_axes
from core.figures.layer import Layer
from core.figures.palette import POSTERIOR, PRIOR
from core.figures.prompt_trajectories import Panel, PromptTrajectory
from core.figures.prompt_trajectories import comparison_figure as draw

N_FRAMES, N_PROMPT = 5, 4


def comparison_figure(*args, **kwargs) -> Any:
    return draw(*args, **kwargs)


def axes(n_dimensions: int):
    return pca_axes(np.array([0.5, 0.2, 0.1]), n_dimensions)


def way(name: str = "", n_dimensions: int = 2, seed: int = 0) -> PromptTrajectory:
    points = np.random.default_rng(seed).normal(size=(N_FRAMES, N_PROMPT, n_dimensions)).astype(np.float32)
    hover = [[f"frame {k} vector {i}" for i in range(N_PROMPT)] for k in range(N_FRAMES)]
    return PromptTrajectory(
        Layer(f"prior{name}", points[0], "prior"), Layer(f"posterior{name}", points[-1], "posterior"), points, hover
    )


def grey(n_dimensions: int = 2) -> Layer:
    return Layer("vocabulary", np.random.default_rng(9).normal(size=(50, n_dimensions)).astype(np.float32))


def test_one_panel_has_cloud_prior_arrows_posterior_and_both_means():
    run = way()
    figure = comparison_figure([Panel("", [grey()], [run])], axes(2), N_FRAMES - 1)
    names = [trace.name for trace in figure.data]
    assert names == ["vocabulary", "prior", "displacement", "posterior", "mean of prior", "mean of posterior"]
    assert np.array_equal(figure.data[3].x, run.coordinates[-1][:, 0])
    assert figure.data[4].x[0] == pytest.approx(run.coordinates[0][:, 0].mean())
    assert (figure.data[4].marker.color, figure.data[5].marker.color) == (PRIOR.colour, POSTERIOR.colour)
    assert figure.layout.yaxis.scaleanchor == "x"
    assert not figure.frames
    assert not figure.layout.sliders


def test_arrows_and_means_can_be_left_out():
    figure = comparison_figure([Panel("", [grey()], [way()])], axes(2), 0, arrows=False, means=False)
    assert [trace.name for trace in figure.data] == ["vocabulary", "prior", "posterior"]


@pytest.mark.parametrize("n_dimensions", [2, 3])
def test_frames_move_what_moves_and_nothing_else(n_dimensions):
    run = way(n_dimensions=n_dimensions)
    labels = [f"step {k}" for k in range(N_FRAMES)]
    figure = comparison_figure([Panel("", [grey(n_dimensions)], [run])], axes(n_dimensions), 2, labels)
    assert len(figure.frames) == N_FRAMES
    assert figure.frames[1].traces == (2, 3, 5)
    arrows, points, mean = figure.frames[1].data
    assert np.array_equal(points.x, run.coordinates[1][:, 0])
    assert list(points.hovertext) == run.hover[1]
    assert mean.y[0] == pytest.approx(run.coordinates[1][:, 1].mean())
    assert np.array_equal(arrows.x[1::3], run.coordinates[1][:, 0])
    (slider,) = figure.layout.sliders
    assert slider.active == 2
    assert [step.label for step in slider.steps] == labels
    assert [button.label for button in figure.layout.updatemenus[0].buttons] == ["Play", "Pause"]


def test_a_player_of_forty_frames_stays_light():
    points = np.random.default_rng(0).normal(size=(40, 20, 2)).astype(np.float32)
    run = PromptTrajectory(
        Layer("prior", points[0], "prior"), Layer("posterior", points[0], "posterior"), points, [["word"] * 20] * 40
    )
    figure = comparison_figure([Panel("", [], [run])], axes(2), 0, [str(k) for k in range(40)])
    assert len(json.dumps(figure.to_plotly_json()["frames"], default=str)) < 200_000


@pytest.mark.parametrize("n_dimensions", [2, 3])
def test_small_multiples_share_axes_and_legend(n_dimensions):
    panels = [Panel(f"run <{i}>", [grey(n_dimensions)], [way(n_dimensions=n_dimensions, seed=i)]) for i in range(4)]
    figure = comparison_figure(panels, axes(n_dimensions), N_FRAMES - 1, height=300)
    assert [note.text for note in figure.layout.annotations] == [f"run &lt;{i}&gt;" for i in range(4)]
    assert sum(bool(trace.showlegend) for trace in figure.data) == 6
    assert figure.layout.height == 600
    if n_dimensions == 2:
        assert figure.layout.xaxis4.matches == "x"
        assert figure.layout.yaxis2.matches == "y"
        assert figure.layout.yaxis.title.text.startswith("PC2")
        assert figure.layout.yaxis2.title.text is None
    else:
        assert figure.layout.scene4.zaxis.title.text.startswith("PC3")


def test_frames_reach_every_panel():
    panels = [Panel(f"{i}", [grey()], [way(seed=i)]) for i in range(2)]
    figure = comparison_figure(panels, axes(2), 0, [str(k) for k in range(N_FRAMES)], means=False)
    assert figure.frames[0].traces == (2, 3, 6, 7)
    assert np.array_equal(figure.frames[3].data[3].x, panels[1].trajectories[0].coordinates[3][:, 0])


def outside_at_first() -> PromptTrajectory:
    """Return a way that begins outside the support and of which half ends inside."""
    run = way()
    spots = run.coordinates.copy()
    spots[:-1] = np.nan
    spots[-1, :2] = np.nan
    return replace(run, prior=replace(run.prior, coordinates=spots[0]), coordinates=spots)


@pytest.mark.parametrize("n_dimensions", [2, 3])
def test_vectors_outside_the_support_stand_on_a_rail_that_plays_along(n_dimensions):
    run = outside_at_first() if n_dimensions == 2 else way(n_dimensions=3)
    figure = comparison_figure(
        [Panel("", [grey(n_dimensions)], [run])],
        axes(n_dimensions),
        N_FRAMES - 1,
        ["a", "b", "c", "d", "e"],
        means=False,
    )
    names = [trace.name for trace in figure.data]
    if n_dimensions == 3:
        assert not [name for name in names if "outside" in name]
        return
    rails = {trace.name: trace for trace in figure.data if "outside" in trace.name}
    assert list(rails) == ["prior, outside the support", "posterior, outside the support"]
    for name, rail in rails.items():
        assert rail.legendgroup == name.split(",")[0]
        assert rail.showlegend is False
    now = rails["posterior, outside the support"]
    assert np.isfinite(now.x).tolist() == [True, True, False, False]
    assert np.nanmax(now.y) < grey().coordinates[:, 1].min()
    moving = [names[index] for index in figure.frames[0].traces]
    first = figure.frames[0].data[moving.index("posterior, outside the support")]
    assert np.isfinite(first.x).all()
    assert "no position on this map" in figure.layout.annotations[0].text


def test_sizes_move_with_the_frames():
    weights = np.linspace(0, 1, N_FRAMES * N_PROMPT).reshape(N_FRAMES, N_PROMPT)
    run = replace(way(), weights=weights)
    figure = comparison_figure([Panel("", [grey()], [run])], axes(2), 0, ["a", "b", "c", "d", "e"], means=False)
    names = [trace.name for trace in figure.data]
    assert figure.data[names.index("posterior")].marker.size[0] == 5
    last = figure.frames[-1]
    assert last.data[[names[i] for i in last.traces].index("posterior")].marker.size[-1] == 20


def test_labels_stand_beside_their_vectors_and_change_with_the_frames():
    labels = [["", f"word {k}", "", ""] for k in range(N_FRAMES)]
    figure = comparison_figure([Panel("", [grey()], [replace(way(), labels=labels)])], axes(2), 1, ["a"] * N_FRAMES)
    (labelled,) = [i for i, trace in enumerate(figure.data) if trace.mode == "markers+text"]
    assert figure.data[labelled].text == ("", "word 1", "", "")
    moved = figure.frames[3].data[figure.frames[3].traces.index(labelled)]
    assert moved.text == ("", "word 3", "", "")
