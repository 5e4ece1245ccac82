"""Files that a person names in an option."""

from pathlib import Path

from core.errors import BadRequest, shown
from core.specs.reading import REQUEST_BYTES, read_bytes


def read_text(path: Path, what: str) -> str:
    """Return the text of a file.

    Raises:
        BadRequest: it cannot be read; `what` names it in the message.
    """
    try:
        return read_bytes(path, REQUEST_BYTES).decode()
    except (OSError, ValueError) as error:
        raise BadRequest(f"The {what} {shown(str(path))} cannot be read ({error}); check its path.") from None
