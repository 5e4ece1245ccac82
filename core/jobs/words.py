"""A run's prompt in words: the tokens near each vector, what the output matrix makes of it, and the loss when snapped.

The reading side is free of torch.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypedDict

import numpy as np
import pandas as pd

from core.analysis.cloud_places import SiteCloud
from core.array_types import Floats, Indices
from core.engine.lookup import find_succeeded
from core.engine.tasks import Task
from core.jobs.made import Made
from core.jobs.measure import gather_clouds, tuning_spec
from core.progress import Progress
from core.specs import WordsSpec
from core.store import JobFolder, Store
from core.store.prompts import posterior_of, read_prompts, run_with_posterior

VERSION = "1"
"""Goes up when the same prompt would give other words."""
Metric = Literal["cosine", "euclidean"]
METRICS: dict[Metric, str] = {"cosine": "cosine", "euclidean": "distance"}
_NEIGHBOURS = 200
"""Nearest points that are looked through for different tokens: activations repeat theirs."""
_TABLE = "words.parquet"


class WordsSummary(TypedDict):
    """What was read; `losses` by 'tuned', 'snapped by cosine' and 'snapped by distance', in nats per label token."""

    version: str
    run: str
    losses: dict[str, float]


@dataclass(frozen=True)
class Words(Made[WordsSummary]):
    """A prompt in words."""

    @cached_property
    def table(self) -> pd.DataFrame:
        """Return a row per site and vector; every other column holds lists of tokens, the nearest first."""
        return pd.read_parquet(self.job.file(_TABLE))


def words_spec(run: JobFolder) -> WordsSpec:
    """Return the request to read a run's present posterior in words.

    Raises:
        BadRequest: the run goes on, or has no posterior.
        DamagedArtifact: its files are not what they were.
    """
    return WordsSpec(run=run.id, posterior=posterior_of(run))


def find_words(spec: WordsSpec, store: Store) -> Words | None:
    """Return what was read for a request, or None."""
    job = find_succeeded("words", spec, store)
    return Words(job) if job else None


def read_words(spec: WordsSpec, job: JobFolder, store: Store, progress: Progress) -> WordsSummary:
    """Read a run's prior sample and posterior in words, and measure the loss of the posterior snapped to tokens.

    At site 0 tokens are vocabulary rows, elsewhere the activations of the run's data there.

    Raises:
        UnknownName: no such run.
        BadRequest: the run has another posterior now.
        Cancelled: by the progress.
    """
    from core.lm.head import read_by_head
    from core.lm.load import load_model
    from core.tuning.readings import along_line

    run = run_with_posterior(spec.run, spec.posterior, store)
    tuning, prompts = tuning_spec(run), read_prompts(run)
    assert prompts is not None  # noqa: S101 - there is a posterior
    frozen, posterior = load_model(tuning.model, store, progress), prompts.vectors[-1]
    snapped = {metric: np.array(posterior, np.float32) for metric in METRICS}
    tables = []
    for i, (site, (rows, _)) in enumerate(gather_clouds(tuning, (), prompts.sites, store, progress).items()):
        progress(i, len(prompts.sites), f"Reading site {site}")
        ends = {"": prompts.posterior(site)} | ({" before": prompts.prior(site)} if prompts.begun else {})
        columns: dict[str, Any] = {"site": site, "vector": np.arange(posterior.shape[1])}
        for ending, vectors in reversed(ends.items()):
            for metric, name in METRICS.items():
                near = nearest(vectors, rows, metric)
                columns[f"near by {name}{ending}"] = [first_words(rows, one, spec.n_tokens) for one in near]
                if not ending:
                    snapped[metric][i] = rows.points[near[:, 0]]
            ids = read_by_head(frozen, vectors, spec.n_tokens)
            columns[f"output matrix{ending}"] = [[frozen.tokenizer.decode([token]) for token in one] for one in ids]
        tables.append(pd.DataFrame(columns))
    pd.concat(tables, ignore_index=True).to_parquet(job.path / _TABLE, index=False)
    tuned, by_cosine = along_line(tuning, posterior, snapped["cosine"], (0.0, 1.0), store, progress)
    (by_distance,) = along_line(tuning, posterior, snapped["euclidean"], (1.0,), store, progress)
    losses = {"tuned": tuned, "snapped by cosine": by_cosine, "snapped by distance": by_distance}
    return {"version": VERSION, "run": run.id, "losses": losses}


def nearest(vectors: Floats, rows: SiteCloud, metric: Metric) -> Indices:
    """Return the nearest rows (n, k) of each vector (n, d), the nearest first."""
    from sklearn.neighbors import NearestNeighbors

    points = np.asarray(rows.points, np.float32)
    known = NearestNeighbors(n_neighbors=min(_NEIGHBOURS, len(points)), metric=metric, algorithm="brute").fit(points)
    return known.kneighbors(np.asarray(vectors, np.float32), return_distance=False)


def first_words(rows: SiteCloud, near: Indices, n: int) -> list[str]:
    """Return the first n different tokens among rows."""
    return list(dict.fromkeys(str(rows.tokens[i]) for i in near))[:n]


WORDS = Task("words", "i", WordsSpec, read_words, "heavy", keeps=True, version=VERSION)
