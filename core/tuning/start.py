"""The initial prompt of a run: a sample of the prior at each prompted site."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from core.activations.references import ReferenceRequest, gather, make
from core.lm.shapes import Prompt
from core.priors import Prior
from core.priors.fitting import fit_prior
from core.progress import Progress
from core.specs.base import JsonObject
from core.specs.tuning import TuningSpec
from core.store.artifacts import Store


def fit_priors(
    spec: TuningSpec, sites: Sequence[int], d_model: int, store: Store, progress: Progress
) -> list[Prior[Any]]:
    """Return the prior of each prompted site, in their order; one and the same where it is fitted at the first only.

    Source: 3.4 of the paper (a prior fitted on the activations of each prompted layer).
    """
    fitted = [_fit(spec, site, sites, d_model, store, progress) for site in _fitted_sites(spec, sites)]
    return fitted if len(fitted) == len(sites) else fitted * len(sites)


def draw_prompt(spec: TuningSpec, priors: Sequence[Prior[Any]]) -> Prompt:
    """Return the initial prompt."""
    rng = np.random.default_rng(spec.seed)
    return torch.stack([torch.from_numpy(prior.sample(spec.n_prompt, rng)) for prior in priors])


def report(spec: TuningSpec, sites: Sequence[int], priors: Sequence[Prior[Any]]) -> JsonObject:
    """Return what a person must know of the fits: of a soft prompt as it is, of a deep one by site."""
    if spec.method == "soft":
        return {"kind": spec.prior.kind, **priors[0].report()}
    fitted = _fitted_sites(spec, sites)
    by_site = {str(site): prior.report() for site, prior in zip(fitted, priors, strict=False)}
    return {"kind": spec.prior.kind, "sites": by_site}


def _fitted_sites(spec: TuningSpec, sites: Sequence[int]) -> Sequence[int]:
    return sites if spec.prior_fits == "each" else sites[:1]


def _fit(
    spec: TuningSpec, site: int, sites: Sequence[int], d_model: int, store: Store, progress: Progress
) -> Prior[Any]:
    # All sites are captured in one pass, whichever is fitted on.
    cloud = None if site == 0 and spec.reference == "vocabulary" else spec.activations(*sites)
    place = ReferenceRequest(spec.model, cloud, site)
    reference = gather(spec.prior, place, store, lambda needed: make(needed, store, progress), d_model)
    return fit_prior(spec.prior, reference, store, progress)
