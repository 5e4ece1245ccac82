"""Batches whose memory runs out are done in halves."""

import logging
import weakref
from itertools import chain

import pytest
import torch

from core.errors import OutOfMemory
from core.lm.batch import IGNORED, Example, collate
from core.lm.memory import Portions, is_memory

CPU = torch.device("cpu")
ALLOCATOR = (
    "[enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator: not enough memory: you tried to allocate 99 bytes."
)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), True),
        (RuntimeError(ALLOCATOR), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (OutOfMemory("too little"), True),
        (RuntimeError("shapes (3, 4) and (5, 6) do not fit"), False),
        (ValueError("not enough memory"), False),
    ],
)
def test_what_counts_as_too_little_memory(error: Exception, expected: bool):
    assert is_memory(error) is expected


def fits(most: int, tried: list[tuple[int, int]]):
    def run(rows: slice) -> list[int]:
        tried.append((rows.start, rows.stop))
        if rows.stop - rows.start > most:
            raise RuntimeError(ALLOCATOR)
        return list(range(rows.start, rows.stop))

    return run


def test_what_does_not_fit_is_done_in_halves_and_later_batches_begin_so(caplog: pytest.LogCaptureFixture):
    portions, tried = Portions(CPU), []
    with caplog.at_level(logging.WARNING):
        found = portions.each(10, 8, fits(3, tried))
    assert [*chain(*found)] == list(range(10))
    assert tried == [(0, 10), (0, 5), (0, 2), (2, 4), (4, 6), (6, 8), (8, 10)]
    assert portions.note == "at most 16 tokens at once, since memory ran out"
    assert "ran out at 10 × 8 tokens; from here on at most 40 tokens" in caplog.messages[0]
    tried.clear()
    assert [*chain(*portions.each(4, 4, fits(4, tried)))] == [0, 1, 2, 3]
    assert tried == [(0, 4)], "16 tokens of narrower texts are more of them"


def test_with_enough_memory_all_is_done_at_once_and_nothing_is_said():
    portions, tried = Portions(CPU), []
    assert portions.each(7, 9, fits(7, tried)) == [list(range(7))]
    assert (tried, portions.note) == ([(0, 7)], "")


def test_other_errors_and_a_single_row_that_does_not_fit_are_told():
    portions = Portions(CPU)
    with pytest.raises(OutOfMemory, match=r"^1 × 9 tokens do not fit .* 'cpu'; choose a smaller max_length"):
        portions.each(2, 9, fits(0, []))
    with pytest.raises(ZeroDivisionError):
        portions.each(2, 9, lambda rows: 1 // 0)
    with pytest.raises(RuntimeError, match="size"):
        portions.each(2, 9, lambda rows: torch.zeros(2) @ torch.zeros(3))


def test_what_a_failed_batch_held_is_let_go_before_the_next_is_tried():
    held, alive = list[weakref.ref[torch.Tensor]](), list[int]()

    def run(rows: slice) -> int:
        alive.append(sum(one() is not None for one in held))
        own = torch.zeros(3)
        held.append(weakref.ref(own))
        if rows.stop - rows.start > 1:
            raise MemoryError(own)
        return rows.start

    assert Portions(CPU).each(4, 1, run) == [0, 1, 2, 3]
    assert alive == [0] * 6


def test_a_part_of_a_batch_holds_its_examples_and_their_labels():
    examples = [Example(tuple(range(1, n + 1)), (*[IGNORED] * (n - 2), n - 1, n)) for n in (3, 5, 4)]
    batch = collate(examples)
    assert batch.part(slice(0, 3)) is batch
    part, alone = batch.part(slice(1, 3)), collate(examples[1:])
    for name in ("ids", "lengths", "example", "position", "targets"):
        assert torch.equal(getattr(part, name), getattr(alone, name)), name
