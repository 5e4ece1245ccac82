"""`python -m core`, which ends in one line whenever SIGINT or SIGTERM comes."""

import signal
import sys
from types import FrameType

from core.errors import Signalled


def main() -> None:
    """Run the command line; `core.commands.jobs` says what becomes of a job that is in progress."""
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        signal.signal(number, _raise)
    try:
        from core.cli import main as run

        run()
    except Signalled as stop:
        name = signal.Signals(stop.number).name
        sys.stderr.write(f"error: stopped by {name}; no job of this command is in progress.\n")
        sys.exit(128 + stop.number)
    finally:
        for number in signals:
            signal.signal(number, signal.SIG_DFL)  # what remains is leaving


def _raise(number: int, _frame: FrameType | None) -> None:
    raise Signalled(number)


if __name__ == "__main__":
    main()
