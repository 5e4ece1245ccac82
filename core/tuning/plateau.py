"""When a run has stopped getting better. Free of torch."""

from collections.abc import Sequence


def plateau(losses: Sequence[float], patience: int, improvement: float) -> bool:
    """Return whether the best of the last `patience` losses is not lower by `improvement` than the best before them.

    Args:
        losses: validation losses (nats per label token) of all evaluations so far, that of the
            prior sample first.
        patience: evaluations that are waited for; 0: for ever.
        improvement: smallest that counts, in nats per label token; 0 accepts any.
    """
    if not patience or len(losses) <= patience:
        return False
    before, lately = min(losses[:-patience]), min(losses[-patience:])
    return before - lately < improvement if improvement else lately >= before
