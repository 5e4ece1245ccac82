"""A frozen causal model that reads trained vectors before its tokens, or before the inputs of its blocks."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from core.lm.architectures import Unmapped, map_decoder
from core.lm.batch import Batch
from core.lm.fast_decoder import FastDecoder, Prompts
from core.lm.frozen import FrozenModel
from core.lm.kernels import label_loss, token_scores
from core.lm.layout import Layout
from core.lm.memory import Portions
from core.lm.shapes import Hits, Logits, PerLabel, Prompt, Scalar, Vectors
from core.lm.trunk import Trunk

PromptPosition = Literal["before_bos", "after_bos"]
SOFT = (0,)
"""The one prompted site of a soft prompt."""


def build_prompted(frozen: FrozenModel, position: PromptPosition = "before_bos") -> "Prompted":
    """Return the fastest exact forward for a soft prompt."""
    try:
        return FastPrompted(frozen, position)
    except Unmapped:
        return GenericPrompted(frozen, position)


class FastPrompted:
    """Mapped models through `FastDecoder`, with a prompt before the inputs of one block or several.

    Without vectors (n_prompt is 0), logits are the base model's to the last bit, and loss and
    scores come from its own last states.

    Source: 3.2 of the paper (deep prompts: prepended to each prompted block's input, cut from its
        output).
    """

    def __init__(
        self,
        frozen: FrozenModel,
        position: PromptPosition = "before_bos",
        sites: Sequence[int] = SOFT,
        kept: bool = True,
    ) -> None:
        """Point at the model's weights.

        Args:
            frozen: the model.
            position: of the prompt, before or after the beginning-of-sequence token.
            sites: blocks whose inputs are prompted, in their order.
            kept: whether prompts stay in the sequence, replaced at each further prompted block,
                rather than being cut from the output of each prompted block. A soft prompt stays.

        Raises:
            Unmapped: the model's blocks are not mapped.
        """
        if frozen.abilities.no_fast:
            raise Unmapped(
                f"Prompts inside blocks are not possible for {type(frozen.model).__name__}: the mapped forward was "
                f"tried and {frozen.abilities.no_fast}; choose method 'soft' or another model."
            )
        self.fast = FastDecoder(map_decoder(frozen.model))
        self.frozen = frozen
        self.position = position
        self.sites = tuple(sites)
        self.kept = kept
        self.trunk: Trunk | None = None
        self.portions = Portions(frozen.device)
        self.base = GenericPrompted(frozen, position)
        self.bos = torch.tensor(frozen.beginning, dtype=torch.int64, device=frozen.device)

    @property
    def n_bos(self) -> int:
        """Return how many tokens the tokenizer itself puts before every text."""
        return len(self.bos)

    def loss(self, prompt: Prompt, batch: Batch) -> Scalar:
        """Return the mean cross-entropy over the batch's labels, float32, with a gradient to the prompt."""
        if not prompt.shape[1]:
            return label_loss(self.base.states(prompt, batch), self.fast.head, batch.targets)
        return label_loss(self._states(prompt, batch), self.fast.head, batch.targets)

    @torch.no_grad()
    def scores(self, prompt: Prompt, batch: Batch) -> tuple[PerLabel, Hits]:
        """Return each label's cross-entropy (float32) and whether it was the likeliest token: both (n_labels,)."""
        if not prompt.shape[1]:
            return token_scores(self.base.states(prompt, batch), self.fast.head, batch.targets)
        return token_scores(self._states(prompt, batch), self.fast.head, batch.targets)

    def logits(self, prompt: Prompt, batch: Batch) -> Logits:
        """Return float32 logits (n_labels, n_vocabulary) that predict the labels."""
        if not prompt.shape[1]:
            return self.base.logits(prompt, batch)
        return functional.linear(self._states(prompt, batch), self.fast.head).float()

    def layout(self, n_prompt: int, ids: Tensor) -> Layout:
        """Return the positions of the rows of a batch (batch, pos)."""
        batch, n_pos = ids.shape
        return Layout(n_prompt, len(self.bos), self.position == "after_bos", batch, n_pos, ids.device)

    def prompts(self, prompt: Prompt) -> Prompts:
        """Return a prompt's vectors by block; nothing of a prompt without any."""
        by_site = zip(self.sites, prompt.to(self.frozen.device), strict=True) if prompt.shape[1] else ()
        return Prompts(dict(by_site), self.kept)

    @torch.no_grad()
    def enter_first(self, n_prompt: int, ids: Tensor) -> Tensor:
        """Return the stream entering the first prompted block, which no prompt reaches: see `FastDecoder.enter`."""
        x = self.fast.enter(self.bos, ids)
        return self.fast.run(x, self.layout(n_prompt, ids), Prompts({}, self.kept), 0, self.sites[0])

    def _states(self, prompt: Prompt, batch: Batch) -> Tensor:
        layout = self.layout(prompt.shape[1], batch.ids)
        rows = torch.where(batch.position < 0, -1, batch.example * layout.n_pos + batch.position)
        if not self.kept and not len(self.bos) and bool((rows < 0).any()):
            raise ValueError("nothing stands before a first token where the prompt is cut, so it cannot be a label")
        x = self.trunk.stream(batch) if self.trunk else None
        x = self.enter_first(layout.n_prompt, batch.ids) if x is None else x
        return self.fast.states(x, layout, self.prompts(prompt), self.sites[0], rows)


