"""Odd texts and values, as a person, a program or an attacker may give them."""

import json
import random
from typing import Any

TEXTS = (
    "",
    *(" ", "\n", "a\nb", "\u202e", "\x1b[31m", "é\u0301", "１２"),
    *[
        ".",
        "..",
        "/",
        "-",
        "--",
        "~",
        "~nobody-there/x",
        "\\",
        "'",
        '"',
        "%s%n",
        "${HOME}",
        "*",
        "[a-z]",
        "../../etc/passwd",
        "/dev/zero",
        "http://a",
        "a/b",
        "a/b/c",
        "t-",
    ],
    *[
        "1_000",
        "0x10",
        "-1",
        "1e999",
        "nan",
        "inf",
        "-inf",
        "true",
        "null",
        "[]",
        "{}",
        "[1]",
        "0,final",
        "final",
        "gaussian",
        "2026-08-01",
        "kept-0000000000000000",
    ],
    *["file:", "math:", "squad:/dev/zero", "file:~nobody-there/x", "!!python/object:os.system"],
    *('"\\ud83d"', '["\\udc00"]', '{"kind":1}', '{"kind":"gaussian","kind":[]}', "&a [*a]", "a: &a [*a]", "{1: 2}"),
    *("1" * 400, "1" * 5_000, "x" * 300, "./" + "y" * 300, "/" * 300, "/tmp/" + "d" * 300, "c4:" + "y" * 5_000),
    *("x" * 70_000, "[" * 40_000, '{"a":' * 5_000, "[" * 70 + "]" * 70, "0," * 3_000),
    '{"kind":"exclusion","c":' + "9" * 250 + "}",
    '{"kind":"exclusion","c":' + "9" * 5_000 + "}",
    '{"kind":"mixture","n_components":1e400}',
)
WORDS = [
    "name",
    "kind",
    "c",
    "prior",
    "dataset",
    "model",
    "path",
    "seed",
    "sites",
    "site",
    "steps",
    "method",
    "base",
    "priors",
    "vary",
    "seeds",
    "datasets",
    "clouds",
    "components",
    "text",
    "texts",
    "run",
    "second",
    "learning_rates",
    "n_prompt",
    "prior.c",
    "prior.prior.c",
    "dataset.path",
    "a.b.c",
    "methods",
    "regularisers",
    "module",
    "tokens",
    "reference",
    "runs",
]
PLAIN = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31,
    10**40,
    10**305,
    1e300,
    float("nan"),
    float("inf"),
    [],
    {},
    "\x00",
    "\ud800",
)


def value(rng: random.Random, depth: int = 0) -> Any:
    """Return JSON data of any shape."""
    roll = rng.random()
    if depth > 3 or roll < 0.5:
        return rng.choice((*PLAIN, *TEXTS[:30], "gaussian", "exclusion", "file", "math", "squad", "vocabulary"))
    if roll < 0.7:
        return [value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {rng.choice(WORDS): value(rng, depth + 1) for _ in range(rng.randrange(5))}


def changed(data: Any, rng: random.Random) -> Any:
    """Return JSON data with one value, at any depth, made odd."""
    copy = json.loads(json.dumps(data))
    at = copy
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not keys:
            return copy
        key = rng.choice(keys)
        if not (isinstance(at[key], dict | list) and at[key] and rng.random() < 0.7):
            at[key] = value(rng, 2) if rng.random() < 0.6 else rng.choice(TEXTS)
            return copy
        at = at[key]
