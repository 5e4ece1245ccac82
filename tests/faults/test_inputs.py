"""Hostile input ends in one line that fits on a screen, or is taken; nothing else comes of it."""

import traceback
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from core.errors import LONGEST_LINE, PriorscopeError
from tests.faults.generators import KINDS
from tests.faults.tally import generator, try_all


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_input(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    cases = import_module(KINDS[kind].module).cases(generator(kind), tmp_path)
    try_all(request, "inputs", kind, _judged(cases), KINDS[kind].full)


def _judged(cases: Iterator[tuple[str, Callable[[], Any]]]) -> Iterator[tuple[str, Callable[[], str]]]:
    for name, attempt in cases:
        yield name, lambda attempt=attempt: _wrong(attempt)


def _wrong(attempt: Callable[[], Any]) -> str:
    try:
        return attempt() or ""
    except PriorscopeError as error:
        text = str(error)
        return (
            ""
            if len(text) <= LONGEST_LINE and "\n" not in text
            else f"no line: {text[:200]!r} ({len(text)} characters)"
        )
    except Exception as error:  # noqa: BLE001 - anything else is what is looked for
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {str(error)[:200]} ({where.filename}:{where.lineno})"
