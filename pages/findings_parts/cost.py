"""The cost of a study's items before they are started, in words."""

from collections.abc import Sequence

from core.specs import StudySpec
from core.store import Store
from core.studies.cost import study_cost
from pages.widgets.layout import counted, duration, size


def cost_words(study: StudySpec, items: Sequence[str], store: Store) -> str:
    """Say what items still need: runs, captures, time and disk. What they share counts once."""
    cost = study_cost(study, items, store)
    needed = [counted(n, noun) for n, noun in ((cost.n_runs, "tuning run"), (cost.n_captures, "capture")) if n]
    left = " and ".join(needed)
    if not left:
        return "All runs and captures are in the store; only measuring and drawing is left."
    if cost.seconds is None:
        return f"**{left}** still needed; the time is not known until the model is on this machine."
    disk = "" if cost.bytes is None else f" and {size(cost.bytes)} of disk"
    basis = "at the pace measured here" if cost.measured else "partly a guess"
    return f"**{left}** still needed: about {duration(cost.seconds)}{disk} ({basis}), plus maps and statistics."
