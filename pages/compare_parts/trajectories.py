"""The trajectories of compared runs on a map, from prior sample to posterior."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.analysis.frozen_maps import Overlay
from core.figures.hover import hover
from core.figures.layer import Layer
from core.figures.palette import POSTERIOR, mark, prior_role
from core.figures.prompt_trajectories import PromptTrajectory
from core.figures.text import token
from core.jobs.measure import Measures
from core.specs import TuningSpec
from core.store import JobFolder
from core.store.prompts import RunPrompts
from pages.maps.choice import weights_of

SYMBOLS = (("diamond", "x"), ("square", "star"), ("triangle-up", "hexagram"), ("circle", "cross"))
SYMBOLS_3D = (("diamond", "x"), ("square", "circle"), ("diamond-open", "circle-open"), ("square-open", "cross"))
"""Symbols of prior and posterior, one pair per run; Plotly has fewer in three dimensions."""


@dataclass(frozen=True)
class ChosenRun:
    """A run with its prompts; `index` decides its symbols."""

    job: JobFolder
    spec: TuningSpec
    prompts: RunPrompts
    index: int

    @property
    def name(self) -> str:
        """Return the run's prior and id."""
        return f"{self.spec.prior.kind} {self.job.id}"


def trajectory_of(
    run: ChosenRun, placed: Overlay, texts: list[list[str]], labels: list[list[str]] | None, size: str, alone: bool
) -> PromptTrajectory:
    """Return a run's trajectory on the map, snapshot by snapshot."""
    n_frames = len(texts)
    role = prior_role(run.spec.prior.kind)
    suffix = "" if alone else f" · {run.name}"
    positions = placed.coordinates.reshape(n_frames, -1, placed.coordinates.shape[1])
    flat = weights_of(size, placed)
    weights = None if flat is None else flat.reshape(n_frames, -1)
    first, last = (None, None) if weights is None else (weights[0], weights[-1])
    prior = Layer(f"prior{suffix}", positions[0], role, hover=texts[0], weights=first)
    posterior = Layer(f"posterior{suffix}", positions[-1], "posterior", weights=last)
    if not run.prompts.begun:
        prior = replace(prior, coordinates=positions[0][:0], hover=None, weights=None)
    if not alone:
        flat_symbols, solid_symbols = SYMBOLS[run.index % len(SYMBOLS)], SYMBOLS_3D[run.index % len(SYMBOLS_3D)]
        prior = replace(prior, mark=replace(mark(role), symbol=flat_symbols[0], symbol_3d=solid_symbols[0]))
        posterior = replace(posterior, mark=replace(POSTERIOR, symbol=flat_symbols[1], symbol_3d=solid_symbols[1]))
    return PromptTrajectory(prior, posterior, positions, texts, weights, labels)


def ends_of(chosen: Sequence[ChosenRun], placed: Mapping[str, Overlay]) -> dict[str, Overlay]:
    """Return where the priors and the posteriors of runs lie, by name."""
    found: dict[str, Overlay] = {}
    for run in chosen:
        every, n_prompt = placed[run.job.id], run.prompts.vectors.shape[2]
        if run.prompts.begun:
            found[f"prior · {run.name}"] = every.part(slice(0, n_prompt))
        found[f"posterior · {run.name}"] = every.part(slice(-n_prompt, None))
    return found


def hover_of(run: ChosenRun, site: int, shown: NDArray[np.intp], measured: Measures | None) -> list[list[str]]:
    """Return one text per vector for each shown snapshot."""
    words = _nearest_words(site, measured)

    def text(step: int, vector: int) -> str:
        word = words.get((step, vector))
        near = "" if word is None else ("nearest token ", word, "")
        return hover(f"vector {vector} · step {step}", near)

    n_prompt = run.prompts.vectors.shape[2]
    return [[text(step, i) for i in range(n_prompt)] for step in run.prompts.steps[shown].tolist()]


def labels_of(
    run: ChosenRun, site: int, shown: NDArray[np.intp], measured: Measures | None, wanted: Collection[int]
) -> list[list[str]] | None:
    """Return the nearest token, or else the number, of each wanted vector per snapshot; None if none is wanted."""
    if not wanted:
        return None
    words, n_prompt = _nearest_words(site, measured), run.prompts.vectors.shape[2]
    return [
        [token(words.get((step, i), f"vector {i}")) if i in wanted else "" for i in range(n_prompt)]
        for step in run.prompts.steps[shown].tolist()
    ]


def _nearest_words(site: int, measured: Measures | None) -> dict[tuple[int, int], str]:
    """Return the token nearest to each vector at each snapshot, by step and vector."""
    if measured is None:
        return {}
    table = measured.table("trajectory")
    return table.loc[table["site"] == site].set_index(["step", "vector"])["token"].to_dict()


def stretch(trajectory: PromptTrajectory, n: int) -> PromptTrajectory:
    """Return a trajectory with n frames, evenly spread over its own."""
    index = np.linspace(0, len(trajectory.coordinates) - 1, n).round().astype(int)
    return replace(
        trajectory,
        coordinates=trajectory.coordinates[index],
        hover=[trajectory.hover[i] for i in index],
        weights=None if trajectory.weights is None else trajectory.weights[index],
        labels=None if trajectory.labels is None else [trajectory.labels[i] for i in index],
    )


def frame_labels(steps: Sequence[NDArray[np.int64]], n: int) -> list[str]:
    """Return the slider's labels: the steps, or shares of the trajectory where they differ."""
    if len({tuple(own) for own in steps}) == 1:
        return [f"step {step}" for step in steps[0]]
    return [f"{100 * share:.0f} %" for share in np.linspace(0, 1, n)]


def coordinates(run: ChosenRun, site: int, shown: NDArray[np.intp], trajectory: PromptTrajectory) -> pd.DataFrame:
    """Return where each vector is on the map at each snapshot, for a download."""
    n_frames, n_prompt, _ = trajectory.coordinates.shape
    frame = pd.DataFrame(
        {
            "run": run.job.id,
            "site": site,
            "step": np.repeat(run.prompts.steps[shown], n_prompt),
            "vector": np.tile(np.arange(n_prompt), n_frames),
        }
    )
    axes = np.moveaxis(trajectory.coordinates, 2, 0)
    return frame.assign(**{f"component_{k + 1}": axis.ravel() for k, axis in enumerate(axes)})
