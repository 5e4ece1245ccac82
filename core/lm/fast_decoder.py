"""Our own forward pass for Llama-like models, with prompts before the inputs of chosen blocks.

It does less than the general forward: what precedes every example (a prompt that stays
in the sequence, the beginning-of-sequence token) is computed once a batch rather than once an
example, since in a causal model it does not depend on what follows; a prompt that is cut again
enters as keys and values only, with neither queries nor MLP of its own; the last block goes on at
label positions only; nothing is kept for gradients of frozen weights. It reads the model's weights
where they are, copies none and changes none.

The residual stream is one matrix: first the shared rows in the order of their positions, then the
batch's tokens, one example after the other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Int64
from torch import Tensor

from core.lm.architectures import Block, Decoder
from core.lm.kernels import attend, gated, linear, rms_norm, rotate
from core.lm.layout import Layout, hidden
from core.lm.shapes import Ids, Labels, Lengths, Logits, States, Stream
from core.specs.cloud import FINAL

Angles = tuple[Tensor, Tensor] | None
"""Cosines and sines, (rows, 1, d_head) each; None turns nothing."""
See = Callable[[int | str, Tensor], None]
"""Told a site and the stream there, (rows, d_model), a kept prompt in its place."""


def unseen(site: int | str, stream: Tensor) -> None:
    """See nothing."""


@dataclass(frozen=True)
class Prompts:
    """Trained vectors by the block whose input they are put before.

    Attributes:
        vectors: block → (n_prompt, d_model), the same number everywhere.
        kept: whether they stay in the sequence, replaced at each further prompted block, or are cut
            from the output of each prompted block.
    """

    vectors: Mapping[int, Tensor]
    kept: bool


@dataclass
class Cache:
    """What was read of a batch of texts.

    Attributes:
        keys: a tensor a block, (batch, kv_heads, room, d_head), filled up to a number of rows that
            differs by block.
        values: as the keys.
        positions: (batch, room) of each block's keys; of padding, and of what is not read yet,
            beyond all others.
        filled: rows of each block that are read.
        next: (batch,) position of each text's next token.
    """

    keys: list[Tensor]
    values: list[Tensor]
    positions: list[Tensor]
    filled: list[int]
    next: Tensor


class FastDecoder:
    """The forward of one model over shared rows and a batch of texts."""

    def __init__(self, decoder: Decoder) -> None:
        """Point at the weights of a mapped model."""
        self.map = decoder
        self.blocks = decoder.blocks
        self.head = decoder.head

    def enter(self, bos: Int64[Tensor, "n_bos"], ids: Ids) -> Stream:
        """Return the stream entering block 0 without a prompt, in float32 or wider.

        Only products with weights are computed in the model's dtype. In bfloat16 the stream itself
        can lose much of the gradient, since a model's sink tokens make it hundreds of times larger
        than what blocks add to it.
        """
        tokens = self.map.embed(torch.cat((bos, ids.flatten())))
        return tokens.to(torch.promote_types(tokens.dtype, torch.float32))

    def run(self, x: Stream, layout: Layout, prompts: Prompts, first: int, last: int) -> Tensor:
        """Return the stream entering block `last` from the one entering block `first`."""
        for number in range(first, last):
            x, heads, _, _ = self._attended(number, x, layout, prompts)
            x = self._rest(self.blocks[number], x, heads)
        return x

    def states(self, x: Stream, layout: Layout, prompts: Prompts, first: int, rows: Labels) -> States:
        """Return normed last states at chosen rows, ready for the output matrix.

        Args:
            x: the stream entering block `first`.
            layout: of its rows.
            prompts: of blocks from `first` on.
            first: a block.
            rows: into the batch x pos tokens; -1 is the last shared row.
        """
        last = len(self.blocks) - 1
        x = self.run(x, layout, prompts, first, last)
        x, heads, _, _ = self._attended(last, x, layout, prompts)
        rows = rows + layout.n_shared(x)
        x = self._rest(self.blocks[last], x[rows], heads[rows])
        return rms_norm(x, self.map.norm, self.map.eps, self.head.dtype)

    def read(
        self, layout: Layout, bos: Tensor, ids: Ids, lengths: Lengths, prompts: Prompts, n_new: int, see: See = unseen
    ) -> tuple[Logits, Cache]:
        """Return logits after each text, and a cache with room for `n_new`."""
        x = self.enter(bos, ids)
        cache = Cache([], [], [], [], layout.first_token + lengths)
        for number, block in enumerate(self.blocks):
            x, heads, keys, values = self._attended(number, x, layout, prompts)
            see(number, x)
            cache.keys.append(torch.nn.functional.pad(keys, (0, 0, 0, n_new)))
            cache.values.append(torch.nn.functional.pad(values, (0, 0, 0, n_new)))
            cache.filled.append(keys.shape[2])
            before = layout.before(x, prompts.kept or number not in prompts.vectors)
            cache.positions.append(layout.read_positions(before, lengths, n_new))
            x = self._rest(block, x, heads)
        see(FINAL, x)
        rows = torch.arange(layout.batch, device=x.device) * layout.n_pos + lengths - 1
        return self._logits(x[layout.n_shared(x) + rows]), cache

    def advance(self, ids: Lengths, cache: Cache, see: See = unseen) -> Logits:
        """Return logits after one more token per text, which the cache takes."""
        x = self.map.embed(ids)
        x = x.to(torch.promote_types(x.dtype, torch.float32))
        angles = {block.rope: self._angles(block.rope, cache.next) for block in self.blocks}
        for number, block in enumerate(self.blocks):
            see(number, x)
            keys, values, filled = cache.keys[number], cache.values[number], cache.filled[number] + 1
            query, keys[:, :, filled - 1], values[:, :, filled - 1] = self._project(block, x, angles[block.rope])
            cache.positions[number][:, filled - 1] = cache.next
            cache.filled[number] = filled
            grouped = query.view(len(ids), self.map.n_kv_heads, -1, 1, query.shape[-1])
            blocked = hidden(cache.next[:, None], cache.positions[number][:, :filled], block.window)
            heads = attend(grouped, keys[:, :, :filled], values[:, :, :filled], blocked[:, None, None], self.map.scale)
            x = self._rest(block, x, heads.reshape(len(ids), -1))
        see(FINAL, x)
        cache.next = cache.next + 1
        return self._logits(x)

    def _logits(self, x: Tensor) -> Tensor:
        return linear(rms_norm(x, self.map.norm, self.map.eps, self.head.dtype), self.head).float()

    def _attended(
        self, number: int, x: Tensor, layout: Layout, prompts: Prompts
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Put the block's prompt in and attend.

        Returns:
            the block's input with a kept prompt in place, the heads' outputs (rows, n_heads x
            d_head), and all keys and values of the batch (batch, kv_heads, keys, d_head).
        """
        block, vectors = self.blocks[number], prompts.vectors.get(number)
        if vectors is not None and prompts.kept:
            x, vectors = layout.put_in(x, vectors), None
        query, key, value = self._project(block, x, self._angles_of(block.rope, layout, x))
        n = layout.n_shared(x)
        before, shared = layout.before(x, vectors is None), (key[:n], value[:n])
        if vectors is not None:
            normed = rms_norm(vectors, block.norm_before_attention, self.map.eps, self.head.dtype)
            of_prompt = self._key_and_value(block, normed, self._angles(block.rope, layout.prompt_positions))
            shared = tuple(torch.cat((own, rest)) for own, rest in zip(of_prompt, shared, strict=True))
        keys, values = (layout.beside(*pair) for pair in zip(shared, (key[n:], value[n:]), strict=True))
        tokens = query[n:].view(layout.batch, layout.n_pos, self.map.n_kv_heads, -1, query.shape[-1])
        blocked = layout.blocked(layout.token_positions, torch.cat((before, layout.token_positions)), block.window)
        heads = attend(tokens.permute(0, 2, 3, 1, 4), keys, values, blocked, self.map.scale)
        heads = heads.permute(0, 3, 1, 2, 4).reshape(layout.batch * layout.n_pos, -1)
        if n:
            heads = torch.cat((self._among_shared(query[:n], shared, before[-n:], before, block, x.dtype), heads))
        return x, heads, keys, values

    def _among_shared(
        self,
        query: Tensor,
        shared: tuple[Tensor, ...],
        positions: Tensor,
        before: Tensor,
        block: Block,
        wide: torch.dtype,
    ) -> Tensor:
        """Return the heads' outputs of the shared rows.

        Their attention is small and all of a kept prompt's gradient passes it, so it is computed in
        full width.
        """
        n = len(query)
        grouped = query.view(1, n, self.map.n_kv_heads, -1, query.shape[-1]).permute(0, 2, 3, 1, 4)
        key, value = (part.to(wide).transpose(0, 1)[None] for part in shared)
        own = attend(grouped.to(wide), key, value, hidden(positions, before, block.window), self.map.scale)
        return own.to(query.dtype).permute(0, 3, 1, 2, 4).reshape(n, -1)

    def _project(self, block: Block, x: Tensor, angles: Angles) -> tuple[Tensor, Tensor, Tensor]:
        """Return query (rows, n_heads, d_head), key and value (rows, n_kv_heads, d_head), rotated."""
        normed = rms_norm(x, block.norm_before_attention, self.map.eps, self.head.dtype)
        query = linear(normed, block.query.weight, block.query.bias).view(len(x), self.map.n_heads, -1)
        query = _turned(_normed(query, block.query_norm, self.map.eps), angles)
        return query, *self._key_and_value(block, normed, angles)

    def _key_and_value(self, block: Block, normed: Tensor, angles: Angles) -> tuple[Tensor, Tensor]:
        key = linear(normed, block.key.weight, block.key.bias).view(len(normed), self.map.n_kv_heads, -1)
        value = linear(normed, block.value.weight, block.value.bias).view(len(normed), self.map.n_kv_heads, -1)
        return _turned(_normed(key, block.key_norm, self.map.eps), angles), value

    def _rest(self, block: Block, x: Tensor, heads: Tensor) -> Tensor:
        """Return the block's output from its input and its heads, at whatever rows those hold."""
        added = linear(heads, block.output.weight, block.output.bias)
        x = x + _normed(added, block.norm_after_attention, self.map.eps)
        normed = rms_norm(x, block.norm_before_mlp, self.map.eps, self.head.dtype)
        gate, up = (linear(normed, layer.weight, layer.bias) for layer in (block.gate, block.up))
        added = linear(gated(gate, up, self.map.activation), block.down.weight, block.down.bias)
        return x + _normed(added, block.norm_after_mlp, self.map.eps)

    def _angles(self, rope: str | None, positions: Tensor) -> Angles:
        if rope is None:
            return None
        cos, sin = self.map.angles(positions, rope)
        return cos[:, None], sin[:, None]

    def _angles_of(self, rope: str | None, layout: Layout, x: Tensor) -> Angles:
        """Return the angles of all rows of a stream, made once a forward."""
        key = (rope, len(x))
        if key not in layout.angles:
            layout.angles[key] = self._angles(rope, layout.row_positions(x))
        return layout.angles[key]


def _normed(x: Tensor, weight: Tensor | None, eps: float) -> Tensor:
    return x if weight is None else rms_norm(x, weight, eps, x.dtype)


def _turned(x: Tensor, angles: Angles) -> Tensor:
    return x if angles is None else rotate(x, *angles)
