"""Where a model's files come from: a registry package, a local folder, or the hub."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import UnknownName
from core.progress import Progress, silent
from core.specs.model import DEFAULT_MODEL, ModelSpec
from core.store.artifacts import Store


@dataclass(frozen=True)
class ModelFiles:
    """A model on this disk.

    Attributes:
        folder: holds config.json, the tokenizer and safetensors weights.
        revision: names the exact weights: a commit, or a hash of the files.
        provenance: where they came from, JSON-able.
    """

    folder: Path
    revision: str
    provenance: dict[str, Any]


def resolve_model(spec: ModelSpec, store: Store, progress: Progress = silent) -> ModelFiles:
    """Return the model's files, fetching them where needed."""
    folder = Path(spec.name).expanduser()
    if (folder / "config.json").is_file():
        weights = sorted(folder.glob("*.safetensors"))
        from core.store.artifacts import checksum

        return ModelFiles(folder, checksum(weights[0])[:16], {"source": "folder", "folder": str(folder)})
    raise UnknownName("model", spec.name, [DEFAULT_MODEL])
