"""Gemma 3, text: scaled embeddings, four norms per block, two rotary bases, mostly windows."""

from dataclasses import replace
from typing import Any

from torch import Tensor
from transformers import PreTrainedModel

from core.lm.architectures.base import STEADY_ROPE, Decoder, llama_block, llama_like, window_of

TYPES = ("gemma3_text",)


def obstacle(config: Any) -> str:
    """Return what of this config is not mapped; empty if all is."""
    for kind, rope in config.rope_parameters.items():
        if (rope or {}).get("rope_type", "default") not in STEADY_ROPE:
            return f"rope_type {rope['rope_type']!r} of {kind}"
    for name in ("attn_logit_softcapping", "final_logit_softcapping"):
        if getattr(config, name, None) is not None:
            return f"{name} {getattr(config, name)}"
    if config.hidden_activation != "gelu_pytorch_tanh":
        return f"hidden_activation {config.hidden_activation!r}"
    if config.use_bidirectional_attention:
        return "use_bidirectional_attention"
    return ""


def decoder(model: PreTrainedModel) -> Decoder:
    """Return the map of a model without an obstacle."""
    inner: Any = model.model
    config = model.config

    def angles(positions: Tensor, kind: str) -> tuple[Tensor, Tensor]:
        cos, sin = inner.rotary_emb(inner.embed_tokens.weight, positions[None], kind)
        return cos[0], sin[0]

    blocks = []
    for i, layer in enumerate(inner.layers):
        block = llama_block(layer, window=window_of(config, i), rope=config.layer_types[i])
        blocks.append(
            replace(
                block,
                query_norm=_shifted(layer.self_attn.q_norm),
                key_norm=_shifted(layer.self_attn.k_norm),
                norm_before_attention=_shifted(layer.input_layernorm),
                norm_after_attention=_shifted(layer.post_attention_layernorm),
                norm_before_mlp=_shifted(layer.pre_feedforward_layernorm),
                norm_after_mlp=_shifted(layer.post_feedforward_layernorm),
            )
        )
    return replace(
        llama_like(model, blocks),
        norm=_shifted(inner.norm),
        scale=config.query_pre_attn_scalar**-0.5,
        activation="gelu_tanh",
        angles=angles,
    )


def _shifted(norm: Any) -> Tensor:
    """Return 1 + weight in float32, as Gemma multiplies."""
    return 1.0 + norm.weight.float()
