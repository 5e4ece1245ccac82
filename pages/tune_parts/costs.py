"""The cost of tuning runs in words."""

from collections.abc import Sequence

from core.jobs.costs import runs_cost
from core.specs import TuningSpec
from core.store import Store
from pages.widgets.costs import captures_cost
from pages.widgets.layout import duration, size


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
    needed = captures_cost(cost.captures, store)
    captures = f" Activations are captured first ({needed})." if needed else ""
    if cost.seconds is not None:
        about = "at most about" if any(spec.patience for spec in specs) else "about"
        return f"**Cost:** {about} {duration(cost.seconds)}{disk}, at the pace of earlier runs of this kind.{captures}"
    steps = f"{cost.steps} steps" if len(specs) == 1 else f"{cost.steps} steps in all"
    steps = f"at most {steps}" if any(spec.patience for spec in specs) else steps
    return f"**Cost:** {steps}{disk}. No run like this one has finished here yet, so the time is not known.{captures}"
