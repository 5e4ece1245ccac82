"""Move into the cloud of the activations."""

from collections.abc import Sequence

import torch

from core.lm.shapes import Prompt, Scalar
from core.priors.covariance import GaussianFit, fit_gaussian
from core.tuning.regularisers.base import Ground, Regulariser
from core.tuning.regularisers.density import on_device


class Attraction(Regulariser):
    """Squared Mahalanobis distance a coordinate from the activations at the site; the mean over sites and vectors.

    About 1 for a vector that lies in the cloud as its tokens do.
    """

    name = "attraction"

    def __init__(self, weight: float, fits: Sequence[GaussianFit], device: torch.device) -> None:
        """Take the cloud's Gaussian at each site, in the order of the prompt's sites."""
        super().__init__(weight)
        self.clouds = [on_device(fit, device) for fit in fits]

    @classmethod
    def build(cls, weight: float, ground: Ground) -> Regulariser:
        """Fit a Gaussian on the data's activations at each site.

        Raises:
            BadRequest: see `fit_gaussian`.
        """
        cloud = ground.cloud(ground.spec.activations(*ground.sites))
        fits = [fit_gaussian(cloud.points(site), cloud.moments(site), "ledoit_wolf", 1) for site in ground.sites]
        return cls(weight, fits, ground.device)

    def penalty(self, prompt: Prompt) -> Scalar:
        """Return the mean squared Mahalanobis distance over d_model."""
        squared = [cloud.whiten(vectors).square().sum(-1) for cloud, vectors in zip(self.clouds, prompt, strict=True)]
        return torch.stack(squared).mean() / prompt.shape[-1]
