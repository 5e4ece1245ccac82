"""Stay likely under the prior: the training objective becomes that of a MAP estimate."""

from collections.abc import Sequence

import torch

from core.lm.shapes import Prompt, Scalar
from core.tuning.regularisers.base import Ground, Regulariser
from core.tuning.regularisers.density import Density, log_density


class NegativeLogPrior(Regulariser):
    """Minus the log prior density a coordinate, in nats; the mean over sites and vectors.

    Source: 3.5 of the paper (regularisation).
    """

    name = "log_prior"

    def __init__(self, weight: float, densities: Sequence[Density]) -> None:
        """Take the log density of each site's prior, in the order of the prompt's sites."""
        super().__init__(weight)
        self.densities = densities

    @classmethod
    def build(cls, weight: float, ground: Ground) -> Regulariser:
        """Take the density of the prior that each site's prompt was drawn from.

        Raises:
            BadRequest: see `log_density`.
        """
        return cls(weight, [log_density(prior, ground.spec.n_prompt, ground.device) for prior in ground.priors()])

    def penalty(self, prompt: Prompt) -> Scalar:
        """Return −mean log p(vector) / d_model."""
        logs = [density(vectors) for density, vectors in zip(self.densities, prompt, strict=True)]
        return -torch.stack(logs).mean() / prompt.shape[-1]
