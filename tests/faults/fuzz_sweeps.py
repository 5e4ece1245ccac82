"""Sweeps, as YAML and as JSON; whatever is taken has its runs, and is read back from its own YAML."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from core.specs.cells import cells_of
from core.specs.sweep import parse_sweep, sweep_yaml
from tests.faults import odd

_SOUND = {
    "name": "a sweep",
    "base": {"dataset": {"name": "math", "samples": 30}, "steps": 10},
    "priors": ["isotropic", {"kind": "exclusion", "c": 9}],
    "methods": ["soft", {"method": "deep", "prompt_sites": [-1]}],
    "datasets": ["math", "math:arithmetic__mul"],
    "learning_rates": [0.005, 0.001],
    "regularisers": ["none", {"spread_weight": 0.1}],
    "seeds": [0, 1],
    "vary": {"batch_size": [4, "8"], "prior.c": [2, 5]},
}
_PIECES = (
    *[
        "&a",
        "*a",
        "<<:",
        "!!binary",
        "!!set",
        "!!python/name:os.system",
        "!x",
        "|",
        ">",
        "---",
        "...",
        "2026-08-01",
        "1:30:00",
        "~",
        "yes",
        "'",
        '"',
        "{",
        "}",
        "[",
        "]",
        ",",
    ],
    *("? ", "- ", ": ", "%TAG ! a", "0x" + "f" * 400, '"\\ud800"', "\t", "\x00"),
)


def cases(rng: random.Random, folder: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield sweeps: sound ones with an odd value, with odd pieces of YAML, and bombs of aliases."""
    while True:
        text = _text(rng)
        yield text[:300], lambda text=text: _taken(text)


def _text(rng: random.Random) -> str:
    roll = rng.random()
    if roll < 0.1:
        return _bomb(rng)
    if roll < 0.5:
        data = {name: _SOUND[name] for name in _SOUND if rng.random() < 0.5}
        return json.dumps(odd.changed({**data, "priors": ["isotropic"]}, rng))
    if roll < 0.6:
        return rng.choice(odd.TEXTS)
    lines = yaml.safe_dump(_SOUND, sort_keys=False).splitlines()
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(lines))
        cut = rng.randrange(len(lines[at]) + 1)
        lines[at] = f"{lines[at][:cut]} {rng.choice(_PIECES)} {lines[at][cut:]}"
    return "\n".join(lines)


def _bomb(rng: random.Random) -> str:
    levels, width = rng.randint(2, 40), rng.randint(2, 9)
    first = f"a0: &a0 [{','.join('x' * width)}]"
    return "\n".join([first, *(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels))])


def _taken(text: str) -> None:
    sweep = parse_sweep(text)
    cells_of(sweep)
    assert parse_sweep(sweep_yaml(sweep)) == sweep
