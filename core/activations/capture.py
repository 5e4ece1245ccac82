"""Capture: the residual stream of a data set at chosen sites, in one streamed pass.

Torch is imported only once there is something to compute, so that finding a stored cloud stays
quick.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError

from core.activations.clouds import CLOUD, Cloud, cloud_key, find_capture
from core.activations.estimate import operations, require_room
from core.activations.table import document_table, token_table, write_site, write_table
from core.activations.tokens import Corpus, tokenise
from core.errors import Diverged
from core.fits.moments import Moments
from core.progress import Progress, silent
from core.sources.datasets import TextData, load_dataset
from core.sources.models import ModelFiles, resolve_model
from core.specs.base import JsonObject
from core.specs.cloud import CloudSpec
from core.specs.model import ModelSpec
from core.store.artifacts import Store
from core.store.files import is_full

if TYPE_CHECKING:
    from core.activations.collect import Collected
    from core.lm.frozen import FrozenModel

SINK_RATIO = 10.0
"""A point whose norm is over this multiple of the median is flagged as a sink, unless the filter
names another."""


def capture(spec: CloudSpec, store: Store, progress: Progress = silent) -> tuple[Cloud, bool]:
    """Return token activations and whether they were stored already.

    One that was interrupted, by a cancel or a kill, goes on from its last saved batch and ends as
    an undisturbed one.

    Deviation: padding, which the paper's Figure 3 holds, is left out unless the filter keeps it,
    and so are special
        tokens.

    Args:
        spec: model, texts, sites, token filter, number of rows.
        store: where it is looked up, worked on and kept.
        progress: in tokens.

    Raises:
        BadRequest: no such site, model or file, or a model that is neither a causal LM nor an
            encoder.
        BadData: no token passes the filter.
        DiskFull: before the start or underway; nothing is left.
        Diverged: activations that are not finite.
        Cancelled: by the progress; what is done is kept for the next time.
    """
    # The texts first: what is wrong with them should be said before a model is fetched.
    data = load_dataset(spec.dataset, store, progress)
    files = resolve_model(spec.model, store, progress)
    found = find_capture(spec, files.revision, store)
    if found:
        return found, True
    require_room(spec, store)
    key = cloud_key(spec, files.revision)
    artifact, cached = store.make(
        CLOUD,
        key,
        spec.as_json(),
        lambda folder: _build(folder, key, spec, files, data, store, progress),
        progress=progress,
    )
    return Cloud(artifact, tuple(artifact.info["sites"])), cached


def _build(
    folder: Path, key: str, spec: CloudSpec, files: ModelFiles, data: TextData, store: Store, progress: Progress
) -> JsonObject:
    """Fill the folder of a cloud; called under the key's lock, so the work folder is ours alone."""
    from core.activations.collect import Collector
    from core.lm.chat import as_texts
    from core.lm.load import load_reader
    from core.lm.sites import resolve_sites

    frozen = load_reader(spec.model, store, progress)
    data = as_texts(data, frozen)
    sites = resolve_sites(spec.sites, frozen.n_layers)
    corpus, max_length = read_corpus(spec, frozen, data, progress)
    collector = Collector(spec, frozen, corpus, sites, progress)
    work_folder = store.root / "tmp" / f"capture-{key}"
    try:
        work = collector.open_work(work_folder)
        collected = collector.run(work)
        moments = [work.accumulators[site].moments() for site in sites]
        _check_finite(spec, sites, moments)
        _write_rows(folder, spec, corpus, data, collected, frozen.tokenizer)
        stored_as = [write_site(folder, *site) for site in zip(sites, collected.points, moments, strict=True)]
    except (OSError, SafetensorError) as error:
        if is_full(error):
            shutil.rmtree(work_folder, ignore_errors=True)
        raise
    n_read, seconds = len(corpus.ids), work.seconds
    work.remove()
    return {
        "n_rows": len(collected.rows),
        "n_documents": len(data.part(spec.part)),
        "n_tokens": collected.n_kept,
        "n_tokens_read": n_read,
        "n_truncated": corpus.n_truncated,
        "n_empty": int((corpus.lengths == 0).sum()),
        "n_sinks": collected.n_sinks,
        "max_length": max_length,
        "pooling": spec.pooling,
        "sites": list(sites),
        "all_sites": len(sites) == frozen.n_layers + 1,
        "norm_site": collected.norm_site,
        "median_norm": collected.median_norm,
        "stored_as": dict(zip(map(str, sites), stored_as, strict=True)),
        "seconds": seconds,
        "tokens_per_second": n_read / seconds,
        "operations_per_second": n_read * operations(spec, frozen.n_layers, frozen.d_model) / seconds,
        "bytes": sum(path.stat().st_size for path in folder.iterdir()),
        **({"memory": collector.portions.note} if collector.portions.note else {}),
        "asked_device": spec.model.device,
        "asked_dtype": spec.model.dtype,
        **model_info(spec.model, frozen, files),
        "dataset": spec.dataset.label,
        "dataset_key": data.key,
        "dataset_provenance": data.provenance,
    }


def read_corpus(
    spec: CloudSpec, frozen: "FrozenModel", data: TextData, progress: Progress = silent
) -> tuple[Corpus, int]:
    """Return a data set as a capture's tokens, and after how many of them a text is cut.

    Raises:
        BadRequest: a tokenizer that cannot say where in the text a token stands.
    """
    max_length = min(spec.max_length, frozen.context or spec.max_length)
    texts = [record.text for record in data.part(spec.part)]

    def tick(done: int) -> None:
        progress(0, 0, f"Tokenising: {done} of {len(texts)} texts")

    return tokenise(texts, frozen.tokenizer, max_length, spec.tokens.pad, tick), max_length


def model_info(spec: ModelSpec, frozen: "FrozenModel", files: ModelFiles) -> JsonObject:
    """Return what a cloud remembers of its model."""
    return {
        "model": spec.name,
        "revision": frozen.revision,
        "n_layers": frozen.n_layers,
        "d_model": frozen.d_model,
        "dtype": str(frozen.dtype).removeprefix("torch."),
        "device": str(frozen.device),
        "model_provenance": files.provenance,
    }


def _write_rows(
    folder: Path, spec: CloudSpec, corpus: Corpus, data: TextData, collected: "Collected", tokenizer: Any
) -> None:
    records = data.part(spec.part)
    if spec.pooling == "mean":
        table = document_table(corpus, records, collected.rows)
    else:
        names = tokenizer.convert_ids_to_tokens(corpus.ids[collected.rows].tolist())
        table = token_table(corpus, records, collected.rows, names)
    ratio = spec.tokens.sink_ratio or SINK_RATIO
    table["sink"] = (collected.norms > ratio * collected.median_norm) & (spec.pooling == "token")
    table["norm"] = collected.norms
    write_table(folder, table)


def _check_finite(spec: CloudSpec, sites: Sequence[int | str], moments: Sequence[Moments]) -> None:
    for site, those in zip(sites, moments, strict=True):
        if not (np.isfinite(those.mean).all() and np.isfinite(those.covariance).all()):
            raise Diverged(
                f"Activations of {spec.model.name!r} at site {site} are not finite in dtype {spec.model.dtype!r}; "
                "choose dtype 'float32' or 'bfloat16'."
            )
