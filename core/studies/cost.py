"""The cost of a study's items, before they are started. Free of torch."""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from core.activations.clouds import find_cloud
from core.activations.estimate import OPERATIONS_GUESSED, estimate, measured_pace, tokens_guessed
from core.errors import BadRequest
from core.jobs.costs import Paces, runs_cost, total
from core.lm.sites import resolve_prompt_sites
from core.sources.models import describe_model
from core.specs import FINAL, CloudSpec, DatasetSpec, StudyItemSpec, StudySpec, TokenFilter, TuningSpec
from core.specs.base import canonical_json
from core.specs.model import FrozenModel
from core.store import Store, list_jobs, list_succeeded
from core.studies.arms import arms
from core.studies.items import find_item, find_maker
from core.studies.readings_needed import Reading, missing_readings
from core.studies.transfer import started_specs, tasks_of

_A_LAYER = 24
"""Operations per token, block and squared width: 12 weights with a product and a sum each."""
_TRAINED, _READ = 2, 1
"""Passes per token: forward and gradient of the inputs; forward only."""
_LOOKED_AT = 200
"""Earlier runs, the newest first, whose pace counts."""
_SHARED = 2
"""Baselines that runs on the same examples share: no prompt, and an instruction."""


@dataclass(frozen=True)
class StudyCost:
    """What is left to do.

    Attributes:
        n_items: items that are missing.
        n_runs: tuning runs that are missing.
        n_captures: captures that are missing.
        seconds: for runs of their longest length, captures and readings; None while the model's
            shape is unknown. Not included: maps and statistics.
        measured: whether all of it rests on speeds measured here; otherwise part is a guess.
        bytes: stored in the end; None while the model's shape is unknown.
        n_readings: jobs that read a tuned prompt once more: on other data, along a line to another
            prompt, by the regularisers.
    """

    n_items: int
    n_runs: int
    n_captures: int
    seconds: float | None
    measured: bool
    bytes: float | None
    n_readings: int = 0


def study_cost(study: StudySpec, items: Sequence[str], store: Store) -> StudyCost:
    """Return the cost of the missing items; what they share counts once.

    Raises:
        UnknownName: no such item, or no such model.
    """
    missing = _missing_items(study, items, store)
    runs, readings = missing_runs(study, missing, store), missing_readings(study, missing, store)
    clouds = [cloud for cloud in study_clouds(study) if missing and find_cloud(cloud, store) is None]
    cost = runs_cost(runs, store)
    captures = [estimate(cloud, store) for cloud in (*clouds, *cost.captures)]
    pace = Pace(store)
    tuning = [pace.of_run(spec) for spec in runs]
    others = [*map(pace.of_baselines, _one_per_task(runs)), *map(pace.of_reading, readings)]
    seconds = [one["seconds"] for one in captures] + [found for found, _ in tuning] + others
    sizes = [one["bytes"] for one in captures] + [cost.bytes]
    return StudyCost(
        n_items=len(missing),
        n_runs=len(runs),
        n_captures=len(captures),
        seconds=total(seconds),
        measured=all(one["basis"] == "measured" for one in captures)
        and all(known for _, known in tuning)
        and not readings,
        bytes=total(sizes),
        n_readings=len(readings),
    )


def missing_runs(study: StudySpec, items: Sequence[str], store: Store) -> list[TuningSpec]:
    """Return the tuning runs that items need and that are not in the store, each once.

    A run that starts at the posterior of one that is missing cannot be told from its likes yet; it
    stands there as a run from scratch on its task.

    Raises:
        UnknownName: no such item.
    """
    missing = _missing_items(study, items, store)
    known = arms(study)
    wanted = [known[arm].specs for arm in dict.fromkeys(arm for item in missing for arm in find_maker(item).arms)]
    if "transfer" in missing:
        wanted += tasks_of(study).values()
    ended = {canonical_json(job.spec) for job in list_jobs(store, "tune") if job.status().state == "succeeded"}
    runs = {spec.canonical_json(): spec for specs in wanted for spec in specs}
    started = started_specs(study, store) if "transfer" in missing else []
    return [spec for key, spec in runs.items() if key not in ended] + [
        spec for spec in started if spec.canonical_json() not in ended or spec.prior.kind != "posterior"
    ]


def _missing_items(study: StudySpec, items: Sequence[str], store: Store) -> list[str]:
    return [item for item in items if find_item(StudyItemSpec(study=study, item=item), store) is None]


