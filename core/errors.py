"""What can go wrong, as a tree.

PriorscopeError
├── BadRequest          the person asked for something that cannot be: exit code 2
│   ├── UnknownName     a name that is not on a list; the message shows the list
│   └── BadData         a file or text that cannot be read as asked
├── Failed              the request was fine, doing it was not: exit code 1
│   ├── Unreachable     a hub, an index or a scheduler did not answer or said no
│   ├── DiskFull        too little free space for what was asked
│   ├── OutOfMemory     too little memory for even the smallest batch
│   ├── DamagedArtifact a stored file is not what its checksum says
│   ├── Diverged        a loss or a prompt is no longer finite
│   └── Busy            another process holds what this one needs
├── Cancelled           the person stopped the job; not a fault
└── Interrupted         a signal stopped the command: exit code 128 and the signal's number

Every message is one line that names the value, the bound and the remedy. `Signalled` stands beside the
tree, so that nothing catches it before a command has turned it into `Interrupted`.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from reprlib import Repr

LONGEST_LINE = 1500
"""Characters of a message: less than a screen of 80 columns and 24 lines."""
_LAST = 400
LONGEST_SHOWN = 100
"""Characters of a wrong value that a message shows."""
_repr = Repr()
_repr.maxlevel, _repr.maxstring, _repr.maxother, _repr.maxlong = 4, 4 * LONGEST_SHOWN, 4 * LONGEST_SHOWN, LONGEST_SHOWN
_repr.maxdict = _repr.maxlist = _repr.maxtuple = _repr.maxset = 20


def shown(value: object) -> str:
    """Return a value as a message shows it: its repr, cut off; never made whole where it is large."""
    try:
        text = _repr.repr(value)
    except ValueError:  # an integer of more digits than Python writes
        text = f"<{type(value).__name__}>"
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def in_one_line(text: str) -> str:
    """Return a message as one line that fits a screen and that every stream can print.

    What is left out of a long one is in its middle: it begins with the value and ends with the remedy.
    """
    if len(text) > LONGEST_LINE:
        text = f"{text[: LONGEST_LINE - _LAST - 3]} … {text[-_LAST:]}"
    line = " ".join(part.strip() for part in text.splitlines())
    return "".join(letter if letter.isprintable() or letter.isspace() else ascii(letter)[1:-1] for letter in line)


class PriorscopeError(Exception):
    """Base of every error that is meant for a person to read: one line, never longer than a screen."""

    exit_code = 1

    def __init__(self, message: str = "") -> None:
        super().__init__(in_one_line(message))


class BadRequest(PriorscopeError):
    """The request itself cannot be met."""

    exit_code = 2


class UnknownName(BadRequest):
    """A name that is not among the known ones."""

    def __init__(self, what: str, name: str, known: Iterable[str], remedy: str = "") -> None:
        names = sorted(known)
        close = get_close_matches(name[:LONGEST_SHOWN], names, n=1)
        guess = f" Did you mean {close[0]!r}?" if close else ""
        extra = f" {remedy}" if remedy else ""
        super().__init__(f"Unknown {what} {shown(name)}; known: {', '.join(names)}.{guess}{extra}")


class BadData(BadRequest):
    """A file or a text that cannot be read as asked."""


class Failed(PriorscopeError):
    """A sound request that could not be carried out."""


class Unreachable(Failed):
    """Something outside this machine did not answer, or refused."""


class DiskFull(Failed):
    """Too little free space."""


class OutOfMemory(Failed):
    """Too little memory."""


class DamagedArtifact(Failed):
    """A stored file differs from its checksum."""


class Diverged(Failed):
    """A loss or a prompt is no longer finite."""


class Busy(Failed):
    """Another process holds what this one needs."""


class Cancelled(PriorscopeError):
    """The person stopped the job."""


class Interrupted(PriorscopeError):
    """A signal stopped the command; the message says what becomes of its jobs."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + number


class Signalled(BaseException):
    """SIGINT or SIGTERM came, wherever the program was; not for libraries to catch.

    Attributes:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
