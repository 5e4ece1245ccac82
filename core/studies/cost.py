"""The cost of a study's items, before they are started. Free of torch."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from core.activations.clouds import find_cloud
from core.activations.estimate import OPERATIONS_GUESSED, estimate, measured_pace, tokens_guessed
from core.jobs.costs import Paces, runs_cost, total
from core.lm.sites import resolve_prompt_sites
from core.sources.models import describe_model
from core.specs import FINAL, CloudSpec, DatasetSpec, StudyItemSpec, StudySpec, TokenFilter, TuningSpec
from core.specs.base import canonical_json
from core.store import Store, list_jobs
from core.studies.arms import arms
from core.studies.items import find_item, find_maker

_A_LAYER = 24
"""Operations per token, block and squared width: 12 weights with a product and a sum each."""
_TRAINED, _READ = 2, 1
"""Passes per token: forward and gradient of the inputs; forward only."""
_BASELINES = 3


@dataclass(frozen=True)
class StudyCost:
    """What is left to do.

    Attributes:
        n_items: items that are missing.
        n_runs: tuning runs that are missing.
        n_captures: captures that are missing.
        seconds: for runs and captures; None while the model's shape is unknown. Not included: maps,
            statistics, and runs that start at the posteriors of these.
        measured: whether all of it rests on speeds measured here; otherwise part is a guess.
        bytes: stored in the end; None while the model's shape is unknown.
    """

    n_items: int
    n_runs: int
    n_captures: int
    seconds: float | None
    measured: bool
    bytes: float | None


def study_cost(study: StudySpec, items: Sequence[str], store: Store) -> StudyCost:
    """Return the cost of the missing items; what they share counts once.

    Raises:
        UnknownName: no such item.
    """
    missing = [item for item in items if find_item(StudyItemSpec(study=study, item=item), store) is None]
    known = arms(study)
    wanted = [known[arm].specs for arm in dict.fromkeys(arm for item in missing for arm in find_maker(item).arms)]
    ended = {canonical_json(job.spec) for job in list_jobs(store, "tune") if job.status().state == "succeeded"}
    runs = [spec for specs in wanted for spec in specs if spec.canonical_json() not in ended]
    clouds = [cloud for cloud in study_clouds(study) if missing and find_cloud(cloud, store) is None]
    cost = runs_cost(runs, store)
    captures = [estimate(cloud, store) for cloud in (*clouds, *cost.captures)]
    paces = Paces(store)
    tuning = [(found, True) if (found := paces.seconds(spec)) else (_guessed(spec, store), False) for spec in runs]
    seconds = [one["seconds"] for one in captures] + [found for found, _ in tuning]
    sizes = [one["bytes"] for one in captures] + [cost.bytes]
    return StudyCost(
        n_items=len(missing),
        n_runs=len(runs),
        n_captures=len(captures),
        seconds=total(seconds),
        measured=all(one["basis"] == "measured" for one in captures) and all(known for _, known in tuning),
        bytes=total(sizes),
    )


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


def _guessed(spec: TuningSpec, store: Store) -> float | None:
    """Return a guess of a run's seconds, or None while the model's shape is unknown."""
    facts = describe_model(spec.model, store)
    if not facts.n_layers or not facts.d_model:
        return None
    tokens = min(tokens_guessed(spec.dataset), spec.max_length) + spec.n_prompt
    read = spec.n_validation * (spec.steps // spec.evaluate_every + 1 + _BASELINES)
    read += spec.n_generation * (_BASELINES + 1) * spec.max_new_tokens // tokens
    passes = _TRAINED * spec.steps * spec.batch_size + _READ * read
    needed = passes * tokens * _A_LAYER * facts.d_model**2 * _trained_blocks(spec, facts.n_layers)
    return needed / (measured_pace(spec.model, store) or OPERATIONS_GUESSED * (os.cpu_count() or 1))


def _trained_blocks(spec: TuningSpec, n_layers: int) -> int:
    """Return how many blocks a step goes through.

    The blocks below the first prompted one are computed once and cached.
    """
    if spec.method == "soft" or not spec.cache_trunk:
        return n_layers
    return n_layers - resolve_prompt_sites(spec, n_layers)[0]
