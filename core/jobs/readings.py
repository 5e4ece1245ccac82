"""Jobs that read tuned prompts once more: on other data, along a line, by every regulariser. Free of torch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.engine.lookup import find_succeeded
from core.engine.tasks import Task
from core.errors import BadRequest
from core.jobs.measure import tuning_spec
from core.progress import Progress
from core.specs import DatasetSpec, GeneraliseSpec, LineSpec, PenaltiesSpec
from core.specs.base import JsonObject
from core.store import JobFolder, Store
from core.store.prompts import RunPrompts, posterior_of, read_prompts, run_with_posterior

VERSION = "1"
"""Goes up when the same prompts would give other numbers."""


@dataclass(frozen=True)
class Elsewhere:
    """What a prompt does on a data set that it was not tuned on.

    Attributes:
        label: of the data set.
        loss: of the prompt, nats per label token.
        no_prompt: loss of the model without a prompt.
    """

    label: str
    loss: float
    no_prompt: float


@dataclass(frozen=True)
class Line:
    """The loss along the straight line between two prompts.

    Attributes:
        shares: (n,) of the way, from 0 to 1.
        losses: (n,) validation loss.
    """

    shares: Sequence[float]
    losses: Sequence[float]

    @property
    def barrier(self) -> float:
        """Return the highest loss on the line minus that of its higher end; 0 where no prompt between is worse."""
        return max(self.losses) - max(self.losses[0], self.losses[-1])


def generalise_spec(run: JobFolder, datasets: Sequence[DatasetSpec]) -> GeneraliseSpec:
    """Return the request to read a run's posterior on data sets.

    Raises:
        BadRequest: the run goes on, or has no posterior.
    """
    return GeneraliseSpec(run=run.id, posterior=posterior_of(run), datasets=tuple(datasets))


def line_spec(first: JobFolder, second: JobFolder, n_points: int = 11) -> LineSpec:
    """Return the request to read the prompts between those of two runs.

    Raises:
        BadRequest: a run goes on or has no posterior, the two have no line between them, or the number of points is
            out of bounds.
    """
    ends = [posterior_of(run) for run in (first, second)]
    _require_a_line(first, second)
    named = {"first": first.id, "first_posterior": ends[0], "second": second.id, "second_posterior": ends[1]}
    return LineSpec.parse({**named, "n_points": n_points})


def penalties_spec(run: JobFolder) -> PenaltiesSpec:
    """Return the request to measure a run by every regulariser.

    Raises:
        BadRequest: the run goes on, or has no posterior.
    """
    return PenaltiesSpec(run=run.id, posterior=posterior_of(run))


def find_elsewhere(spec: GeneraliseSpec, store: Store) -> list[Elsewhere] | None:
    """Return what a run's prompt does on the data sets of a request, in their order."""
    result = _result("generalise", spec, store)
    return [Elsewhere(one["dataset"], one["loss"], one["no_prompt"]) for one in result["read"]] if result else None


def find_line(spec: LineSpec, store: Store) -> Line | None:
    """Return the loss along a line, or None."""
    result = _result("line", spec, store)
    return Line(result["shares"], result["losses"]) if result else None


def find_penalties(spec: PenaltiesSpec, store: Store) -> dict[str, dict[str, float]] | None:
    """Return by regulariser what it measures at the `start` and the `end` of a run, or None."""
    result = _result("penalties", spec, store)
    return result["penalties"] if result else None


def generalise(spec: GeneraliseSpec, _job: JobFolder, store: Store, progress: Progress) -> JsonObject:
    """Read a run's prompt on data sets without tuning.

    Returns:
        version, run, home (label of the run's own data), `read` (by data set: dataset, loss, accuracy, no_prompt).

    Raises:
        UnknownName: no such run.
        BadRequest: the run has another posterior now.
        BadData: no example of a data set fits.
        Cancelled: by the progress.
    """
    from core.tuning.readings import read_elsewhere

    run = run_with_posterior(spec.run, spec.posterior, store)
    tuning, prompts, read = tuning_spec(run), _prompts(run), []
    for done, dataset in enumerate(spec.datasets):
        progress(done, len(spec.datasets), f"Reading {dataset.label}")
        found = read_elsewhere(tuning, prompts.vectors[-1], dataset, store, progress)
        tuned = {name: found["tuned"][name] for name in ("loss", "accuracy")}
        read.append({"dataset": dataset.label, **tuned, "no_prompt": found["no_prompt"]["loss"]})
    return {"version": VERSION, "run": run.id, "home": tuning.dataset.label, "read": read}


