"""How well a causal model predicts chosen tokens of a corpus; logits exist for those alone."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers.utils.generic import ModelOutput

from core.activations.forward import TOKENS_AT_ONCE, SiteReader, token_places
from core.activations.shapes import Places, TokenLogits, TokenNumbers, TokenStates
from core.activations.tokens import Corpus, length_buckets
from core.array_types import Float32s, Int64s
from core.errors import BadRequest
from core.lm.blocks import find_parts, is_norm, watch_site
from core.lm.frozen import FrozenModel, private_copy
from core.lm.kernels import LOSS_ROWS
from core.lm.questions import apart, probe_ids
from core.progress import Progress, silent
from core.specs.cloud import FINAL


@dataclass
class _States(ModelOutput):
    """A decoder's output: its states, and all else that causal models read of it, empty."""

    last_hidden_state: Tensor | None = None
    attentions: None = None
    cache: None = None
    cross_attentions: None = None
    hidden_states: None = None
    mems: None = None
    router_logits: None = None
    shared_kv_states: None = None
    state: None = None


class _Given(nn.Module):
    """Takes the decoder's place in the model and returns states that are already computed."""

    states: Tensor

    def forward(self, *_: Any, **__: Any) -> _States:
        return _States(self.states)


class Head:
    """From states to logits as the model does it: its output matrix, and any caps or scales."""

    def __init__(self, frozen: FrozenModel) -> None:
        """Put a stand-in for the decoder into a copy that shares every weight, and try it on a few tokens.

        Raises:
            BadRequest: it does not give the model's own logits.
        """
        self._model: Any = private_copy(frozen).model
        self._ids = torch.zeros(1, 1, dtype=torch.int64, device=frozen.device)
        parts, seen = find_parts(self._model), {}
        with watch_site(parts, FINAL, seen.__setitem__), torch.inference_mode():
            expected = self._model(input_ids=probe_ids(frozen), use_cache=False).logits[0]
        decoder = self._model.get_decoder()
        path = next(path for path, module in self._model.named_modules() if module is decoder)
        self._given = _Given()
        setattr(self._model.get_submodule(path.rpartition(".")[0]), path.rpartition(".")[2], self._given)
        in_blocks = set(parts.blocks.modules())
        others = [module for module in decoder.modules() if module not in in_blocks and is_norm(module)]
        for norm in (parts.final_norm, *others, None):
            self._norm = norm
            with suppress(RuntimeError, ValueError, TypeError, AttributeError, KeyError), torch.inference_mode():
                if not apart(self.logits(seen[FINAL][0]), expected, frozen.dtype):
                    return
        raise BadRequest(
            f"Predictions of {type(self._model).__name__} cannot be computed from the states that leave its last "
            "block; choose another causal language model."
        )

    def logits(self, states: TokenStates) -> TokenLogits:
        """Return the logits of states that leave the last block."""
        self._given.states = (self._norm(states) if self._norm else states)[None]
        return self._model(input_ids=self._ids.expand(1, len(states)), use_cache=False).logits[0].float()


def foresee(
    frozen: FrozenModel, corpus: Corpus, numbers: TokenNumbers, progress: Progress = silent
) -> tuple[Float32s, Float32s]:
    """Return rank and surprise of tokens, as the model predicts them from the tokens before.

    Only texts with such a token are read, and the logits of at most `LOSS_ROWS` tokens exist at a
    time.

    Args:
        frozen: a causal model.
        corpus: all tokens.
        numbers: (n,) token numbers, ascending.
        progress: in tokens.

    Returns:
        rank: (n,) one more than the number of likelier tokens.
        surprise: (n,) negative log-probability (nats). Both are NaN for first tokens and padding.

    Raises:
        Failed: the device has too little memory.
        Cancelled: by the progress.
    """
    rank, surprise = (np.full(len(numbers), np.nan, np.float32) for _ in range(2))
    foretold = np.flatnonzero(~corpus.first[numbers] & ~corpus.pad[numbers])
    wanted = np.unique(corpus.document_of(numbers[foretold]))
    lengths = np.zeros_like(corpus.lengths)
    lengths[wanted] = corpus.lengths[wanted]
    reader, head = SiteReader(frozen, (FINAL,)), Head(frozen)
    done, total = 0, int(lengths.sum())
    for documents in length_buckets(lengths, TOKENS_AT_ONCE[frozen.device.type]):
        progress(done, total, "Reading the model's predictions")
        before, places = token_places(corpus, documents)
        _, those, picks = np.intersect1d(numbers[foretold], before + 1, assume_unique=True, return_indices=True)
        slots = foretold[those]
        states = _states(reader, corpus, documents, torch.from_numpy(places[picks]).to(frozen.device))
        targets = torch.from_numpy(corpus.ids[numbers[slots]].astype(np.int64)).to(frozen.device)
        rank[slots], surprise[slots] = _judge(head, states, targets)
        done += int(lengths[documents].sum())
    progress(total, total, "Reading the model's predictions")
    return rank, surprise


def _states(reader: SiteReader, corpus: Corpus, documents: Int64s, places: Places) -> TokenStates:
    """Return the stream at places of the flattened (batch × pos) grid of documents."""
    found: list[Tensor] = []
    reader.read(corpus, documents, lambda _, stream: found.append(stream.flatten(0, 1)[places]))
    return found[0]


@torch.inference_mode()
def _judge(head: Head, states: TokenStates, targets: Places) -> tuple[Float32s, Float32s]:
    ranks, surprises = [], []
    for begin in range(0, len(states), LOSS_ROWS):
        logits = head.logits(states[begin : begin + LOSS_ROWS])
        own = logits.gather(1, targets[begin : begin + LOSS_ROWS, None])
        ranks.append(1 + (logits > own).sum(1))
        surprises.append(logits.logsumexp(1) - own[:, 0])
    return torch.cat(ranks).cpu().numpy().astype(np.float32), torch.cat(surprises).cpu().numpy()
