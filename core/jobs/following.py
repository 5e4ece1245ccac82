"""Texts through the model, token by token: the computing side of a trajectory."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from core.activations.forward import SiteReader
from core.activations.tokens import tokenise
from core.array_types import Float32s
from core.errors import BadRequest
from core.jobs.measure import tuning_spec
from core.lm.frozen import FrozenModel
from core.lm.generation import stop_tokens
from core.lm.load import load_model, load_reader
from core.lm.prompted import Prompted, build_prompted
from core.lm.sites import resolve_sites
from core.lm.text import tokens_of
from core.lm.trace import trace
from core.progress import Progress, silent
from core.specs import Site, TrajectorySpec
from core.store import Store, find_job
from core.store.prompts import read_prompts
from core.tuning.setup import place_prompt


@dataclass(frozen=True)
class Followed:
    """What was computed of one text; all arrays have a row per token.

    Attributes:
        ids: token ids, those of the text first and then those of the answer.
        n_text: tokens of the text, special ones included.
        streams: site → (n, d_model) float32.
        probabilities: of the answer's tokens.
        best: of each of the answer's tokens, ids and probabilities of the likeliest.
        prompt: site → (n_prompt, d_model) of the prompted positions.
        truncated: whether the text was cut.
        ended: whether the model ended the answer itself.
        seconds: that reading and answering took.
    """

    ids: list[int]
    n_text: int
    streams: Mapping[Site, Float32s]
    probabilities: Sequence[float] = ()
    best: Sequence[tuple[Sequence[int], Sequence[float]]] = ()
    prompt: Mapping[Site, Float32s] = field(default_factory=dict)
    truncated: bool = False
    ended: bool = False
    seconds: float = 0.0


def follow(
    spec: TrajectorySpec, texts: Sequence[str], store: Store, progress: Progress = silent
) -> tuple[FrozenModel, tuple[Site, ...], list[Followed]]:
    """Read texts, after a run's prompt if one is named, and go on with them if asked for.

    Without a prompt texts are read as a capture reads them, to the last bit; answers are generated, and texts after a
    prompt are read, by the forward that runs are trained and evaluated with.

    Returns:
        the model, the sites in the order of the stream, and what was computed of each text.

    Raises:
        BadRequest: no such site, a text without tokens, too long a question, or a run that does not fit.
        Cancelled: by the progress.
    """
    plain = spec.run is None and spec.mode == "read"
    frozen = (load_reader if plain else load_model)(spec.model, store, progress)
    sites = resolve_sites(spec.sites, frozen.n_layers)
    if plain:
        return frozen, sites, _read(texts, frozen, sites, _longest(spec, frozen, 0))
    return frozen, sites, _trace(texts, frozen, sites, spec, store, progress)


def _read(texts: Sequence[str], frozen: FrozenModel, sites: tuple[Site, ...], longest: int) -> list[Followed]:
    corpus = tokenise(texts, frozen.tokenizer, longest + 1, keep_pad=False, tick=lambda _: None)
    cut = tokenise(texts, frozen.tokenizer, longest, keep_pad=False, tick=lambda _: None)
    reader = SiteReader(frozen, sites)
    followed = []
    for number, text in enumerate(texts):
        _require_tokens(int(cut.lengths[number]), number, text)
        streams: dict[Site, Float32s] = {}

        def receive(site: Site, stream: Tensor, into: dict[Site, Float32s] = streams) -> None:
            into[site] = stream[0].float().cpu().numpy()

        reader.read(cut, np.array([number]), receive)
        ids = cut.ids[cut.starts[number] : cut.starts[number + 1]].tolist()
        followed.append(Followed(ids, len(ids), streams, truncated=int(corpus.lengths[number]) > len(ids)))
    return followed


def _trace(
    texts: Sequence[str],
    frozen: FrozenModel,
    sites: tuple[Site, ...],
    spec: TrajectorySpec,
    store: Store,
    progress: Progress,
) -> list[Followed]:
    prompted, prompt = _prompted(spec, frozen, store)
    n_new = spec.max_new_tokens if spec.mode == "generate" else 0
    longest, stop = _longest(spec, frozen, prompt.shape[1] + n_new), stop_tokens(prompted)
    followed = []
    for number, text in enumerate(texts):
        whole = tokens_of(frozen.tokenizer, text, longest + 1)
        _require_tokens(len(whole), number, text)
        if n_new and len(whole) > longest:
            raise BadRequest(
                f"Question {number + 1} has more than the {longest} tokens that can be read before an answer; shorten "
                "it, raise max_length, or lower max_new_tokens."
            )
        began = time.perf_counter()
        found = trace(prompted, prompt, whole[:longest], sites, n_new, stop, progress)
        ids = [*frozen.beginning, *whole[:longest]]
        followed.append(
            Followed(
                ids=[*ids, *(choice.token for choice in found.choices)],
                n_text=len(ids),
                streams={site: stream.numpy() for site, stream in found.streams.items()},
                probabilities=[choice.probability for choice in found.choices],
                best=[(choice.best, choice.probabilities) for choice in found.choices],
                prompt={site: vectors.numpy() for site, vectors in found.prompt.items()},
                truncated=len(whole) > longest,
                ended=found.ended,
                seconds=time.perf_counter() - began,
            )
        )
    return followed


def _prompted(spec: TrajectorySpec, frozen: FrozenModel, store: Store) -> tuple[Prompted, Tensor]:
    """Return the model with a place for the run's prompt, and the prompt; one of no vectors without a run."""
    if spec.run is None:
        return build_prompted(frozen), torch.zeros(1, 0, frozen.d_model)
    run = find_job(store, spec.run)
    tuning, prompts = tuning_spec(run), read_prompts(run)
    assert prompts is not None  # noqa: S101 - there is a posterior
    return place_prompt(tuning, frozen, prompts.sites), torch.from_numpy(np.array(prompts.vectors[-1]))


def _longest(spec: TrajectorySpec, frozen: FrozenModel, n_others: int) -> int:
    """Return how many tokens of a text can be read beside others in the model's context.

    Raises:
        BadRequest: the others leave no room.
    """
    context = frozen.context
    if context is None:
        return spec.max_length
    room = context - n_others - len(frozen.beginning)
    if room < 1:
        raise BadRequest(
            f"Prompt and answer of {n_others} tokens leave no room in the model's {context} positions; lower "
            f"max_new_tokens by {1 - room} or more."
        )
    return min(spec.max_length, room)


def _require_tokens(n_tokens: int, number: int, text: str) -> None:
    if not n_tokens:
        raise BadRequest(f"Text {number + 1} ({text!r}) has no tokens in this model; write something else.")
