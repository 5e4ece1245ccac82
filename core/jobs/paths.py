"""Statistics of many documents' paths at sites, kept in the job's folder. The reading side is free of torch."""

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import pandas as pd

from core.activations.capture import SINK_RATIO
from core.analysis.trajectory_statistics import (
    SHORTEST,
    SHUFFLED,
    STATISTICS,
    UNIFORM,
    UNIGRAM,
    Pool,
    TrajectoryNumbers,
    documents_table,
    measure_trajectory,
    shuffles,
)
from core.array_types import Bools, Float32s, Int64s
from core.engine.lookup import find_succeeded
from core.engine.tasks import Task
from core.errors import BadData
from core.jobs.context import texts_and_weights
from core.jobs.made import Made
from core.progress import Progress
from core.sources.datasets import load_dataset
from core.sources.records import Record
from core.specs import PathsSpec, Site
from core.store import JobFolder, Store

if TYPE_CHECKING:
    from core.activations.tokens import Corpus
    from core.lm.frozen import FrozenModel

VERSION = "1"
"""Goes up when the same request would give other numbers."""
TABLES = ("paths", "documents")
_SHARE_OF_READING = 0.2
"""Of the whole work, in what is told underway."""


class PathsSummary(TypedDict):
    """What was measured.

    `n_far` are the points at each site whose norm is over ten times the median, to which steps and
    spread are sensitive.
    """

    version: str
    revision: str
    sites: list[Site]
    n_documents: int
    n_groups: int
    n_tokens: int
    n_too_short: int
    n_sinks: int
    n_far: dict[str, int]
    seconds: float


@dataclass(frozen=True)
class PathTables(Made[PathsSummary]):
    """What was found in many documents."""

    def table(self, name: str) -> pd.DataFrame:
        """Return 'paths' (`documents_table` a site) or 'documents' (each document's values and mean nulls)."""
        frame = pd.read_parquet(self.job.file(f"{name}.parquet"))
        return frame.assign(site=[site if site == "final" else int(site) for site in frame["site"]])


def find_paths(spec: PathsSpec, store: Store) -> PathTables | None:
    """Return what was found for a request, or None."""
    job = find_succeeded("paths", spec, store)
    return PathTables(job) if job else None


def paths(spec: PathsSpec, job: JobFolder, store: Store, progress: Progress) -> PathsSummary:
    """Measure the paths of a data set's documents at sites, and write tables into the job's folder.

    Nulls of a document are drawn from the other documents' tokens at the same site. The uniform one gives each token
    type the same chance; at site 0 that is every row of the vocabulary, seen in the data or not.

    Deviation: above site 0 a token type has no vector of its own, so the uniform null takes one of its occurrences.

    Raises:
        BadRequest: no such site.
        BadData: fewer than two documents, or groups of documents, have long enough a path.
        Cancelled: by the progress.
    """
    from core.lm.chat import as_texts
    from core.lm.load import load_reader
    from core.lm.sites import resolve_sites

    began = time.monotonic()
    data = load_dataset(spec.dataset, store, progress)
    frozen = load_reader(spec.model, store, progress)
    data = as_texts(data, frozen)
    sites = resolve_sites(spec.sites, frozen.n_layers)
    order = np.random.default_rng(spec.seed).permutation(len(data.records))[: spec.n_documents]
    records = [data.records[i] for i in order]
    scratch = store.root / "tmp" / f"paths-{job.id}"
    scratch.mkdir(parents=True, exist_ok=True)
    try:
        read = _read(spec, frozen, sites, records, scratch, progress)
        tables, documents, far = [], [], {}
        for done, site in enumerate(sites):
            tick = partial(progress, *_told(done, len(sites)), f"Measuring paths at site {site}")
            points = read.points(site)
            norms = np.linalg.norm(points, axis=1)
            far[str(site)] = int((norms > SINK_RATIO * np.median(norms)).sum())
            found = _measure_site(spec, read, frozen, site, points, tick)
            rng = np.random.default_rng((spec.seed, 1))
            tables.append(documents_table(found, read.groups.tolist(), rng).assign(site=str(site)))
            documents.append(_documents(found, read, records).assign(site=str(site)))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    pd.concat(tables, ignore_index=True).to_parquet(job.path / "paths.parquet", index=False)
    pd.concat(documents, ignore_index=True).to_parquet(job.path / "documents.parquet", index=False)
    return {
        "version": VERSION,
        "revision": frozen.revision,
        "sites": list(sites),
        "n_documents": len(read.numbers),
        "n_groups": len(np.unique(read.groups)),
        "n_tokens": len(read.rows),
        "n_too_short": len(records) - len(read.numbers),
        "n_sinks": read.n_sinks,
        "n_far": far,
        "seconds": time.monotonic() - began,
    }


@dataclass(frozen=True)
class _Read:
    """Documents that were read.

    Attributes:
        corpus: all tokens.
        rows: (n,) token numbers that count, ascending; of documents with long enough paths only.
        documents: (n,) which document each of them is of.
        numbers: (n_documents,) those documents.
        groups: (n_documents,) unit of independence of each.
        n_sinks: tokens left out for their norm.
        files: site → file of all tokens' points, (n_tokens, d_model) float32.
    """

    corpus: "Corpus"
    rows: Int64s
    documents: Int64s
    numbers: Int64s
    groups: Int64s
    n_sinks: int
    files: Mapping[Site, Path]

    def points(self, site: Site) -> Float32s:
        """Return the points that count, (n, d_model)."""
        return np.load(self.files[site], mmap_mode="r")[self.rows]


