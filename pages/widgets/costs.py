"""The cost of a job before it starts: disk from shapes, time only from what was measured here."""

from collections.abc import Sequence

from core.activations.estimate import CaptureCost, estimate
from core.jobs.costs import runs_cost, total
from core.sources.models import ModelFacts
from core.sources.packaged import PACKAGED
from core.specs import CloudSpec, ModelSpec, TuningSpec
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


def tuning_cost(specs: Sequence[TuningSpec], store: Store) -> str:
    """Say what runs cost together, one after the other.

    Raises:
        BadRequest: a block that a model does not have.
    """
    if not specs:
        return "All of these runs are finished or under way."
    cost = runs_cost(specs, store)
    disk = f" and {size(cost.bytes)} of disk" if cost.bytes is not None else ""
    disk += f" ({size(cost.trunk_bytes)} of it for the frozen trunk)" if cost.trunk_bytes else ""
    captures = _captures_cost(cost.captures, store)
    if cost.seconds is not None:
        return f"**Cost:** about {duration(cost.seconds)}{disk}, at the pace of earlier runs of this kind.{captures}"
    steps = f"{cost.steps} steps" if len(specs) == 1 else f"{cost.steps} steps in all"
    return f"**Cost:** {steps}{disk}. No run like this one has finished here yet, so the time is not known.{captures}"


def _captures_cost(needed: Sequence[CloudSpec], store: Store) -> str:
    """Say what must be captured before runs, if anything."""
    costs = [estimate(cloud, store) for cloud in needed]
    if not costs:
        return ""
    seconds, n_bytes = total(map(measured_seconds, costs)), total(cost["bytes"] for cost in costs)
    time = f", about {duration(seconds)}" if seconds is not None else ""
    disk = f" ({size(n_bytes)}{time})" if n_bytes is not None else ""
    return f" Activations are captured first{disk}."


def measured_seconds(cost: CaptureCost) -> float | None:
    """Return the seconds of a capture where they are no guess."""
    return cost["seconds"] if cost["basis"] == "measured" else None
