"""How verbs report: one JSON document or a short table on stdout, everything else on stderr."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import typer

from core.store import JobFolder, Status
from core.store.endings import may_end_early

Document = Mapping[str, Any]
"""What a verb reports, JSON-able."""


def lines(document: Any, indent: str = "") -> list[str]:
    """Return nested data as indented `name: value` lines."""
    if isinstance(document, Mapping):
        found = []
        for name, value in document.items():
            if isinstance(value, Mapping | list) and value:
                found += [f"{indent}{name}:", *lines(value, indent + "  ")]
            else:
                found.append(f"{indent}{name}: {_number(value)}")
        return found
    if isinstance(document, list):
        return [line for value in document for line in _item(value, indent)]
    return [f"{indent}{_number(document)}"]


def _item(value: Any, indent: str) -> list[str]:
    inner = lines(value, indent + "  ")
    return [f"{indent}- {inner[0].lstrip()}", *inner[1:]] if inner else []


def _number(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "–" if value is None else str(value)


def emit(document: Document, as_json: bool, written: Callable[[Document], Iterable[str]] = lines) -> None:
    """Print a result as JSON, or as the lines that it is `written` in."""
    typer.echo(json.dumps(document, ensure_ascii=False, default=str) if as_json else "\n".join(written(document)))


def emit_parts(parts: Iterable[tuple[str, Any]], as_json: bool) -> None:
    """Print the parts of a result, by name: as one JSON document, or the lines of each as soon as it is known."""
    if as_json:
        emit(dict(parts), as_json)
        return
    for name, value in parts:
        emit({name: value}, as_json)


def local_time(seconds: float) -> str:
    """Return a time in seconds since the epoch as local date and time."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


class ProgressLine:
    """A line on stderr that follows a job: rewritten on a terminal, else every few seconds."""

    def __init__(self) -> None:
        """Start with nothing shown."""
        self._last = ""
        self._shown = 0.0

    def __call__(self, job: JobFolder, status: Status) -> None:
        """Show a status if it has changed."""
        text = f"{job.id} {status.state}"
        if status.total:
            text += f" {status.done}/{status.total}"
        left = status.seconds_left(time.time())
        if left is not None:
            text += f", {'at most ' if may_end_early(job) else ''}{left:.0f} s left"
        if status.message:
            text += f": {status.message}"
        if text == self._last:
            return
        terminal = sys.stderr.isatty()
        if terminal:
            sys.stderr.write(f"\r\033[K{text[:150]}" + ("\n" if status.ended else ""))
        elif status.ended or time.monotonic() - self._shown > 5:
            sys.stderr.write(text + "\n")
        else:
            return
        sys.stderr.flush()
        self._last, self._shown = text, time.monotonic()


def show_progress(done: int, total: int, message: str = "") -> None:
    """Report progress of work in this process, on stderr."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{done}/{total} {message}" + ("\n" if done == total else ""))
        sys.stderr.flush()
