"""A prior fitted and sampled for a look, before any training; kept while its parameters stay the same."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.activations.clouds import find_vocabulary
from core.activations.references import Place, find, gather
from core.analysis.cloud_scores import CloudScores, FittedCloud, fit_cloud
from core.analysis.collapse import null_clouds
from core.analysis.distances import nearest_cosine
from core.errors import BadRequest
from core.priors.fitting import find_fit
from core.priors.radial import Radii
from core.specs import CloudSpec, ModelSpec, PriorSpec, parse_prior
from core.store import Store

N_REFERENCE = 5000
"""Points of the reference that distances are measured by."""
N_NEAREST = 300
"""Vectors of a prior whose nearest token is looked for."""
_N_CURVE = 400


class NotFitted(Exception):
    """The fit takes long and is not in the store."""


@dataclass(frozen=True)
class Asked:
    """One prior at one place, as text: what everything that is kept here goes by.

    Attributes:
        root: of the store.
        model: JSON of the model.
        cloud: JSON of the reference; empty for the vocabulary.
        site: place in the residual stream.
        prior: JSON of the prior.
        n: vectors drawn.
        seed: of the draw.
    """

    root: Path
    model: str
    cloud: str
    site: int | str
    prior: str = ""
    n: int = 0
    seed: int = 0

    @classmethod
    def of(cls, store: Store, place: Place, prior: PriorSpec | None = None, n: int = 0, seed: int = 0) -> "Asked":
        """Return what is asked, from specs."""
        cloud = place.cloud.canonical_json() if place.cloud else ""
        return cls(
            store.root,
            place.model.canonical_json(),
            cloud,
            place.site,
            prior.canonical_json() if prior else "",
            n,
            seed,
        )

    @property
    def place(self) -> Place:
        """Return where the prior is fitted."""
        return Place(ModelSpec.parse(self.model), CloudSpec.parse(self.cloud) if self.cloud else None, self.site)

    @property
    def reference(self) -> "Asked":
        """Return the same place without a prior."""
        return Asked(self.root, self.model, self.cloud, self.site)


@dataclass(frozen=True)
class Preview:
    """A fitted prior as the page shows it.

    Attributes:
        sample: (n, d).
        report: of the fit.
        radii: distances in the prior's own metric, of a prior that has a law of them.
        norm_law: norms and their density (m,), where there is a closed form.
    """

    sample: NDArray[np.float32]
    report: dict[str, Any]
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
def fit_and_sample(asked: Asked) -> Preview:
    """Fit a prior on stored clouds and draw from it.

    Raises:
        NotFitted: that takes long, and is a job.
    """
    spec = parse_prior(asked.prior)
    store = Store(asked.root)
    fitted = find_fit(spec, gather(spec, asked.place, store), store)
    if fitted is None:
        raise NotFitted
    sample = fitted.sample(asked.n, np.random.default_rng(asked.seed))
    norms = np.linalg.norm(sample.astype(np.float64), axis=1)
    grid = np.linspace(0.8 * norms.min(), 1.2 * norms.max(), _N_CURVE)
    law = fitted.norm_density(grid, asked.n) if norms.max() > 0 else None
    return Preview(sample, fitted.report(), fitted.radii(sample), None if law is None else (grid, law))


@st.cache_resource(show_spinner="Measuring the reference …", max_entries=4)
def reference_facts(asked: Asked) -> ReferenceFacts:
    """Fit what samples are placed by, on at most `N_REFERENCE` points of the reference cloud."""
    cloud = find(asked.place.reference, Store(asked.root))
    if cloud is None:
        raise BadRequest("The reference cloud is not in the store any more; reload the page to make it again.")
    site = asked.site if asked.cloud else 0
    every, rows = cloud.points(site), cloud.rows
    rng = np.random.default_rng(0)
    chosen = np.sort(rng.choice(len(every), size=min(N_REFERENCE, len(every)), replace=False))
    points = np.asarray(every[chosen], np.float32)
    documents = rows["document"].to_numpy()[chosen] if "document" in rows else None
    fitted = fit_cloud(points, rng, documents)
    held_out = np.sqrt(np.maximum(fitted.gaussian.mahalanobis(fitted.held_out), 0))
    mean = cloud.moments(site).mean.astype(np.float32)
    return ReferenceFacts(mean, np.linalg.norm(points, axis=1), fitted, held_out, len(every))


@st.cache_data(show_spinner="Placing the samples in the reference …", max_entries=48)
def place_sample(asked: Asked) -> CloudScores:
    """Return where a prior's sample lies in the reference cloud, by its held-out points."""
    return reference_facts(asked.reference).fitted.score(fit_and_sample(asked).sample)


@st.cache_data(show_spinner="Looking for the nearest tokens …", max_entries=48)
def nearest_tokens(asked: Asked) -> pd.DataFrame | None:
    """Return nearest token and cosine distance of the first `N_NEAREST` vectors.

    Returns:
        None away from the token embeddings, or where the vocabulary is not in the store.
    """
    cloud = find_vocabulary(asked.place.model, Store(asked.root)) if asked.site == 0 else None
    if cloud is None:
        return None
    row, cosine = nearest_cosine(fit_and_sample(asked).sample[:N_NEAREST], cloud.points(0))
    tokens = cloud.rows["token"].to_numpy()[row]
    return pd.DataFrame({"nearest token": [repr(str(text)) for text in tokens], "cosine distance": cosine})


@st.cache_data(show_spinner="Drawing the nulls …", max_entries=8)
def nulls_of(asked: Asked) -> dict[str, NDArray[np.float32]]:
    """Return three clouds: with the norms of a prior's sample, with the reference's moments, and rows of it."""
    cloud = find(asked.place.reference, Store(asked.root))
    if cloud is None:
        return {}
    site = asked.site if asked.cloud else 0
    name = "rows of the reference" if asked.cloud else "vocabulary rows"
    rng = np.random.default_rng(asked.seed)
    sample = fit_and_sample(asked).sample
    found = null_clouds(sample, cloud.points(site), rng, cloud.moments(site), n_null=len(sample), rows_name=name)
    return {name: points.astype(np.float32) for name, points in found.clouds.items()}
