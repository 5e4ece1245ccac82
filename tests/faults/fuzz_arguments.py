"""Command lines as nobody should write them: done, or one line on stderr and the right exit code."""

import io
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from core.cli import VERBS, load, main
from core.engine import client
from core.errors import LONGEST_LINE, Unreachable
from core.store import Store
from tests.faults import odd

_FLAGS = ("--json", "--help")


def cases(rng: random.Random, folder: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield command lines of every verb, with odd arguments and odd values of its options."""
    while True:
        arguments = _arguments(rng)
        yield repr(arguments)[:300], lambda arguments=arguments: _wrong(arguments, folder)


def _arguments(rng: random.Random) -> list[str]:
    verb = rng.choice(sorted(VERBS))
    command, found = load(verb), [verb]
    if inner := getattr(command, "commands", None):
        name = rng.choice(sorted(inner))
        command = inner[name]
        found.append(name)
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            found += [_text(rng) for _ in range(rng.choice([1, 1, 1, 2]))]
        elif parameter.required or rng.random() < 0.25:
            found.append(parameter.opts[0])
            if not getattr(parameter, "is_flag", False):
                found.append(_text(rng))
    return found


def _text(rng: random.Random) -> str:
    return rng.choice((*(text for text in odd.TEXTS if "\0" not in text), "a\udce9b"))


def _wrong(arguments: list[str], folder: Path) -> str:
    out, err, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, chdir(folder), redirect_stdout(out), redirect_stderr(err):
        patch.setenv("PRIORSCOPE_CACHE", str(folder / "cache"))
        patch.setattr(client, "ensure_engine", _no_engine)
        patch.setattr(sys, "argv", ["core", *arguments])
        try:
            main()
        except SystemExit as left:
            code = int(left.code or 0)
    said = [line for line in err.getvalue().splitlines() if line.startswith("error: ")]
    (out.getvalue() + err.getvalue()).encode()
    if code not in (0, 1, 2):
        return f"exit code {code}"
    if code and "Show this message" not in out.getvalue() and len(said) != 1:
        return f"{len(said)} lines of an error: {err.getvalue()[-300:]!r}"
    return "" if all(len(line) < LONGEST_LINE + 100 for line in said) else f"a line of {max(map(len, said))} characters"


def _no_engine(_store: Store) -> None:
    raise Unreachable("There is no engine here; none is needed.")
