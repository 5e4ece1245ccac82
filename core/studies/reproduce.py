"""Items of a study made one after the other and written into a folder; what was made before is only read."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.errors import BadRequest, Cancelled, PriorscopeError
from core.progress import Progress, silent
from core.specs import StudyItemSpec, StudySpec
from core.store.files import disk_errors, write_atomically, write_json
from core.studies.figure import write
from core.studies.items import FIGURES, ITEMS, Found, find_maker
from core.studies.report import report_page

Obtain = Callable[[StudyItemSpec], Found]
"""Returns an item, made now if it was not made before."""


def reproduce(
    study: StudySpec, items: Sequence[str], out: Path, obtain: Obtain, progress: Progress = silent
) -> dict[str, Any]:
    """Make items and write each one's picture, points and numbers, `report.json` and `report.html` over all.

    An item that fails does not stop the others.

    Args:
        study: what they are made on.
        items: names of items; the report has them in the order of the paper.
        out: folder, made if need be.
        obtain: see `Obtain`.
        progress: in items.

    Returns:
        the report: study, seconds, and of each item title, caption, files, seconds and numbers, or why it failed.

    Raises:
        UnknownName: an item that there is not, before anything is made.
        BadRequest: a folder that cannot be written.
        Cancelled: by the progress, or with the item in progress.
    """
    for item in items:
        find_maker(item)
    wanted = [item for item in ITEMS if item in set(items)]
    _make_folder(out)
    began, made, found = time.monotonic(), [], []
    for done, item in enumerate(wanted):
        progress(done, len(wanted), item)
        started = time.monotonic()
        entry: dict[str, Any] = {"item": item, "title": find_maker(item).title}
        try:
            one = obtain(StudyItemSpec(study=study, item=item))
            found.append(one)
            kept = one.reproduced
            entry |= {"caption": kept.caption, "files": write(kept, item, one.title, out), "numbers": kept.numbers}
        except Cancelled:
            raise
        except PriorscopeError as error:
            entry["error"] = str(error)
        made.append({**entry, "seconds": round(time.monotonic() - started, 1)})
    seconds = round(time.monotonic() - began, 1)
    report = {"study": study.as_json(), "out": str(out), "seconds": seconds, "items": made}
    with disk_errors(out):
        write_atomically(out / "report.html", report_page(study, found, made).encode())
        write_json(out / "report.json", report)
    return report


def figure_names(numbers: Sequence[int]) -> list[str]:
    """Return the items of figures of the paper.

    Raises:
        BadRequest: a figure that there is not.
    """
    if unknown := [number for number in numbers if number not in FIGURES]:
        raise BadRequest(f"Figure {unknown[0]} cannot be reproduced; there are {', '.join(map(str, FIGURES))}.")
    return [f"figure-{number}" for number in numbers]


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadRequest(f"The folder {out} cannot be made ({error.strerror}); name another with --out.") from None
