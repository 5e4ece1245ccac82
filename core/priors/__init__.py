"""One file per prior, and one line of `core.specs.prior.PRIORS`: then form, CLI and documentation have it."""

from core.priors.base import Prior
from core.priors.matching import build_prior

__all__ = ["Prior", "build_prior"]
