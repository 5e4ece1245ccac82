"""Makes items of a study one by one and writes them into a folder, with one report over all."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import BadRequest, Cancelled, Interrupted, PriorscopeError
from core.progress import Progress, silent
from core.specs import StudyItemSpec, StudySpec
from core.store.files import disk_errors, write_atomically, write_json
from core.studies.figure import Numbers, write
from core.studies.items import FIGURES, ITEMS, Found, find_maker
from core.studies.report import report_page

Obtain = Callable[[StudyItemSpec], Found]
"""Returns an item, which it makes if it was not made before."""


@dataclass(frozen=True)
class ReportItem:
    """An item of a report: either its files and numbers, or why it could not be made.

    Attributes:
        item: its name.
        title: shown above the picture.
        seconds: it took.
        caption: of the picture.
        files: names by 'html', 'points' and 'numbers'.
        numbers: what was computed.
        error: why it could not be made; empty if it was.
    """

    item: str
    title: str
    seconds: float
    caption: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    numbers: Numbers = field(default_factory=dict)
    error: str = ""

    @property
    def document(self) -> dict[str, object]:
        """Return the item as the report's JSON has it."""
        made = {"caption": self.caption, "files": dict(self.files), "numbers": self.numbers}
        outcome = {"error": self.error} if self.error else made
        return {"item": self.item, "title": self.title, **outcome, "seconds": self.seconds}


@dataclass(frozen=True)
class Report:
    """What came of items of a study.

    Attributes:
        study: that they were made on.
        out: folder with the files.
        seconds: it took.
        items: in the order of the paper.
        left: item → why it is not in the finished study, if this is one.
    """

    study: StudySpec
    out: Path
    seconds: float
    items: Sequence[ReportItem]
    left: Mapping[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> list[ReportItem]:
        """Return the items that could not be made."""
        return [one for one in self.items if one.error]

    @property
    def document(self) -> dict[str, object]:
        """Return the report as JSON, as `report.json` has it."""
        study, items = self.study.as_json(), [one.document for one in self.items]
        done = {"study": study, "out": str(self.out), "seconds": self.seconds, "items": items}
        return {**done, "not_made": dict(self.left)} if self.left else done


def reproduce(
    study: StudySpec,
    items: Sequence[str],
    out: Path,
    obtain: Obtain,
    progress: Progress = silent,
    left: Mapping[str, str] | None = None,
) -> Report:
    """Make items and write their files, `report.json` and `report.html`.

    An item that fails does not stop the others.

    Args:
        study: that they are made on.
        items: names of items, in any order.
        out: folder; it is created if it does not exist.
        obtain: see `Obtain`.
        progress: in items.
        left: item → why it is not in the finished study, if this is one; listed in the report
            unless it is made now.

    Raises:
        UnknownName: no such item; raised before anything is made.
        BadRequest: a folder that cannot be written.
        Cancelled: by the progress, or with the item in progress.
        Interrupted: a signal stopped the command.
    """
    for item in items:
        find_maker(item)
    wanted = [item for item in ITEMS if item in set(items)]
    _make_folder(out)
    began = time.monotonic()
    made, found = list[ReportItem](), list[Found]()
    for done, item in enumerate(wanted):
        progress(done, len(wanted), item)
        started, title = time.monotonic(), find_maker(item).title
        try:
            one = obtain(StudyItemSpec(study=study, item=item))
            kept = one.reproduced
            files = write(kept, item, title, out)
            made.append(ReportItem(item, title, _since(started), kept.caption, files, kept.numbers))
            found.append(one)
        except (Cancelled, Interrupted):
            raise
        except PriorscopeError as error:
            made.append(ReportItem(item, title, _since(started), error=str(error)))
    rest = {item: why for item, why in (left or {}).items() if item not in wanted}
    report = Report(study, out, _since(began), made, rest)
    failed = {one.title: one.error for one in report.failed}
    with disk_errors(out):
        write_atomically(out / "report.html", report_page(study, found, failed, rest).encode())
        write_json(out / "report.json", report.document)
    return report


def _since(began: float) -> float:
    return round(time.monotonic() - began, 1)


def figure_names(numbers: Sequence[int]) -> list[str]:
    """Return the names of the items of the paper's figures.

    Raises:
        BadRequest: no such figure.
    """
    if unknown := [number for number in numbers if number not in FIGURES]:
        raise BadRequest(f"Figure {unknown[0]} cannot be reproduced; there are {', '.join(map(str, FIGURES))}.")
    return [f"figure-{number}" for number in numbers]


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadRequest(f"The folder {out} cannot be made ({error.strerror}); name another with --out.") from None
