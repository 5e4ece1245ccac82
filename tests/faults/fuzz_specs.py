"""Specs as a shell, a file or another program may give them; whatever is taken has an id."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from core.engine.lookup import job_id
from core.engine.tasks import find_task
from tests.faults import odd

_MODEL = {"name": "smollm2-135m"}
_CLOUD = {"model": _MODEL, "dataset": {"name": "math", "samples": 20}, "sites": [0, "final"], "tokens": {}}
_TUNING = {"prior": {"kind": "exclusion", "c": 5}, "model": _MODEL, "dataset": _CLOUD["dataset"], "steps": 3}
SOUND: dict[str, Any] = {
    "tune": _TUNING,
    "capture": _CLOUD,
    "projection": {"model": _MODEL, "site": 0, "clouds": [_CLOUD], "perplexities": [30, 100]},
    "vocabulary": _MODEL,
    "trajectory": {"model": _MODEL, "text": "One hen.", "site": 0},
    "atlas": {"model": _MODEL, "clouds": [_CLOUD, {**_CLOUD, "dataset": {"name": "news"}}]},
    "fit": {"prior": "gaussian", "model": _MODEL, "reference": _CLOUD, "site": 0},
    "measure": {"run": "t-1", "posterior": "abc"},
    "study": {"study": {"model": _MODEL}, "item": "figure-1"},
    "hygiene": {"cloud": _CLOUD, "model": _MODEL},
    "paths": {"model": _MODEL, "dataset": _CLOUD["dataset"]},
    "decide": {"study": {}, "claim": "claim-1"},
}
"""A spec of each kind, most of which are sound."""


def cases(rng: random.Random, folder: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield specs: sound ones with one odd value, and odd ones altogether."""
    while True:
        kind = rng.choice(sorted(SOUND))
        data = odd.changed(SOUND[kind], rng) if rng.random() < 0.8 else odd.value(rng)
        text = json.dumps(data) if rng.random() < 0.95 else rng.choice(odd.TEXTS)
        yield f"{kind} {text[:200]}", lambda kind=kind, text=text: _taken(kind, text)


def _taken(kind: str, text: str) -> None:
    spec = find_task(kind).parse(text)
    job_id(kind, spec)
    assert type(spec).parse(spec.canonical_json()) == spec
