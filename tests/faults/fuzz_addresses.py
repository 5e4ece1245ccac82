"""Addresses of views that nobody's link leads to: each page draws its form, and says what it cannot show."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.engine import client
from tests.app.conftest import PAGES, open_page
from tests.faults import odd

PARAMETERS = [
    "model",
    "site",
    "data",
    "samples",
    "module",
    "modules",
    "difficulty",
    "path",
    "files",
    "prior",
    "priors",
    "selection",
    "token",
    "map",
    "method",
    "perplexity",
    "perplexities",
    "runs",
    "run",
    "steps",
    "n_prompt",
    "learning_rate",
    "seed",
    "text",
    "data_seed",
    "text_column",
    "device",
    "dtype",
    "sink_ratio",
    "texts",
    "reference",
    "sweep",
    "study",
    "claim",
    "colour",
]


def cases(rng: random.Random, folder: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield pages with one to four parameters that are odd."""
    texts = [text for text in odd.TEXTS if len(text) < 50_000]
    while True:
        page = rng.choice(PAGES)
        address = {rng.choice(PARAMETERS): rng.choice(texts) for _ in range(rng.randint(1, 4))}
        yield f"{page} {str(address)[:300]}", lambda page=page, address=address: _opened(page, address, folder)


def _opened(page: str, address: dict[str, str], folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRIORSCOPE_CACHE", str(folder / "cache"))
        patch.setattr(client, "revive", lambda _: False)
        open_page(page, **address)
