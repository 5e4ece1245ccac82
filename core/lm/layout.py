"""The rows of a batch's stream: shared rows first, then the tokens of all examples."""

from typing import Any

import torch
from torch import Tensor

BEYOND = 2**30
"""The position of what no token may see."""


class Layout:
    """Rows and positions of one batch.

    The prompt takes n_prompt positions in every block, prompted or not; with the
    beginning-of-sequence token before or after it, tokens start at `first_token`.

    Attributes:
        n_prompt: vectors.
        n_bos: 1 where there is a beginning-of-sequence token, else 0.
        batch: examples.
        n_pos: tokens of the longest.
        prompt_positions: (n_prompt,).
        bos_positions: (n_bos,).
        token_positions: (n_pos,).
        angles: rotary angles by kind and number of rows, made as they are needed.
    """

    def __init__(
        self, n_prompt: int, n_bos: int, bos_first: bool, batch: int, n_pos: int, device: torch.device
    ) -> None:
        """Lay out a batch."""
        self.n_prompt = n_prompt
        self.n_bos = n_bos
        self.batch = batch
        self.n_pos = n_pos
        self.bos_first = bos_first
        shift = n_bos if bos_first else 0
        self.first_token = n_prompt + n_bos
        self.prompt_positions = torch.arange(shift, shift + n_prompt, device=device)
        self.bos_positions = torch.arange(n_bos, device=device) + (0 if bos_first else n_prompt)
        self.token_positions = torch.arange(self.first_token, self.first_token + n_pos, device=device)
        self.angles: dict[Any, Any] = {}
        self._blocked: dict[Any, Tensor] = {}

    def n_shared(self, x: Tensor) -> int:
        """Return how many rows of a stream precede the tokens."""
        return len(x) - self.batch * self.n_pos

    def put_in(self, x: Tensor, prompt: Tensor) -> Tensor:
        """Return the stream with a prompt among its shared rows, replacing an earlier one."""
        shared, tokens = x[: self.n_shared(x)], x[self.n_shared(x) :]
        bos = shared[: self.n_bos] if self.bos_first else shared[len(shared) - self.n_bos :]
        prompt = prompt.to(x.dtype)
        return torch.cat((bos, prompt, tokens) if self.bos_first else (prompt, bos, tokens))

    def shared_positions(self, x: Tensor) -> Tensor:
        """Return the positions of a stream's shared rows."""
        if self.n_shared(x) == self.n_bos:
            return self.bos_positions
        return torch.arange(self.first_token, device=x.device)

    def row_positions(self, x: Tensor) -> Tensor:
        """Return the position of each row of a stream; examples all start after the shared rows."""
        return torch.cat((self.shared_positions(x), self.token_positions.repeat(self.batch)))

    def before(self, x: Tensor, no_cut_prompt: bool) -> Tensor:
        """Return the positions of keys before a block's tokens: a cut prompt's, then the shared rows'."""
        shared = self.shared_positions(x)
        return shared if no_cut_prompt else torch.cat((self.prompt_positions, shared))

    def beside(self, shared: Tensor, tokens: Tensor) -> Tensor:
        """Return (batch, heads, keys, d_head) from shared rows (n, heads, d_head) and token rows."""
        examples = tokens.view(self.batch, self.n_pos, *tokens.shape[1:])
        return torch.cat((shared.expand(self.batch, *shared.shape), examples), dim=1).transpose(1, 2)

    def blocked(self, queries: Tensor, keys: Tensor, window: int | None) -> Tensor:
        """Return `hidden` of the batch's tokens, made once a forward."""
        name = (len(keys), window)
        if name not in self._blocked:
            self._blocked[name] = hidden(queries, keys, window)
        return self._blocked[name]

    def read_positions(self, before: Tensor, lengths: Tensor, n_new: int) -> Tensor:
        """Return the positions (batch, keys + n_new) of what a batch of texts left in a cache."""
        tokens = self.token_positions.expand(self.batch, -1)
        tokens = tokens.masked_fill(tokens >= self.first_token + lengths[:, None], BEYOND)
        empty = tokens.new_full((self.batch, n_new), BEYOND)
        return torch.cat((before.expand(self.batch, -1), tokens, empty), dim=1)


def hidden(queries: Tensor, keys: Tensor, window: int | None) -> Tensor:
    """Return (…, queries, keys) from positions, true where a query must not see a key: later, or too far back.

    A query sees its own position and the `window` - 1 before it; None: all before it.
    """
    distance = queries[..., :, None] - keys[..., None, :]
    later = distance < 0
    return later if window is None else later | (distance >= window)
