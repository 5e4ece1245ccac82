"""`doctor`: versions and resources of this machine, and the sources of models and data sets."""

import platform
import shutil
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

import psutil

from core import __version__
from core.commands.options import Json
from core.commands.output import Document, emit
from core.engine import client
from core.sources.report import sources_report
from core.store import Store

PACKAGES = (
    *("torch", "transformers", "datasets", "safetensors", "streamlit", "plotly", "distributed"),
    *("numpy", "scipy", "scikit-learn", "openTSNE", "pandas", "pydantic"),
)


def doctor(json: Json = False) -> None:
    """Show versions, resources, cache and engine, and the source of each model and data set."""
    store = Store.default()
    memory, disk = psutil.virtual_memory(), shutil.disk_usage(store.root)
    emit(
        {
            "priorscope": __version__,
            "python": platform.python_version(),
            "packages": packages(),
            "device": _device(),
            "memory": {"total_bytes": memory.total, "available_bytes": memory.available},
            "cache": {"folder": str(store.root), "free_bytes": disk.free, "artifacts": len(list(store.artifacts()))},
            "engine": client.engine_state(store),
            "sources": sources_report(store),
        },
        json,
    )


def packages() -> dict[str, str | None]:
    """Return the versions of packages, None for a missing one, without importing them."""
    found: dict[str, str | None] = dict.fromkeys(PACKAGES)
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _device() -> Document:
    import torch

    from core.lm.device import choose_device, choose_dtype

    device = choose_device()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    return {
        "kind": device.type,
        "name": name,
        "number_format": str(choose_dtype("auto", device)).removeprefix("torch."),
        "threads": torch.get_num_threads(),
    }
