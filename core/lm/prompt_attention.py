"""How much attention tokens pay to prompt vectors."""

import torch
from torch import Tensor

from core.lm.batch import Batch
from core.lm.fast_decoder import FastDecoder, Prompts
from core.lm.layout import Layout
from core.lm.prompted import FastPrompted


@torch.no_grad()
def prompt_attention(prompted: FastPrompted, prompt: Tensor, batch: Batch) -> Tensor:
    """Return the share of attention that each token's heads give each prompt vector, summed over tokens, mean of heads.

    Tokens are those of the texts, without padding, beginning-of-sequence token and the prompt
    itself.

    Args:
        prompted: model and place of the prompt.
        prompt: (n_sites, n_prompt, d_model) float32, n_prompt above 0.
        batch: texts.

    Returns:
        (n_blocks, n_prompt) float64; NaN at blocks that no prompt reaches.
    """
    layout = prompted.layout(prompt.shape[-2], batch.ids)
    real = torch.arange(layout.n_pos, device=batch.ids.device) < batch.lengths[:, None]
    watched = _Watched(prompted.fast, real)
    x = watched.enter(prompted.bos, batch.ids)
    watched.run(x, layout, prompted.prompts(prompt), 0, len(watched.blocks))
    return torch.stack(watched.shares).cpu().double()


class _Watched(FastDecoder):
    """A forward that adds up the attention which prompt vectors get."""

    def __init__(self, decoder: FastDecoder, real: Tensor) -> None:
        super().__init__(decoder.map)
        self.real = real
        self.shares: list[Tensor] = []

    def _attended(
        self, number: int, x: Tensor, layout: Layout, prompts: Prompts
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x, heads, keys, values = super()._attended(number, x, layout, prompts)
        cut = number in prompts.vectors and not prompts.kept
        n_shared = layout.n_shared(x)
        if not cut and n_shared == layout.n_bos:
            self.shares.append(x.new_full((layout.n_prompt,), torch.nan))
            return x, heads, keys, values
        first = 0 if cut or not layout.bos_first else layout.n_bos
        block = self.blocks[number]
        query, _, _ = self._project(block, x, self._angles_of(block.rope, layout, x))
        query = query[n_shared:].view(layout.batch, layout.n_pos, self.map.n_kv_heads, -1, query.shape[-1])
        scores = torch.einsum("btkgd,bksd->bkgts", query.float(), keys.float()) * self.map.scale
        before = layout.before(x, not cut)
        seen = torch.cat((before, layout.token_positions))
        shares = scores.masked_fill_(layout.blocked(layout.token_positions, seen, block.window), -torch.inf).softmax(-1)
        of_prompt = shares[..., first : first + layout.n_prompt].mean(dim=(1, 2))
        self.shares.append((of_prompt * self.real[..., None]).sum(dim=(0, 1)))
        return x, heads, keys, values
