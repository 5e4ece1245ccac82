"""What is written of a capture: the table of its points, and one file of points per site."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import save

from core.activations.clouds import ROWS, moments_file, points_file
from core.activations.tokens import Corpus
from core.array_types import Float32s, Int64s
from core.fits.moments import Moments
from core.sources.records import Record

CONTEXT = 48
"""Characters of text kept on each side of a token."""
BEGINNING = 60
"""Characters of a text that name it where the text is the point."""
LARGEST_FLOAT16 = 65504.0


def token_table(corpus: Corpus, records: Sequence[Record], numbers: Int64s, names: Sequence[str]) -> pd.DataFrame:
    """Return what each sampled token is.

    Args:
        corpus: all tokens.
        records: the documents, in the same order.
        numbers: (n_rows,) token numbers in the corpus.
        names: (n_rows,) of the tokens as the tokenizer has them, for those that the text does not
            hold.
    """
    documents = corpus.document_of(numbers)
    texts = [records[i].text for i in documents]
    spans = list(zip(corpus.text_start[numbers].tolist(), corpus.text_end[numbers].tolist(), strict=True))
    return pd.DataFrame(
        {
            "row_id": np.arange(len(numbers)),
            "document": documents,
            "record": [records[i].id for i in documents],
            "group": [records[i].group for i in documents],
            "position": numbers - corpus.starts[documents],
            "token_id": corpus.ids[numbers],
            "token": [text[a:b] or name for text, (a, b), name in zip(texts, spans, names, strict=True)],
            "context_before": [text[max(0, a - CONTEXT) : a] for text, (a, _) in zip(texts, spans, strict=True)],
            "context_after": [text[b : b + CONTEXT] for text, (_, b) in zip(texts, spans, strict=True)],
            "special": corpus.special[numbers],
            "first": corpus.first[numbers],
            "pad": corpus.pad[numbers],
        }
    )


def document_table(corpus: Corpus, records: Sequence[Record], documents: Int64s) -> pd.DataFrame:
    """Return sampled documents (n_rows,) in the columns of `token_table`; their beginning is the token."""
    texts = [records[i].text for i in documents]
    return pd.DataFrame(
        {
            "row_id": np.arange(len(documents)),
            "document": documents,
            "record": [records[i].id for i in documents],
            "group": [records[i].group for i in documents],
            "position": corpus.lengths[documents] - 1,
            "token_id": -1,
            "token": [text[:BEGINNING] for text in texts],
            "context_before": "",
            "context_after": [text[BEGINNING : BEGINNING + CONTEXT] for text in texts],
            "special": False,
            "first": False,
            "pad": False,
        }
    )


def write_table(folder: Path, table: pd.DataFrame) -> None:
    """Write the table of points."""
    table.to_parquet(folder / ROWS, compression="zstd", index=False)


def write_site(folder: Path, site: int | str, points: Float32s, moments: Moments) -> str:
    """Write points and moments of a site; return the number format that was enough for the points.

    float16 holds what bfloat16 weights can tell apart, unless a value is beyond its range.
    """
    largest = float(np.abs(points).max(initial=0.0))
    dtype = np.float16 if largest <= LARGEST_FLOAT16 else np.float32
    np.save(folder / points_file(site), points.astype(dtype))
    tensors = {
        "count": np.array([moments.count], dtype=np.int64),
        "mean": moments.mean,
        "covariance": np.ascontiguousarray(moments.covariance),
    }
    (folder / moments_file(site)).write_bytes(save(tensors))
    return np.dtype(dtype).name
