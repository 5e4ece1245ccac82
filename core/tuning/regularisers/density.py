"""Log densities of fitted priors on a device, with a gradient: the prior's own `log_prob` on tensors."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.errors import BadRequest
from core.priors.base import Prior
from core.priors.covariance import GaussianFit
from core.specs.prior import require_differentiable
from core.tuning.regularisers.base import exact_dtype

Density = Callable[[Tensor], Tensor]
"""From vectors (n, d_model) to their log densities (n,)."""


def log_density(prior: Prior[Any], n_prompt: int, device: torch.device) -> Density:
    """Return the log density of a fitted prior, gone on where it is −∞ (see `Prior.extended_log_prob`).

    Args:
        prior: fitted.
        n_prompt: vectors of a prompt; the scale of some priors depends on it.
        device: of the prompt.

    Raises:
        BadRequest: the kind has no such density, or the fit is singular: one step would leave its
            range.
    """
    require_differentiable(prior.spec)
    if prior.rank < prior.d_model_:
        raise BadRequest(
            f"The prior {prior.spec.kind!r} was fitted with rank {prior.rank} of {prior.d_model_}, so its density is 0 "
            "outside that range, which the first step leaves; for log_prior_weight choose the covariance 'ledoit_wolf' "
            "or 'oas'."
        )
    # Once in NumPy: what a prior works out but once, or for this many vectors, it keeps.
    prior.log_prob(np.zeros((n_prompt, prior.d_model_), np.float32))
    return on_device(prior, device).extended_log_prob


def on_device(part: Any, device: torch.device) -> Any:
    """Return a fitted prior, or a part of one, with its arrays as tensors on a device."""
    match part:
        case np.ndarray():
            return torch.as_tensor(np.ascontiguousarray(part), dtype=exact_dtype(device), device=device)
        case Prior() | GaussianFit():
            moved = copy.copy(part)
            vars(moved).update({name: on_device(value, device) for name, value in vars(part).items()})
            return moved
        case dict():
            return {name: on_device(value, device) for name, value in part.items()}
        case list() | tuple():
            return type(part)(on_device(value, device) for value in part)
        case _:
            return part
