"""A prior fitted and sampled for a look, before any training; kept while its parameters stay the same."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.activations.references import Place, gather
from core.priors import build_prior
from core.priors.exclusion import Exclusion
from core.priors.radial import RadialDensity
from core.specs import CloudSpec, ModelSpec, parse_prior
from core.store import Store


@dataclass(frozen=True)
class Preview:
    """A fitted prior as the page shows it.

    Attributes:
        sample: (n, d).
        report: of the fit.
        mean: (d,) of the reference cloud.
        curves: radial densities, of a prior that has them.
    """

    sample: NDArray[np.float32]
    report: dict[str, Any]
    mean: NDArray[np.float32]
    curves: RadialDensity | None


@st.cache_data(show_spinner="Fitting the prior …", max_entries=32)
def fit_and_sample(root: Path, model: str, cloud: str, site: int | str, prior: str, n: int, seed: int) -> Preview:
    """Fit a prior on stored clouds and draw from it; specs come as JSON, `cloud` is empty for the vocabulary."""
    place = Place(ModelSpec.parse(model), CloudSpec.parse(cloud) if cloud else None, site)
    spec = parse_prior(prior)
    found = gather(spec, place, Store(root))
    fitted = build_prior(spec).fit(found.main.points, found.main.moments, found.further)
    curves = fitted.radial_density() if isinstance(fitted, Exclusion) else None
    moments = found.main.moments
    mean = moments.mean if moments else found.main.points.mean(axis=0)
    return Preview(fitted.sample(n, np.random.default_rng(seed)), fitted.report(), mean.astype(np.float32), curves)
