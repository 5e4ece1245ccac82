"""Several measured runs as one document: each run's quantities, what they have in common, and what each word means."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from core.analysis.definitions import DEFINITIONS
from core.analysis.quantities import Quantity, quantity
from core.analysis.retained import prior_retained
from core.analysis.steps_to_target import common_target, steps_to_target
from core.errors import BadRequest
from core.jobs.measure import Measures, tuning_spec
from core.specs import TuningSpec
from core.specs.base import JsonObject, canonical_json
from core.store import JobFolder, Store, find_job

_SEED = 0
"""Of the permutations of "prior retained"."""


def require_one_model(runs: Sequence[JobFolder]) -> None:
    """Check that runs share a space.

    Raises:
        BadRequest: they are of different models, or of one model in different number formats.
    """
    models = {(spec := tuning_spec(run).model).canonical_json(): spec for run in runs}
    if len(models) > 1:
        names = ", ".join(sorted(f"{model.name} ({model.device}, {model.dtype})" for model in models.values()))
        raise BadRequest(f"These runs are of different models ({names}) and share no space; choose runs of one model.")


def comparison(measured: Sequence[Measures], store: Store, target: float | None = None) -> JsonObject:
    """Return the document of the comparison, JSON-able.

    Args:
        measured: of each run.
        store: where the runs are.
        target: validation loss that steps are counted to; None: for the runs on the same data, the worst of their best.

    Returns:
        `runs` (each with quality, speed, sites and worth), `prior_retained` a site, `targets`, `definitions`.
    """
    runs = [find_job(store, found.summary["run"]) for found in measured]
    specs = [tuning_spec(run) for run in runs]
    priors, targets = prior_names(specs), _targets(measured, specs, target)
    documents = [
        {
            **found.summary,
            "rate_unit": spec.rate_unit,
            "measured_by": found.job.id,
            "prior_name": prior,
            "speed": _speed(found.summary, aim),
        }
        for found, spec, prior, aim in zip(measured, specs, priors, targets, strict=True)
    ]
    return {
        "runs": documents,
        "prior_retained": _retained(documents),
        "targets": {document["run"]: aim for document, aim in zip(documents, targets, strict=True)},
        "definitions": {name: definition.text for name, definition in DEFINITIONS.items()},
    }


def prior_names(specs: Sequence[TuningSpec]) -> list[str]:
    """Return a name of each run's prior: its kind, with the parameters in which priors of that kind differ here."""
    priors = [(spec.prior.as_json(), spec.reference) for spec in specs]
    names = []
    for prior, reference in priors:
        same_kind = [(other, where) for other, where in priors if other["kind"] == prior["kind"]]
        differing = [key for key in prior if any(other.get(key) != prior[key] for other, _ in same_kind)]
        words = [f"{key} {prior[key]}" for key in differing]
        words += [f"on {reference}"] if any(where != reference for _, where in same_kind) else []
        names.append(f"{prior['kind']} ({', '.join(words)})" if words else prior["kind"])
    return names


def data_name(spec: TuningSpec) -> str:
    """Return what decides which losses can be compared: the validation examples."""
    return canonical_json([spec.dataset.as_json(), spec.n_validation, spec.max_length])


def _targets(measured: Sequence[Measures], specs: Sequence[TuningSpec], target: float | None) -> list[float | None]:
    """Return each run's target loss: losses on other data, or on other examples of it, are not comparable."""
    if target is not None:
        return [target] * len(specs)
    data = [data_name(spec) for spec in specs]
    losses = [found.summary["evaluations"]["loss"] for found in measured]
    return [common_target([loss for loss, other in zip(losses, data, strict=True) if other == own]) for own in data]


def _speed(summary: JsonObject, target: float | None) -> dict[str, Quantity]:
    evaluations = summary["evaluations"]
    known = {"best_loss": min(evaluations["loss"], default=None), "steps_per_second": summary["steps_per_second"]}
    found = {name: quantity(value) for name, value in known.items() if value is not None}
    if target is not None and evaluations["loss"]:
        reached = steps_to_target(evaluations["step"], evaluations["loss"], target)
        steps = quantity(reached.step)
        if reached.after is not None:
            steps["low"] = float(reached.after)
        found["steps_to_target"] = steps
    return found


def _retained(documents: Sequence[JsonObject]) -> list[JsonObject]:
    """Return for each site whether the prior can be told from the posteriors that are there."""
    sites = sorted({at["site"] for document in documents for at in document["sites"]})
    found = []
    for site in sites:
        here = {  # a posterior that is there twice, as an exported and imported one, is one run
            tuple(at["features"]): document["prior_name"]
            for document in documents
            for at in document["sites"]
            if at["site"] == site
        }
        features, priors = zip(*here.items(), strict=True)
        result = prior_retained(np.array(features), priors, np.random.default_rng(_SEED))
        accuracy = quantity(result.accuracy, nulls={"labels shuffled": result.chance}, p=result.p)
        facts = {key: value for key, value in asdict(result).items() if key in ("n_runs", "reason")}
        decided = "decided" if result.accuracy is not None else "undecided"
        found.append({"site": site, "verdict": decided, "accuracy": accuracy, **facts})
    return found
