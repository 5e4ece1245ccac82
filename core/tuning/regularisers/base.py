"""What a regulariser is."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor


class Regulariser(Protocol):
    """A penalty on a prompt, added to the loss with a weight.

    A penalty is a mean over sites, vectors and, where it adds up over them, coordinates: the same weight means the
    same pull for few vectors and many, for one site and several, and for narrow models and wide ones.
    """

    @property
    def name(self) -> str:
        """Return the weight's name in `TuningSpec`, without '_weight'."""
        ...

    @property
    def weight(self) -> float:
        """Return what the penalty is multiplied by, above 0."""
        ...

    def penalty(self, prompt: Tensor) -> Tensor:
        """Return the unweighted penalty, a scalar with a gradient.

        Args:
            prompt: (n_sites, n_prompt, d_model), float32.
        """
        ...


def exact_dtype(device: torch.device) -> torch.dtype:
    """Return the widest floating-point type of a device: squared distances under a covariance need it."""
    return torch.float32 if device.type == "mps" else torch.float64


def weighted(regularisers: Sequence[Regulariser], prompt: Tensor) -> Tensor:
    """Return the weighted sum of the penalties, a float32 scalar."""
    penalties = [regulariser.weight * regulariser.penalty(prompt).float() for regulariser in regularisers]
    return torch.stack(penalties).sum()


@torch.no_grad()
def effects(regularisers: Sequence[Regulariser], prior: Tensor, posterior: Tensor) -> dict[str, dict[str, float]]:
    """Return each regulariser's weight, and its unweighted penalty at the start and at the end of a run.

    Args:
        regularisers: of the run.
        prior: the prior sample.
        posterior: the trained prompt, of the same shape.
    """
    return {
        regulariser.name: {
            "weight": regulariser.weight,
            "start": float(regulariser.penalty(prior.to(posterior.device))),
            "end": float(regulariser.penalty(posterior.detach())),
        }
        for regulariser in regularisers
    }
