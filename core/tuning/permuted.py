"""Random labels: the control in which answers belong to other questions. Free of torch."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from core.lm.batch import IGNORED, Example
from core.tuning.examples import Item, Prepared

_STREAM = 2
"""Keeps the permutation's random numbers apart from those that draw and split the samples."""


def permute_answers(prepared: Prepared, seed: int, longest: int) -> Prepared:
    """Return the examples with each one's labels taken from another of them, by one cycle through all.

    No example keeps its own answer, unless it is the only one; where two questions have the same
    answer, they may swap it, since labels that avoid the true answer would tell of it. Of plain
    text the second half is the answer.

    Args:
        prepared: examples to train on.
        seed: of the data set; decides who gets whose answer.
        longest: tokens of an example. A task's that becomes longer is dropped and counted, a text
            is cut.
    """
    items = prepared.items
    order = np.random.default_rng([seed, _STREAM]).permutation(len(items))
    giver = dict(zip(order.tolist(), np.roll(order, -1).tolist(), strict=True))
    swapped = [_with_answer(item, items[giver[i]], longest) for i, item in enumerate(items)]
    found = Prepared([], Counter(prepared.dropped), prepared.n_truncated, prepared.shortest_dropped)
    for item in swapped:
        found.add(item, longest)
    return found


def _with_answer(item: Item, giver: Item, longest: int) -> Item:
    asked = item.example.ids[: _n_asked(item.example.labels)]
    answer = giver.example.ids[_n_asked(giver.example.labels) :]
    if not item.question:
        answer = answer[: longest - len(asked)]
    return Item(Example((*asked, *answer), (*[IGNORED] * len(asked), *answer)), item.question, giver.answers)


def _n_asked(labels: Sequence[int]) -> int:
    """Return how many tokens stand before the first label."""
    return next(i for i, label in enumerate(labels) if label != IGNORED)
