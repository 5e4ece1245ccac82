"""From a `DatasetSpec` to texts: found, drawn by seed, and kept in the store."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from core.errors import BadData
from core.progress import Progress, silent
from core.sources import files, mathematics
from core.sources.records import Found, Record, content_hash, draw, read_records, split, write_records
from core.specs.base import JsonObject, fingerprint
from core.specs.dataset import DATASETS, DatasetSpec
from core.store.artifacts import Artifact, Store

DATASET = "dataset"
"""Kind of the artifacts that hold a data set's drawn records."""
VERSION = "1"
"""Goes up when the same spec would give other records."""
RECORDS = "records.parquet"


@dataclass(frozen=True)
class TextData:
    """A data set as asked for.

    Attributes:
        spec: what was asked for.
        key: of the stored artifact.
        records: in the order they were drawn.
        is_task: whether they have prompts and answers.
        provenance: title, source, licence, counts, hashes, notes; JSON-able.
    """

    spec: DatasetSpec
    key: str
    records: list[Record]
    is_task: bool
    provenance: JsonObject

    @property
    def is_chat(self) -> bool:
        """Return whether prompts are conversations, which `core.lm.chat.as_texts` makes texts of."""
        return bool(self.provenance.get("is_chat"))

    def split(self) -> tuple[list[Record], list[Record]]:
        """Return training and validation records, split by group and seed.

        Raises:
            BadData: if all records are of one group.
        """
        return split(self.records, self.spec.validation_fraction, self.spec.seed)

    def part(self, name: str) -> list[Record]:
        """Return all records, or those of the 'training' part alone.

        Raises:
            BadData: see `split`.
        """
        return self.split()[0] if name == "training" else self.records


def dataset_source(name: str) -> Any:
    """Return the module that finds a data set: TITLE, `find` and `availability`."""
    return import_module(DATASETS[name])


def dataset_titles() -> dict[str, str]:
    """Return the full name of each data set; a stand-in is named as such."""
    return {name: dataset_source(name).TITLE for name in DATASETS}


def load_dataset(spec: DatasetSpec, store: Store, progress: Progress = silent) -> TextData:
    """Return the texts of a spec, from the store if they were asked for before.

    Raises:
        UnknownName: no such module.
        BadData: a file that cannot be used as asked.
        Unreachable: no source has it.
        Failed: a source gave something else than expected.
        Cancelled: by the progress.
    """
    key = dataset_key(spec)
    artifact, _ = store.make(
        DATASET, key, spec.as_json(), lambda folder: _build(folder, spec, store, progress), progress=progress
    )
    return _loaded(spec, artifact)


def find_dataset(spec: DatasetSpec, store: Store) -> TextData | None:
    """Return the texts of a spec if they are in the store.

    Raises:
        UnknownName, BadData: as `load_dataset`.
    """
    artifact = store.find(DATASET, dataset_key(spec))
    return _loaded(spec, artifact) if artifact else None


def dataset_key(spec: DatasetSpec) -> str:
    """Return the key of a spec's records: of a file the content counts; the split does not.

    Raises:
        UnknownName: no such module.
        BadData: the file is not there or cannot be read.
    """
    if spec.module:
        mathematics.check_module(spec.module)
    path = files.existing(spec.path) if spec.path else None
    content, form = (files.content_of(path), files.form_of(path)) if path else ("", "")
    asked = spec.model_copy(update={"path": None, "validation_fraction": 0.5})
    return fingerprint(asked.canonical_json(), content, form, VERSION)


def _build(folder: Path, spec: DatasetSpec, store: Store, progress: Progress) -> JsonObject:
    source = dataset_source(spec.name)
    found: Found = source.find(spec, store, progress)
    if len(found.records) < 2:
        raise BadData(
            f"{spec.label!r} has {len(found.records)} usable records of the 2 that are needed at least "
            f"(left out: {_counts(found)}); give more texts."
        )
    records = found.records if found.drawn else draw(found.records, spec.samples, spec.seed)
    notes = list(found.notes)
    if len(records) < spec.samples and not found.drawn:
        notes.append(f"{spec.samples} samples were asked for; there are only {len(records)}.")
    write_records(folder / RECORDS, records)
    return {
        "title": source.TITLE,
        **found.provenance,
        "is_task": found.is_task,
        **({"is_chat": True} if found.is_chat else {}),
        "n_available": len(found.records),
        "n_records": len(records),
        "n_groups": len({record.group for record in records}),
        "dropped": {reason: count for reason, count in found.dropped.items() if count},
        "content_sha256": content_hash(records),
        "notes": notes,
    }


def _counts(found: Found) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in found.dropped.items() if count) or "none"


def _loaded(spec: DatasetSpec, artifact: Artifact) -> TextData:
    return TextData(
        spec=spec,
        key=artifact.key,
        records=read_records(artifact.folder / RECORDS),
        is_task=artifact.info["is_task"],
        provenance=artifact.info,
    )
