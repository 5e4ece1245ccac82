"""From records to token ids and labels."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import BadData, BadRequest
from core.lm.batch import IGNORED, Example
from core.lm.frozen import FrozenModel
from core.lm.text import CHARACTERS, tokens_of
from core.sources.records import Record
from core.specs.tuning import TuningSpec

TOO_LONG = "longer than the bound"
TOO_SHORT = "fewer than two tokens"
NO_PROMPT = "empty prompt"


@dataclass(frozen=True)
class Item:
    """One example with what its generated answer is held against.

    Attributes:
        example: tokens and labels.
        question: the tokens before the answer; empty for plain text.
        answers: accepted ones; empty for plain text.
    """

    example: Example
    question: tuple[int, ...]
    answers: tuple[str, ...]


@dataclass
class Prepared:
    """Usable examples, and why others were left out.

    Attributes:
        items: in the records' order.
        dropped: reason → how many.
        n_truncated: plain texts that were cut at the bound.
        shortest_dropped: tokens of the shortest example that was too long; 0 if none was.
    """

    items: list[Item] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    n_truncated: int = 0
    shortest_dropped: int = 0

    def add(self, item: Item, longest: int) -> None:
        """Take an example, or count it as dropped where it has more tokens than `longest`."""
        n_tokens = len(item.example.ids)
        if n_tokens <= longest:
            self.items.append(item)
            return
        self.dropped[TOO_LONG] += 1
        self.shortest_dropped = min(self.shortest_dropped or n_tokens, n_tokens)


def longest_allowed(spec: TuningSpec, frozen: FrozenModel) -> int:
    """Return how many tokens an example may have: as asked, and as fit beside the prompt.

    Raises:
        BadRequest: the prompt leaves no room in the model's context.
    """
    context, n_bos = frozen.context, len(frozen.beginning)
    if context is None:
        return spec.max_length - n_bos
    room = context - spec.n_prompt
    if room < 8:
        raise BadRequest(
            f"{spec.n_prompt} prompt vectors leave {max(room, 0)} of the model's {context} positions for text, fewer "
            f"than 8; set n_prompt to {context - 8} or less."
        )
    return min(spec.max_length, room) - n_bos


def prepare(records: Iterable[Record], is_task: bool, tokenizer: Any, longest: int) -> Prepared:
    """Tokenise records.

    Of a task, prompt and context are no labels and the answer is one, end of sequence included. A
    task's example that is too long is dropped, because cutting it would cut the question. Of plain
    text the second half is the label, and a text that is too long is cut.
    """
    prepared = Prepared()
    for record in records:
        if is_task:
            _add_task(prepared, record, tokenizer, longest)
        else:
            _add_text(prepared, record, tokenizer, longest)
    return prepared


def require_items(prepared: Prepared, what: str, longest: int) -> list[Item]:
    """Return the items.

    Raises:
        BadData: if there are none, with the reason and the remedy.
    """
    if prepared.items:
        return prepared.items
    reasons = ", ".join(f"{count} {reason}" for reason, count in prepared.dropped.items()) or "there were no records"
    shortest = f" (the shortest has {prepared.shortest_dropped})" if prepared.shortest_dropped else ""
    raise BadData(
        f"No {what} example is left of those that have at most {longest} tokens{shortest}: {reasons}; "
        "raise max_length if the model's context allows it, or give shorter examples."
    )


def _add_task(prepared: Prepared, record: Record, tokenizer: Any, longest: int) -> None:
    if len(record.text) > CHARACTERS * longest:  # beyond what any tokenizer puts into that many tokens
        prepared.dropped[TOO_LONG] += 1
        return
    question = tokens_of(tokenizer, record.prompt)
    if not question:
        prepared.dropped[NO_PROMPT] += 1
        return
    answer = _answer_tokens(tokenizer, question, record)
    if tokenizer.eos_token_id is not None:
        answer = [*answer, tokenizer.eos_token_id]
    ids = (*question, *answer)
    labels = (*[IGNORED] * len(question), *answer)
    prepared.add(Item(Example(ids, labels), tuple(question), record.answers), longest)


def _answer_tokens(tokenizer: Any, question: Sequence[int], record: Record) -> list[int]:
    """Return the tokens that follow the question's own.

    At generation the model sees the question's tokens and nothing else, so the answer's must
    continue just those. Where the tokenizer would merge across the border, the answer is tokenised
    by itself.
    """
    answer = record.text.removeprefix(record.prompt)
    whole = tokens_of(tokenizer, record.text)
    if whole[: len(question)] == list(question) and len(whole) > len(question):
        return whole[len(question) :]
    return tokens_of(tokenizer, answer)


def _add_text(prepared: Prepared, record: Record, tokenizer: Any, longest: int) -> None:
    ids = tokens_of(tokenizer, record.text, longest + 1)
    if len(ids) > longest:
        prepared.n_truncated += 1
        ids = ids[:longest]
    if len(ids) < 2:
        prepared.dropped[TOO_SHORT] += 1
        return
    half = len(ids) // 2
    prepared.items.append(Item(Example(tuple(ids), (*[IGNORED] * half, *ids[half:])), (), ()))
