"""One text, read and perhaps continued token by token, with the residual stream at sites."""

from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import torch
from torch import Tensor

from core.lm.blocks import find_parts, watch_site
from core.lm.frozen import private_copy
from core.lm.generation import open_reader
from core.lm.prompted import GenericPrompted, Prompted
from core.lm.shapes import Prompt
from core.progress import Progress, silent

N_BEST = 5
"""Likeliest tokens that are kept of each step."""


@dataclass(frozen=True)
class Choice:
    """One generated token.

    Attributes:
        token: its id.
        probability: the model's, given all before it.
        best: (n,) ids of the likeliest tokens, the likeliest first.
        probabilities: (n,) of those.
    """

    token: int
    probability: float
    best: tuple[int, ...]
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class Trace:
    """What was computed of one text.

    Attributes:
        streams: site → (n_bos + n_text + n_generated, d_model) float32 on the CPU, in the order of
            the text.
        prompt: site → (n_prompt, d_model) float32 of the prompted positions, at sites where there
            are such: all sites from the first prompted one on if the prompt stays in the sequence,
            else the prompted sites.
        n_bos: tokens that were read before the text, as the tokenizer begins each.
        choices: of the generated tokens.
        ended: whether a stop token ended the continuation.
    """

    streams: dict[int | str, Tensor]
    prompt: dict[int | str, Tensor]
    n_bos: int
    choices: tuple[Choice, ...]
    ended: bool


@torch.no_grad()
def trace(
    prompted: Prompted,
    prompt: Prompt,
    text: Sequence[int],
    sites: Collection[int | str],
    max_new_tokens: int,
    stop: Collection[int],
    progress: Progress = silent,
) -> Trace:
    """Read a text after a prompt and continue it exactly as `core.lm.generation.generate` does.

    Each generated token is read as well, the last one too, so that all have a stream.

    Args:
        prompted: model and place of the prompt.
        prompt: its vectors; n_prompt may be 0.
        text: token ids without the beginning-of-sequence token, at least one.
        sites: where the stream is kept.
        max_new_tokens: at most; 0 only reads.
        stop: tokens that end the continuation; they are not part of it.
        progress: in generated tokens.
    """
    seen: dict[int | str, list[Tensor]] = {site: [] for site in sites}

    def see(site: int | str, stream: Tensor) -> None:
        if site in seen:
            seen[site].append(stream.reshape(-1, stream.shape[-1]).float().cpu())

    choices: list[Choice] = []
    ended = False
    with ExitStack() as hooks:
        watched = _hooked(prompted, sites, see, hooks) if isinstance(prompted, GenericPrompted) else prompted
        reader = open_reader(watched, prompt, max_new_tokens, see)
        logits = reader.read(torch.tensor([list(text)]), torch.tensor([len(text)]))
        while len(choices) < max_new_tokens and not ended:
            progress(len(choices), max_new_tokens, "Answering")
            choice = _choose(logits[0])
            ended = choice.token in stop
            if not ended:
                choices.append(choice)
                logits = reader.advance(torch.tensor([choice.token], device=logits.device))
    streams, at_prompt = {}, _cut_vectors(prompted, prompt, sites)
    n_bos = prompted.n_bos
    for site, (first, *rest) in seen.items():
        before, own = first[: len(first) - len(text)], first[len(first) - len(text) :]
        bos, vectors = before[len(before) - n_bos :], before[: len(before) - n_bos]
        if prompted.position == "after_bos":
            bos, vectors = before[:n_bos], before[n_bos:]
        streams[site] = torch.cat((bos, own, *(later[-1:] for later in rest)))  # the whole, where all is read again
        if len(vectors):
            at_prompt[site] = vectors
    return Trace(streams, at_prompt, n_bos, tuple(choices), ended)


def _choose(logits: Tensor) -> Choice:
    """Return the likeliest token of logits (n_vocabulary,) as `generate` picks it."""
    probabilities = logits.double().softmax(-1)
    token = int(logits.argmax(-1))
    best = probabilities.topk(min(N_BEST, len(probabilities)))
    return Choice(token, float(probabilities[token]), tuple(best.indices.tolist()), tuple(best.values.tolist()))


def _cut_vectors(prompted: Prompted, prompt: Prompt, sites: Collection[int | str]) -> dict[int | str, Tensor]:
    """Return the vectors that prompted blocks read beside the stream."""
    if isinstance(prompted, GenericPrompted) or prompted.kept or not prompt.shape[1]:
        return {}
    return {site: own for site, own in zip(prompted.sites, prompt.cpu(), strict=True) if site in sites}


def _hooked(
    prompted: GenericPrompted, sites: Collection[int | str], see: Callable[..., None], hooks: ExitStack
) -> GenericPrompted:
    """Return the same model of its own modules, watched at sites as long as `hooks` are open."""
    own = GenericPrompted(private_copy(prompted.frozen), prompted.position)
    parts = find_parts(own.frozen.model)
    for site in sites:
        hooks.enter_context(watch_site(parts, site, see))
    return own
