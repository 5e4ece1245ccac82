"""The jobs of a study that read tuned prompts once more, as far as they are not done. Free of torch."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from core.errors import BadRequest
from core.jobs.readings import find_elsewhere, find_line, find_penalties, generalise_spec, line_spec, penalties_spec
from core.specs import DatasetSpec, StudySpec, TuningSpec
from core.store import JobFolder, Store
from core.studies.arms import DEEP, PLAIN, RANDOM, SOFT, arms
from core.studies.bench import find_run
from core.studies.generalisation import foreign_datasets
from core.studies.lines import neighbours

N_POINTS = 11
"""Prompts on a line, its ends included."""
_METHODS = (SOFT, DEEP)
_CONTROLS = tuple(tuple(f"{name}{RANDOM}" for name in names) for names in _METHODS)


@dataclass(frozen=True)
class Reading:
    """A job that reads a run's prompt.

    Attributes:
        run: whose prompt is read.
        datasets: whose validation examples are read; none where only regularisers are measured.
        n_evaluations: of each data set.
    """

    run: TuningSpec
    datasets: tuple[DatasetSpec, ...]
    n_evaluations: int


def missing_readings(study: StudySpec, items: Iterable[str], store: Store) -> list[Reading]:
    """Return the readings that items need and that are not in the store, each once.

    Args:
        study: of the items.
        items: names; those that need no readings give none.
        store: where runs and readings are.
    """
    needed = set(items)
    abroad, lines = _methods("generalisation", "claim-14", needed), _methods("lines", "claim-15", needed)
    found = [reading for names in abroad for arm in names for reading in _abroad(study, arm, store)]
    found += [reading for names in lines for reading in _lines(study, names, store)]
    if needed & {"doses", "claim-16"}:
        found += [Reading(spec, (), 0) for spec in arms(study)[PLAIN].specs if not _done(_penalties, store, spec)]
    return found


def _methods(item: str, claim: str, needed: set[str]) -> Sequence[tuple[str, ...]]:
    """Return the arms that an item reads, and those that a claim reads in addition, by method."""
    if claim in needed:
        return (*_METHODS, *_CONTROLS)
    return _METHODS if item in needed else ()


def _abroad(study: StudySpec, arm: str, store: Store) -> Iterator[Reading]:
    datasets = tuple(foreign_datasets(study, arm))
    for spec in arms(study)[arm].specs:
        if not _done(lambda run, store: find_elsewhere(generalise_spec(run, datasets), store), store, spec):
            # with the prompt; what the model does without is measured once for all
            yield Reading(spec, datasets, 1)


def _lines(study: StudySpec, names: Sequence[str], store: Store) -> Iterator[Reading]:
    specs = {name: arms(study)[name].specs for name in names}
    seeds = range(min(len(one) for one in specs.values()))
    ends = [(specs[a][seed], specs[b][seed]) for a, b in combinations(names, 2) for seed in seeds]
    ends += [(specs[name][s], specs[name][t]) for name in names for s, t in neighbours(seeds)]
    for first, second in ends:
        if not _done(lambda a, b, store: find_line(line_spec(a, b), store), store, first, second):
            yield Reading(first, (first.dataset,), N_POINTS)


def _penalties(run: JobFolder, store: Store) -> object:
    return find_penalties(penalties_spec(run), store)


def _done(find: Callable[..., Any], store: Store, *specs: TuningSpec) -> bool:
    """Return whether runs were read: they were made, and a reading of them is found."""
    runs = [find_run(spec, store) for spec in specs]
    try:
        return all(runs) and bool(find(*runs, store))
    except BadRequest:  # the two have no line between them, or a posterior is gone: the job will say so
        return False
