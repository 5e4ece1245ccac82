"""An adapter of PEFT's prompt tuning or p-tuning as a run, to compare with runs that were made here."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from core.errors import BadData, BadRequest
from core.exchange.peft_adapter import CONFIG, EMBEDDINGS, PROVENANCE, START, WEIGHTS, AdapterConfig, Beside
from core.exchange.restore import prepared
from core.sources.files import read_object
from core.sources.models import describe_model
from core.sources.packaged import PACKAGED
from core.specs import DatasetSpec, ModelSpec, TuningSpec
from core.specs.base import JsonObject, fingerprint
from core.store import JobFolder, Status, Store
from core.store.files import checksum, write_atomically, write_json
from core.store.imported import UNKNOWN
from core.store.record_files import write_digested, write_request

PRIORS = {"RANDOM": {"kind": "isotropic", "std": 1.0}, "SAMPLE_VOCAB": {"kind": "vocabulary", "special": True}}
"""Priors of PEFT, by `prompt_tuning_init`: RANDOM is the N(0, 1) of `torch.nn.Embedding`."""
NOT_RECORDED = (
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
"""Settings of a run that no adapter of other programs records."""
KINDS = ("PROMPT_TUNING", "P_TUNING")
"""Types of adapters that are vectors before the tokens; of p-tuning PEFT keeps what its encoder
gave, not the encoder."""
LARGEST_BYTES = 4 << 30
"""Of a file of weights: room for vectors with the embedding matrix of a large model beside them."""
_FLOATS = {"F64": np.float64, "F32": np.float32, "F16": np.float16}
_ID_DIGITS = 10
Given = Mapping[str, object]
Document = TypeVar("Document", bound=BaseModel)


def import_peft(folder: Path, store: Store, model: Given | None = None, dataset: Given | None = None) -> JsonObject:
    """Make a run from the folder of a prompt-tuning adapter.

    The folder has `adapter_config.json` and `adapter_model.safetensors`. The run has no training
    curve. An adapter that this program exported brings spec, result and initial prompt. For any
    other the configuration names the prior; the initial prompt is unknown, and so is the prompt's
    trajectory.

    Args:
        folder: of the adapter.
        store: where the run will be.
        model: fields of the `ModelSpec` of its model; by default the one its configuration names.
        dataset: fields of the `DatasetSpec` it was tuned on; by default the one our export names.

    Returns:
        format, run, whether it was there already, and what is unknown about it.

    Raises:
        BadData: files that are missing, damaged, pickled, or not what they claim to be.
        BadRequest: not a soft prompt, or one of another model; no data set.
        DiskFull: the disk is full.
    """
    config, beside = _read_config(folder), _read_beside(folder)
    prompt = _read_prompt(folder, config)
    spec = _spec(config, beside, len(prompt), model, dataset)
    _check_width(spec.model, prompt.shape[1], store)
    start = _read_start(folder, prompt)
    weights = checksum(folder / WEIGHTS)
    job_id = "t-" + fingerprint("peft", spec.canonical_json(), weights)[:_ID_DIGITS]
    told = {
        "format": "peft",
        "folder": folder.resolve().name,
        "base_model": config.base_model_name_or_path,
        "configuration": config.document(),
        "weights_sha256": weights,
        "start": "prior sample" if start is not None else "not known",
        UNKNOWN: [] if beside else list(NOT_RECORDED),
        "time": time.time(),
    }
    result = {**((beside and beside.result) or {}), "run": job_id, "status": "succeeded"}
    documents = {"provenance.json": {**((beside and beside.provenance) or {}), "imported": told}, "result.json": result}
    tensors = {"posterior": prompt} | ({} if start is None else {"prior": start})
    there = (store.root / "runs" / job_id / "status.json").is_file()
    if not there:
        with prepared(store, "runs", job_id, lambda path: _fill(path, spec, documents, tensors)) as appear:
            appear()
    job = JobFolder(store.root / "runs" / job_id)
    facts = {name: told[name] for name in ("base_model", "start", UNKNOWN)}
    return {"format": "peft", "runs": [job.id], "already_there": [job.id] if there else [], **facts}


def _fill(
    path: Path,
    spec: TuningSpec,
    documents: Mapping[str, Mapping[str, object]],
    tensors: Mapping[str, NDArray[np.float32]],
) -> None:
    """Write the files of a run that has ended."""
    status = Status(state="succeeded", done=spec.steps, total=spec.steps, message="imported from an adapter")
    times = dict.fromkeys(("created", "started", "finished", "heartbeat"), time.time())
    for name, document in documents.items():
        write_json(path / name, document)
    write_request(path / "spec.json", "tune", spec.as_json(), times["created"])
    write_digested(path / "status.json", asdict(status) | times)
    for name, values in tensors.items():
        write_atomically(path / f"{name}.safetensors", save({"prompt": values}))


def _read_config(folder: Path) -> AdapterConfig:
    missing = f"The folder {str(folder)!r} holds no {CONFIG}; name the folder of an adapter."
    config = _read_json(folder / CONFIG, AdapterConfig, missing)
    if config.peft_type not in KINDS:
        raise BadRequest(
            f"The adapter in {folder.name!r} is of the type {config.peft_type!r}, which changes more than the vectors "
            f"before the tokens; only {' and '.join(KINDS)} can be imported."
        )
    task, parts = config.task_type, config.num_transformer_submodules
    if task not in ("CAUSAL_LM", None) or parts not in (1, None):
        raise BadRequest(
            f"The adapter in {folder.name!r} is for {task} with {parts} parts; only a CAUSAL_LM one with 1 part can be "
            "imported."
        )
    return config


def _read_prompt(folder: Path, config: AdapterConfig) -> NDArray[np.float32]:
    """Return the prompt, (n_prompt, d_model), if its shape is what the configuration says."""
    if not (folder / WEIGHTS).is_file():
        pickled = any(folder.glob("*.bin"))
        why = "only pickled weights, which can run any code when they are read" if pickled else f"no {WEIGHTS}"
        raise BadData(f"The adapter in {folder.name!r} has {why}; save it with PEFT's save_pretrained as safetensors.")
    prompt = _tensor(folder / WEIGHTS, EMBEDDINGS)
    told = tuple(
        own if said is None else said
        for said, own in zip((config.num_virtual_tokens, config.token_dim), prompt.shape, strict=True)
    )
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
    """Return a table of finite numbers of a safetensors file, whatever its number format.

    Matrices of the same width beside it are the model's embeddings, which PEFT can save too.
    """
    try:
        if (n_bytes := path.stat().st_size) > LARGEST_BYTES:
            raise BadData(f"{path.name} has {n_bytes:,} bytes, more than {LARGEST_BYTES:,}; give a prompt's adapter.")
        tensors = dict(deserialize(path.read_bytes()))
    except (SafetensorError, OSError, ValueError) as error:
        raise BadData(f"{path.name} cannot be read as safetensors ({error}); export the adapter again.") from None
    found, widths = tensors.get(name), {own["shape"][1] if len(own["shape"]) == 2 else 0 for own in tensors.values()}
    if found is None or len(widths) > 1:
        raise BadData(f"{path.name} holds {', '.join(tensors)[:200] or 'nothing'}, not just {name!r}; export it again.")
    values = _numbers(path, name, found)
    if values.ndim != 2 or not values.size or not np.isfinite(values).all():
        raise BadData(
            f"{name!r} in {path.name} is not a table of finite numbers (shape {values.shape}); export it again."
        )
    return np.ascontiguousarray(values)


def _numbers(path: Path, name: str, tensor: JsonObject) -> NDArray[np.float32]:
    kind, shape = tensor["dtype"], tensor["shape"]
    if kind == "BF16":  # the upper half of a float32
        return (np.frombuffer(tensor["data"], "<u2").astype("<u4") << 16).view("<f4").reshape(shape)
    if kind not in _FLOATS:
        raise BadData(f"{name!r} in {path.name} is of the format {kind}; give floats ({', '.join(_FLOATS)}, BF16).")
    with np.errstate(over="ignore"):  # an overflow is not finite, which is told
        return np.frombuffer(tensor["data"], _FLOATS[kind]).reshape(shape).astype(np.float32)


def _read_beside(folder: Path) -> Beside | None:
    path = folder / PROVENANCE
    return _read_json(path, Beside, "") if path.is_file() else None


def _read_json(path: Path, kind: type[Document], missing: str) -> Document:
    """Return what a JSON file of an adapter holds.

    Raises:
        BadData: the file is missing, no JSON object, or lacks what it must have.
    """
    if not path.is_file():
        raise BadData(missing)
    try:
        return kind.model_validate(read_object(path, "export the adapter again"))
    except ValidationError as error:
        wrong = error.errors()[0]
        name = ".".join(map(str, wrong["loc"]))
        where = f"{path.name} in {path.parent.name!r}"
        raise BadData(f"{where} has no valid {name!r} ({wrong['msg']}); export the adapter again.") from None


def _spec(
    config: AdapterConfig, beside: Beside | None, n_prompt: int, model: Given | None, dataset: Given | None
) -> TuningSpec:
    """Return the run's spec: from our own export, or from what PEFT's configuration records."""
    chosen = model or {"name": _model_name(config)}
    if beside:
        known = dataset or _known_data(beside.spec.get("dataset"))
        return TuningSpec.parse({**beside.spec, "model": chosen, "dataset": known})
    if not dataset:
        raise BadRequest("The adapter does not say what it was tuned on; name it with --dataset.")
    return TuningSpec.parse(
        {
            "model": chosen,
            "dataset": dataset,
            "prior": _prior(config),
            "n_prompt": n_prompt,
            "prompt_position": "before_bos",
            "steps": 1,
        }
    )


def _known_data(dataset: object) -> DatasetSpec:
    """Return the data set that our own export names.

    Raises:
        BadRequest: a local file, whose path is unknown here.
    """
    path = dataset.get("path") if isinstance(dataset, dict) else None
    if path:
        raise BadRequest(
            f"The adapter was tuned on the file {path!r}, which did not come with it; give its path with --dataset "
            "file --path, or name another data set."
        )
    return DatasetSpec.parse(dataset)


def _model_name(config: AdapterConfig) -> str:
    """Return our name of an adapter's model."""
    named = config.base_model_name_or_path
    if not named:
        raise BadRequest("The adapter does not name its base model; name it with --model.")
    return next((model.name for model in PACKAGED.values() if model.hub_id == named), named)


def _prior(config: AdapterConfig) -> Mapping[str, object]:
    begun, text = config.prompt_tuning_init, config.prompt_tuning_init_text
    if config.peft_type == "P_TUNING":  # begins at N(0, 1) as well, before its encoder
        begun = "RANDOM"
    if begun == "TEXT" and text:
        return {"kind": "vocabulary", "rows": "text", "text": text}
    if begun not in PRIORS:
        raise BadRequest(
            f"The adapter's prompt_tuning_init is {begun!r}, which is none of {', '.join([*PRIORS, 'TEXT'])}; "
            f"correct it in {CONFIG}."
        )
    return PRIORS[begun]


def _check_width(model: ModelSpec, d_model: int, store: Store) -> None:
    """Check a prompt's width against its model's, if that is known without loading it."""
    known = describe_model(model, store).d_model
    if known is not None and known != d_model:
        raise BadRequest(
            f"The prompt is {d_model} wide and {model.name!r} is {known}; name the model it belongs to with --model."
        )
