"""A soft prompt as an adapter of PEFT's prompt tuning, with a file of our own provenance."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict
from safetensors.numpy import save

from core.errors import BadRequest
from core.sources.packaged import PACKAGED
from core.specs import TuningSpec
from core.specs.base import JsonObject
from core.store import JobFolder
from core.store.files import checksum, disk_errors, write_atomically, write_json
from core.store.prompts import read_prompt
from core.store.record_files import read_object

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
PROVENANCE = "priorscope.json"
START = "priorscope_start.safetensors"
"""The initial prompt, for a later import of the adapter here; PEFT does not read it."""
EMBEDDINGS = "prompt_embeddings"
"""The one tensor of such an adapter, (n_prompt, d_model)."""


class AdapterConfig(BaseModel):
    """`adapter_config.json`: what PEFT keeps about an adapter, as far as prompt tuning needs it."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    peft_type: str | None = None
    task_type: str | None = None
    base_model_name_or_path: str | None = None
    num_virtual_tokens: int | None = None
    token_dim: int | None = None
    num_transformer_submodules: int | None = None
    prompt_tuning_init: str | None = None
    prompt_tuning_init_text: str | None = None

    def document(self) -> dict[str, object]:
        """Return the configuration as JSON, with all that it had and nothing else."""
        return self.model_dump(mode="json", exclude_unset=True)


class Beside(BaseModel):
    """`priorscope.json`: what our own export tells about an adapter's run."""

    model_config = ConfigDict(frozen=True, extra="allow")

    spec: dict[str, object]
    provenance: dict[str, object] | None = None
    result: dict[str, object] | None = None


def export_peft(run: JobFolder, folder: Path) -> JsonObject:
    """Write a soft run's posterior as an adapter that `peft.PeftModel.from_pretrained` loads.

    PEFT puts the prompt before all tokens, including the beginning-of-sequence token, as a run with
    `prompt_position` before_bos does.

    Args:
        run: a finished tuning run with a posterior.
        folder: empty or new.

    Returns:
        format, folder, files, shape of the prompt, and the base model's name in the adapter.

    Raises:
        BadRequest: a run that such an adapter cannot hold, or a folder that is not empty.
        DiskFull: the disk is full.
    """
    spec = exportable(run)
    _, vectors = read_prompt(run.file("posterior.safetensors"))
    prompt = np.ascontiguousarray(vectors[0])
    base = base_model(spec)
    require_empty(folder)
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / WEIGHTS, save({EMBEDDINGS: prompt}, metadata={"format": "pt"}))
        if (start := run.file("prior.safetensors")).is_file():
            write_atomically(folder / START, start.read_bytes())
        write_json(folder / CONFIG, adapter_config(prompt.shape, base).document())
        write_json(folder / PROVENANCE, _provenance(run, spec))
    return {
        "format": "peft",
        "run": run.id,
        "folder": str(folder),
        "files": sorted(path.name for path in folder.iterdir()),
        "shape": list(prompt.shape),
        "base_model": base,
    }


def adapter_config(shape: tuple[int, ...], base: str) -> AdapterConfig:
    """Return the configuration that PEFT needs for a prompt of a shape (n_prompt, d_model)."""
    n_prompt, d_model = shape
    return AdapterConfig.model_validate(
        {
            "peft_type": "PROMPT_TUNING",
            "task_type": "CAUSAL_LM",
            "base_model_name_or_path": base,
            "num_virtual_tokens": n_prompt,
            "token_dim": d_model,
            "num_transformer_submodules": 1,
            "prompt_tuning_init": "RANDOM",
            "inference_mode": True,
        }
    )


def base_model(spec: TuningSpec) -> str:
    """Return the name of a run's model for other programs: hub id, or folder without path."""
    packaged = PACKAGED.get(spec.model.name)
    if packaged:
        return packaged.hub_id
    return Path(spec.model.name).name if Path(spec.model.name).is_absolute() else spec.model.name


def require_empty(folder: Path) -> None:
    """Check that a folder can be written without overwriting anything.

    Raises:
        BadRequest: it is a file or not empty.
    """
    if folder.is_file():
        raise BadRequest(f"{folder} is a file; name a folder with --out.")
    if folder.is_dir() and any(folder.iterdir()):
        raise BadRequest(f"The folder {folder} is not empty; name an empty or a new one with --out.")


def exportable(run: JobFolder) -> TuningSpec:
    """Return a run's spec if an adapter can hold it.

    Raises:
        BadRequest: it cannot.
    """
    if run.kind != "tune":
        raise BadRequest(f"{run.id} is a {run.kind} job and has no prompt; name a tuning run.")
    if not run.status().ended or not (run.path / "posterior.safetensors").is_file():
        raise BadRequest(f"Run {run.id} is {run.status().state} and has no posterior; wait for its end.")
    spec = TuningSpec.parse(run.spec)
    if spec.method == "deep":
        raise BadRequest(
            f"Run {run.id} has deep prompts, but PEFT's prompt tuning only has vectors before the tokens; use "
            "`posterior.safetensors` of its folder, which docs/runs.md describes."
        )
    if spec.prompt_position == "after_bos":
        raise BadRequest(
            f"Run {run.id} has its prompt after the beginning-of-sequence token, but PEFT puts it before; "
            "tune with prompt_position before_bos to export it."
        )
    return spec


def _provenance(run: JobFolder, spec: TuningSpec) -> dict[str, object]:
    path = run.file("provenance.json")
    return {
        "run": run.id,
        "spec": spec.as_json(exclude={"model", "dataset"}) | {"dataset": _dataset(spec)},
        "provenance": read_object(path) if path.is_file() else None,
        "result": run.result(),
        "posterior_sha256": checksum(run.path / "posterior.safetensors"),
    }


def _dataset(spec: TuningSpec) -> Mapping[str, object]:
    """Return the data set with only the name of a local file, without its path."""
    path = spec.dataset.path
    return spec.dataset.as_json() | {"path": Path(path).name if path else None}
