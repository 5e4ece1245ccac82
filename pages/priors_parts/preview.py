"""A prior fitted and sampled before any training; cached while its parameters stay the same."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.activations.clouds import find_vocabulary
from core.activations.references import ReferenceRequest, References, find, gather
from core.analysis.cloud_scores import CloudScores, FittedCloud, fit_cloud
from core.analysis.collapse import null_clouds
from core.analysis.distances import nearest_cosine
from core.errors import BadRequest
from core.priors.fitting import find_fit
from core.priors.radial import Radii
from core.specs import PriorSpec
from core.specs.base import JsonObject
from core.specs.prior import Further
from core.store import Store

N_REFERENCE = 5000
"""Points of the reference that distances are measured with."""
N_NEAREST = 300
"""Vectors of a prior for which the nearest token is searched."""
_N_CURVE = 400


class NotFitted(Exception):
    """The fit takes long and is not in the store."""


@dataclass(frozen=True)
class SampleRequest:
    """The request for a sample of one prior, by which everything below is cached."""

    root: Path
    reference: ReferenceRequest
    prior: PriorSpec
    n: int
    seed: int


@dataclass(frozen=True)
class Preview:
    """A fitted prior as the page shows it.

    Attributes:
        sample: (n, d).
        report: of the fit.
        radii: distances in the prior's own metric; None for a prior without a law of them.
        norm_law: norms (m,) and their density (m,), where there is a closed form.
    """

    sample: NDArray[np.float32]
    report: JsonObject
    radii: Radii | None
    norm_law: tuple[NDArray[np.float64], NDArray[np.float64]] | None


@dataclass(frozen=True)
class ReferenceFacts:
    """The reference cloud as samples are compared with it.

    Attributes:
        mean: (d,).
        norms: (m,) of its points.
        fitted: a Gaussian on four fifths of those points, with the others held out.
        held_out: (h,) Mahalanobis distances of the held-out points.
        n_points: rows of the cloud.
    """

    mean: NDArray[np.float32]
    norms: NDArray[np.float32]
    fitted: FittedCloud
    held_out: NDArray[np.float64]
    n_points: int


@st.cache_data(show_spinner="Fitting the prior …", max_entries=48)
def fit_and_sample(request: SampleRequest) -> Preview:
    """Fit a prior on stored clouds and draw from it.

    Raises:
        NotFitted: the fit takes long, so that a job has to make it.
    """
    store = Store(request.root)
    references = _references(request.root, request.reference, request.prior.further(), request.prior)
    fitted = find_fit(request.prior, references, store)
    if fitted is None:
        raise NotFitted
    sample = fitted.sample(request.n, np.random.default_rng(request.seed))
    norms = np.linalg.norm(sample.astype(np.float64), axis=1)
    grid = np.linspace(0.8 * norms.min(), 1.2 * norms.max(), _N_CURVE)
    law = fitted.norm_density(grid, request.n) if norms.max() > 0 else None
    return Preview(sample, fitted.report(), fitted.radii(sample), None if law is None else (grid, law))


@st.cache_resource(show_spinner=False, max_entries=8)
def _references(
    root: Path,
    reference: ReferenceRequest,
    further: tuple[Further, ...],  # noqa: ARG001 - by which the cache tells priors apart
    _prior: PriorSpec,
) -> References:
    """Return what a prior is fitted on, read once for all settings of its parameters."""
    return gather(_prior, reference, Store(root))


@st.cache_resource(show_spinner="Measuring the reference …", max_entries=4)
def reference_facts(root: Path, reference: ReferenceRequest) -> ReferenceFacts:
    """Fit the Gaussian that samples are measured by, on at most `N_REFERENCE` points of the reference cloud."""
    cloud = find(reference.reference, Store(root))
    if cloud is None:
        raise BadRequest("The reference cloud is no longer in the store; reload the page to make it again.")
    site = reference.site if reference.cloud else 0
    every, rows = cloud.points(site), cloud.rows
    rng = np.random.default_rng(0)
    chosen = np.sort(rng.choice(len(every), size=min(N_REFERENCE, len(every)), replace=False))
    points = np.asarray(every[chosen], np.float32)
    documents = rows["document"].to_numpy()[chosen] if "document" in rows else None
    fitted = fit_cloud(points, rng, documents)
    held_out = np.sqrt(np.maximum(fitted.gaussian.mahalanobis(fitted.held_out), 0))
    mean = cloud.moments(site).mean.astype(np.float32)
    return ReferenceFacts(mean, np.linalg.norm(points, axis=1), fitted, held_out, len(every))


@st.cache_data(show_spinner="Measuring the samples against the reference …", max_entries=48)
def place_sample(request: SampleRequest) -> CloudScores:
    """Return how far out a prior's sample lies in the reference cloud, measured by held-out points."""
    return reference_facts(request.root, request.reference).fitted.score(fit_and_sample(request).sample)


@st.cache_data(show_spinner="Searching for the nearest tokens …", max_entries=48)
def nearest_tokens(request: SampleRequest) -> pd.DataFrame | None:
    """Return nearest token and cosine distance of the first `N_NEAREST` vectors.

    Returns:
        None away from the token embeddings, or where the vocabulary is not in the store.
    """
    cloud = find_vocabulary(request.reference.model, Store(request.root)) if request.reference.site == 0 else None
    if cloud is None:
        return None
    row, cosine = nearest_cosine(fit_and_sample(request).sample[:N_NEAREST], cloud.points(0))
    tokens = cloud.rows["token"].to_numpy()[row]
    return pd.DataFrame({"nearest token": [repr(str(text)) for text in tokens], "cosine distance": cosine})


@st.cache_data(show_spinner="Drawing the null samples …", max_entries=8)
def nulls_of(request: SampleRequest) -> dict[str, NDArray[np.float32]]:
    """Return three null samples: with the sample's norms, with the reference's moments, and of its points."""
    reference = request.reference
    cloud = find(reference.reference, Store(request.root))
    if cloud is None:
        return {}
    site = reference.site if reference.cloud else 0
    name = "rows of the reference" if reference.cloud else "vocabulary rows"
    rng = np.random.default_rng(request.seed)
    sample = fit_and_sample(request).sample
    found = null_clouds(sample, cloud.points(site), rng, cloud.moments(site), n_null=len(sample), rows_name=name)
    return {name: points.astype(np.float32) for name, points in found.clouds.items()}
