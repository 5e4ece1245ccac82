"""A few vectors kept by their content, to overlay on a map or to fit a map with."""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import BadRequest
from core.specs.base import JsonObject, fingerprint
from core.store.artifacts import Store

VECTORS = "vectors"
"""Kind of the artifacts that hold them."""
MOST = 50_000
"""More points than this are a cloud, and are read from one."""
_FILE = "vectors.npy"


def keep_vectors(vectors: NDArray[np.floating], store: Store) -> str:
    """Keep vectors (n, d) as float32 and return their key (`vectors_key`).

    Raises:
        BadRequest: none, or more than `MOST`.
    """
    vectors = np.ascontiguousarray(vectors, np.float32)
    if vectors.ndim != 2 or not 0 < len(vectors) <= MOST:
        raise BadRequest(f"Vectors of shape {vectors.shape} cannot be kept; give 1 to {MOST:,} of them as rows.")

    def build(folder: Path) -> JsonObject:
        np.save(folder / _FILE, vectors, allow_pickle=False)
        return {"n_vectors": len(vectors), "d_model": vectors.shape[1]}

    return store.make(VECTORS, vectors_key(vectors), {"shape": _shape(vectors)}, build)[0].key


def vectors_key(vectors: NDArray[np.floating]) -> str:
    """Return the key under which vectors (n, d) are kept, which is the same for the same vectors."""
    vectors = np.ascontiguousarray(vectors, np.float32)
    return fingerprint(VECTORS, _shape(vectors), hashlib.sha256(vectors.tobytes()).hexdigest())


def _shape(vectors: NDArray[np.float32]) -> str:
    return "x".join(map(str, vectors.shape))


def read_vectors(key: str, store: Store) -> NDArray[np.float32]:
    """Return kept vectors (n, d).

    Raises:
        BadRequest: they are not in the store.
    """
    artifact = store.find(VECTORS, key)
    if artifact is None:
        raise BadRequest(f"The vectors {key!r} are not in the store any more; ask for the map again on the page.")
    return np.load(artifact.folder / _FILE, allow_pickle=False)
