"""The paper's claims, judged. One file a claim or a family of them: what it puts into `CLAIMS` appears everywhere."""

import importlib
import pkgutil

from core.studies.claims.base import Claim


def _every() -> dict[int, Claim]:
    """Return the claims of all modules of this folder by number."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    claims = [claim for module in modules for claim in getattr(module, "CLAIMS", ())]
    return {claim.number: claim for claim in sorted(claims, key=lambda claim: claim.number)}


CLAIMS: dict[int, Claim] = _every()

__all__ = ["CLAIMS", "Claim"]
