"""Soft prompts of several priors on one map, from prior sample to posterior, with their losses."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.array_types import Float32s, Int64s
from core.figures.cloud_map import Axes, map_axes
from core.figures.palette import POSTERIOR, PRIOR, REFERENCE, XAVIER, Mark, prior_marks
from core.figures.replay import Replay, replay_figure
from core.store import JobFolder
from core.store.losses import read_losses
from core.store.prompts import RunPrompts, read_prompts
from core.studies.arms import SOFT, arms
from core.studies.bench import Bench
from core.studies.figure import Numbers, Reproduced
from core.studies.picture import AXES, layers_of
from core.studies.prompts import vocabulary_ground

GROUND = "vocabulary"
_MOST_FRAMES = 24
_MOST_ROWS = 2500
"""Of the vocabulary that are drawn; more would hide the prompts and double the picture."""


def several_priors(bench: Bench) -> Reproduced:
    """Draw how soft prompts from several priors move and what they lose, one run per prior.

    Source: Figures 6 to 8 and 4.2 of the paper.
    Deviation: the paper draws each prior on a map of its own, and of each run the ends only.
    """
    ground = vocabulary_ground(bench)
    runs = {name: bench.runs(name)[0] for name in SOFT}
    prompts = {name: _prompts(run) for name, run in runs.items()}
    steps = _frame_steps(list(prompts.values()))
    rows = ground.points.iloc[:: -(-len(ground.points) // _MOST_ROWS)]
    tables, told = [rows], []
    for name, run in runs.items():
        prior, own = arms(bench.spec)[name].specs[0].prior, prompts[name]
        shown = np.searchsorted(own.steps, steps, side="right") - 1
        placed = ground.stored.map.overlay(own.at(0)[shown].reshape(-1, own.vectors.shape[-1]))
        tables.append(_table(prior.title, placed.coordinates, len(steps)))
        known = {"arm": name, "prior": prior.title, "kind": prior.kind, "run": run.id}
        on_axes = 1 - float(np.median(placed.off_plane_share[-own.vectors.shape[-2] :]))
        told.append({**known, **_curve(run, own.steps[shown]), "shown": on_axes})
    numbers: Numbers = {
        "model": bench.spec.model.label,
        "task": bench.spec.soft_task.label,
        "steps": steps.tolist(),
        "axes": list(map_axes(ground.stored.map).titles),
        "apart": {word: _apart(list(prompts.values()), end) for word, end in (("before", 0), ("after", -1))},
        "runs": told,
    }
    points = pd.concat(tables, ignore_index=True)
    words = f"{ground.words}, of which {len(rows):,} are drawn"
    return Reproduced(replay(points, numbers), points, numbers, _caption(numbers, words))


def _caption(numbers: Numbers, ground: str) -> str:
    shares, apart = [f"{run['shown']:.0%}" for run in numbers["runs"]], numbers["apart"]
    return (
        f"Soft prompts on {numbers['task']} from {len(shares)} priors, one run each (seed 0), on the principal "
        f"components of {ground}. Open: prior samples. Filled: the prompt at the step that the slider shows; arrows "
        "come from its prior sample. Below: validation loss, nats per token. The axes are fitted on the vocabulary "
        f"only; of the posteriors' squared distance from its mean they show {', '.join(shares)}. In the full space the "
        f"prompts' means are {apart['before']:.3g} apart before training and {apart['after']:.3g} after it (mean over "
        "pairs of priors)."
    )


def replay(points: pd.DataFrame, numbers: Numbers, prior: str | None = None, frame: int = -1) -> go.Figure:
    """Draw the item again from its points and numbers.

    Args:
        points: of the item.
        numbers: of the item.
        prior: title of the only one drawn, in the colours of prior sample and posterior; None for all.
        frame: shown first; negative counts from the last.
    """
    shown = [run for run in numbers["runs"] if prior in (None, run["prior"])]
    looks = _alone(shown[0]["kind"]) if prior else _together([run["kind"] for run in shown])
    steps = np.array(numbers["steps"])
    steps = steps[: np.searchsorted(steps, max(run["steps"][-1] for run in shown)) + 1]
    runs = [_replay(run, look, points, len(steps)) for run, look in zip(shown, looks, strict=True)]
    labels = [f"step {step}" for step in steps]
    baselines = {name: loss for name, loss in shown[0]["baselines"].items() if name == "no prompt"}
    rows = points.loc[points["cloud"] == GROUND].astype({"token_id": int})  # prompts have none, so it was a float
    ground = layers_of(rows, {GROUND: REFERENCE})
    return replay_figure(
        ground, runs, Axes(tuple(numbers["axes"])), labels, frame % len(labels), baselines, prior or GROUND
    )


def _replay(run: Numbers, look: tuple[Mark, Mark], points: pd.DataFrame, n_frames: int) -> Replay:
    """Return the first frames of a run."""
    own = points.loc[points["cloud"] == run["prior"]]
    coordinates = own.loc[own["frame"] < n_frames, list(AXES)].to_numpy(np.float32).reshape(n_frames, -1, len(AXES))
    steps, losses = np.array(run["steps"][:n_frames]), np.array(run["losses"][:n_frames], np.float64)
    return Replay(run["prior"], look, coordinates, steps, losses)


def _alone(kind: str) -> list[tuple[Mark, Mark]]:
    return [(XAVIER if kind == "xavier" else PRIOR, POSTERIOR)]


def _together(kinds: Sequence[str]) -> list[tuple[Mark, Mark]]:
    """Return a hue and a symbol per prior, open for its sample and filled for the prompt."""
    return [(replace(look, symbol=f"{look.symbol}-open"), look) for look in prior_marks(kinds)]


def _prompts(run: JobFolder) -> RunPrompts:
    found = read_prompts(run)
    assert found is not None  # noqa: S101 - the run has succeeded
    return found


def _frame_steps(prompts: Sequence[RunPrompts]) -> Int64s:
    """Return the steps of all runs' snapshots, thinned evenly to the frames of the picture."""
    every = np.unique(np.concatenate([one.steps for one in prompts]))
    return every[np.unique(np.linspace(0, len(every) - 1, min(len(every), _MOST_FRAMES)).round().astype(int))]


def _table(title: str, coordinates: Float32s, n_frames: int) -> pd.DataFrame:
    n_prompt = len(coordinates) // n_frames
    frame = pd.DataFrame(coordinates, columns=list(AXES))
    return frame.assign(
        cloud=title, frame=np.repeat(np.arange(n_frames), n_prompt), vector=np.tile(np.arange(n_prompt), n_frames)
    )


def _curve(run: JobFolder, steps: Int64s) -> Numbers:
    """Return steps of a run with the validation loss after each, None where it was not measured, and the baselines."""
    found = read_losses(run)
    known = {0: found.baselines.get("prior sample")}
    known |= dict(zip(found.evaluation_steps.tolist(), found.evaluation_losses.tolist(), strict=True))
    done = steps.tolist()
    return {"steps": done, "losses": [known.get(step) for step in done], "baselines": found.baselines}


def _apart(prompts: Sequence[RunPrompts], end: int) -> float:
    """Return the mean distance between the mean vectors of two priors' prompts, over all pairs."""
    means = [one.at(0)[end].mean(axis=0, dtype=np.float64) for one in prompts]
    return float(np.mean([np.linalg.norm(first - second) for first, second in combinations(means, 2)]))
