"""Files that a person names in an option."""

from pathlib import Path

from core.errors import BadRequest


def read_text(path: Path, what: str) -> str:
    """Return the text of a file.

    Raises:
        BadRequest: it cannot be read; `what` names it in the message.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(f"The {what} {str(path)!r} cannot be read ({error}); check its path.") from None
