"""One file a prior. A new file in this folder appears in the form, the CLI and the documentation by itself."""

import importlib
import pkgutil

from core.priors.base import Prior
from core.priors.matching import build_prior

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["Prior", "build_prior"]
