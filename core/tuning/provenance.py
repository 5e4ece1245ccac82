"""What a run was made with."""

import platform
from importlib.metadata import version

import torch

from core import __version__
from core.lm.frozen import FrozenModel
from core.sources.datasets import TextData
from core.specs.base import JsonObject
from core.specs.tuning import TuningSpec
from core.tuning.examples import Prepared

PACKAGES = ("torch", "transformers", "tokenizers", "numpy", "torchmetrics")


def provenance(
    spec: TuningSpec, frozen: FrozenModel, data: TextData, training: Prepared, validation: Prepared
) -> JsonObject:
    """Return versions, device, dtype, what was read, how much of it was used, and the seeds; JSON-able."""
    return {
        "program": __version__,
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "device": str(frozen.device),
        "hardware": _hardware(frozen.device),
        "threads": torch.get_num_threads(),
        "dtype": str(frozen.dtype).removeprefix("torch."),
        "model": {"name": spec.model.name, "revision": frozen.revision},
        "data": {"key": data.key, **data.provenance},
        "examples": {"training": counts(training), "validation": counts(validation)},
        "seeds": {"run": spec.seed, "data": spec.dataset.seed},
    }


def counts(prepared: Prepared) -> dict[str, int | dict[str, int]]:
    """Return how many examples there are and why others were left out."""
    return {"used": len(prepared.items), "truncated": prepared.n_truncated, "dropped": dict(prepared.dropped)}


def _hardware(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}"
