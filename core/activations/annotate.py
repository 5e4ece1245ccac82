"""Further columns of a cloud's rows: counts, parts of the prompt, and the model's predictions.

Torch is imported only once there is something to compute, so that reading what is kept stays quick.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.activations.capture import capture, read_corpus
from core.activations.clouds import Cloud, base_key
from core.activations.tokens import Corpus
from core.array_types import Float32s, Int64s
from core.errors import BadRequest
from core.progress import Progress, silent
from core.sources.datasets import load_dataset
from core.sources.models import model_revision, resolve_model
from core.sources.records import Record
from core.sources.squad import question_start
from core.specs.base import JsonObject, fingerprint
from core.specs.cloud import CloudSpec
from core.store.artifacts import Store

if TYPE_CHECKING:
    from core.lm.frozen import FrozenModel

ANNOTATION = "annotation"
"""Kind of the artifacts that hold further columns of a cloud's rows."""
VERSION = "1"
"""Goes up when the same rows would be given other columns."""
PARTS = ("context", "question", "answer", "text")
_COLUMNS = "columns.parquet"


def find_annotation(spec: CloudSpec, store: Store) -> pd.DataFrame | None:
    """Return further columns of a cloud's rows, whatever its sites, or None; fetches nothing.

    Returns:
        one row per row of the cloud, in its order: `count` (of the token in all texts read), `part`
            (of `PARTS`),
        `rank` (of the token among the model's predictions from the tokens before it; 1 is the
        likeliest), `surprise` (minus its log-probability there, in nats). Rank and surprise are NaN
        where nothing stands before a token, at padding, and of an encoder, which predicts no next
        token.

    Raises:
        UnknownName, BadData: no such model, module or file.
    """
    revision = model_revision(spec.model)
    artifact = store.find(ANNOTATION, _key(spec, revision)) if revision else None
    return pd.read_parquet(artifact.folder / _COLUMNS) if artifact else None


def annotate(spec: CloudSpec, store: Store, progress: Progress = silent) -> tuple[pd.DataFrame, bool]:
    """Return further columns of a cloud's rows and whether they were stored; may capture the cloud.

    Args:
        spec: the cloud, at any sites.
        store: where it is looked up and kept.
        progress: in tokens.

    Raises:
        BadRequest: a cloud whose points are means over texts.
        DiskFull, Diverged, Cancelled: as `capture`.
    """
    if spec.pooling != "token":
        raise BadRequest(
            f"Points of the cloud on {spec.dataset.label!r} are means over texts (pooling {spec.pooling!r}), which "
            "have no token to count or predict; choose pooling 'token'."
        )
    files = resolve_model(spec.model, store, progress)
    cloud, _ = capture(spec, store, progress)
    artifact, cached = store.make(
        ANNOTATION,
        _key(spec, files.revision),
        spec.as_json(),
        lambda folder: _build(folder, spec, cloud, store, progress),
        progress=progress,
    )
    return pd.read_parquet(artifact.folder / _COLUMNS), cached


def parts_of(corpus: Corpus, records: Sequence[Record], numbers: Int64s) -> list[str]:
    """Return the part of the prompt that the last character of each token (n,) stands in."""
    documents = corpus.document_of(numbers)
    questions = {i: question_start(records[i].prompt) or 0 for i in np.unique(documents).tolist()}

    def part(document: int, character: int) -> str:
        answer = len(records[document].prompt)
        if not answer:
            return "text"
        if character >= answer:
            return "answer"
        return "question" if character >= questions[document] else "context"

    lasts = np.maximum(corpus.text_end[numbers], 1) - 1
    return [part(*pair) for pair in zip(documents.tolist(), lasts.tolist(), strict=True)]


def _key(spec: CloudSpec, revision: str) -> str:
    return fingerprint(base_key(spec, revision), VERSION)


def _build(folder: Path, spec: CloudSpec, cloud: Cloud, store: Store, progress: Progress) -> JsonObject:
    from core.lm.chat import as_texts
    from core.lm.load import load_reader

    data = load_dataset(spec.dataset, store, progress)
    frozen = load_reader(spec.model, store, progress)
    data = as_texts(data, frozen)
    corpus, _ = read_corpus(spec, frozen, data, progress)
    numbers = corpus.starts[cloud.rows["document"]] + cloud.rows["position"].to_numpy()
    rank, surprise = _foreseen(frozen, corpus, numbers, progress)
    read = corpus.ids[~corpus.pad]
    columns = pd.DataFrame(
        {
            "count": np.bincount(read, minlength=int(corpus.ids.max()) + 1)[corpus.ids[numbers]],
            "part": pd.Categorical(parts_of(corpus, data.part(spec.part), numbers), PARTS),
            "rank": rank,
            "surprise": surprise,
        }
    )
    columns.to_parquet(folder / _COLUMNS, compression="zstd", index=False)
    known = np.isfinite(surprise)
    return {
        "n_rows": len(columns),
        "n_tokens_read": len(read),
        "n_predicted": int(known.sum()),
        "correct": float((rank[known] == 1).mean()) if known.any() else None,
        "mean_surprise": float(surprise[known].mean()) if known.any() else None,
    }


def _foreseen(frozen: "FrozenModel", corpus: Corpus, numbers: Int64s, progress: Progress) -> tuple[Float32s, Float32s]:
    if not frozen.causal:
        nothing = np.full(len(numbers), np.nan, np.float32)
        return nothing, nothing
    from core.activations.foresee import foresee

    return foresee(frozen, corpus, numbers, progress)
