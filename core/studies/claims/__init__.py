"""The paper's claims and how each is judged.

A claim is a file of this folder with `CLAIMS` in it, and a name in `FILES`. Reports, documentation,
command line and pages read `CLAIMS` below.
"""

from importlib import import_module

from core.studies.claims.base import RULES_VERSION, Claim

FILES = (
    "localised",
    "domains",
    "shape",
    "contracted",
    "position",
    "quality",
    "speed",
    "autoencoder",
    "tasks_apart",
    "elsewhere",
    "basins",
    "regularised",
)

_FOUND: list[Claim] = [claim for file in FILES for claim in import_module(f"{__name__}.{file}").CLAIMS]
CLAIMS = {claim.number: claim for claim in sorted(_FOUND, key=lambda claim: claim.number)}
"""Every claim by its number."""

__all__ = ["CLAIMS", "RULES_VERSION", "Claim"]
