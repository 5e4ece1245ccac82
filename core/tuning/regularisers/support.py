"""Which priors have a log density that a gradient can follow. Free of torch."""

from core.errors import BadRequest
from core.specs.prior import PriorSpec

_NEEDED: dict[str, tuple[str, object] | None] = {
    "isotropic": None,
    "xavier": ("distribution", "normal"),
    "gaussian": None,
    "exclusion": None,
    "interpolation": ("alpha", "fixed"),
    "mixture": None,
    "posterior": ("draw", "gaussian"),
}
"""Kinds with a density, and the setting that some of them need for it."""


def require_density(prior: PriorSpec) -> None:
    """Check that `log_prior_weight` can mean something with this prior.

    Raises:
        BadRequest: naming the kind, those that have a density, and the remedy.
    """
    if prior.kind in _NEEDED:
        needed = _NEEDED[prior.kind]
        if needed is None or getattr(prior, needed[0]) == needed[1]:
            return
        shown = f"{prior.kind!r} with {needed[0]} {getattr(prior, needed[0])!r}"
    else:
        shown = f"{prior.kind!r}"
    kinds = ", ".join(f"{kind} ({' '.join(map(str, need))})" if need else kind for kind, need in _NEEDED.items())
    raise BadRequest(
        f"The prior {shown} has no log density that a gradient can follow, which log_prior_weight needs; choose one "
        f"of: {kinds}; or set log_prior_weight to 0."
    )
