"""Run one of our own programs in another process, watch it, and never leave it behind."""

import subprocess
from collections.abc import Callable
from pathlib import Path

POLL_SECONDS = 0.2


def run_watched(
    command: list[str], environment: dict[str, str], output: Path, errors: Path, tick: Callable[[], None]
) -> int:
    """Run a command to its end and return its exit code.

    Args:
        command: program and arguments.
        environment: all of its environment.
        output: file that takes what it prints.
        errors: file that takes what it complains.
        tick: called a few times a second; if it raises (a cancel), the program is killed first.
    """
    with output.open("wb") as out, errors.open("wb") as err:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        try:
            while True:
                tick()
                try:
                    return process.wait(POLL_SECONDS)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def last_line(path: Path) -> str:
    """Return the last line a program wrote that says something, or nothing."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    return next((line for line in reversed(lines) if line), "")
