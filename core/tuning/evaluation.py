"""The validation set of a run, and what is measured on it."""

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch

from core.lm.batch import Batch, collate
from core.lm.generation import generate, stop_tokens
from core.lm.prompted import Prompted
from core.lm.shapes import Hits, PerLabel, Prompt
from core.progress import Progress, silent
from core.specs.base import canonical_json, fingerprint
from core.tuning.answers import SCORINGS
from core.tuning.examples import Item

BATCH = 16
"""Examples evaluated at a time; fixed, so that the numbers do not depend on the batch that is
trained on."""


ANSWER_SCORES = ("exact_match", "f1", "precision", "recall")
"""What answers are measured by; None where none are generated."""


@dataclass(frozen=True)
class Generation:
    """How answers are generated.

    Attributes:
        n_examples: of the validation set, from its beginning.
        max_new_tokens: at most, an answer.
        scoring: how answers are compared, a name of `SCORINGS`.
    """

    n_examples: int
    max_new_tokens: int
    scoring: str


class Validation:
    """The same examples for every evaluation of a run."""

    def __init__(self, prompted: Prompted, items: Sequence[Item], generation: Generation) -> None:
        """Put the examples into batches of similar length."""
        ordered = sorted(items, key=lambda item: len(item.example.ids))
        self.items = items
        self.prompted = prompted
        self.generation = generation
        self.asked = [item for item in items if item.answers][: generation.n_examples]
        self.batches: list[Batch] = [
            collate([item.example for item in ordered[start : start + BATCH]]).to(prompted.frozen.device)
            for start in range(0, len(ordered), BATCH)
        ]

    @property
    def n_labels(self) -> int:
        """Return how many tokens the loss is a mean over."""
        return sum(len(batch.targets) for batch in self.batches)

    def digest(self) -> str:
        """Return what tells these examples, and how they are answered, from others."""
        examples = [(item.example.ids, item.example.labels) for item in self.items]
        asked = [(item.question, item.answers) for item in self.asked]
        return fingerprint(canonical_json([examples, asked, asdict(self.generation)]))

    def through(self, prompted: Prompted) -> "Validation":
        """Return the same examples, measured through another model or place of the prompt."""
        other = copy.copy(self)
        other.prompted = prompted
        return other

    def measure(self, prompt: Prompt, progress: Progress = silent) -> dict[str, float]:
        """Return loss and accuracy over the validation set's label tokens, each token counting the same.

        Args:
            prompt: to measure; n_prompt may be 0.
            progress: in batches.

        Returns:
            loss, accuracy, and where some labels are ends of sequence also answer_loss, over the
            other labels, and end_loss, over those.
        """
        loss, end_loss, n_hits, n_ends = 0.0, 0.0, 0, 0
        end = self.prompted.frozen.tokenizer.eos_token_id
        for done, batch in enumerate(self.batches):
            progress(done, len(self.batches))
            losses, hits = self._scores(prompt, batch)
            ends = batch.targets == (-1 if end is None else end)
            loss += float(losses.double().sum())
            end_loss += float(losses[ends].double().sum())
            n_hits += int(hits.sum())
            n_ends += int(ends.sum())
        measured = {"loss": loss / self.n_labels, "accuracy": n_hits / self.n_labels}
        if 0 < n_ends < self.n_labels:
            measured |= {"answer_loss": (loss - end_loss) / (self.n_labels - n_ends), "end_loss": end_loss / n_ends}
        return measured

    def _scores(self, prompt: Prompt, batch: Batch) -> tuple[PerLabel, Hits]:
        n_rows, width = batch.ids.shape
        found = self.prompted.portions.each(n_rows, width, lambda rows: self.prompted.scores(prompt, batch.part(rows)))
        losses, hits = zip(*found, strict=True)
        return torch.cat(losses), torch.cat(hits)

    def answer(self, prompt: Prompt, progress: Progress = silent) -> dict[str, float | None]:
        """Return exact match, F1, precision and recall of greedily generated answers; None where there are none.

        Args:
            prompt: to measure; n_prompt may be 0.
            progress: in answers.
        """
        if not self.asked:
            return dict.fromkeys(ANSWER_SCORES)
        found = self.texts(prompt, progress)
        answers = [item.answers for item in self.asked]
        return {**SCORINGS[self.generation.scoring](found, answers)}

    def texts(self, prompt: Prompt, progress: Progress = silent) -> list[str]:
        """Return the generated answers as text."""
        new = generate(
            self.prompted,
            prompt,
            [item.question for item in self.asked],
            self.generation.max_new_tokens,
            stop_tokens(self.prompted),
            progress,
        )
        tokenizer = self.prompted.frozen.tokenizer
        return [tokenizer.decode(tokens, skip_special_tokens=True).strip() for tokens in new]
