"""What is measured of posteriors for the compare page; kept while the runs stay the same."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.activations.clouds import find_vocabulary
from core.analysis.collapse import collapse, nearest_rows, null_clouds
from core.analysis.displacement import displacement
from core.analysis.place import fit_cloud
from core.specs import ModelSpec
from core.store import JobFolder, Store
from core.store.prompts import read_prompts


@st.cache_data(show_spinner="Looking for the nearest tokens …", max_entries=32)
def measures(root: Path, model_json: str, runs: Sequence[str], stamp: Sequence[float]) -> dict[str, pd.DataFrame]:  # noqa: ARG001 - the stamp is part of the cache's key
    """Return displacement and collapse: `vectors`, one row a vector, and `nulls`, one row a null or run."""
    store = Store(root)
    cloud = find_vocabulary(ModelSpec.parse(model_json), store)
    if cloud is None:
        return {}
    rows, points, moments = cloud.rows, cloud.points(0), cloud.moments(0)
    vectors, nulls = [], []
    for number, job_id in enumerate(runs):
        prompts = read_prompts(JobFolder(store.root / "runs" / job_id))
        if prompts is None:
            continue
        moved = displacement(prompts.prior(0), prompts.posterior(0))
        drawn = null_clouds(prompts.posterior(0), points, np.random.default_rng(0), moments)
        near = collapse({"prior": prompts.prior(0), "posterior": prompts.posterior(0)}, points, drawn)
        start, end = near.nearest["prior"], near.nearest["posterior"]
        place = fit_cloud(_some(points), np.random.default_rng(0)).place(prompts.posterior(0))
        vectors.append(
            pd.DataFrame(
                {
                    "run": job_id,
                    "vector": np.arange(len(prompts.prior(0))),
                    "norm before": moved.norm_before,
                    "norm after": moved.norm_after,
                    "distance": moved.distance,
                    "angle": moved.angle,
                    "nearest token before": rows["token"].to_numpy()[start.cosine_row],
                    "nearest token": rows["token"].to_numpy()[end.cosine_row],
                    "cosine distance": end.cosine,
                    "Euclidean distance": end.euclidean,
                    "percentile in the vocabulary": place.mahalanobis.percentile,
                }
            )
        )
        if number == 0:
            nulls += [(f"null: {name}", null.cosine, null.euclidean) for name, null in near.nulls.items()]
        nulls.append((f"posterior of {job_id}", end.cosine, end.euclidean))
        nulls.append((f"prior of {job_id}", start.cosine, start.euclidean))
    medians = [
        {"cloud": name, "cosine, median": np.median(c), "Euclidean, median": np.median(e)} for name, c, e in nulls
    ]
    return {"vectors": pd.concat(vectors, ignore_index=True), "nulls": pd.DataFrame(medians)}


@st.cache_data(show_spinner="Looking for the nearest tokens …", max_entries=64)
def nearest_tokens(root: Path, model_json: str, vectors: NDArray[np.float32]) -> list[str]:
    """Return the token nearest by cosine to each of some prompt vectors (n, d)."""
    cloud = find_vocabulary(ModelSpec.parse(model_json), Store(root))
    if cloud is None:
        return []
    return cloud.rows["token"].to_numpy()[nearest_rows(vectors, cloud.points(0)).cosine_row].tolist()


def _some(points: NDArray[np.float32], n: int = 5000) -> NDArray[np.float32]:
    chosen = np.random.default_rng(0).choice(len(points), size=min(n, len(points)), replace=False)
    return points[np.sort(chosen)]
