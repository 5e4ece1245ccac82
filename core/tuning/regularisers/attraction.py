"""Move into the cloud of the activations."""

from collections.abc import Sequence

import torch
from torch import Tensor

from core.priors.covariance import GaussianFit
from core.tuning.regularisers.density import on_device


class Attraction:
    """Squared Mahalanobis distance a coordinate from the activations at the site; the mean over sites and vectors.

    About 1 for a vector that lies in the cloud as its tokens do.
    """

    name = "attraction"

    def __init__(self, weight: float, fits: Sequence[GaussianFit], device: torch.device) -> None:
        """Take the cloud's Gaussian at each site, in the order of the prompt's sites."""
        self.weight = weight
        self.clouds = [on_device(fit, device) for fit in fits]

    def penalty(self, prompt: Tensor) -> Tensor:
        """Return the mean squared Mahalanobis distance over d_model."""
        squared = [cloud.whiten(vectors).square().sum(-1) for cloud, vectors in zip(self.clouds, prompt, strict=True)]
        return torch.stack(squared).mean() / prompt.shape[-1]
