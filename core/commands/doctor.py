"""`doctor`: versions and resources of this machine, and the sources of models and data sets."""

import platform
import shutil
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import psutil
import typer

from core import __version__
from core.commands.options import Json
from core.commands.output import Document, emit, emit_parts, show_progress
from core.engine import client
from core.errors import BadRequest
from core.sources.report import sources_report
from core.specs import ModelSpec
from core.store import Store

PACKAGES = (
    *("torch", "transformers", "datasets", "safetensors", "streamlit", "plotly", "distributed"),
    *("numpy", "scipy", "scikit-learn", "openTSNE", "pandas", "pydantic"),
)


def doctor(
    model: Annotated[
        str | None, typer.Option(help="Instead, test what this model can do, as priorscope does when it loads one.")
    ] = None,
    dtype: Annotated[str, typer.Option(help="Number format of that test.")] = "auto",
    json: Json = False,
) -> None:
    """Show versions, resources, cache and engine, and the source of each model and data set."""
    store = Store.default()
    if model:
        _ask(ModelSpec.parse({"name": model, "dtype": dtype}), store, json)
        return
    emit_parts(_parts(store), json)


def _parts(store: Store) -> Iterator[tuple[str, Any]]:
    """Yield what there is to say, by name; what takes longer to find out comes later."""
    yield "priorscope", __version__
    yield "python", platform.python_version()
    yield "packages", packages()
    memory, disk = psutil.virtual_memory(), shutil.disk_usage(store.root)
    yield "memory", {"total_bytes": memory.total, "available_bytes": memory.available}
    n_artifacts = len(list(store.artifacts()))
    yield "cache", {"folder": str(store.root), "free_bytes": disk.free, "artifacts": n_artifacts}
    yield "engine", client.engine_state(store).document()
    yield "device", _device()
    yield "sources", sources_report(store)


def packages() -> dict[str, str | None]:
    """Return the versions of packages, None for a missing one, without importing them."""
    found: dict[str, str | None] = dict.fromkeys(PACKAGES)
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _ask(model: ModelSpec, store: Store, json: bool) -> None:
    """Show what a model answers.

    Raises:
        BadRequest: it cannot be loaded or used.
    """
    from core.lm.load import examine

    found = examine(model, store, show_progress)
    answers = {answer.question: answer.answer for answer in found.answers}
    emit({"model": model.name, "usable": not found.obstacle, "prompts": not found.abilities.no_prompt, **answers}, json)
    if found.obstacle:
        raise BadRequest(f"{model.name!r}: {found.obstacle}.")


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
