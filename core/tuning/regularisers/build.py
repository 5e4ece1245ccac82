"""The regularisers that a run's spec asks for."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from core.activations.clouds import Cloud
from core.activations.references import Needed
from core.priors.base import Prior
from core.priors.covariance import fit_gaussian
from core.specs.tuning import TuningSpec
from core.tuning.regularisers.attraction import Attraction
from core.tuning.regularisers.base import Regulariser
from core.tuning.regularisers.density import log_density
from core.tuning.regularisers.distance import Distance
from core.tuning.regularisers.likelihood import NegativeLogPrior
from core.tuning.regularisers.repulsion import Repulsion
from core.tuning.regularisers.spread import Spread


def build_regularisers(
    spec: TuningSpec,
    sites: Sequence[int],
    prior_sample: Tensor,
    priors: Callable[[], Sequence[Prior]],
    get: Callable[[Needed], Cloud],
    device: torch.device,
) -> list[Regulariser]:
    """Return a regulariser for each weight above 0; none of what the others need is made.

    Args:
        spec: of the run.
        sites: blocks whose inputs are prompted, in the order of the stream.
        prior_sample: (n_sites, n_prompt, d_model).
        priors: returns the fitted prior of each site, in the order of `sites`.
        get: returns a cloud, making it if need be.
        device: of the prompt.

    Raises:
        BadRequest: see `log_density`, `fit_gaussian` and `Distance`.
    """
    found: list[Regulariser] = []
    if spec.l2_weight:
        found.append(Distance(spec.l2_weight, prior_sample.to(device)))
    if spec.log_prior_weight:
        densities = [log_density(prior, spec.n_prompt, device) for prior in priors()]
        found.append(NegativeLogPrior(spec.log_prior_weight, densities))
    if spec.repulsion_weight:
        clouds = [get(spec.model if site == 0 else spec.activations(*sites)) for site in sites]
        rows = [torch.tensor(cloud.points(site), device=device) for site, cloud in zip(sites, clouds, strict=True)]
        found.append(Repulsion(spec.repulsion_weight, rows))
    if spec.attraction_weight:
        cloud = get(spec.activations(*sites))
        fits = [fit_gaussian(cloud.points(site), cloud.moments(site), "ledoit_wolf", 1) for site in sites]
        found.append(Attraction(spec.attraction_weight, fits, device))
    if spec.spread_weight:
        found.append(Spread(spec.spread_weight))
    return found
