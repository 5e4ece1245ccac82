"""What can go wrong, as a tree.

PriorscopeError
├── BadRequest          the person asked for something that cannot be: exit code 2
│   ├── UnknownName     a name that is not on a list; the message shows the list
│   └── BadData         a file or text that cannot be read as asked
├── Failed              the request was fine, doing it was not: exit code 1
│   ├── Unreachable     a hub, an index or a scheduler did not answer or said no
│   ├── DiskFull        too little free space for what was asked
│   ├── DamagedArtifact a stored file is not what its checksum says
│   ├── Diverged        a loss or a prompt is no longer finite
│   └── Busy            another process holds what this one needs
└── Cancelled           the person stopped the job; not a fault

Every message is one line that names the value, the bound and the remedy.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class PriorscopeError(Exception):
    """Base of every error that is meant for a person to read."""

    exit_code = 1


class BadRequest(PriorscopeError):
    """The request itself cannot be met."""

    exit_code = 2


class UnknownName(BadRequest):
    """A name that is not among the known ones."""

    def __init__(self, what: str, name: str, known: Iterable[str], remedy: str = "") -> None:
        names = sorted(known)
        close = get_close_matches(name, names, n=1)
        guess = f" Did you mean {close[0]!r}?" if close else ""
        extra = f" {remedy}" if remedy else ""
        super().__init__(f"Unknown {what} {name!r}; known: {', '.join(names)}.{guess}{extra}")


class BadData(BadRequest):
    """A file or a text that cannot be read as asked."""


class Failed(PriorscopeError):
    """A sound request that could not be carried out."""


class Unreachable(Failed):
    """Something outside this machine did not answer, or refused."""


class DiskFull(Failed):
    """Too little free space."""


class DamagedArtifact(Failed):
    """A stored file differs from its checksum."""


class Diverged(Failed):
    """A loss or a prompt is no longer finite."""


class Busy(Failed):
    """Another process holds what this one needs."""


class Cancelled(PriorscopeError):
    """The person stopped the job."""
