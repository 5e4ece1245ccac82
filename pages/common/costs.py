"""What something costs before it is started: disk from shapes, time only from what was measured here."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.activations.clouds import find_cloud
from core.activations.estimate import estimate
from core.activations.references import Needed, Place, needed_clouds
from core.sources.datasets import find_dataset
from core.sources.models import ModelFacts
from core.sources.news import WHEEL as NEWS
from core.sources.packaged import PACKAGED
from core.specs import CloudSpec, ModelSpec, Spec, TuningSpec
from core.store import Store, list_jobs
from pages.common.layout import duration, size

NO_PACE = "Its pace is not known here yet."
_FLOAT32 = 4


def fetching(model: ModelSpec, facts: ModelFacts) -> str:
    """Say what must be fetched before a model can be used; empty if it is on this machine."""
    if facts.present:
        return ""
    packaged = PACKAGED.get(model.name)
    if packaged:
        return f"The model is fetched first: {size(packaged.wheel.n_bytes)}, kept as {size(packaged.saved_bytes)}."
    return "The model is fetched first; its size is not known here."


def vocabulary_bytes(facts: ModelFacts) -> float | None:
    """Return what a vocabulary cloud keeps at most, or None while the model's shape is unknown."""
    return _FLOAT32 * facts.n_vocabulary * facts.d_model if facts.n_vocabulary and facts.d_model else None


def run_bytes(spec: TuningSpec, facts: ModelFacts, sites: Sequence[int] | None = (0,)) -> float | None:
    """Return what a run itself keeps, or None while the model's width, or how many sites it prompts, is unknown.

    Args:
        spec: of the run.
        facts: of its model.
        sites: that it prompts, if that is known.
    """
    if not facts.d_model or not sites:
        return None
    return _FLOAT32 * len(sites) * spec.n_prompt * facts.d_model * (spec.steps / spec.snapshot_every + 6)


def trunk_bytes(spec: TuningSpec, facts: ModelFacts, sites: Sequence[int] | None, store: Store) -> float:
    """Return what the kept stream of a deep run takes, which enters its first prompted block; 0 where none is kept."""
    if spec.method == "soft" or not spec.cache_trunk or not sites or sites[0] == 0 or not facts.d_model:
        return 0.0
    examples = spec.activations(0).model_copy(update={"max_length": spec.max_length})
    return _FLOAT32 * facts.d_model * estimate(examples, store)["tokens"]


def needed_captures(spec: TuningSpec, sites: Sequence[int], store: Store) -> list[CloudSpec]:
    """Return the activations that a run captures before it starts: those its priors and regularisers read."""
    wanted: list[Needed] = [spec.activations(*sites)] if spec.attraction_weight else []
    for site in sites:
        at_vocabulary = site == 0 and spec.reference == "vocabulary"
        place = Place(spec.model, None if at_vocabulary else spec.activations(*sites), site)
        wanted += needed_clouds(spec.prior, place, reference=False)
        if spec.repulsion_weight and site:
            wanted.append(spec.activations(*sites))
    captures = [needed for needed in dict.fromkeys(wanted) if isinstance(needed, CloudSpec)]
    return [needed for needed in captures if find_cloud(needed, store) is None]


def run_seconds(spec: TuningSpec, store: Store) -> float | None:
    """Return how long a run takes by the pace of earlier ones alike, scaled by the batch; None without any.

    Alike are runs of the same model that prompt the same blocks in the same way. Evaluations and baselines are counted
    as long as they took there.
    """
    paces, around = [], []
    for job in list_jobs(store, "tune")[:50]:
        result = job.result() or {}
        if _way(job.spec) == _way(spec.model_dump(mode="json")) and result.get("steps_per_second"):
            paces.append(spec.batch_size / job.spec["batch_size"] / result["steps_per_second"])
            around.append(result["seconds"] - result["steps"] / result["steps_per_second"])
    return spec.steps * float(np.median(paces)) + float(np.median(around)) if paces else None


