"""Tests of a model when it is loaded: a few tokens, and no assumption about its family."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from core.lm.answers import Answer, Answers, Stops
from core.lm.architectures import Unmapped
from core.lm.batch import Example, collate
from core.lm.blocks import Parts, find_parts, watch_site
from core.lm.frozen import Abilities, FrozenModel
from core.lm.generation import open_reader
from core.lm.memory import is_memory
from core.lm.prompted import FastPrompted, GenericPrompted
from core.lm.text import tokens_of
from core.specs.cloud import FINAL

VERSION = "1"
"""Goes up when a model would be asked something else."""
PROBE = "One day a small dog ran to the red house"
"""Ordinary tokens of any tokenizer; reserved ones may mean an image to a model."""
N_TOKENS = 10
TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-3, torch.bfloat16: 0.05, torch.float16: 0.02}
"""Largest difference of logits over their length, where the same is computed in two ways."""
ROUNDING = {torch.float64: 1e-7, torch.float32: 1e-4, torch.bfloat16: 0.02, torch.float16: 0.005}
"""Largest change of a vector over the largest coordinate, where nothing it is computed from
changes."""
N_VECTORS = 3


@torch.no_grad()
def ask(frozen: FrozenModel) -> Answers:
    """Return what a model answers; questions after one that stops everything are not asked."""
    asked = _Asked(frozen)
    answers: list[Answer] = []
    for question, put in _questions(asked):
        try:
            answer = put()
        except Exception as error:  # whatever a family's own code raises is its answer
            if is_memory(error):
                raise
            answer = f"fails: {short(error)}; choose another model", "everything"
        words, stops = (answer, "nothing") if isinstance(answer, str) else answer
        answers.append(Answer(question, words, stops))
        if stops == "everything":
            break
    return Answers(tuple(answers), asked.abilities, asked.d_model)


def probe_ids(frozen: FrozenModel) -> Tensor:
    """Return (1, N_TOKENS) token ids, as far as possible of ordinary text."""
    rows = frozen.n_vocabulary
    found = [number for number in tokens_of(frozen.tokenizer, PROBE) if number < rows][:N_TOKENS]
    filled = [*found, *((3 + 7 * i) % rows for i in range(N_TOKENS - len(found)))]
    return torch.tensor([filled], device=frozen.device)


def apart(found: Tensor, expected: Tensor, dtype: torch.dtype) -> bool:
    """Return whether two results of the same are more apart than rounding in a number format makes them."""
    length = torch.linalg.vector_norm(expected.float())
    return not torch.linalg.vector_norm(found.float() - expected.float()) <= TOLERANCE[dtype] * length


def short(error: BaseException) -> str:
    """Return the first sentence-sized piece of a message, on one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 160 else text[:157] + "…"


Put = Callable[[], str | tuple[str, Stops]]


def _questions(asked: "_Asked") -> Iterator[tuple[str, Put]]:
    yield "tokenizer", asked.tokenizer
    yield "weights", asked.weights
    yield "stream", asked.stream
    if not asked.frozen.causal:
        return
    yield "logits", asked.finite_logits
    yield "causality", asked.causality
    yield "chosen logits", asked.chosen_logits
    yield "vectors before tokens", asked.vectors
    if not asked.abilities.no_prompt:
        yield "own cache", asked.cache
        yield "fast forward", asked.fast
    yield "context", asked.context
    yield "beginning", asked.beginning


