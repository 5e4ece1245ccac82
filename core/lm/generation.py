"""Greedy generation after a prompt, batched and cached."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from core.lm.fast_decoder import Cache, See, unseen
from core.lm.prompted import FastPrompted, GenericPrompted, Prompted
from core.lm.shapes import Ids, Lengths, Logits, Prompt
from core.progress import Progress, silent

BATCH = 64
"""Texts continued at a time."""
Tick = Callable[[], None]
Room = Callable[[int], int]
"""How many tokens can follow a text of a length."""


def stop_tokens(prompted: Prompted) -> frozenset[int]:
    """Return the tokens that end a text, from the tokenizer and the model's generation settings."""
    named = getattr(prompted.frozen.model.generation_config, "eos_token_id", None)
    listed = named if isinstance(named, list) else [named]
    return frozenset(token for token in (*listed, prompted.frozen.tokenizer.eos_token_id) if isinstance(token, int))


@torch.no_grad()
def generate(
    prompted: Prompted,
    prompt: Prompt,
    texts: Sequence[Sequence[int]],
    max_new_tokens: int,
    stop: Collection[int],
    progress: Progress = silent,
) -> list[list[int]]:
    """Continue each text greedily, with the likeliest token each time, at most to the end of the model's context.

    Args:
        prompted: model and place of the prompt.
        prompt: its vectors; n_prompt may be 0.
        texts: token ids without the beginning-of-sequence token, none empty.
        max_new_tokens: at most.
        stop: tokens that end a continuation; they are not part of it.
        progress: in texts done.

    Returns:
        the new token ids of each text.
    """
    found: list[list[int]] = [[] for _ in texts]
    done = 0
    for chosen in _groups(texts, equal_lengths=isinstance(prompted, GenericPrompted)):
        tick = partial(progress, done, len(texts))
        n_before = prompt.shape[-2] + len(prompted.frozen.beginning)
        room = _room(prompted, n_before, max_new_tokens)

        def answer(rows: slice, chosen: list[int] = chosen, tick: Tick = tick, room: Room = room) -> None:
            reader = open_reader(prompted, prompt, max_new_tokens)
            new = _continue(reader, [texts[i] for i in chosen[rows]], room, stop, tick)
            for i, tokens in zip(chosen[rows], new, strict=True):
                found[i] = tokens

        prompted.portions.each(len(chosen), len(texts[chosen[-1]]) + max_new_tokens, answer)
        done += len(chosen)
    progress(done, len(texts))
    return found


def open_reader(prompted: Prompted, prompt: Prompt, max_new_tokens: int, see: See = unseen) -> "Reader":
    """Return what reads a batch of texts, and then one more token of each at a time.

    Args:
        prompted: model and place of the prompt.
        prompt: as in `generate`.
        max_new_tokens: that can be read after the texts.
        see: is told the stream at every site; of mapped models only, others are watched by hooks.
    """
    if isinstance(prompted, FastPrompted):
        return _FastReader(prompted, prompt, max_new_tokens, see)
    return (_CachedReader if prompted.frozen.abilities.cache else _RereadingReader)(prompted, prompt)


def _room(prompted: Prompted, n_before: int, max_new_tokens: int) -> Room:
    """Return how many tokens can follow a text of a length."""
    context = prompted.frozen.context
    return lambda length: max_new_tokens if context is None else min(max_new_tokens, context - n_before - length)


def _continue(
    reader: "Reader", texts: list[Sequence[int]], room: Room, stop: Collection[int], tick: Tick
) -> list[list[int]]:
    lengths = torch.tensor([len(text) for text in texts])
    ids = torch.zeros(len(texts), int(lengths.max()), dtype=torch.int64)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = torch.tensor(text)
    found: list[list[int]] = [[] for _ in texts]
    rooms = [room(len(text)) for text in texts]
    ended = [False] * len(texts)
    logits = reader.read(ids, lengths)
    for n_new in range(1, max(rooms) + 1):
        tick()
        tokens = logits.argmax(-1)
        for row, token in enumerate(tokens.tolist()):
            ended[row] = ended[row] or token in stop or n_new > rooms[row]
            if not ended[row]:
                found[row].append(token)
        if all(ended) or n_new == max(rooms):
            break
        logits = reader.advance(tokens)
    return found


class _FastReader:
    """Ragged texts at once: later tokens do not see the padding before the continuation."""

    def __init__(self, prompted: FastPrompted, prompt: Prompt, max_new_tokens: int, see: See) -> None:
        self.prompted = prompted
        self.see = see
        self.n_prompt = prompt.shape[1]
        self.prompts = prompted.prompts(prompt)
        self.max_new_tokens = max_new_tokens
        self.cache: Cache

    def read(self, ids: Ids, lengths: Lengths) -> Logits:
        """Return logits after texts that are padded on the right."""
        device, fast = self.prompted.frozen.device, self.prompted.fast
        ids, lengths = ids.to(device), lengths.to(device)
        layout = self.prompted.layout(self.n_prompt, ids)
        logits, self.cache = fast.read(
            layout, self.prompted.bos, ids, lengths, self.prompts, self.max_new_tokens, self.see
        )
        return logits

    def advance(self, tokens: Lengths) -> Logits:
        """Return logits after one more token each."""
        return self.prompted.fast.advance(tokens, self.cache, self.see)


class _CachedReader:
    """Texts of one length, with the model's own cache."""

    def __init__(self, prompted: GenericPrompted, prompt: Prompt) -> None:
        self.model: Any = prompted.frozen.model
        self.frozen = prompted.frozen
        self.prefix = prompted.prefix(prompt)
        self.only_last = {"logits_to_keep": 1} if prompted.frozen.abilities.picks else {}
        self.past: Any = None

    def read(self, ids: Ids, lengths: Lengths) -> Logits:
        tokens = self.model.get_input_embeddings()(ids.to(self.frozen.device))
        inputs = torch.cat((self.prefix.to(tokens.dtype).expand(len(ids), *self.prefix.shape), tokens), dim=1)
        return self._step(inputs_embeds=inputs)

    def advance(self, tokens: Lengths) -> Logits:
        return self._step(input_ids=tokens[:, None])

    def _step(self, **inputs: Tensor) -> Tensor:
        out = self.model(**inputs, cache=self.past, use_cache=True, **self.only_last)
        self.past = out.cache
        return out.logits[:, -1].float()


class _RereadingReader(_CachedReader):
    """For models whose cache cannot continue: everything is read again for each token."""

    def advance(self, tokens: Tensor) -> Tensor:
        more = self.model.get_input_embeddings()(tokens[:, None])
        return self._step(inputs_embeds=torch.cat((self.past, more), dim=1))

    def _step(self, **inputs: Tensor) -> Tensor:
        self.past = inputs["inputs_embeds"]
        return self.model(**inputs, use_cache=False, **self.only_last).logits[:, -1].float()


Reader = _FastReader | _CachedReader


def _groups(texts: Sequence[Sequence[int]], equal_lengths: bool) -> Iterator[list[int]]:
    """Yield indices of texts to be continued together, the shortest first."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    if not equal_lengths:
        pools = [order]
    else:
        by_length: dict[int, list[int]] = defaultdict(list)
        for i in order:
            by_length[len(texts[i])].append(i)
        pools = list(by_length.values())
    for pool in pools:
        for start in range(0, len(pool), BATCH):
            yield pool[start : start + BATCH]
