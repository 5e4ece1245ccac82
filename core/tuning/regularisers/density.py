"""Log densities of fitted priors in torch, equal to `Prior.log_prob` and with a gradient."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from core.errors import BadRequest
from core.priors.base import Prior
from core.priors.covariance import GaussianFit
from core.priors.exclusion import Exclusion
from core.priors.gaussian import Gaussian
from core.priors.interpolation import Interpolation
from core.priors.isotropic import Isotropic
from core.priors.matching import Matched
from core.priors.mixture import Mixture
from core.priors.posterior import Posterior
from core.priors.xavier import Xavier
from core.tuning.regularisers.base import exact_dtype
from core.tuning.regularisers.support import require_density

Density = Callable[[Tensor], Tensor]
"""From vectors (n, d_model) to their log densities (n,)."""

EXCLUSION_MARGIN = 0.01
"""Where ln(PDF_wide/PDF) falls below this, the exclusion prior's log density goes on as a straight line."""


def log_density(prior: Prior, n_prompt: int, device: torch.device) -> Density:
    """Return the log density of a fitted prior.

    Deviation: where the exclusion prior excludes, its log density is −∞ and pulls nowhere; here it goes on linearly.

    Args:
        prior: fitted.
        n_prompt: vectors of a prompt; the scale of some priors depends on it.
        device: of the prompt.

    Raises:
        BadRequest: the kind has no such density, or the fit is singular: one step would leave its range.
    """
    require_density(prior.spec)
    match prior:
        case Matched():
            return _scaled(prior, n_prompt, device)
        case Isotropic():
            return _independent(prior.std)
        case Xavier():
            return _independent(prior.std(n_prompt))
        case Exclusion():
            return _exclusion(prior, device)
        case Mixture():
            return _mixture(prior, device)
        case Gaussian() | Posterior():
            fit = prior.fit_
        case Interpolation():
            fit = prior.closed_form()
        case _:
            fit = None
    if fit is None:
        raise BadRequest(f"The prior {prior.spec.kind!r} was fitted without a Gaussian; set log_prior_weight to 0.")
    whiten = Whitening(require_full_rank(fit, prior), device)
    return lambda vectors: whiten.log_volume - 0.5 * whiten(vectors).square().sum(-1)


class Whitening:
    """Coordinates in which a Gaussian is standard normal.

    Attributes:
        log_volume: log density of the Gaussian at its mean.
    """

    def __init__(self, fit: GaussianFit, device: torch.device) -> None:
        """Put mean and axes of a fit on a device."""
        self.mean = _tensor(fit.mean, device)
        self.axes = _tensor(fit.basis / np.sqrt(fit.variances), device)
        self.log_volume = float(fit.log_prob(np.zeros((1, fit.dim)))[0])

    def __call__(self, vectors: Tensor) -> Tensor:
        """Return coordinates (n, dim) of vectors (n, d_model); their squared length is the Mahalanobis distance's."""
        return (vectors.to(self.mean.dtype) - self.mean) @ self.axes


def require_full_rank(fit: GaussianFit, prior: Prior) -> GaussianFit:
    """Return a fit that has a density in all directions.

    Raises:
        BadRequest: naming its rank and the remedy.
    """
    d_model = len(fit.mean)
    if fit.dim < d_model:
        raise BadRequest(
            f"The prior {prior.spec.kind!r} was fitted with rank {fit.dim} of {d_model}, so its density is 0 beside "
            "that range, which a first step leaves; for log_prior_weight choose the covariance 'ledoit_wolf' or 'oas'."
        )
    return fit


def _independent(std: float) -> Density:
    """Return the log density of independent normal coordinates around zero."""
    constant = math.log(std) + 0.5 * math.log(2 * math.pi)

    def density(vectors: Tensor) -> Tensor:
        scaled = vectors.to(exact_dtype(vectors.device)) / std
        return -0.5 * scaled.square().sum(-1) - vectors.shape[-1] * constant

    return density


def _exclusion(prior: Exclusion, device: torch.device) -> Density:
    whiten, law = Whitening(require_full_rank(prior.fit_, prior), device), prior.law_
    gain, hole = -math.expm1(-law.log_scale), law.excluded_radius**2

    def density(vectors: Tensor) -> Tensor:
        white = whiten(vectors)
        squared = white[:, : law.dim].square().sum(-1)
        gap = gain * (squared - hole) / 2
        kept = gap.clamp(min=EXCLUSION_MARGIN)
        accept = torch.log(-torch.expm1(-kept)) + (gap - kept) / math.expm1(EXCLUSION_MARGIN)
        widened = gain * squared / 2 - law.dim * law.log_scale / 2
        plain = whiten.log_volume - 0.5 * white.square().sum(-1)
        return plain + widened + accept - math.log(law.acceptance)

    return density


def _mixture(prior: Mixture, device: torch.device) -> Density:
    fit = require_full_rank(prior.fit_, prior)
    whiten = Whitening(fit, device)
    clusters = [Whitening(cluster, device) for cluster in prior.clusters_]
    weights = [math.log(weight) for weight in prior.weights_]
    dim = len(prior.clusters_[0].mean)
    scale = np.sqrt(fit.variances[:dim] / fit.variances[0])
    stretch = _tensor(scale, device)
    # The leading coordinates follow the clusters in place of a standard normal.
    constant = whiten.log_volume + 0.5 * dim * math.log(2 * math.pi) + float(np.log(scale).sum())

    def density(vectors: Tensor) -> Tensor:
        white = whiten(vectors)
        place = white[:, :dim] * stretch
        parts = [
            weight + cluster.log_volume - 0.5 * cluster(place).square().sum(-1)
            for weight, cluster in zip(weights, clusters, strict=True)
        ]
        rest = 0.5 * white[:, dim:].square().sum(-1)
        return constant + torch.logsumexp(torch.stack(parts), dim=0) - rest

    return density


def _scaled(prior: Matched, n_prompt: int, device: torch.device) -> Density:
    inner = log_density(prior.prior, n_prompt, device)
    place, factor = prior.map_for(n_prompt)
    mean = _tensor(place, device)

    def density(vectors: Tensor) -> Tensor:
        unscaled = mean + (vectors.to(mean.dtype) - mean) / factor
        return inner(unscaled) - vectors.shape[-1] * math.log(factor)

    return density


def _tensor(values: np.ndarray, device: torch.device) -> Tensor:
    return torch.as_tensor(np.ascontiguousarray(values), dtype=exact_dtype(device), device=device)
