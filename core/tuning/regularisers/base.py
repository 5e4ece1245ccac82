"""What a regulariser is."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any, ClassVar

import torch

from core.activations.clouds import Cloud
from core.activations.references import Needed
from core.lm.shapes import Prompt, Scalar
from core.priors.base import Prior
from core.specs.tuning import TuningSpec


@dataclass(frozen=True)
class Ground:
    """What regularisers are built from; nothing is made before one asks for it.

    Attributes:
        spec: of the run.
        sites: blocks whose inputs are prompted, in the order of the stream.
        prior_sample: the initial prompt.
        priors: returns the fitted prior of each site, in the order of `sites`.
        cloud: returns a cloud, making it if need be.
        device: of the prompt.
    """

    spec: TuningSpec
    sites: Sequence[int]
    prior_sample: Prompt
    priors: Callable[[], Sequence[Prior[Any]]]
    cloud: Callable[[Needed], Cloud]
    device: torch.device


class Regulariser(ABC):
    """A penalty on a prompt, added to the loss with a weight.

    A penalty is a mean over sites, vectors and, where it adds up over them, coordinates: the same
    weight means the same pull for few vectors and many, for one site and several, and for narrow
    models and wide ones.

    Attributes:
        name: the weight's name in `TuningSpec`, without '_weight'.
        weight: what the penalty is multiplied by, above 0.
    """

    name: ClassVar[str]

    def __init__(self, weight: float) -> None:
        """Keep the weight."""
        self.weight = weight

    @classmethod
    def build(cls, weight: float, ground: Ground) -> "Regulariser":
        """Return the regulariser of a run; one that needs more than its weight takes it from the ground.

        Raises:
            BadRequest: the run does not have what the penalty needs.
        """
        return cls(weight)

    @abstractmethod
    def penalty(self, prompt: Prompt) -> Scalar:
        """Return the unweighted penalty, with a gradient."""


def build_regularisers(ground: Ground) -> list[Regulariser]:
    """Return a regulariser for each weight above 0.

    Raises:
        BadRequest: as the regulariser's `build`.
    """
    weights = {where: getattr(ground.spec, field) for field, where in ground.spec.regularisers().items()}
    return [resolve_name(where).build(weight, ground) for where, weight in weights.items() if weight]


def exact_dtype(device: torch.device) -> torch.dtype:
    """Return the widest floating-point type of a device: squared distances under a covariance need it."""
    return torch.float32 if device.type == "mps" else torch.float64


def weighted(regularisers: Sequence[Regulariser], prompt: Prompt) -> Scalar:
    """Return the weighted sum of the penalties, a float32 scalar."""
    penalties = [regulariser.weight * regulariser.penalty(prompt).float() for regulariser in regularisers]
    return torch.stack(penalties).sum()


@torch.no_grad()
def effects(regularisers: Sequence[Regulariser], prior: Prompt, posterior: Prompt) -> dict[str, dict[str, float]]:
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
