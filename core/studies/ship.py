"""Makes the finished study that travels with the program out of a study that was made here.

It holds coordinates, single tokens, numbers and prompts, and no text of a data set: contexts and all
that would put tokens back into their order are left out.
"""

import base64
import gzip
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import BadRequest, Failed
from core.specs import StudyItemSpec, StudySpec
from core.specs.base import JsonObject
from core.store import JobFolder, Store
from core.store.files import checksum, disk_errors, write_json
from core.store.prompts import RunPrompts, read_prompts
from core.studies.arms import arms
from core.studies.bench import find_run
from core.studies.claims import RULES_VERSION
from core.studies.cost import missing_runs
from core.studies.figure import POINTS
from core.studies.items import ITEMS, VERSION, Found, find_item
from core.studies.kept_picture import PACKED, PICTURE
from core.studies.picture import AXES
from core.studies.shipped import MANIFEST, PROMPTS, FinishedStudy, Manifest, read_finished
from core.studies.shipped_prompts import write_prompts

MAX_BYTES = 8_000_000
"""Of a finished study: it travels with every copy of the program."""
REPLAYED = ("isotropic", "gaussian", "exclusion", "xavier")
"""Arms whose training can be replayed; of the others only the ends are kept."""
N_SNAPSHOTS = 6
"""Of a replayed run, its ends included, evenly spread over its training."""
N_STEPS = 40
"""Of a run's steps whose training loss is kept, evenly spread; evaluations are all kept."""
LONGEST_TOKEN = 24
"""Characters; what is longer is the beginning of a text, the token of a point that stands for a whole text."""
ORDERED = ("context_before", "context_after", "document", "record", "row_id", "row")
"""Columns of points that tell which text a token is from, or where in it."""
_AROUND = re.compile(r"^[^<]*(<b>.*?</b>)[^<]*")
"""A hover's first line: a token in bold between the texts around it, which are escaped and hold no `<`."""
_POSITION = re.compile(r"document \S+ · ")
GRID = 4096
"""Coordinates of maps are rounded to so many steps of their range: a quarter of a pixel where a map is 1,000 wide."""
_MANY = 100
"""Numbers that an array of a picture holds at least if they are a map's coordinates."""


def ship(study: StudySpec, store: Store, out: Path, about: Mapping[str, str]) -> FinishedStudy:
    """Write a study that was made here as a finished study.

    Args:
        study: that was made.
        store: where it was made.
        out: folder to write; it must not exist.
        about: `commit`, `command` and `machine` of the manifest.

    Raises:
        BadRequest: a folder that exists, or a study without an item.
        Failed: more than `MAX_BYTES`.
    """
    if out.exists():
        raise BadRequest(f"The folder {out} exists; name one that does not.")
    specs = [StudyItemSpec(study=study, item=item) for item in ITEMS]
    found = [one for spec in specs if (one := find_item(spec, store)) and store.root in one.job.path.parents]
    if not found:
        raise BadRequest("No item of this study was made here; run `python -m core reproduce --all` first.")
    with disk_errors(out.parent):
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as made:
            whole = Path(made) / out.name
            _write(whole, study, found, store, about)
            n_bytes = sum(path.stat().st_size for path in whole.rglob("*") if path.is_file())
            if n_bytes > MAX_BYTES:
                raise Failed(f"{out} has {n_bytes:,} bytes, more than {MAX_BYTES:,}; make a study with fewer points.")
            whole.replace(out)
    return read_finished(out, VERSION)


def _write(out: Path, study: StudySpec, found: Sequence[Found], store: Store, about: Mapping[str, str]) -> None:
    items = {one.spec.item: _ship_item(one, out) for one in found}
    runs = _first_runs(study, store)
    shipped = {name: _ship_run(name, run, out) for name, run in runs.items()}
    manifest = Manifest(
        study=study.as_json(),
        items=items,
        left={item: len(missing_runs(study, [item], store)) for item in ITEMS if item not in items},
        runs=shipped,
        prompts=write_prompts({name: _kept_prompts(name, run) for name, run in runs.items()}, out / PROMPTS),
        version=VERSION,
        rules_version=RULES_VERSION,
        hours=sum(_seconds(study, store)) / 3600,
        files={str(path.relative_to(out)): checksum(path) for path in sorted(out.rglob("*")) if path.is_file()},
        **about,
    )
    write_json(out / MANIFEST, manifest.model_dump(mode="json"))


def _first_runs(study: StudySpec, store: Store) -> dict[str, JobFolder]:
    """Return each arm's run of the first seed, as far as there is one."""
    found = {name: find_run(arm.specs[0], store) for name, arm in arms(study).items()}
    return {name: run for name, run in found.items() if run}


def _seconds(study: StudySpec, store: Store) -> list[float]:
    """Return how long each tuning run of a study took, as far as it was made."""
    found = (find_run(spec, store) for arm in arms(study).values() for spec in arm.specs)
    runs = {run.id: run for run in found if run}  # two arms may be the same runs
    return [float((run.result() or {})["seconds"]) for run in runs.values()]


