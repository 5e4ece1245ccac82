"""How much is tried, how long, and what came of it."""

import os
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

SHARE = float(os.environ.get("PRIORSCOPE_FAULTS", "0.1"))
SEED = int(os.environ.get("PRIORSCOPE_FAULTS_SEED", "0"))
SECONDS = float(os.environ.get("PRIORSCOPE_FAULTS_SECONDS", "60" if SHARE < 1 else "inf"))
PROPERTY = "faults"
"""Name of the property of a test's report that holds its counts."""


@dataclass
class Tally:
    """What came of the cases of one kind.

    Attributes:
        group: 'kills', 'damages' or 'inputs'.
        kind: within the group.
        tried: cases that were tried.
        failures: what was wrong, one line each.
    """

    group: str
    kind: str
    tried: int = 0
    failures: list[str] = field(default_factory=list)

    def row(self) -> tuple[str, str, int, int]:
        """Return group, kind, tried and passed."""
        return self.group, self.kind, self.tried, self.tried - len(self.failures)


def try_all(
    request: pytest.FixtureRequest, group: str, kind: str, cases: Iterable[tuple[str, Callable[[], str]]], full: int
) -> None:
    """Try cases until the share of the full count, or the time, is used up; each returns what is wrong, or nothing.

    Args:
        request: of the test, whose report carries the counts.
        group: see `Tally`.
        kind: see `Tally`.
        cases: endless, each with a name.
        full: how many a full run tries.
    """
    tally, until = Tally(group, kind), time.monotonic() + SECONDS
    for name, attempt in cases:
        if tally.tried >= max(1, round(full * SHARE)) or (tally.tried and time.monotonic() > until):
            break
        tally.tried += 1
        if wrong := attempt():
            tally.failures.append(f"{name}: {wrong}")
    request.node.user_properties.append((PROPERTY, tally.row()))
    assert not tally.failures, "\n".join([f"{len(tally.failures)} of {tally.tried}", *tally.failures[:20]])


def generator(kind: str) -> random.Random:
    """Return the random numbers of a kind, the same for the same seed."""
    return random.Random(f"{SEED} {kind}")


def table(reports: Iterable[Any]) -> list[str]:
    """Return the counts of all tests as lines of a table."""
    rows = [value for report in reports for name, value in report.user_properties if name == PROPERTY]
    groups: dict[str, list[int]] = {}
    lines = [f"{'GROUP':<9} {'KIND':<14} {'TRIED':>6} {'PASSED':>6}"]
    for group, kind, tried, passed in sorted(map(tuple, rows)):
        total = groups.setdefault(group, [0, 0])
        total[0], total[1] = total[0] + tried, total[1] + passed
        lines.append(f"{group:<9} {kind:<14} {tried:>6} {passed:>6}")
    lines += [f"{group:<9} {'all':<14} {tried:>6} {passed:>6}" for group, (tried, passed) in groups.items()]
    return lines if rows else []
