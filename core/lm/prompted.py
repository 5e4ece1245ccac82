"""A frozen causal model that reads trained vectors before its tokens, or before the inputs of its blocks."""

from collections.abc import Sequence
from typing import Any, Literal, Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn import functional

from core.lm.architectures import Unmapped, map_decoder
from core.lm.batch import Batch
from core.lm.fast_decoder import FastDecoder, Prompts
from core.lm.kernels import label_loss, token_scores
from core.lm.layout import Layout
from core.lm.load import FrozenModel
from core.lm.trunk import Trunk

PromptPosition = Literal["before_bos", "after_bos"]
SOFT = (0,)
"""The one prompted site of a soft prompt."""


@runtime_checkable
class Prompted(Protocol):
    """What tuning and generation need of a model.

    A prompt is float32: (n_prompt, d_model) if soft, (n_sites, n_prompt, d_model) if deep; n_prompt may be 0, and then
    loss, scores and logits are the base model's to the last bit.
    """

    frozen: FrozenModel

    def loss(self, prompt: Tensor, batch: Batch) -> Tensor:
        """Return the mean cross-entropy over the batch's labels, float32, with a gradient to the prompt."""
        ...

    def scores(self, prompt: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return each label's cross-entropy (float32) and whether it was the likeliest token: both (n_labels,)."""
        ...

    def logits(self, prompt: Tensor, batch: Batch) -> Tensor:
        """Return float32 logits (n_labels, n_vocabulary) that predict the labels."""
        ...


def build_prompted(frozen: FrozenModel, position: PromptPosition = "before_bos") -> Prompted:
    """Return the fastest exact forward for a soft prompt."""
    try:
        return FastPrompted(frozen, position)
    except Unmapped:
        return GenericPrompted(frozen, position)


def build_deep(frozen: FrozenModel, position: PromptPosition, sites: Sequence[int], kept: bool) -> "FastPrompted":
    """Return the forward for prompts before the inputs of several blocks.

    Raises:
        Unmapped: the model's blocks are not mapped.
    """
    return FastPrompted(frozen, position, sites, kept)


def leading_bos(tokenizer: Any) -> int | None:
    """Return the token the tokenizer itself puts before every text, or None."""
    ids = tokenizer("a").input_ids
    return ids[0] if ids and ids[0] == tokenizer.bos_token_id else None


class FastPrompted:
    """Mapped models through `FastDecoder`.

    Source: 3.2 of the paper (deep prompts: prepended to each prompted block's input, cut from its output).
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
            kept: whether prompts stay in the sequence, replaced at each further prompted block, rather than being cut
                from the output of each prompted block. A soft prompt stays.

        Raises:
            Unmapped: the model's blocks are not mapped.
        """
        self.fast = FastDecoder(map_decoder(frozen.model))
        self.frozen = frozen
        self.position = position
        self.sites = tuple(sites)
        self.kept = kept
        self.trunk: Trunk | None = None
        self.base = GenericPrompted(frozen, position)
        bos = leading_bos(frozen.tokenizer)
        self.bos = torch.tensor([] if bos is None else [bos], dtype=torch.int64, device=frozen.device)

    def loss(self, prompt: Tensor, batch: Batch) -> Tensor:
        """See `Prompted`."""
        if prompt.shape[-2] == 0:
            return self.base.loss(self._nothing(prompt), batch)
        return label_loss(self._states(prompt, batch), self.fast.head, batch.targets)

    @torch.no_grad()
    def scores(self, prompt: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """See `Prompted`."""
        if prompt.shape[-2] == 0:
            return self.base.scores(self._nothing(prompt), batch)
        return token_scores(self._states(prompt, batch), self.fast.head, batch.targets)

    def logits(self, prompt: Tensor, batch: Batch) -> Tensor:
        """See `Prompted`."""
        if prompt.shape[-2] == 0:
            return self.base.logits(self._nothing(prompt), batch)
        return functional.linear(self._states(prompt, batch), self.fast.head).float()

    def layout(self, n_prompt: int, ids: Tensor) -> Layout:
        """Return where the rows of a batch (batch, pos) stand."""
        batch, n_pos = ids.shape
        return Layout(n_prompt, len(self.bos), self.position == "after_bos", batch, n_pos, ids.device)

    def prompts(self, prompt: Tensor) -> Prompts:
        """Return a prompt's vectors by block; nothing of a prompt without any."""
        if prompt.shape[-2] == 0:
            return Prompts({}, self.kept)
        by_site = prompt.to(self.frozen.device).reshape(len(self.sites), *prompt.shape[-2:])
        return Prompts(dict(zip(self.sites, by_site, strict=True)), self.kept)

    @torch.no_grad()
    def enter_first(self, n_prompt: int, ids: Tensor) -> Tensor:
        """Return the stream entering the first prompted block, which no prompt reaches: see `FastDecoder.enter`."""
        x = self.fast.enter(self.bos, ids)
        return self.fast.run(x, self.layout(n_prompt, ids), Prompts({}, self.kept), 0, self.sites[0])

    def _states(self, prompt: Tensor, batch: Batch) -> Tensor:
        layout = self.layout(prompt.shape[-2], batch.ids)
        rows = torch.where(batch.position < 0, -1, batch.example * layout.n_pos + batch.position)
        if not self.kept and not len(self.bos) and bool((rows < 0).any()):
            raise ValueError("nothing stands before a first token where the prompt is cut, so it cannot be a label")
        x = self.trunk.stream(batch) if self.trunk else None
        x = self.enter_first(layout.n_prompt, batch.ids) if x is None else x
        return self.fast.states(x, layout, self.prompts(prompt), self.sites[0], rows)

    def _nothing(self, prompt: Tensor) -> Tensor:
        return prompt.reshape(0, prompt.shape[-1])


class GenericPrompted:
    """Any causal model of transformers with a soft prompt, through its own forward on embeddings."""

    def __init__(self, frozen: FrozenModel, position: PromptPosition = "before_bos") -> None:
        """Point at the model."""
        self.frozen = frozen
        self.position: PromptPosition = position
        self.bos = leading_bos(frozen.tokenizer)

    def prefix(self, prompt: Tensor) -> Tensor:
        """Return what stands before every example: prompt and beginning-of-sequence token, (n_prefix, d_model)."""
        prompt = prompt.to(self.frozen.device).reshape(-1, prompt.shape[-1])
        if self.bos is None:
            return prompt
        bos = self.embed(torch.tensor([self.bos], device=self.frozen.device)).to(prompt.dtype)
        return torch.cat((prompt, bos) if self.position == "before_bos" else (bos, prompt))

    def embed(self, ids: Tensor) -> Tensor:
        """Return token embeddings."""
        return self.frozen.model.get_input_embeddings()(ids)

    def loss(self, prompt: Tensor, batch: Batch) -> Tensor:
        """See `Prompted`."""
        return functional.cross_entropy(self.logits(prompt, batch), batch.targets)

    @torch.no_grad()
    def scores(self, prompt: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """See `Prompted`."""
        logits = self.logits(prompt, batch)
        losses = functional.cross_entropy(logits, batch.targets, reduction="none")
        return losses, logits.argmax(-1) == batch.targets

    def logits(self, prompt: Tensor, batch: Batch) -> Tensor:
        """See `Prompted`."""
        tokens = self.embed(batch.ids)
        prefix = self.prefix(prompt).to(tokens.dtype)
        inputs = torch.cat((prefix.expand(len(tokens), *prefix.shape), tokens), dim=1)
        columns, place = torch.unique(batch.position + len(prefix), return_inverse=True)
        out = self.frozen.model(inputs_embeds=inputs, use_cache=False, logits_to_keep=columns)
        return out.logits[batch.example, place].float()
