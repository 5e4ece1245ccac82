"""What a capture will cost, before it is started. Free of torch."""

import os
from typing import TypedDict

from core.activations.clouds import CLOUD, stored_infos
from core.sources.datasets import find_dataset
from core.sources.models import describe_model
from core.specs.cloud import FINAL, CloudSpec
from core.specs.dataset import DatasetSpec
from core.specs.model import ModelSpec
from core.store.artifacts import Store

_TOKENS_GUESSED = {"squad": 170, "c4": 400, "news": 400, "math": 25}
CHARACTERS_PER_TOKEN = 4.0
OPERATIONS_GUESSED = 1e11
"""Per second and processor core, where this model was never captured here before: a laptop of 2018 has half as many,
a server's core of 2024 three times as many."""
ROW_BYTES = 160
"""Of the table, per point."""


class CaptureCost(TypedDict):
    """What a capture needs.

    Attributes:
        bytes: kept afterwards; None while the model's shape is unknown.
        working_bytes: needed on the disk underway, those included; or None.
        tokens: read.
        seconds: on this machine; or None.
        basis: 'measured' where this model was captured here before, else 'guess'.
    """

    bytes: int | None
    working_bytes: int | None
    tokens: int
    seconds: float | None
    basis: str


def estimate(spec: CloudSpec, store: Store) -> CaptureCost:
    """Return what a capture needs."""
    tokens = _tokens(spec, store)
    facts = describe_model(spec.model, store)
    if facts.n_layers is None or facts.d_model is None:
        return {"bytes": None, "working_bytes": None, "tokens": tokens, "seconds": None, "basis": "guess"}
    sites = n_sites(spec, facts.n_layers)
    n_points = min(spec.rows, tokens if spec.pooling == "token" else spec.dataset.samples)
    points, square = n_points * facts.d_model, facts.d_model**2
    kept = sites * (2 * points + 8 * square) + ROW_BYTES * n_points
    # Underway rows are float32, and the sums are saved twice over for a moment.
    working = kept + sites * (4 * points + 2 * 8 * square) + 4 * tokens
    pace = measured_pace(spec.model, store)
    needed = tokens * operations(spec, facts.n_layers, facts.d_model)
    return {
        "bytes": kept,
        "working_bytes": working,
        "tokens": tokens,
        "seconds": needed / (pace or OPERATIONS_GUESSED * (os.cpu_count() or 1)),
        "basis": "measured" if pace else "guess",
    }


def require_room(spec: CloudSpec, store: Store) -> None:
    """Check that the disk has room for a capture and the work on it.

    Raises:
        DiskFull: with need, bound and remedy.
    """
    needed = estimate(spec, store)["working_bytes"]
    if needed is not None:
        store.require_free(needed, f"Capturing {spec.dataset.label} with {spec.model.name}")


def operations(spec: CloudSpec, n_layers: int, d_model: int) -> float:
    """Return operations per token: 12 d² weights per block, and d² products per site for the moments."""
    n_blocks = n_layers
    if spec.sites != "all" and FINAL not in spec.sites:
        n_blocks = max(int(site) for site in spec.sites)
    if spec.tokens.sink_ratio:
        n_blocks += n_layers // 2
    # Reading texts and embeddings is worth about a tenth of a block.
    return 2.0 * d_model**2 * (12 * (n_blocks + 0.1) + n_sites(spec, n_layers))


def n_sites(spec: CloudSpec, n_layers: int) -> int:
    """Return how many sites a spec asks for."""
    return n_layers + 1 if spec.sites == "all" else len(set(spec.sites))


def _tokens(spec: CloudSpec, store: Store) -> int:
    data = find_dataset(spec.dataset, store)
    if data is None:
        share = 1.0 if spec.part == "all" else 1 - spec.dataset.validation_fraction
        return int(share * spec.dataset.samples * min(tokens_guessed(spec.dataset), spec.max_length))
    lengths = (len(record.text) / CHARACTERS_PER_TOKEN for record in data.part(spec.part))
    return int(sum(min(length + 1, spec.max_length) for length in lengths))


def tokens_guessed(dataset: DatasetSpec) -> int:
    """Return how many tokens a record is expected to have while the texts are not here yet."""
    return _TOKENS_GUESSED.get(dataset.name, 250)


def measured_pace(model: ModelSpec, store: Store) -> float | None:
    """Return operations per second of the fastest capture with this model and format, or None.

    A capture of few tokens spends most of its time on other things, so its pace says little.
    """
    asked = (model.name, model.device, model.dtype)
    captures = (info for _, info in stored_infos(store, CLOUD))
    paces = (
        info["operations_per_second"]
        for info in captures
        if (info["model"], info["asked_device"], info["asked_dtype"]) == asked
    )
    return max(paces, default=None)