def _way(spec: Mapping[str, Any]) -> list[Any]:
    """Return what decides the pace of a step, from a spec's JSON."""
    return [spec.get("method", "soft"), *(spec.get(name) for name in ("model", *TuningSpec.deep_fields))]


def run_cost(spec: TuningSpec, facts: ModelFacts, sites: Sequence[int] | None, store: Store) -> str:
    """Say what a run costs."""
    return several_runs_cost([spec], facts, sites, store)


def several_runs_cost(specs: Sequence[TuningSpec], facts: ModelFacts, sites: Sequence[int] | None, store: Store) -> str:
    """Say what runs of one model and the same sites cost together."""
    if not specs:
        return "All of these runs are here or on their way."
    first = specs[0]
    kept = [run_bytes(spec, facts, sites) for spec in specs]
    trunk = trunk_bytes(first, facts, sites, store)
    n_bytes = sum(n for n in kept if n is not None) + trunk
    seconds = [run_seconds(spec, store) for spec in specs]
    disk = f" and {size(n_bytes)} of disk" if None not in kept else ""
    disk += f" ({size(trunk)} of it for the frozen trunk)" if trunk else ""
    captures = _captures_cost(first, sites, store)
    known = [time for time in seconds if time is not None]
    if len(known) == len(specs):
        return f"**Cost:** about {duration(sum(known))}{disk}, by the pace of earlier runs of this kind.{captures}"
    steps = f"{first.steps} steps" if len(specs) == 1 else f"{sum(spec.steps for spec in specs)} steps in all"
    return f"**Cost:** {steps}{disk}. No run of this kind with this model yet, so its pace is not known.{captures}"


def _captures_cost(spec: TuningSpec, sites: Sequence[int] | None, store: Store) -> str:
    """Say what must be captured before a run, if anything."""
    needed = needed_captures(spec, sites, store) if sites else []
    costs = [estimate(cloud, store) for cloud in needed]
    if not costs:
        return ""
    seconds = [cost["seconds"] for cost in costs if cost["basis"] == "measured"]
    time = f", about {duration(sum(seconds))}" if len(seconds) == len(costs) else ""
    n_bytes = [cost["bytes"] for cost in costs if cost["bytes"] is not None]
    disk = f" ({size(sum(n_bytes))}{time})" if len(n_bytes) == len(costs) else ""
    return f" Activations are captured first{disk}."


def demo_cost(left: Sequence[Spec], facts: ModelFacts, store: Store) -> str:
    """Say what the jobs cost that are left of the demo.

    Args:
        left: what is asked for; maps cost next to nothing.
        facts: of the demo's model.
        store: the cache folder.
    """
    words = [fetching(spec, facts) for spec in left if isinstance(spec, ModelSpec)]
    n_bytes: list[float | None] = []
    seconds: list[float | None] = []
    for spec in left:
        match spec:
            case ModelSpec():
                n_bytes.append(vocabulary_bytes(facts))
                seconds.append(None)
            case CloudSpec():
                if spec.dataset.name == "news" and find_dataset(spec.dataset, store) is None:
                    words.append(f"The texts are fetched: {size(NEWS.n_bytes)}.")
                cost = estimate(spec, store)
                n_bytes.append(cost["bytes"])
                seconds.append(cost["seconds"] if cost["basis"] == "measured" else None)
            case TuningSpec():
                n_bytes.append(run_bytes(spec, facts))
                seconds.append(run_seconds(spec, store))
    known = [n for n in n_bytes if n is not None]
    if known and len(known) == len(n_bytes):
        words.append(f"What it computes takes {size(sum(known))} of disk.")
    times = [time for time in seconds if time is not None]
    measured = bool(times) and len(times) == len(seconds)
    words.append(f"About {duration(sum(times))}, by the pace measured here." if measured else NO_PACE)
    return " ".join(word for word in words if word)
