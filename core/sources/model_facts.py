"""What is known of a model from its config.json, before anything of its size is loaded."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import BadData, shown
from core.sources.files import reason
from core.sources.model_folder import read_config, weight_files
from core.specs.base import JsonObject

ENCODER_TYPES = ("bert", "distilbert", "t5", "mt5", "umt5")
"""Kinds of models, by the `model_type` of their config, of which the encoder is read; of a T5 that
half alone."""
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
LARGEST_SIZE = 100_000_000
"""Of a size in a config.json: far beyond the longest context and the largest vocabulary there
are."""
_SIZE = re.compile(r"^(num|n|d)_|_(size|dim|len|length|embeddings)$")


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


def is_encoder(config: Mapping[str, Any]) -> bool:
    """Return whether a config.json is of a model that is read as an encoder."""
    return config.get("model_type") in ENCODER_TYPES and not config.get("is_decoder")


def facts_of(config: Mapping[str, Any], present: bool, where: str) -> ModelFacts:
    """Return what a config.json tells, under the names that families give their sizes."""

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


def check_sizes(folder: Path, name: str) -> None:
    """Check that a config asks for no more than its weights can hold, before anything of that size is made.

    Raises:
        BadData: it does, or the weights cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    try:
        n_tensors = 0
        for path in weight_files(folder, name):
            with safe_open(path, framework="numpy") as file:
                n_tensors += len(file.keys())
    except (SafetensorError, OSError) as error:
        raise BadData(f"The weights of {name!r} are damaged ({reason(error)}); fetch or copy them again.") from None
    config = read_config(folder)
    facts = facts_of(config, True, "")
    if (facts.n_layers or 0) > n_tensors:
        raise BadData(
            f"config.json of {name!r} says {facts.n_layers} blocks and the weights hold {n_tensors} tensors; fetch "
            "both from the same revision."
        )
    for key, value in config.items():
        if _SIZE.search(key) and isinstance(value, int) and abs(value) > LARGEST_SIZE:
            raise BadData(f"config.json of {name!r} has {key} {shown(value)}, beyond {LARGEST_SIZE:,}; fetch it again.")