def _read(
    spec: PathsSpec,
    frozen: "FrozenModel",
    sites: tuple[Site, ...],
    records: list[Record],
    scratch: Path,
    progress: Progress,
) -> _Read:
    """Read all documents once and put each site's points into a file of its own."""
    from core.activations.forward import TOKENS_AT_ONCE, SiteReader, token_places
    from core.activations.tokens import kept_tokens, length_buckets, tokenise
    from core.lm.sites import middle_site, resolve_sites

    longest = min(spec.max_length, frozen.context or spec.max_length)
    corpus = tokenise([record.text for record in records], frozen.tokenizer, longest, False, lambda _: None)
    wanted = sites
    if spec.tokens.sink_ratio is not None:
        wanted = resolve_sites((*sites, middle_site(frozen.n_layers)), frozen.n_layers)
    files = {site: scratch / f"{site}.npy" for site in wanted}
    maps = {
        site: np.lib.format.open_memmap(file, "w+", np.float32, (len(corpus.ids), frozen.d_model))
        for site, file in files.items()
    }
    reader, done = SiteReader(frozen, wanted), 0
    for batch in length_buckets(corpus.lengths, TOKENS_AT_ONCE[frozen.device.type]):
        progress(round(_SHARE_OF_READING * 100 * done / len(records)), 100, f"Reading {len(records)} documents")
        numbers, places = token_places(corpus, batch)

        def receive(site: Site, stream: Any, at: Any = numbers, of: Any = places) -> None:
            maps[site][at] = stream.reshape(-1, stream.shape[-1])[of].float().cpu().numpy()

        reader.read(corpus, batch, receive)
        done += len(batch)
    kept = kept_tokens(corpus, spec.tokens)
    n_sinks = 0
    if spec.tokens.sink_ratio is not None:
        norms = np.linalg.norm(maps[middle_site(frozen.n_layers)], axis=1)
        sinks = kept & (norms > spec.tokens.sink_ratio * np.median(norms[kept]))
        kept, n_sinks = kept & ~sinks, int(sinks.sum())
    return _long_enough(corpus, kept, records, n_sinks, files)


def _long_enough(
    corpus: "Corpus", kept: Bools, records: list[Record], n_sinks: int, files: Mapping[Site, Path]
) -> _Read:
    rows = np.flatnonzero(kept)
    documents = corpus.document_of(rows)
    counts = np.bincount(documents, minlength=len(records))
    numbers = np.flatnonzero(counts >= SHORTEST)
    _, units = np.unique([record.group for record in records], return_inverse=True)
    groups = units[numbers]
    if len(np.unique(groups)) < 2:
        raise BadData(
            f"{len(numbers)} of {len(records)} documents, of {len(np.unique(groups))} groups, have paths of at least "
            f"{SHORTEST} tokens, and 2 groups are needed; give more or longer texts, or keep more tokens."
        )
    used = np.isin(documents, numbers)
    return _Read(corpus, rows[used], documents[used], numbers, groups, n_sinks, files)


def _measure_site(
    spec: PathsSpec, read: _Read, frozen: "FrozenModel", site: Site, points: Float32s, tick: Callable[[], None]
) -> list[TrajectoryNumbers]:
    types = read.corpus.ids[read.rows]
    group_of = dict(zip(read.numbers.tolist(), read.groups.tolist(), strict=True))
    pool = Pool(points, types, np.array([group_of[document] for document in read.documents.tolist()]))
    rows = vocabulary_pool(frozen) if site == 0 else None
    found = []
    for number in read.numbers.tolist():
        tick()
        path = points[read.documents == number]
        rng = np.random.default_rng((spec.seed, number))
        own, n = group_of[number], len(path)
        nulls = {
            SHUFFLED: shuffles(path, rng),
            UNIGRAM: pool.unigram(n, rng, own),
            UNIFORM: rows.uniform(n, rng) if rows else pool.uniform(n, rng, own),
        }
        found.append(measure_trajectory(path, nulls, spec.n_draws))
    return found


def vocabulary_pool(frozen: "FrozenModel") -> Pool:
    """Return every row of the embedding matrix but special tokens': what a random walk over the vocabulary sees."""
    import torch

    from core.activations.tokens import special_ids

    ids = np.setdiff1d(np.arange(frozen.n_vocabulary), special_ids(frozen.tokenizer))
    with torch.inference_mode():
        rows = frozen.model.get_input_embeddings()(torch.from_numpy(ids).to(frozen.device))
    return Pool(rows.float().cpu().numpy(), ids)


def _documents(found: list[TrajectoryNumbers], read: _Read, records: list[Record]) -> pd.DataFrame:
    rows = []
    for number, group, numbers in zip(read.numbers, read.groups, found, strict=True):
        row: dict[str, object] = {"record": records[number].id, "group": group, "n_points": numbers.n_points}
        for statistic in STATISTICS:
            row[statistic] = numbers.values[statistic]
            for null, draws in numbers.nulls.items():
                row[f"{statistic}, {null}"] = float(draws[statistic].mean())
        rows.append(row)
    return pd.DataFrame(rows)


def _told(done: int, n_sites: int) -> tuple[int, int]:
    return round(100 * (_SHARE_OF_READING + (1 - _SHARE_OF_READING) * done / n_sites)), 100


PATHS = Task("paths", "w", PathsSpec, paths, "heavy", keeps=True, version=VERSION, context=texts_and_weights)