def _ship_item(found: Found, out: Path) -> str:
    name = f"items/{found.spec.item}"
    folder = _new_folder(found.job, out / name)
    picture = json.loads((found.job.path / PICTURE).read_text())
    _forget_texts(picture)
    _coarsen(picture)
    (folder / PACKED).write_bytes(gzip.compress(_compact(picture), mtime=0))
    points = pd.read_parquet(found.job.path / POINTS)
    kept = points.drop(columns=[column for column in ORDERED if column in points])
    if "token" in kept:
        kept["token"] = [token if len(str(token)) <= LONGEST_TOKEN else "" for token in kept["token"]]
    for axis in AXES:
        if axis in kept:
            kept[axis] = on_grid(kept[axis].to_numpy())
    kept.to_parquet(folder / POINTS, index=False, compression="zstd")
    return name


def _ship_run(arm: str, run: JobFolder, out: Path) -> str:
    name = f"runs/{arm}"
    folder = _new_folder(run, out / name)
    lines = [_compact(event) + b"\n" for event in thinned(run.events())]
    (folder / "events.jsonl").write_bytes(b"".join(lines))
    return name


def _kept_prompts(arm: str, run: JobFolder) -> RunPrompts:
    """Return the prompts of a run that travel: its ends, and of an arm that can be replayed a few between."""
    prompts = read_prompts(run)
    assert prompts is not None  # noqa: S101 - the run has succeeded
    chosen = _spread(len(prompts.steps), N_SNAPSHOTS if arm in REPLAYED else 2)
    return RunPrompts(prompts.sites, prompts.steps[chosen], prompts.vectors[chosen])


def thinned(events: Iterable[JsonObject], n_steps: int = N_STEPS) -> list[JsonObject]:
    """Return a run's baselines and evaluations, and at most so many of its steps, evenly spread."""
    events = list(events)
    steps = [i for i, event in enumerate(events) if event.get("event") == "step"]
    kept = {steps[i] for i in _spread(len(steps), n_steps)}
    return [event for i, event in enumerate(events) if i in kept or event.get("event") in ("evaluation", "baseline")]


def _spread(n: int, most: int) -> list[int]:
    """Return at most so many of n numbers, the first and the last among them, evenly spread."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int)).tolist()


def _new_folder(job: JobFolder, folder: Path) -> Path:
    """Make a folder with the request, how the job ended and its result."""
    folder.mkdir(parents=True)
    write_json(folder / "spec.json", job.request.model_dump(mode="json", include={"kind", "spec", "created"}))
    status = job.status()
    write_json(folder / "status.json", {name: getattr(status, name) for name in ("state", "created", "done", "total")})
    (folder / "result.json").write_bytes(_compact(job.result()))
    return folder


def _compact(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _forget_texts(picture: JsonObject) -> None:
    """Leave the token, its position and the data set in the hover texts of a picture, where they are a list."""
    for trace in _traces(picture):
        if isinstance(trace.get("hovertext"), list):
            trace["hovertext"] = [_without_text(text) for text in trace["hovertext"]]


def _without_text(hover: str) -> str:
    alone = _POSITION.sub("", _AROUND.sub(r"\1", hover))
    word = _AROUND.match(alone)
    return "" if word and len(unescape(word[1])) > LONGEST_TOKEN + len("<b></b>") else alone


def on_grid(coordinates: NDArray[Any], steps: int = GRID) -> NDArray[Any]:
    """Return coordinates rounded to a grid of at least so many steps over their range, in the same format.

    The step is a power of two, so that most bits of a number are zero and take no room.
    """
    known = coordinates[np.isfinite(coordinates)].astype(np.float64)
    span = float(np.ptp(known)) if len(known) else 0.0
    if span == 0:
        return coordinates
    step = 2.0 ** np.floor(np.log2(span / steps))
    return (np.round(coordinates / step) * step).astype(coordinates.dtype)


def _coarsen(picture: JsonObject) -> None:
    """Put the coordinates of a picture's maps on a grid; on logarithmic axes all numbers stay as they are."""
    layout = picture["layout"]
    if any(layout[name].get("type") == "log" for name in layout if re.match(r"[xy]axis", name)):
        return
    for trace in _traces(picture):
        for axis in AXES:
            packed = trace.get(axis)
            if isinstance(packed, dict) and packed["dtype"] in ("f4", "f8"):
                numbers = np.frombuffer(base64.b64decode(packed["bdata"]), packed["dtype"])
                if len(numbers) >= _MANY:
                    packed["bdata"] = base64.b64encode(on_grid(numbers).tobytes()).decode()


def _traces(picture: JsonObject) -> list[JsonObject]:
    return [*picture["data"], *(trace for frame in picture.get("frames", ()) for trace in frame["data"])]
