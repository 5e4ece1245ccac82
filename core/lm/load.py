"""Load a frozen language model, once a process."""

from dataclasses import dataclass
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from core.progress import Progress, silent
from core.sources.models import resolve_model
from core.specs.model import ModelSpec
from core.store.artifacts import Store


@dataclass(frozen=True)
class FrozenModel:
    """A model in evaluation mode, without gradients on its weights; never mutated, so that jobs can share it.

    Attributes:
        model: a transformers causal LM.
        tokenizer: its tokenizer.
        device: where it runs.
        dtype: of the weights.
        revision: names the exact weights.
        n_layers: number of blocks.
        d_model: width of the residual stream.
        n_vocabulary: rows of the embedding matrix.
    """

    model: PreTrainedModel
    tokenizer: Any
    device: torch.device
    dtype: torch.dtype
    revision: str
    n_layers: int
    d_model: int
    n_vocabulary: int


def load_model(spec: ModelSpec, store: Store, progress: Progress = silent) -> FrozenModel:
    """Return the frozen model of a spec."""
    files = resolve_model(spec, store, progress)
    dtype = torch.float32 if spec.dtype == "auto" else getattr(torch, spec.dtype)
    device = torch.device("cpu" if spec.device == "auto" else spec.device)
    model = AutoModelForCausalLM.from_pretrained(files.folder, dtype=dtype, use_safetensors=True)
    model = model.to(device).eval().requires_grad_(False)
    embedding = model.get_input_embeddings().weight
    return FrozenModel(
        model=model,
        tokenizer=AutoTokenizer.from_pretrained(files.folder),
        device=device,
        dtype=dtype,
        revision=files.revision,
        n_layers=model.config.get_text_config().num_hidden_layers,
        d_model=embedding.shape[1],
        n_vocabulary=embedding.shape[0],
    )
