"""How long work reports its progress, and learns that it should stop."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class Progress(Protocol):
    """Called by long work every step or so.

    An implementation may raise `core.errors.Cancelled`; the work then leaves what it has in order
    and lets the exception pass.
    """

    def __call__(self, done: int, total: int, message: str = "") -> None:
        """Report `done` of `total` units (total 0: unknown) with a few words for a person."""
        ...


def silent(done: int, total: int, message: str = "") -> None:
    """Progress for callers that do not care."""
