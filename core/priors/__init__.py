"""One file a prior, and one line of `core.specs.prior.PRIORS`: then the form, the CLI and the documentation have it."""

from core.priors.base import Prior
from core.priors.matching import build_prior

__all__ = ["Prior", "build_prior"]
