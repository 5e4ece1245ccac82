"""Draw, look, keep or throw away, within a budget."""

from collections.abc import Callable

import numpy as np

from core.array_types import Float64s, Floats
from core.errors import Failed

_BATCH_VALUES = 4_194_304
"""Values proposed at a time: 32 MiB."""


def draw_accepted(
    n: int, width: int, propose: Callable[[int], Floats], acceptance: float, budget: int, budget_field: str, remedy: str
) -> Float64s:
    """Return n accepted proposals (n, width).

    Args:
        n: how many.
        width: of a proposal.
        propose: draws so many proposals and returns the accepted ones (m, width).
        acceptance: expected share of proposals that are accepted; decides only how many are drawn
            at a time.
        budget: proposals drawn at most.
        budget_field: name of the parameter that holds the budget, for the message.
        remedy: what else a person can do, in words.

    Raises:
        Failed: the budget is used up.
    """
    accepted = np.empty((n, width))
    n_accepted = n_drawn = 0
    while n_accepted < n and n_drawn < budget:
        wanted = int(1.2 * (n - n_accepted) / acceptance) + 16
        n_batch = min(wanted, budget - n_drawn, max(1, _BATCH_VALUES // width))
        kept = propose(n_batch)[: n - n_accepted]
        accepted[n_accepted : n_accepted + len(kept)] = kept
        n_accepted += len(kept)
        n_drawn += n_batch
    if n_accepted < n:
        raise Failed(
            f"Rejection sampling accepted {n_accepted} of the {n} vectors within its budget of {budget} proposals "
            f"(acceptance {acceptance:.3g}); set {budget_field} to {int(1.5 * n / acceptance) + 100} or more, "
            f"or {remedy}."
        )
    return accepted
