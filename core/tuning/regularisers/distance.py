"""Stay near the initial prompt."""

from core.errors import BadRequest
from core.lm.shapes import Prompt, Scalar
from core.tuning.regularisers.base import Ground, Regulariser


class Distance(Regulariser):
    """Squared distance from the prior sample over the sample's squared length, site by site, then the mean.

    1 is a prompt that has moved as far as the prior sample is long.

    Source: 3.5 of the paper (regularisation).
    """

    name = "l2"

    def __init__(self, weight: float, prior: Prompt) -> None:
        """Measure from the prior sample, of the prompt's shape and on its device.

        Raises:
            BadRequest: the sample is zero at a site.
        """
        super().__init__(weight)
        self.prior = prior.detach().clone()
        self.scale = self.prior.square().sum((1, 2))
        if not bool((self.scale > 0).all()):
            raise BadRequest(
                "The prior sample is 0 at a site, so that a distance from it has no scale; set l2_weight to 0 or "
                "choose another prior."
            )

    @classmethod
    def build(cls, weight: float, ground: Ground) -> Regulariser:
        """Measure from the prior sample of the run."""
        return cls(weight, ground.prior_sample.to(ground.device))

    def penalty(self, prompt: Prompt) -> Scalar:
        """Return the mean over sites of ‖prompt − prior‖² / ‖prior‖²."""
        return ((prompt - self.prior).square().sum((1, 2)) / self.scale).mean()
