"""What a model's folder must hold: a config and safetensors weights, all of them and nothing that could run code."""

from pathlib import Path

from core.errors import BadData
from core.sources.files import read_object
from core.specs.base import JsonObject

CONFIG_FILES = ("config.json", "generation_config.json", "model.safetensors.index.json")
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
ADAPTER_CONFIG = "adapter_config.json"
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_REMEDY = "fetch the model again"


def weight_files(folder: Path, name: str) -> list[Path]:
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
                f"{index.name} of {name!r} names {outside[0]!r}, which is not a file in the folder; fetch it again."
            )
        missing = [shard for shard in shards if not (folder / shard).is_file()]
        if missing:
            raise BadData(
                f"{name!r} lacks {len(missing)} of {len(shards)} weight files ({missing[0]}); fetch it again."
            )
        return [folder / shard for shard in shards]
    raise no_safetensors(name, any(True for pattern in PICKLES for _ in folder.glob(pattern)))


def no_safetensors(name: str, pickled: bool) -> BadData:
    """Return the error of a model without safetensors weights."""
    why = "only pickled weights, which can run any code when they are read" if pickled else "no safetensors weights"
    return BadData(f"{name!r} holds {why}; convert it with save_pretrained, or choose a model that has safetensors.")


def read_config(folder: Path) -> JsonObject:
    """Return config.json; for a model of several kinds of input, the part for text."""
    config = read_object(folder / "config.json", _REMEDY)
    text = config.get("text_config")
    return text if isinstance(text, dict) and text else config
