"""The vocabulary cloud: every row of the embedding matrix once, as it enters block 0."""

from pathlib import Path
from typing import Any

import pandas as pd

from core.activations.capture import model_info
from core.activations.clouds import VOCABULARY, Cloud, vocabulary_key
from core.activations.table import write_site, write_table
from core.progress import Progress, silent
from core.sources.models import ModelFiles, resolve_model
from core.specs.base import JsonObject
from core.specs.model import ModelSpec
from core.store.artifacts import Store

ROWS_AT_ONCE = 8192


def vocabulary_cloud(spec: ModelSpec, store: Store, progress: Progress = silent) -> Cloud:
    """Return the vocabulary cloud of a model, with the single site 0.

    Rows are in the order of token ids. Rows that no token of the tokenizer uses count as special.

    Raises:
        BadRequest: no such model, or one that is not a causal LM.
        DiskFull: nothing is left of it.
        Cancelled: by the progress.
    """
    files = resolve_model(spec, store, progress)
    artifact, _ = store.make(
        VOCABULARY,
        vocabulary_key(spec, files.revision),
        spec.as_json(),
        lambda folder: _build(folder, spec, files, store, progress),
        progress=progress,
    )
    return Cloud(artifact, (0,))


def _build(folder: Path, spec: ModelSpec, files: ModelFiles, store: Store, progress: Progress) -> JsonObject:
    import torch

    from core.activations.accumulate import Accumulator
    from core.activations.tokens import special_ids
    from core.lm.load import load_reader

    frozen = load_reader(spec, store, progress)
    embedding = frozen.model.get_input_embeddings()
    sums, pieces = Accumulator(frozen.d_model, frozen.device), []
    for begin in range(0, frozen.n_vocabulary, ROWS_AT_ONCE):
        progress(begin, frozen.n_vocabulary, "Reading the embedding matrix")
        ids = torch.arange(begin, min(begin + ROWS_AT_ONCE, frozen.n_vocabulary), device=frozen.device)
        with torch.inference_mode():
            rows = embedding(ids)
            sums.add(rows)
        pieces.append(rows.float().cpu())
    points = torch.cat(pieces).numpy()
    tokens = [readable(frozen.tokenizer, i) for i in range(frozen.n_vocabulary)]
    table = pd.DataFrame({"row_id": range(len(tokens)), "token_id": range(len(tokens)), "token": tokens})
    table["special"] = table["token_id"].isin(special_ids(frozen.tokenizer)) | table["token"].eq("")
    table["norm"] = (points.astype("float64") ** 2).sum(axis=1) ** 0.5
    write_table(folder, table)
    stored_as = write_site(folder, 0, points, sums.moments())
    return {
        "n_rows": len(points),
        "n_tokens": len(points),
        "sites": [0],
        "stored_as": {"0": stored_as},
        "bytes": sum(path.stat().st_size for path in folder.iterdir()),
        **model_info(spec, frozen, files),
    }


def readable(tokenizer: Any, token_id: int) -> str:
    """Return a token for people: its text, else the tokenizer's name for it; '' for an unused row."""
    name = tokenizer.convert_ids_to_tokens(token_id)
    if name is None:
        return ""
    if name.startswith("▁"):
        return name.replace("▁", " ")
    text = tokenizer.decode([token_id])
    return name if not text or "\ufffd" in text else text
