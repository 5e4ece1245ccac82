"""A Llama-like model's own forward, for prompts that are trained before its token embeddings.

What it does less of than the general forward: the prompt's states are computed once a batch rather than
once an example (in a causal model they do not depend on what follows), the last block goes on at label
positions only, logits exist at label positions only, and nothing is kept for gradients of frozen weights.
It reads the model's weights where they are, copies none and changes none.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel

from core.lm.kernels import attend, linear, rms_norm, rotate, swiglu

FAMILIES = ("llama", "mistral", "qwen2", "qwen3")
"""Model types whose blocks are exactly this forward; each is held against transformers in a test."""

STEADY_ROPE = ("default", "linear", "llama3")
"""Rotary embeddings whose angles depend on the position alone; others change buffers as they run."""


@dataclass(frozen=True)
class Block:
    """The weights of one block, named as in transformers; None where a family has none."""

    query: Any
    key: Any
    value: Any
    output: Any
    query_norm: Any
    key_norm: Any
    gate: Any
    up: Any
    down: Any
    norm_before_attention: Any
    norm_before_mlp: Any


@dataclass
class Cache:
    """Keys and values of what was read, a pair a block: (batch, kv_heads, room, d_head), filled up to `n_keys`."""

    keys: list[Tensor]
    values: list[Tensor]
    n_keys: int


def supports(model: PreTrainedModel) -> bool:
    """Return whether this forward computes what the model computes."""
    config = model.config
    layer_types = getattr(config, "layer_types", None) or ()
    rope = getattr(config, "rope_parameters", None) or {}
    return (
        config.model_type in FAMILIES
        and getattr(config, "hidden_act", "") == "silu"
        and rope.get("rope_type", "default") in STEADY_ROPE
        and rope.get("partial_rotary_factor", 1.0) == 1.0
        and all(kind == "full_attention" for kind in layer_types)
        and (config.model_type != "mistral" or config.sliding_window is None)
    )


class FastLlama:
    """The forward of one model over a shared prefix and a batch of continuations."""

    def __init__(self, model: PreTrainedModel) -> None:
        """Point at the weights of a model that `supports` accepts."""
        inner: Any = model.model
        config = model.config
        self.blocks = [_block(layer) for layer in inner.layers]
        self.embedding: Tensor = inner.embed_tokens.weight
        output: Any = model.get_output_embeddings()
        self.head: Tensor = output.weight
        self.norm: Tensor = inner.norm.weight
        self.eps: float = config.rms_norm_eps
        self.n_heads: int = config.num_attention_heads
        self.n_kv_heads: int = config.num_key_value_heads
        self.rotary = inner.rotary_emb

    def states(self, prefix: Tensor, ids: Tensor, rows: Tensor) -> Tensor:
        """Return normed last states at chosen rows.

        Args:
            prefix: (n_prefix, d_model), what stands before every example.
            ids: (batch, pos), padded on the right.
            rows: (n,) into the rows prefix + batch x pos, as `label_rows` gives them.

        Returns:
            (n, d_model), ready for the output matrix.
        """
        shape = _Shape(len(prefix), *ids.shape)
        x = self._start(prefix, ids)
        cos, sin = self._angles(shape.positions(ids.device))
        blocked = shape.blocked(ids.device)
        for block in self.blocks[:-1]:
            heads, _, _ = self._attention(block, x, cos, sin, shape, blocked)
            x = self._rest(block, x, heads)
        block = self.blocks[-1]
        heads, _, _ = self._attention(block, x, cos, sin, shape, blocked)
        return rms_norm(self._rest(block, x[rows], heads[rows]), self.norm, self.eps)

    def read(self, prefix: Tensor, ids: Tensor, last: Tensor, n_new: int) -> tuple[Tensor, Cache]:
        """Return logits (batch, n_vocabulary) after each example's `last` row, and a cache with room for `n_new`."""
        shape = _Shape(len(prefix), *ids.shape)
        x = self._start(prefix, ids)
        cos, sin = self._angles(shape.positions(ids.device))
        blocked = shape.blocked(ids.device)
        cache = Cache([], [], shape.n_prefix + shape.n_pos)
        for block in self.blocks:
            heads, keys, values = self._attention(block, x, cos, sin, shape, blocked)
            cache.keys.append(functional.pad(keys, (0, 0, 0, n_new)))
            cache.values.append(functional.pad(values, (0, 0, 0, n_new)))
            x = self._rest(block, x, heads)
        return self._logits(x[last]), cache

    def advance(self, ids: Tensor, positions: Tensor, cache: Cache, blocked: Tensor) -> Tensor:
        """Return logits (batch, n_vocabulary) after one more token each, and put it into the cache.

        Args:
            ids: (batch,) the tokens.
            positions: (batch,) where they stand, prefix included.
            cache: of what was read.
            blocked: (batch, n_keys + 1), true where a key is padding.
        """
        x = self._start(self.embedding[:0], ids)
        cos, sin = self._angles(positions)
        n_keys = cache.n_keys + 1
        for block, keys, values in zip(self.blocks, cache.keys, cache.values, strict=True):
            query, keys[:, :, n_keys - 1], values[:, :, n_keys - 1] = self._project(block, x, cos, sin)
            grouped = query.view(len(ids), self.n_kv_heads, -1, 1, query.shape[-1])
            heads = attend(grouped, keys[:, :, :n_keys], values[:, :, :n_keys], blocked[:, None, None, None])
            x = self._rest(block, x, heads.reshape(len(ids), -1))
        cache.n_keys = n_keys
        return self._logits(x)

    def _logits(self, x: Tensor) -> Tensor:
        return linear(rms_norm(x, self.norm, self.eps), self.head).float()

    def _start(self, prefix: Tensor, ids: Tensor) -> Tensor:
        """Return the residual stream entering block 0, prefix first: (rows, d_model) in at least float32.

        Only products with weights are computed in the model's dtype. In bfloat16 the stream itself can lose much of
        the gradient, since a model's sink tokens make it hundreds of times larger than what blocks add to it.
        """
        tokens = self.embedding[ids.flatten()]
        wide = torch.promote_types(tokens.dtype, torch.float32)
        return torch.cat((prefix.to(wide), tokens.to(wide)))

    def _angles(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        cos, sin = self.rotary(self.embedding, positions[None])
        return cos[0, :, None], sin[0, :, None]

    def _project(self, block: Block, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return query (rows, n_heads, d_head), key and value (rows, n_kv_heads, d_head), turned by position."""
        normed = rms_norm(x, block.norm_before_attention.weight, self.eps)
        query = _apply(block.query, normed).view(len(x), self.n_heads, -1)
        key = _apply(block.key, normed).view(len(x), self.n_kv_heads, -1)
        value = _apply(block.value, normed).view(len(x), self.n_kv_heads, -1)
        if block.query_norm is not None:
            query = rms_norm(query, block.query_norm.weight, self.eps)
            key = rms_norm(key, block.key_norm.weight, self.eps)
        return rotate(query, cos, sin), rotate(key, cos, sin), value

    def _attention(
        self, block: Block, x: Tensor, cos: Tensor, sin: Tensor, shape: "_Shape", blocked: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the heads' outputs (rows, n_heads x d_head) and all keys and values of the batch."""
        query, key, value = self._project(block, x, cos, sin)
        n = shape.n_prefix
        keys, values = shape.with_prefix(key), shape.with_prefix(value)
        tokens = query[n:].view(shape.batch, shape.n_pos, self.n_kv_heads, -1, query.shape[-1])
        heads = attend(tokens.permute(0, 2, 3, 1, 4), keys, values, blocked)
        heads = heads.permute(0, 3, 1, 2, 4).reshape(shape.batch * shape.n_pos, -1)
        if n:
            grouped = query[:n].view(1, n, self.n_kv_heads, -1, query.shape[-1]).permute(0, 2, 3, 1, 4)
            # The prompt's own attention is small and all of its gradient passes it, so it is computed in full width.
            own_keys, own_values = (part[:1, :, :n].to(x.dtype) for part in (keys, values))
            own = attend(grouped.to(x.dtype), own_keys, own_values, _above_diagonal(n, 0, x.device)).to(heads.dtype)
            heads = torch.cat((own.permute(0, 3, 1, 2, 4).reshape(n, -1), heads))
        return heads, keys, values

    def _rest(self, block: Block, x: Tensor, heads: Tensor) -> Tensor:
        """Return the block's output from its input and its heads, at whatever rows those hold."""
        x = x + _apply(block.output, heads)
        normed = rms_norm(x, block.norm_before_mlp.weight, self.eps)
        return x + _apply(block.down, swiglu(_apply(block.gate, normed), _apply(block.up, normed)))


@dataclass(frozen=True)
class _Shape:
    """How rows are laid out: the prefix's, then the batch's one example after the other."""

    n_prefix: int
    batch: int
    n_pos: int

    def positions(self, device: torch.device) -> Tensor:
        """Return the position of each row; examples all start after the prefix."""
        tokens = torch.arange(self.n_prefix, self.n_prefix + self.n_pos, device=device)
        return torch.cat((torch.arange(self.n_prefix, device=device), tokens.repeat(self.batch)))

    def blocked(self, device: torch.device) -> Tensor:
        """Return (n_pos, n_prefix + n_pos), true where a token must not look."""
        return _above_diagonal(self.n_pos, self.n_prefix, device)

    def with_prefix(self, x: Tensor) -> Tensor:
        """Return (batch, heads, n_prefix + n_pos, d_head) from rows (rows, heads, d_head)."""
        tokens = x[self.n_prefix :].view(self.batch, self.n_pos, *x.shape[1:])
        shared = x[: self.n_prefix].expand(self.batch, *x[: self.n_prefix].shape)
        return torch.cat((shared, tokens), dim=1).transpose(1, 2)


def _above_diagonal(n_queries: int, n_before: int, device: torch.device) -> Tensor:
    return torch.ones(n_queries, n_before + n_queries, dtype=torch.bool, device=device).triu(n_before + 1)


def _apply(layer: Any, x: Tensor) -> Tensor:
    return linear(x, layer.weight, layer.bias)


def _block(layer: Any) -> Block:
    attention, mlp = layer.self_attn, layer.mlp
    return Block(
        query=attention.q_proj,
        key=attention.k_proj,
        value=attention.v_proj,
        output=attention.o_proj,
        query_norm=getattr(attention, "q_norm", None),
        key_norm=getattr(attention, "k_norm", None),
        gate=mlp.gate_proj,
        up=mlp.up_proj,
        down=mlp.down_proj,
        norm_before_attention=layer.input_layernorm,
        norm_before_mlp=layer.post_attention_layernorm,
    )
