"""A study with the store and a way to have jobs done: what figures, tables and claims need."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from core.engine.lookup import find_succeeded, found_or_made
from core.errors import UnknownName
from core.jobs.measure import Measures, find_measures, measure_spec
from core.jobs.nested import Perform
from core.sources.models import describe_model
from core.specs import Spec, StudySpec, TuningSpec
from core.store import JobFolder, Store
from core.studies.arms import arms

T = TypeVar("T")


class Bench:
    """A study, the store and a way to have jobs done.

    Attributes:
        spec: of the study.
        store: the cache folder.
        perform: has jobs done.
    """

    def __init__(self, spec: StudySpec, store: Store, perform: Perform) -> None:
        """Keep the arguments."""
        self.spec, self.store, self.perform = spec, store, perform

    def made(self, find: Callable[[Any, Store], T | None], kind: str, spec: Spec) -> T:
        """Return what a job stores, and have the job done first if that is not there.

        Raises:
            Failed: the job failed, or what it made is gone from the store.
        """
        return found_or_made(lambda: find(spec, self.store), lambda: self.perform(kind, spec))[0]

    def n_layers(self) -> int:
        """Return the number of the model's blocks; fetch the model if that is not known yet."""
        facts = describe_model(self.spec.model, self.store)
        if facts.n_layers is None:
            job = self.perform("model", self.spec.model)
            return int((job.result() or {})["n_layers"])
        return facts.n_layers

    def runs(self, arm: str) -> list[JobFolder]:
        """Return the finished tuning runs of an arm, one per seed; make those that are missing.

        Raises:
            UnknownName: no such arm.
            Failed: a run failed.
        """
        known = arms(self.spec)
        if arm not in known:
            raise UnknownName("arm", arm, known)
        return [self.made(find_run, "tune", spec) for spec in known[arm].specs]

    def measured(self, arm: str) -> list[Measures]:
        """Return the measures of an arm's posteriors, one per seed."""
        return self.measures(self.runs(arm))

    def measures(self, runs: Sequence[JobFolder]) -> list[Measures]:
        """Return the measures of runs' posteriors, without the worth of single vectors."""
        return [self.made(find_measures, "measure", measure_spec(run, worth=False)) for run in runs]


def find_run(spec: TuningSpec, store: Store) -> JobFolder | None:
    """Return the newest successful run of a spec."""
    return find_succeeded("tune", spec, store)
