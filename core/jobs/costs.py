"""What tuning runs cost before they are started: time from what was measured here, disk from shapes. Free of torch."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.activations.clouds import find_cloud
from core.activations.estimate import estimate
from core.activations.references import Needed, ReferenceRequest, needed_clouds
from core.lm.sites import resolve_prompt_sites
from core.sources.model_facts import ModelFacts
from core.sources.models import describe_model
from core.specs import CloudSpec, TuningSpec
from core.store import Store, list_succeeded

_FLOAT32 = 4
_LOOKED_AT = 200
"""Earlier runs, the newest first, whose pace counts."""


@dataclass(frozen=True)
class RunsCost:
    """What several runs cost together.

    Attributes:
        steps: of all of them.
        seconds: one after the other; None where some run is like none that was measured here.
        bytes: kept in the end; None while some model's shape is unknown.
        trunk_bytes: of these, for frozen trunks.
        captures: activations that are captured first.
    """

    steps: int
    seconds: float | None
    bytes: float | None
    trunk_bytes: float
    captures: tuple[CloudSpec, ...]


def runs_cost(specs: Sequence[TuningSpec], store: Store) -> RunsCost:
    """Return what runs cost that are not there yet; what they share counts once.

    Raises:
        BadRequest: a block that a model does not have.
    """
    models = {spec.model: describe_model(spec.model, store) for spec in specs}
    sites = [_sites(spec, models[spec.model]) for spec in specs]
    kept = [run_bytes(spec, models[spec.model], at) for spec, at in zip(specs, sites, strict=True)]
    trunks: dict[Any, float] = {}
    captures: dict[CloudSpec, None] = {}
    for spec, at in zip(specs, sites, strict=True):
        trunks[spec.model, spec.dataset, spec.max_length, at] = trunk_bytes(spec, models[spec.model], at, store)
        captures |= dict.fromkeys(needed_captures(spec, at, store) if at else ())
    trunk, n_bytes = sum(trunks.values()), total(kept)
    paces = Paces(store)
    return RunsCost(
        steps=sum(spec.steps for spec in specs),
        seconds=total(paces.seconds(spec) for spec in specs),
        bytes=None if n_bytes is None else n_bytes + trunk,
        trunk_bytes=trunk,
        captures=tuple(captures),
    )


def run_bytes(spec: TuningSpec, facts: ModelFacts, sites: Sequence[int] | None = (0,)) -> float | None:
    """Return the bytes that a run keeps; None while the model's width, or how many sites it prompts, is unknown."""
    if not facts.d_model or not sites:
        return None
    return _FLOAT32 * len(sites) * spec.n_prompt * facts.d_model * (spec.steps / spec.snapshot_every + 6)


def trunk_bytes(spec: TuningSpec, facts: ModelFacts, sites: Sequence[int] | None, store: Store) -> float:
    """Return what the kept stream of a deep run takes, which enters its first prompted block; 0 where none is kept."""
    if spec.method == "soft" or not spec.cache_trunk or not sites or sites[0] == 0 or not facts.d_model:
        return 0.0
    examples = spec.activations(0).model_copy(update={"max_length": spec.max_length, "part": "all"})
    return _FLOAT32 * facts.d_model * estimate(examples, store)["tokens"]


def needed_captures(spec: TuningSpec, sites: Sequence[int], store: Store) -> list[CloudSpec]:
    """Return the activations that a run captures before it starts: those its priors and regularisers read."""
    wanted: list[Needed] = [spec.activations(*sites)] if spec.attraction_weight else []
    for site in sites:
        at_vocabulary = site == 0 and spec.reference == "vocabulary"
        place = ReferenceRequest(spec.model, None if at_vocabulary else spec.activations(*sites), site)
        wanted += needed_clouds(spec.prior, place, reference=False)
        if spec.repulsion_weight and site:
            wanted.append(spec.activations(*sites))
    captures = [needed for needed in dict.fromkeys(wanted) if isinstance(needed, CloudSpec)]
    return [needed for needed in captures if find_cloud(needed, store) is None]


class Paces:
    """How fast earlier runs went here, read once.

    Alike are runs of the same model on the same data set (another module of math is the same) that prompt the same
    blocks in the same way.
    """

    def __init__(self, store: Store) -> None:
        """Read the newest runs of a cache folder."""
        self._steps: dict[str, list[float]] = {}
        self._around: dict[str, list[float]] = {}
        for job, result in list_succeeded(store, "tune", _LOOKED_AT):
            spec = job.spec
            if result.get("steps_per_second"):
                way, step = _way(spec), 1 / result["steps_per_second"]
                self._steps.setdefault(way, []).append(step / spec["batch_size"])
                self._around.setdefault(way, []).append(result["seconds"] - result["steps"] * step)

    def seconds(self, spec: TuningSpec) -> float | None:
        """Return how long a run takes, scaled by the batch; None if no similar run was measured.

        Evaluations and baselines are assumed to take as long as they did there.
        """
        way = _way(spec.as_json())
        if way not in self._steps:
            return None
        return spec.steps * spec.batch_size * float(np.median(self._steps[way])) + float(np.median(self._around[way]))


def _way(spec: Mapping[str, Any]) -> str:
    """Return what decides the pace of a step, from a spec's JSON."""
    parts = [spec.get("method", "soft"), spec["dataset"]["name"]]
    return str([*parts, *(spec.get(name) for name in ("model", *TuningSpec.deep_fields))])


def _sites(spec: TuningSpec, facts: ModelFacts) -> tuple[int, ...] | None:
    """Return the blocks that a run prompts; None while the model's depth is unknown."""
    if spec.method == "soft":
        return (0,)
    return resolve_prompt_sites(spec, facts.n_layers) if facts.n_layers else None


def total(values: Iterable[float | None]) -> float | None:
    """Return a sum, or None where a part is unknown."""
    found = list(values)
    known = [value for value in found if value is not None]
    return float(sum(known)) if len(known) == len(found) else None
