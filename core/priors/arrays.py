"""What lets one density take NumPy arrays and torch tensors. Free of torch.

Operators, slices, methods such as `sum(axis=1)` and most functions have one spelling in both. Here
is the rest.
"""

import sys
from typing import Any

import numpy as np
from scipy import special


def namespace(x: Any) -> Any:
    """Return the module with the functions for x: NumPy, or torch for a tensor."""
    # Somebody made the tensor, so torch is imported already.
    return np if isinstance(x, np.ndarray | np.generic) else sys.modules["torch"]


def exact(x: Any) -> Any:
    """Return x in float64, or in the widest type that the tensor's device has."""
    if isinstance(x, np.ndarray):
        return x.astype(np.float64)
    return x.float() if x.device.type == "mps" else x.double()


def logsumexp(parts: list[Any]) -> Any:
    """Return ln Σ exp over arrays of one shape."""
    stacked = namespace(parts[0]).stack(parts)
    return special.logsumexp(stacked, axis=0) if isinstance(stacked, np.ndarray) else stacked.logsumexp(0)
