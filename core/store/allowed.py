"""Which files and folders a person may name in a path field.

On a person's own machine that is any; a server for others reads only the folders that
`PRIORSCOPE_FOLDERS` names, and a read-only one none unless some are named. Whoever asks for a job
is checked, and not the engine that does it: it takes jobs only from its own account.
"""

import os
from pathlib import Path

from core.errors import BadRequest, shown
from core.specs import DatasetSpec, ModelSpec, PriorSpec, Spec
from core.specs.prior import SecondCloud
from core.specs.reading import is_list
from core.store.artifacts import Store
from core.store.read_only import read_only

FOLDERS = "PRIORSCOPE_FOLDERS"


def allowed_folders() -> list[Path] | None:
    """Return the folders that may be read, or None if all may."""
    named = os.environ.get(FOLDERS, "" if read_only() else None)
    return None if named is None else [Path(name).expanduser().resolve() for name in named.split(os.pathsep) if name]


def of_a_server(store: Store) -> str:
    """Return what the variable says of a server for others, if nobody has set it: uploads and what was made here."""
    return os.pathsep.join(str(store.root / name) for name in ("uploads", "artifacts"))


def require_allowed(path: str | Path) -> None:
    """Check that a person may have this file or folder read.

    Raises:
        BadRequest: it is outside the folders that may be read; nothing is said of whether it
            exists.
    """
    folders = allowed_folders()
    if folders is None:
        return
    try:
        whole = Path(path).expanduser().resolve()
    except (OSError, RuntimeError):
        whole = None
    if whole is None or not any(whole.is_relative_to(folder) for folder in folders):
        names = ", ".join(map(str, folders)) or "no folder"
        raise BadRequest(
            f"The path {shown(str(path))} is not in a folder that this server may read ({names}); upload the file, or "
            f"have whoever runs the server add its folder to {FOLDERS}."
        )


def require_allowed_spec(spec: Spec) -> None:
    """Check every path that a spec names, whatever it is nested in.

    Raises:
        BadRequest: see `require_allowed`.
    """
    if allowed_folders() is not None:
        _check(spec)


def _check(value: object) -> None:
    match value:
        case DatasetSpec(path=str(path)):
            require_allowed(path)
        case ModelSpec(name=name) if Path(name).is_absolute() or name.startswith((".", "~")) or Path(name).exists():
            require_allowed(name)
        case Spec():
            for field in type(value).model_fields:
                _check(getattr(value, field))
            if isinstance(value, PriorSpec):
                _check([need.dataset for need in value.further() if isinstance(need, SecondCloud)])
        case _ if is_list(value):
            for one in value:
                _check(one)
        case _:
            return
