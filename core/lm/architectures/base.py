"""What the fast forward must know of a decoder, and what most families have in common."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from transformers import PreTrainedModel

from core.lm.kernels import Activation

STEADY_ROPE = ("default", "linear", "llama3")
"""Rotary embeddings whose angles depend on the position alone; others change buffers as they
run."""

Angles = Callable[[Tensor, str], tuple[Tensor, Tensor]]
"""Positions (rows,) and a kind of rotary embedding → cosines and sines, (rows, d_head) each."""


@dataclass(frozen=True)
class Block:
    """The weights of one block and how it looks around; None where a family has none.

    Attributes:
        query, key, value, output: projections of the attention.
        query_norm, key_norm: weights of the norms of each head.
        gate, up, down: projections of the MLP.
        norm_before_attention, norm_before_mlp: weights of the norms of what enters.
        norm_after_attention, norm_after_mlp: weights of the norms of what is added to the stream.
        rope: kind of rotary embedding; None turns nothing.
        window: a token sees itself and the `window` - 1 positions before it; None sees all.
    """

    query: Any
    key: Any
    value: Any
    output: Any
    query_norm: Tensor | None
    key_norm: Tensor | None
    gate: Any
    up: Any
    down: Any
    norm_before_attention: Tensor
    norm_before_mlp: Tensor
    norm_after_attention: Tensor | None = None
    norm_after_mlp: Tensor | None = None
    rope: str | None = "default"
    window: int | None = None


@dataclass(frozen=True)
class Decoder:
    """A decoder by the model's own weights; only norms that a family shifts are copied.

    Attributes:
        blocks: in their order.
        embed: token ids → what enters block 0, scaling included.
        head: output matrix (n_vocabulary, d_model).
        norm: weight of the final norm.
        eps: of every norm.
        n_heads: query heads.
        n_kv_heads: key and value heads.
        scale: of attention scores.
        activation: of the gate.
        angles: of the rotary embeddings.
    """

    blocks: Sequence[Block]
    embed: Callable[[Tensor], Tensor]
    head: Tensor
    norm: Tensor
    eps: float
    n_heads: int
    n_kv_heads: int
    scale: float
    activation: Activation
    angles: Angles


def common_obstacle(config: Any) -> str:
    """Return why a config is not what Llama-like families have in common; empty if it is."""
    rope = getattr(config, "rope_parameters", None) or {}
    if getattr(config, "hidden_act", "silu") != "silu":
        return f"hidden_act {config.hidden_act!r}"
    if rope.get("rope_type", "default") not in STEADY_ROPE:
        return f"rope_type {rope['rope_type']!r}"
    if rope.get("partial_rotary_factor", 1.0) != 1.0:
        return f"partial_rotary_factor {rope['partial_rotary_factor']}"
    return ""


def llama_like(model: PreTrainedModel, blocks: Sequence[Block]) -> Decoder:
    """Return a decoder of Llama's kind around its blocks."""
    inner: Any = model.model
    output: Any = model.get_output_embeddings()
    config = model.config
    d_head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads

    def angles(positions: Tensor, _: str) -> tuple[Tensor, Tensor]:
        cos, sin = inner.rotary_emb(inner.embed_tokens.weight, positions[None])
        return cos[0], sin[0]

    return Decoder(
        blocks=blocks,
        embed=inner.embed_tokens,
        head=output.weight,
        norm=inner.norm.weight,
        eps=config.rms_norm_eps,
        n_heads=config.num_attention_heads,
        n_kv_heads=config.num_key_value_heads,
        scale=d_head**-0.5,
        activation="silu",
        angles=angles,
    )


def llama_block(layer: Any, window: int | None = None, rope: str | None = "default") -> Block:
    """Return a Llama-like block of transformers, with norms of the heads if it has them."""
    attention, mlp = layer.self_attn, layer.mlp
    return Block(
        query=attention.q_proj,
        key=attention.k_proj,
        value=attention.v_proj,
        output=attention.o_proj,
        query_norm=attention.q_norm.weight if hasattr(attention, "q_norm") else None,
        key_norm=attention.k_norm.weight if hasattr(attention, "k_norm") else None,
        gate=mlp.gate_proj,
        up=mlp.up_proj,
        down=mlp.down_proj,
        norm_before_attention=layer.input_layernorm.weight,
        norm_before_mlp=layer.post_attention_layernorm.weight,
        rope=rope,
        window=window,
    )


def window_of(config: Any, index: int) -> int | None:
    """Return the window of a block by the config's list of layer types."""
    kinds = getattr(config, "layer_types", None)
    return config.sliding_window if kinds and kinds[index] == "sliding_attention" else None
