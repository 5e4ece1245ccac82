"""An adapter of PEFT's prompt tuning as a run, to be looked at beside runs that were made here."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from core.errors import BadData, BadRequest
from core.exchange.peft_adapter import CONFIG, EMBEDDINGS, PROVENANCE, START, WEIGHTS
from core.exchange.restore import appear
from core.sources.models import describe_model
from core.sources.packaged import PACKAGED
from core.specs import DatasetSpec, ModelSpec, TuningSpec
from core.specs.base import fingerprint
from core.store import JobFolder, Status, Store
from core.store.files import checksum, write_atomically, write_json
from core.store.imported import UNKNOWN

PRIORS = {"RANDOM": {"kind": "isotropic", "std": 1.0}, "SAMPLE_VOCAB": {"kind": "vocabulary", "special": True}}
"""What PEFT begins at, by `prompt_tuning_init`: RANDOM is `torch.nn.Embedding`'s N(0, 1)."""
NOT_TOLD = (
    "steps",
    "batch_size",
    "learning_rate",
    "rate_unit",
    "warmup_steps",
    "weight_decay",
    "clip_norm",
    "max_length",
    "seed",
)
"""Settings of a run that no adapter tells."""
_ID_DIGITS = 10


def import_peft(
    folder: Path, store: Store, model: dict[str, Any] | None = None, dataset: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Make a run of a prompt-tuning adapter: a folder with `adapter_config.json` and `adapter_model.safetensors`.

    It has no training curve. What our own export wrote beside an adapter is read: spec, result and prior sample. Of
    another's the prior is what its configuration says, the sample it began at is not known, and so nothing is said
    of the way it travelled.

    Args:
        folder: the adapter.
        store: where the run will be.
        model: the model it belongs to, as `ModelSpec` takes it; None: the one its configuration names.
        dataset: what it was tuned on, as `DatasetSpec` takes it; None: what our own export says.

    Returns:
        format, run, and whether it was there already; what is not known of it.

    Raises:
        BadData: files that are missing, damaged, pickled, or not what they say.
        BadRequest: an adapter that a soft prompt is not, or one of another model; no data set.
        DiskFull: the disk is full.
    """
    config, beside = _read_config(folder), _read_beside(folder)
    prompt = _read_prompt(folder, config)
    spec = _spec(config, beside, prompt, model, dataset)
    _check_width(spec.model, prompt.shape[1], store)
    start = _read_start(folder, prompt)
    weights = checksum(folder / WEIGHTS)
    job_id = "t-" + fingerprint("peft", spec.canonical_json(), weights)[:_ID_DIGITS]
    told = {
        "format": "peft",
        "folder": folder.resolve().name,
        "base_model": config.get("base_model_name_or_path"),
        "configuration": config,
        "weights_sha256": weights,
        "start": "prior sample" if start is not None else "not known",
        UNKNOWN: [] if beside else list(NOT_TOLD),
        "time": time.time(),
    }
    there = (store.root / "runs" / job_id / "status.json").is_file()
    if not there:
        appear(store, "runs", job_id, lambda path: _fill(path, job_id, spec, prompt, start, told, beside))
    job = JobFolder(store.root / "runs" / job_id)
    facts = {name: told[name] for name in ("base_model", "start", UNKNOWN)}
    return {"format": "peft", "runs": [job.id], "already_there": [job.id] if there else [], **facts}


def _fill(
    path: Path,
    job_id: str,
    spec: TuningSpec,
    prompt: NDArray[np.float32],
    start: NDArray[np.float32] | None,
    told: dict[str, Any],
    beside: dict[str, Any] | None,
) -> None:
    now = time.time()
    status = Status(
        state="succeeded",
        created=now,
        started=now,
        finished=now,
        heartbeat=now,
        done=spec.steps,
        total=spec.steps,
        message="imported from an adapter",
    )
    write_json(path / "spec.json", {"kind": "tune", "spec": spec.as_json(), "created": now})
    write_json(path / "status.json", asdict(status))
    write_json(path / "provenance.json", {**((beside or {}).get("provenance") or {}), "imported": told})
    write_json(path / "result.json", {**((beside or {}).get("result") or {}), "run": job_id, "status": "succeeded"})
    write_atomically(path / "posterior.safetensors", save({"prompt": prompt}))
    if start is not None:
        write_atomically(path / "prior.safetensors", save({"prompt": start}))


def _read_config(folder: Path) -> dict[str, Any]:
    config = _read_json(folder / CONFIG, f"The folder {str(folder)!r} holds no {CONFIG}; name the folder of an adapter")
    found = config.get("peft_type")
    if found != "PROMPT_TUNING":
        raise BadRequest(
            f"The adapter in {folder.name!r} is of the type {found!r}, which changes more than the vectors before the "
            "tokens; only PROMPT_TUNING can be imported."
        )
    task, parts = config.get("task_type"), config.get("num_transformer_submodules")
    if task not in ("CAUSAL_LM", None) or parts not in (1, None):
        raise BadRequest(
            f"The adapter in {folder.name!r} is for {task} with {parts} parts; only a CAUSAL_LM one with 1 part can be "
            "imported."
        )
    return config


def _read_prompt(folder: Path, config: dict[str, Any]) -> NDArray[np.float32]:
    """Return the prompt, (n_prompt, d_model), after a look whether it is what the configuration says."""
    if not (folder / WEIGHTS).is_file():
        pickled = any(folder.glob("*.bin"))
        why = "pickled weights alone, which can run any code when they are read" if pickled else f"no {WEIGHTS}"
        raise BadData(f"The adapter in {folder.name!r} has {why}; save it with PEFT's save_pretrained as safetensors.")
    prompt = _tensor(folder / WEIGHTS, EMBEDDINGS)
    told = (config.get("num_virtual_tokens"), config.get("token_dim"))
    if prompt.shape != told:
        raise BadData(
            f"The adapter in {folder.name!r} has a prompt of the shape {prompt.shape}, but its configuration says "
            f"{told}; export it again."
        )
    return prompt


def _read_start(folder: Path, prompt: NDArray[np.float32]) -> NDArray[np.float32] | None:
    path = folder / START
    if not path.is_file():
        return None
    start = _tensor(path, "prompt")
    if start.shape != prompt.shape:
        raise BadData(f"{START} has the shape {start.shape} and the prompt {prompt.shape}; export it again.")
    return start


def _tensor(path: Path, name: str) -> NDArray[np.float32]:
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError, TypeError, ValueError) as error:
        raise BadData(f"{path.name} cannot be read as safetensors ({error}); export the adapter again.") from None
    if list(tensors) != [name]:
        raise BadData(f"{path.name} holds {', '.join(tensors) or 'nothing'}, not {name!r} alone; export it again.")
    values = tensors[name].astype(np.float32)
    if values.ndim != 2 or not np.isfinite(values).all():
        raise BadData(f"{name!r} in {path.name} is no table of finite numbers (shape {values.shape}); export it again.")
    return np.ascontiguousarray(values)


def _read_beside(folder: Path) -> dict[str, Any] | None:
    path = folder / PROVENANCE
    if not path.is_file():
        return None
    beside = _read_json(path, "")
    if not isinstance(beside.get("spec"), dict):
        raise BadData(f"{PROVENANCE} has no 'spec'; export the adapter again, or take that file away.")
    return beside


def _read_json(path: Path, missing: str) -> dict[str, Any]:
    if not path.is_file():
        raise BadData(f"{missing}.")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadData(f"{path.name} in {path.parent.name!r} is not JSON ({error}); export the adapter again.") from None
    if not isinstance(data, dict):
        raise BadData(f"{path.name} in {path.parent.name!r} is not a JSON object; export the adapter again.")
    return data


def _spec(
    config: dict[str, Any],
    beside: dict[str, Any] | None,
    prompt: NDArray[np.float32],
    model: dict[str, Any] | None,
    dataset: dict[str, Any] | None,
) -> TuningSpec:
    """Return the run's spec: from our own export, or with what PEFT's configuration tells."""
    model = model or {"name": _model_name(config)}
    if beside:
        told = {**beside["spec"], "model": model}
        return TuningSpec.parse(told | {"dataset": dataset or _known_data(told["dataset"])})
    if not dataset:
        raise BadRequest("The adapter does not say what it was tuned on; name it with --dataset.")
    return TuningSpec.parse(
        {
            "model": model,
            "dataset": dataset,
            "prior": _prior(config),
            "n_prompt": len(prompt),
            "prompt_position": "before_bos",
            "steps": 1,
        }
    )


def _known_data(dataset: Any) -> DatasetSpec:
    """Return the data set that our own export names.

    Raises:
        BadRequest: a file, whose place did not travel.
    """
    path = dataset.get("path") if isinstance(dataset, dict) else None
    if path:
        raise BadRequest(
            f"The adapter was tuned on the file {path!r}, which did not come with it; say where it is with --dataset "
            "file --path, or name another data set."
        )
    return DatasetSpec.parse(dataset)


def _model_name(config: dict[str, Any]) -> str:
    """Return our name of the model that an adapter names."""
    named = config.get("base_model_name_or_path")
    if not isinstance(named, str) or not named:
        raise BadRequest("The adapter does not name its base model; name it with --model.")
    return next((model.name for model in PACKAGED.values() if model.hub_id == named), named)


def _prior(config: dict[str, Any]) -> dict[str, Any]:
    begun, text = config.get("prompt_tuning_init"), config.get("prompt_tuning_init_text")
    if begun == "TEXT" and text:
        return {"kind": "vocabulary", "rows": "text", "text": text}
    if begun not in PRIORS:
        raise BadRequest(
            f"The adapter began at {begun!r}, which is none of {', '.join([*PRIORS, 'TEXT'])}; correct "
            f"prompt_tuning_init in its {CONFIG}."
        )
    return PRIORS[begun]


def _check_width(model: ModelSpec, d_model: int, store: Store) -> None:
    """Check that vectors can be of a model, as far as it is known without loading it."""
    known = describe_model(model, store).d_model
    if known is not None and known != d_model:
        raise BadRequest(
            f"The prompt is {d_model} wide and {model.name!r} is {known}; name the model it belongs to with --model."
        )
