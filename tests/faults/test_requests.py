"""Hostile requests, files of texts and model folders are taken, or end in one line that fits a screen."""

import random
from collections.abc import Callable
from importlib import import_module
from itertools import islice

import pytest

from core.errors import LONGEST_LINE, PriorscopeError


@pytest.mark.parametrize(
    ("kind", "tries"),
    [("specs", 200), ("sweeps", 100), ("arguments", 100), ("addresses", 10), ("data", 200), ("models", 40)],
)
def test_hostile_requests(kind, tries, tmp_path):
    cases = import_module(f"tests.faults.fuzz_{kind}").cases(random.Random(0), tmp_path)
    for name, attempt in islice(cases, tries):
        said = _said(attempt)
        assert len(said) <= LONGEST_LINE, name
        assert "\n" not in said, name


def _said(attempt: Callable[[], str | None]) -> str:
    """Return the message of a refusal; what is taken must not be wrong all the same."""
    try:
        assert not attempt()
    except PriorscopeError as error:
        return str(error)
    return ""
