"""What the engine knows of a kind of job: its spec, its lane, and the function that does it.

The kinds are listed in `core.kinds`. Further ones come from the modules that
`PRIORSCOPE_EXTRA_TASKS` names (separated by commas); such a module calls `register` when it is
imported, in the engine as well as in the process that submits.
"""

import importlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from core.errors import BadRequest, UnknownName
from core.kinds import KINDS, load
from core.progress import Progress
from core.specs import Spec
from core.store import JobFolder, Store

Lane = Literal["train", "heavy", "quick", "study"]
LANES: tuple[Lane, ...] = ("train", "heavy", "quick", "study")
"""Each worker runs one job per lane at a time: a training job, a long job beside it, a short
request past both, and a job that only waits for others."""
URGENCY: dict[Lane, int] = {"quick": 3, "heavy": 2, "train": 1, "study": 0}
"""Which of several waiting jobs a worker considers first. It considers that one alone: while its lane
is taken, those behind it wait as well, whatever their lanes. So what is over soon goes first, and a
study, which waits for jobs of all other lanes, goes last."""
EXTRA_TASKS = "PRIORSCOPE_EXTRA_TASKS"

Result = Mapping[str, Any]
"""What a job gives, JSON-able: its `result.json`."""
Run = Callable[[Any, JobFolder, Store, Progress], Result]


class Late(str):
    """A part of a context that may not have been known, and so was empty, when a job was asked for."""


@dataclass(frozen=True)
class Task:
    """One kind of job.

    The module that makes one is free of torch when it is imported, so that a page can submit the
    job; what `run` needs beyond that it imports when it is called. A worker has imported all of it
    before (see `core.engine.imports`).

    Attributes:
        kind: its name.
        prefix: of the ids of its jobs.
        spec: class of its spec.
        run: does it, and returns what goes into `result.json`.
        lane: which it runs in, or a function of the spec that says so.
        keeps: whether the result stays in the job folder, so that a finished job stands for good.
            Otherwise it goes into the store, from where it may be pruned: asked for again, the job
            runs again, and is quick if everything is still there.
        version: of the algorithm; goes up when the same spec would give another result.
        context: what else decides the result: contents of files, revisions. Checked before a job is
            queued, so that a request that cannot be met is refused at once.
    """

    kind: str
    prefix: str
    spec: type[Spec]
    run: Run
    lane: Lane | Callable[[Any], Lane]
    keeps: bool = False
    version: str = ""
    context: Callable[[Any], tuple[str, ...]] = lambda _spec: ()

    def parse(self, data: Any) -> Spec:
        """Validate a spec as a job folder keeps it.

        Raises:
            BadRequest: with each wrong field, its value and its bound.
        """
        return self.spec.parse(data)

    def lane_of(self, spec: Any) -> Lane:
        """Return the lane a spec's job runs in."""
        return self.lane(spec) if callable(self.lane) else self.lane


registered: dict[str, Task] = {}
"""Kinds that `KINDS` does not list, by name."""


def register(task: Task) -> None:
    """Add a kind that `KINDS` does not list."""
    registered[task.kind] = task


def find_task(kind: str) -> Task:
    """Return a kind of job.

    Raises:
        UnknownName: no such kind.
        BadRequest: a module named in `PRIORSCOPE_EXTRA_TASKS` cannot be imported.
    """
    import_extra_tasks()
    if kind in registered:
        return registered[kind]
    if kind not in KINDS:
        raise UnknownName("kind of job", kind, {*KINDS, *registered})
    return load(KINDS[kind].task)


def import_extra_tasks() -> None:
    """Import the modules that `PRIORSCOPE_EXTRA_TASKS` names, which register their kinds.

    Raises:
        BadRequest: one cannot be imported.
    """
    for name in filter(None, os.environ.get(EXTRA_TASKS, "").split(",")):
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise BadRequest(
                f"{EXTRA_TASKS} names the module {name!r}, which cannot be imported ({error}); correct or unset it."
            ) from None


def task_specs() -> dict[str, type[Spec]]:
    """Return the spec that each kind of job takes."""
    return {kind: find_task(kind).spec for kind in KINDS}