@dataclass
class _Asked:
    """One model while it is tested; its abilities grow with the answers."""

    frozen: FrozenModel
    abilities: Abilities = field(default_factory=Abilities)
    d_model: int = 0

    @property
    def model(self) -> Any:
        return self.frozen.model

    @cached_property
    def parts(self) -> Parts:
        return find_parts(self.frozen.model)

    @cached_property
    def ids(self) -> Tensor:
        return probe_ids(self.frozen)

    @cached_property
    def logits(self) -> Tensor:
        """(N_TOKENS, n_vocabulary) of the ids."""
        return self.model(input_ids=self.ids, use_cache=False).logits[0].float()

    def apart(self, found: Tensor, expected: Tensor) -> bool:
        return apart(found, expected, self.frozen.dtype)

    def tokenizer(self) -> str | tuple[str, Stops]:
        tokenizer, rows = self.frozen.tokenizer, self.frozen.n_vocabulary
        if not hasattr(tokenizer, "get_vocab"):
            return "not known"
        known = tokenizer.get_vocab()
        special = {number for number, token in tokenizer.added_tokens_decoder.items() if token.special}
        beyond = {name: number for name, number in known.items() if number >= rows and number not in special}
        if beyond:
            name, number = max(beyond.items(), key=lambda item: item[1])
            return (
                f"its tokenizer has tokens up to {number} ({name!r}) but its embedding matrix only {rows} rows; "
                "enlarge the matrix (resize_token_embeddings) and save it, or take the model's own tokenizer",
                "everything",
            )
        return f"{len(known)} tokens, {rows} rows of the embedding matrix"

    def weights(self) -> str | tuple[str, Stops]:
        for name, tensor in self.model.named_parameters():
            if tensor.is_floating_point() and tensor.numel():
                low, high = tensor.aminmax()
                if not (torch.isfinite(low) and torch.isfinite(high)):
                    return f"the tensor {name} is not finite{_remedy(self.frozen.dtype)}", "everything"
        return "all finite"

    def streams(self, ids: Tensor) -> dict[int | str, Tensor]:
        """Return the stream (batch, pos, d_model) at every site that is reached."""
        found: dict[int | str, Tensor] = {}
        handles = [watch_site(self.parts, site, found.__setitem__) for site in (*range(self.frozen.n_layers), FINAL)]
        try:
            self.parts.decoder(input_ids=ids, **({"use_cache": False} if self.frozen.causal else {}))
        finally:
            for handle in handles:
                handle.remove()
        return found

    def stream(self) -> str | tuple[str, Stops]:
        found = self.streams(self.ids)
        missing = [site for site in range(self.frozen.n_layers) if site not in found]
        if missing:
            return f"block {missing[0]} is not run, so its stream cannot be read; choose another model", "everything"
        shapes = [tuple(stream.shape) for stream in found.values()]
        odd = [shape for shape in shapes if shape[:-1] != self.ids.shape or shape[-1] != shapes[0][-1]]
        if odd:
            return (
                f"its stream is not one vector per token: of {tuple(self.ids.shape)} tokens it has the shape {odd[0]}; "
                "choose a model with one stream",
                "everything",
            )
        self.d_model = shapes[0][-1]
        return f"{self.frozen.n_layers} blocks, one vector of {self.d_model} numbers per token"

    def finite_logits(self) -> str | tuple[str, Stops]:
        if not torch.isfinite(self.logits).all():
            return f"what it computes is not finite{_remedy(self.frozen.dtype)}", "everything"
        return "finite"

    def causality(self) -> str | tuple[str, Stops]:
        other = self.ids.clone()
        other[0, -1] = (other[0, -1] + 1) % self.frozen.n_vocabulary
        before, after = (self.streams(ids)[FINAL][0, :-1].float() for ids in (self.ids, other))
        if not (after - before).abs().max() <= ROUNDING[self.frozen.dtype] * before.abs().max():
            words = "it is not a causal language model: its tokens see what follows; "
            words += "choose one that reads left to right"
            return words, "everything"
        return "no token sees what follows it"

    def chosen_logits(self) -> str:
        columns = torch.tensor([1, 4], device=self.frozen.device)
        try:
            found = self.model(input_ids=self.ids, use_cache=False, logits_to_keep=columns).logits[0]
            picks = found.shape == self.logits[columns].shape and not self.apart(found, self.logits[columns])
        except (TypeError, ValueError, IndexError, RuntimeError):
            picks = False
        self.abilities = replace(self.abilities, picks=picks)
        return "computed alone" if picks else "computed with all others, which takes more memory"

    def vectors(self) -> str | tuple[str, Stops]:
        reason = ""
        width = self.model.get_input_embeddings().weight.shape[1]
        if width != self.d_model:
            reason = f"its embeddings are {width} wide and its stream {self.d_model}"
        else:
            try:
                embedded = self.model.get_input_embeddings()(self.ids)
                found = self.model(inputs_embeds=embedded, use_cache=False).logits[0]
                if found.shape != self.logits.shape or self.apart(found, self.logits):
                    reason = "it reads more of a token than its embedding"
                # Some families look up which tokens the vectors are, and fail where they are none.
                self.model(inputs_embeds=embedded + embedded.flip(1), use_cache=False)
            except (TypeError, ValueError, IndexError, RuntimeError, AttributeError, NotImplementedError) as error:
                reason = f"it does not read embeddings in place of tokens ({short(error)})"
        if reason:
            self.abilities = replace(self.abilities, no_prompt=reason)
            return f"not possible: {reason}", "prompts"
        return "embeddings give what their tokens give"

    def cache(self) -> str:
        self.abilities = replace(self.abilities, cache=self._goes_on())
        return (
            "as if the whole text were read again" if self.abilities.cache else "not used: the whole text is read again"
        )

    def _goes_on(self) -> bool:
        nothing = torch.zeros(1, 0, self.d_model)
        reader = open_reader(GenericPrompted(self._with(Abilities(cache=True))), nothing, 2)
        split = N_TOKENS - 2
        bare = list(self.frozen.beginning)
        whole = self.logits if not bare else self._logits_of([*bare, *self.ids[0].tolist()])[len(bare) :]
        try:
            found = [reader.read(self.ids[:, :split], torch.tensor([split]))[0]]
            found += [reader.advance(self.ids[0, split + i : split + i + 1])[0] for i in range(2)]
        except (TypeError, ValueError, IndexError, RuntimeError, AttributeError, KeyError):
            return False
        return not self.apart(torch.stack(found), whole[split - 1 :])

    def _logits_of(self, ids: list[int]) -> Tensor:
        return self.model(input_ids=torch.tensor([ids], device=self.frozen.device), use_cache=False).logits[0].float()

    def fast(self) -> str:
        generic = GenericPrompted(self._with(self.abilities))
        try:
            fast = FastPrompted(self._with(Abilities()))
        except Unmapped as error:
            return f"not mapped: {error}"
        tokens = tuple(self.ids[0].tolist())
        batch = collate([Example(tokens, tokens), Example(tokens[: N_TOKENS // 2], tokens[: N_TOKENS // 2])])
        batch = batch.to(self.frozen.device)
        prompt = self.model.get_input_embeddings()(self.ids[:, -N_VECTORS:]).float()
        if self.apart(fast.logits(prompt, batch), generic.logits(prompt, batch)):
            self.abilities = replace(self.abilities, no_fast="its logits differ from those of the model's own forward")
            return f"not used: {self.abilities.no_fast}"
        return "gives the model's own logits"

    def context(self) -> str:
        return f"{self.frozen.context} positions" if self.frozen.context else "its config names no bound"

    def beginning(self) -> str:
        names = [str(self.frozen.tokenizer.convert_ids_to_tokens(number)) for number in self.frozen.beginning]
        return (
            f"its tokenizer puts {' '.join(names)} before each text" if names else "its tokenizer puts nothing before"
        )

    def _with(self, abilities: Abilities) -> FrozenModel:
        return replace(self.frozen, d_model=self.d_model, abilities=abilities)


def _remedy(dtype: torch.dtype) -> str:
    if dtype == torch.float16:
        return " in float16, which ends at 65504; choose dtype 'bfloat16' or 'float32', or fetch the weights again"
    return "; fetch or copy the weights again"
