"""What items of a study cost, before they are started, in words."""

from collections.abc import Sequence

from core.specs import StudySpec
from core.store import Store
from core.studies.cost import study_cost
from pages.widgets.layout import duration, size


def cost_words(study: StudySpec, items: Sequence[str], store: Store) -> str:
    """Say what is left of items: runs, captures, time and disk. What they share counts once."""
    cost = study_cost(study, items, store)
    parts = [_counted(cost.n_runs, "tuning run"), _counted(cost.n_captures, "capture")]
    left = " and ".join(part for part in parts if part)
    if not left:
        return "All runs and captures are here; what is left is to measure and to draw."
    if cost.seconds is None:
        return f"**{left}** that are not here; how long they take is not known before the model is here."
    disk = "" if cost.bytes is None else f" and {size(cost.bytes)} of disk"
    basis = "by paces measured here" if cost.measured else "some of it guessed"
    return f"**{left}** that are not here: about {duration(cost.seconds)}{disk} ({basis}; maps and statistics on top)."


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'s' if n > 1 else ''}" if n else ""
