"""Makes a few things of a finished study again and compares them with what came with the program."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import Failed, UnknownName
from core.jobs.nested import Perform
from core.specs import StudyItemSpec
from core.store import JobFolder
from core.studies.arms import arms
from core.studies.items import KIND, VERSION, read_result
from core.studies.shipped import FinishedStudy, finished_studies

ITEMS_CHECKED = ("figure-9",)
"""Items whose numbers need the vocabulary alone."""
RUN_CHECKED = "deep-gaussian"
"""Arm whose first run is made again."""
NUMBERS_TOLERANCE = 0.02
"""Relative: samples of a fitted prior depend on the signs of eigenvectors, which machines choose differently."""
LOSS_TOLERANCE = 0.05
"""Nats per label token, the claims' margin: number formats and kernels of processors differ."""


@dataclass(frozen=True)
class Checked:
    """A number of the finished study beside the one that was made here.

    Attributes:
        of: item or arm.
        name: of the number.
        shipped: the finished study's.
        here: made now.
        tolerance: largest difference that counts as none.
    """

    of: str
    name: str
    shipped: float
    here: float
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Return whether the two differ by no more than the tolerance."""
        return abs(self.shipped - self.here) <= self.tolerance


def finished_study(model: str | None = None) -> FinishedStudy:
    """Return a finished study that came with the program.

    Args:
        model: whose study it is; None stands for the first one there is.

    Raises:
        Failed: there is none that can be read.
        UnknownName: there is none of that model.
    """
    found = {one.spec.model.name: one for one in finished_studies(VERSION)}
    if not found:
        raise Failed("No finished study came with this program, so there is nothing to check; make one with --all.")
    if model is not None and model not in found:
        raise UnknownName("model of a finished study", model, found)
    return found[model or next(iter(found))]


def check(study: FinishedStudy, perform: Perform) -> list[Checked]:
    """Make the checked items and the checked run again and return their numbers beside those of the study.

    Raises:
        Failed: a job failed, or the study has neither the items nor the run.
    """
    if len(unchecked(study)) == len(ITEMS_CHECKED) + 1:
        raise Failed(
            f"The finished study {study.folder.name} has neither {', '.join(ITEMS_CHECKED)} nor a run of "
            f"{RUN_CHECKED}, so there is nothing to check; make the study with `{study.manifest.command}`."
        )
    found = []
    for item in ITEMS_CHECKED:
        shipped = study.item(item)
        if shipped is not None:
            job = perform(KIND, StudyItemSpec(study=study.spec, item=item))
            found += _same_numbers(item, _numbers(shipped), _numbers(job))
    shipped = study.run(RUN_CHECKED)
    if shipped is not None:
        run = perform("tune", arms(study.spec)[RUN_CHECKED].specs[0])
        found += [
            Checked(RUN_CHECKED, f"loss, {where}", _loss(shipped, where), _loss(run, where), LOSS_TOLERANCE)
            for where in ("no_prompt", "prior_sample", "tuned")
        ]
    return found


def unchecked(study: FinishedStudy) -> dict[str, str]:
    """Return what would be checked and is not in the study: item or arm → why, in one line."""
    items = {item: why for item in ITEMS_CHECKED if (why := study.why_not(item))}
    return items if study.run(RUN_CHECKED) else {**items, RUN_CHECKED: "no run of this arm is in the finished study"}


def _same_numbers(of: str, shipped: Mapping[str, float], here: Mapping[str, float]) -> list[Checked]:
    scale = {name: NUMBERS_TOLERANCE * max(abs(value), 1e-6) for name, value in shipped.items()}
    missing = float("nan")
    return [Checked(of, name, value, here.get(name, missing), scale[name]) for name, value in shipped.items()]


def _numbers(job: JobFolder) -> dict[str, float]:
    result = read_result(job)
    return {} if result is None else dict(_leaves("", result.numbers))


def _leaves(name: str, value: Any) -> Iterator[tuple[str, float]]:
    """Yield each number below a value of JSON, with the path to it."""
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _leaves(f"{name}.{key}".lstrip("."), below)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield name, float(value)


def _loss(run: JobFolder, where: str) -> float:
    result = run.result() or {}
    return float((result["validation"] if where == "tuned" else result["baseline"][where])["loss"])