class GenericPrompted:
    """Any causal model of transformers with a soft prompt, through its own forward on embeddings."""

    def __init__(self, frozen: FrozenModel, position: PromptPosition = "before_bos") -> None:
        """Point at the model."""
        self.frozen = frozen
        self.position: PromptPosition = position
        self.portions = Portions(frozen.device)

    @property
    def n_bos(self) -> int:
        """Return how many tokens the tokenizer itself puts before every text."""
        return len(self.frozen.beginning)

    def prefix(self, prompt: Prompt) -> Vectors:
        """Return what precedes every example: the one site's prompt and the tokenizer's beginning."""
        own = prompt[0].to(self.frozen.device)
        if not self.frozen.beginning:
            return own
        bos = self.embed(torch.tensor(self.frozen.beginning, device=self.frozen.device)).to(own.dtype)
        return torch.cat((own, bos) if self.position == "before_bos" else (bos, own))

    def embed(self, ids: Tensor) -> Tensor:
        """Return token embeddings."""
        return self.frozen.model.get_input_embeddings()(ids)

    def loss(self, prompt: Prompt, batch: Batch) -> Scalar:
        """See `FastPrompted`."""
        return functional.cross_entropy(self.logits(prompt, batch), batch.targets)

    @torch.no_grad()
    def scores(self, prompt: Prompt, batch: Batch) -> tuple[PerLabel, Hits]:
        """See `FastPrompted`."""
        logits = self.logits(prompt, batch)
        losses = functional.cross_entropy(logits, batch.targets, reduction="none")
        return losses, logits.argmax(-1) == batch.targets

    def states(self, prompt: Prompt, batch: Batch) -> Tensor:
        """Return the model's normed last states that predict the labels, (n_labels, d_model).

        Logits at the labels alone are then few, where `logits` makes those of every column that has
        a label in some example: 1 MB each at a vocabulary of 262,144.
        """
        inputs, n_prefix = self._inputs(prompt, batch)
        out = self.frozen.model.get_decoder()(inputs_embeds=inputs, use_cache=False)
        return out.last_hidden_state[batch.example, batch.position + n_prefix]

    def logits(self, prompt: Prompt, batch: Batch) -> Logits:
        """See `FastPrompted`."""
        inputs, n_prefix = self._inputs(prompt, batch)
        columns, place = torch.unique(batch.position + n_prefix, return_inverse=True)
        if not self.frozen.abilities.picks:
            logits = self.frozen.model(inputs_embeds=inputs, use_cache=False).logits[:, columns]
        else:
            logits = self.frozen.model(inputs_embeds=inputs, use_cache=False, logits_to_keep=columns).logits
        return logits[batch.example, place].float()

    def _inputs(self, prompt: Prompt, batch: Batch) -> tuple[Tensor, int]:
        """Return embeddings of prefix and tokens, and how many of them are the prefix's."""
        tokens = self.embed(batch.ids)
        prefix = self.prefix(prompt).to(tokens.dtype)
        return torch.cat((prefix.expand(len(tokens), *prefix.shape), tokens), dim=1), len(prefix)


Prompted = FastPrompted | GenericPrompted
"""What tuning and generation need of a model: loss, scores and logits after a prompt."""
