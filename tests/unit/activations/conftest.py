"""Texts, specs and the oracle that the tests of capture share."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.lm.frozen import FrozenModel
from core.lm.load import load_model
from core.specs import CloudSpec, DatasetSpec, ModelSpec, TokenFilter

N_VOCABULARY = 99
SMALL: dict[str, Any] = {
    "vocab_size": N_VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_attention_heads": 4,
}
"""Sizes of a model of random weights, as configs of most families name them."""
TEXTS = [
    "The cat sat on the mat and looked at the moon for a long, long time.",
    "A dog barked.",
    "Nobody knew why the river ran uphill that day, but the fish did not mind at all.",
    "Yes",
    "Once upon a time there was a small house at the edge of the wood.",
    "Rain fell. Rain fell again. Then the sun came out, and the children ran to the pond.",
    "Seven apples",
    "He said nothing, and went home.",
    "The train was late, the coffee was cold, and the paper had yesterday's date.",
    "Why not?",
    "An old clock ticked in the hall, slower every hour, until it stopped for good one night.",
    "Bread, butter, jam.",
]


@pytest.fixture
def texts_file(tmp_path: Path) -> Path:
    """Return a file of twelve short documents."""
    path = tmp_path / "texts.jsonl"
    path.write_text("\n".join(json.dumps({"text": text}) for text in TEXTS))
    return path


@pytest.fixture
def spec(tiny_folder: Path, texts_file: Path) -> CloudSpec:
    """Return all sites of the tiny model in float32 on the twelve documents, every token a row."""
    return CloudSpec(
        tokens=TokenFilter(first_position=True),
        model=ModelSpec(name=str(tiny_folder), device="cpu", dtype="float32"),
        dataset=DatasetSpec(name="file", path=str(texts_file), samples=len(TEXTS)),
        rows=10_000,
    )


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make batches so small that the documents need several."""
    from core.activations import collect

    monkeypatch.setitem(collect.TOKENS_AT_ONCE, "cpu", 128)


@pytest.fixture
def frozen(spec: CloudSpec, store) -> FrozenModel:
    """Return the spec's model."""
    return load_model(spec.model, store)


@torch.no_grad()
def alone(frozen: FrozenModel, text: str, max_length: int = 512) -> tuple[list[int], dict[int | str, np.ndarray]]:
    """Return token ids and the stream at each site, {site: (pos, d_model)}, of one text without padding or hooks.

    The oracle of the tests: transformers' own hidden states, and for 'final' the last block applied by hand.
    """
    from core.lm.blocks import find_parts

    ids = frozen.tokenizer(text)["input_ids"][:max_length]
    tokens = torch.tensor([ids])
    parts = find_parts(frozen.model)
    hidden = parts.decoder(input_ids=tokens, output_hidden_states=True, use_cache=False).hidden_states
    states: dict[int | str, np.ndarray] = {k: hidden[k][0].float().numpy() for k in range(frozen.n_layers)}
    states["final"] = apply_block(frozen, frozen.n_layers - 1, hidden[-2])[0].float().numpy()
    return ids, states


@torch.no_grad()
def apply_block(frozen: FrozenModel, block: int, stream: torch.Tensor) -> torch.Tensor:
    """Return what a block of a Llama makes of a stream (batch, pos, d_model)."""
    from core.lm.blocks import find_parts

    parts = find_parts(frozen.model)
    decoder: Any = parts.decoder
    positions = torch.arange(stream.shape[1])[None]
    output = parts.blocks[block](
        stream,
        attention_mask=None,
        position_ids=positions,
        position_embeddings=decoder.rotary_emb(stream, position_ids=positions),
    )
    return output if torch.is_tensor(output) else output[0]