def study_clouds(study: StudySpec) -> list[CloudSpec]:
    """Return the activations that a study's figures need."""
    datasets = (study.texts, study.questions, study.arithmetic)
    padded = [
        study.cloud(data, sites=(FINAL,), tokens=TokenFilter(pad=True)) for data in (study.texts, study.questions)
    ]
    tasks = (study.texts, *(DatasetSpec(name="math", module=task) for task in study.tasks))
    means = [study.cloud(data, pooling="mean") for data in datasets]
    encoded = [study.cloud(data, model=study.encoder, pooling="mean") for data in tasks]
    return [*(study.cloud(data) for data in datasets), *padded, *means, *encoded]


def _one_per_task(runs: Iterable[TuningSpec]) -> list[TuningSpec]:
    """Return one run for each set of validation examples."""
    return list({(spec.model, spec.dataset, spec.max_length, spec.n_validation): spec for spec in runs}.values())


class Pace:
    """How long parts of a study take here: from runs alike, else from the operations they need.

    Operations count at the pace of the model's tuning runs here, else of its captures, else at a guess.
    """

    def __init__(self, store: Store) -> None:
        """Read what was measured in a cache folder."""
        self._store, self._alike = store, Paces(store)
        self._tuned = dict[FrozenModel, list[float]]()
        for job, result in list_succeeded(store, "tune", _LOOKED_AT):
            with suppress(BadRequest):  # written by another version
                spec = TuningSpec.parse(job.spec)
                needed = self._operations(spec, _TRAINED * spec.batch_size, _tokens(spec))
                if needed and result.get("steps_per_second"):
                    self._tuned.setdefault(spec.model, []).append(needed * result["steps_per_second"])

    def of_run(self, spec: TuningSpec) -> tuple[float | None, bool]:
        """Return the seconds of a run without its shared baselines, and whether runs alike were measured here."""
        measured = self._alike.seconds(spec)
        if measured is not None:
            return measured, True
        read = spec.n_validation * (spec.steps // spec.evaluate_every + 1)
        passes = _TRAINED * spec.steps * spec.batch_size + _READ * read
        answered = spec.n_generation * spec.max_new_tokens
        return total([self._seconds(spec, passes, _tokens(spec)), self._seconds(spec, 1, answered, whole=True)]), False

    def of_baselines(self, spec: TuningSpec) -> float | None:
        """Return the seconds of the baselines that runs on the same examples share."""
        return self._seconds(spec, _SHARED, spec.n_validation * _tokens(spec), whole=True)

    def of_reading(self, reading: Reading) -> float | None:
        """Return the seconds of a reading; measuring by regularisers alone takes next to nothing."""
        spec = reading.run
        n_tokens = reading.n_evaluations * spec.n_validation
        return total(
            self._seconds(spec, n_tokens, _tokens(spec, on), whole=on != spec.dataset) for on in reading.datasets
        )

    def _seconds(self, spec: TuningSpec, n: float, tokens: float, whole: bool = False) -> float | None:
        needed = self._operations(spec, n, tokens, whole)
        if needed is None:
            return None
        if tuned := self._tuned.get(spec.model):
            return needed / float(np.median(tuned))
        return needed / (measured_pace(spec.model, self._store) or OPERATIONS_GUESSED * (os.cpu_count() or 1))

    def _operations(self, spec: TuningSpec, n: float, tokens: float, whole: bool = False) -> float | None:
        """Return the operations of so many passes over so many tokens; None while the model's shape is unknown.

        The blocks below the first prompted one are computed once and cached, unless the `whole` model is read.
        """
        facts = describe_model(spec.model, self._store)
        if not facts.n_layers or not facts.d_model:
            return None
        blocks = facts.n_layers if whole else _trained_blocks(spec, facts.n_layers)
        return n * tokens * _A_LAYER * facts.d_model**2 * blocks


def _tokens(spec: TuningSpec, dataset: DatasetSpec | None = None) -> int:
    return min(tokens_guessed(dataset or spec.dataset), spec.max_length) + spec.n_prompt


def _trained_blocks(spec: TuningSpec, n_layers: int) -> int:
    """Return how many blocks a step goes through.

    The blocks below the first prompted one are computed once and cached.
    """
    if spec.method == "soft" or not spec.cache_trunk:
        return n_layers
    return n_layers - resolve_prompt_sites(spec, n_layers)[0]
