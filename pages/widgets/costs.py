"""What something costs before it is started: disk from shapes, time only from what was measured here."""

from collections.abc import Sequence

from core.activations.estimate import estimate
from core.jobs.costs import runs_cost
from core.sources.datasets import find_dataset
from core.sources.models import ModelFacts
from core.sources.news import WHEEL as NEWS
from core.sources.packaged import PACKAGED
from core.specs import CloudSpec, ModelSpec, Spec, TuningSpec
from core.store import Store
from pages.widgets.layout import duration, size

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


def tuning_cost(specs: Sequence[TuningSpec], store: Store) -> str:
    """Say what runs cost together, one after the other.

    Raises:
        BadRequest: a block that a model does not have.
    """
    if not specs:
        return "All of these runs are here or on their way."
    cost = runs_cost(specs, store)
    disk = f" and {size(cost.bytes)} of disk" if cost.bytes is not None else ""
    disk += f" ({size(cost.trunk_bytes)} of it for the frozen trunk)" if cost.trunk_bytes else ""
    captures = _captures_cost(cost.captures, store)
    if cost.seconds is not None:
        return f"**Cost:** about {duration(cost.seconds)}{disk}, by the pace of earlier runs of this kind.{captures}"
    steps = f"{cost.steps} steps" if len(specs) == 1 else f"{cost.steps} steps in all"
    return (
        f"**Cost:** {steps}{disk}. No run of this kind with this model on this data yet, so its pace is not known."
        f"{captures}"
    )


def _captures_cost(needed: Sequence[CloudSpec], store: Store) -> str:
    """Say what must be captured before runs, if anything."""
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
                run = runs_cost([spec], store)
                n_bytes.append(run.bytes)
                seconds.append(run.seconds)
    known = [n for n in n_bytes if n is not None]
    if known and len(known) == len(n_bytes):
        words.append(f"What it computes takes {size(sum(known))} of disk.")
    times = [time for time in seconds if time is not None]
    measured = bool(times) and len(times) == len(seconds)
    words.append(f"About {duration(sum(times))}, by the pace measured here." if measured else NO_PACE)
    return " ".join(word for word in words if word)