def read_line(spec: LineSpec, _job: JobFolder, store: Store, progress: Progress) -> JsonObject:
    """Read the prompts on the straight line between two runs' posteriors, on the first one's validation examples.

    Returns:
        version, first, second, data (label of the examples' data set), shares, losses, barrier.

    Raises:
        UnknownName: no such run.
        BadRequest: a run has another posterior now, or there is no line between the two.
        Cancelled: by the progress.
    """
    from core.tuning.readings import along_line

    first, second = (
        run_with_posterior(spec.first, spec.first_posterior, store),
        run_with_posterior(spec.second, spec.second_posterior, store),
    )
    _require_a_line(first, second)
    tuning, shares = tuning_spec(first), np.linspace(0, 1, spec.n_points).tolist()
    start, end = (_prompts(run).vectors[-1] for run in (first, second))
    losses = list(along_line(tuning, start, end, shares, store, progress))
    return {
        "version": VERSION,
        "first": first.id,
        "second": second.id,
        "data": tuning.dataset.label,
        "shares": shares,
        "losses": losses,
        "barrier": Line(shares, losses).barrier,
    }


def measure_penalties(spec: PenaltiesSpec, _job: JobFolder, store: Store, progress: Progress) -> JsonObject:
    """Measure prior sample and posterior of a run by every regulariser.

    Returns:
        version, run, `penalties` (by regulariser: start, end).

    Raises:
        UnknownName: no such run.
        BadRequest: the run has another posterior now, or not what a regulariser needs.
        Cancelled: by the progress.
    """
    from core.tuning.readings import penalties

    run = run_with_posterior(spec.run, spec.posterior, store)
    prompts = _prompts(run)
    found = penalties(tuning_spec(run), prompts.vectors[0], prompts.vectors[-1], prompts.sites, store, progress)
    return {"version": VERSION, "run": run.id, "penalties": found}


def _prompts(run: JobFolder) -> RunPrompts:
    prompts = read_prompts(run)
    assert prompts is not None  # noqa: S101 - there is a posterior
    return prompts


def _require_a_line(first: JobFolder, second: JobFolder) -> None:
    """Refuse two runs that have no line between their prompts.

    Raises:
        BadRequest: says what differs.
    """
    one, other = tuning_spec(first), tuning_spec(second)
    sites = [_prompts(run).sites for run in (first, second)]
    shapes = [_prompts(run).vectors.shape[1:] for run in (first, second)]
    deep_forms = [spec.deep_form if spec.method == "deep" else "" for spec in (one, other)]
    compared = {
        "model": (one.model, other.model),
        "method": (one.method, other.method),
        "prompted blocks": sites,
        "number and width of vectors": shapes,
        "prompt position": (one.prompt_position, other.prompt_position),
        "deep form": deep_forms,
    }
    if different := [name for name, (mine, theirs) in compared.items() if mine != theirs]:
        raise BadRequest(
            f"There is no line between {first.id} and {second.id}, whose {' and '.join(different)} differ; choose two "
            "runs of one model with as many vectors at the same blocks."
        )


def _result(kind: str, spec: GeneraliseSpec | LineSpec | PenaltiesSpec, store: Store) -> JsonObject | None:
    job = find_succeeded(kind, spec, store)
    return job.result() if job else None


GENERALISE = Task("generalise", "g", GeneraliseSpec, generalise, "heavy", keeps=True, version=VERSION)
LINE = Task("line", "b", LineSpec, read_line, "heavy", keeps=True, version=VERSION)
PENALTIES = Task("penalties", "r", PenaltiesSpec, measure_penalties, "heavy", keeps=True, version=VERSION)
