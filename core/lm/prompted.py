"""A frozen causal model that reads trained vectors before its tokens."""

from typing import Any, Literal, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from core.lm.batch import Batch
from core.lm.fast_llama import FastLlama, supports
from core.lm.kernels import label_loss, token_scores
from core.lm.load import FrozenModel

PromptPosition = Literal["before_bos", "after_bos"]


class Prompted(Protocol):
    """What tuning and generation need of a model. A prompt is (n_prompt, d_model) float32; n_prompt may be 0."""

    frozen: FrozenModel

    def prefix(self, prompt: Tensor) -> Tensor:
        """Return what stands before every example: prompt and beginning-of-sequence token, (n_prefix, d_model)."""
        ...

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
    """Return the fastest exact forward for a model."""
    return FastPrompted(frozen, position) if supports(frozen.model) else GenericPrompted(frozen, position)


def leading_bos(tokenizer: Any) -> int | None:
    """Return the token the tokenizer itself puts before every text, or None."""
    ids = tokenizer("a").input_ids
    return ids[0] if ids and ids[0] == tokenizer.bos_token_id else None


class _Prefixed:
    """Puts prompt and beginning-of-sequence token in the asked order."""

    def __init__(self, frozen: FrozenModel, position: PromptPosition = "before_bos") -> None:
        self.frozen = frozen
        self.position = position
        self.bos = leading_bos(frozen.tokenizer)

    def prefix(self, prompt: Tensor) -> Tensor:
        """Return what stands before every example (n_prefix, d_model), in the prompt's dtype."""
        prompt = prompt.to(self.frozen.device)
        if self.bos is None:
            return prompt
        bos = self.embed(torch.tensor([self.bos], device=self.frozen.device)).to(prompt.dtype)
        return torch.cat((prompt, bos) if self.position == "before_bos" else (bos, prompt))

    def embed(self, ids: Tensor) -> Tensor:
        """Return token embeddings."""
        return self.frozen.model.get_input_embeddings()(ids)


class FastPrompted(_Prefixed):
    """Llama-like models through `FastLlama`."""

    def __init__(self, frozen: FrozenModel, position: PromptPosition = "before_bos") -> None:
        """Point at the model's weights."""
        super().__init__(frozen, position)
        self.fast = FastLlama(frozen.model)

    def loss(self, prompt: Tensor, batch: Batch) -> Tensor:
        """See `Prompted`."""
        return label_loss(self._states(prompt, batch), self.fast.head, batch.targets)

    @torch.no_grad()
    def scores(self, prompt: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """See `Prompted`."""
        return token_scores(self._states(prompt, batch), self.fast.head, batch.targets)

    def logits(self, prompt: Tensor, batch: Batch) -> Tensor:
        """See `Prompted`."""
        return functional.linear(self._states(prompt, batch), self.fast.head).float()

    def _states(self, prompt: Tensor, batch: Batch) -> Tensor:
        prefix = self.prefix(prompt)
        within = batch.example * batch.ids.shape[1] + batch.position
        rows = len(prefix) + torch.where(batch.position < 0, -1, within)
        return self.fast.states(prefix, batch.ids, rows)


class GenericPrompted(_Prefixed):
    """Any causal model of transformers, through its own forward on embeddings."""

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
