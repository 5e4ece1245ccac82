"""Whether this program only shows what is there: a public demo starts, writes and deletes nothing."""

import os

from core.errors import BadRequest

READ_ONLY = "PRIORSCOPE_READ_ONLY"


def read_only() -> bool:
    """Return whether the program was told to change nothing."""
    return os.environ.get(READ_ONLY, "") not in ("", "0")


def require_writable(what: str) -> None:
    """Check that the program may change something; `what` is how the message begins, such as 'Starting a job'.

    Raises:
        BadRequest: it is read-only.
    """
    if read_only():
        raise BadRequest(
            f"{what} is off, because {READ_ONLY} is {os.environ[READ_ONLY]!r} and so everything is only shown; "
            "unset it, or use priorscope on your own machine."
        )
