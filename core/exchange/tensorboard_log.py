"""Runs for TensorBoard: curves as scalars, prompts in the embedding projector.

TensorBoard's own writer writes the files; it needs neither TensorFlow nor torch. The package is an
optional extra, because the files are of no use without it.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.errors import BadRequest
from core.exchange.peft_adapter import require_empty
from core.jobs.measure import tuning_spec
from core.specs.base import JsonObject
from core.store import JobFolder
from core.store.files import disk_errors
from core.store.prompts import RunPrompts, read_prompts

_FROM_METRICS = ("gradient_norm", "learning_rate")
_PROJECTED = (("prior", 0), ("posterior", -1))


def export_tensorboard(runs: Sequence[JobFolder], out: Path) -> JsonObject:
    """Write one folder per run for `tensorboard --logdir OUT`; a run in progress is written so far.

    Args:
        runs: tuning runs.
        out: an empty or new folder.

    Returns:
        format, folder, and the number of scalars of each run.

    Raises:
        BadRequest: TensorBoard is not installed, a job is not a run, or the folder is not empty.
        DiskFull: the disk is full.
    """
    writer = _writer()
    for run in runs:
        if run.kind != "tune":
            raise BadRequest(f"{run.id} is a {run.kind} job and has no curve; name a tuning run.")
    require_empty(out)
    with disk_errors(out):
        counts = {run.id: _write(run, out / run.id, writer) for run in runs}
    return {"format": "tensorboard", "folder": str(out), "n_scalars": counts}


def scalars(run: JobFolder) -> Iterator[tuple[str, int, float, float]]:
    """Yield (name, step, value, seconds since the epoch) for all that a run recorded by step.

    A step that a resumed run did twice appears once, with its later value.
    """
    told: dict[tuple[str, int], tuple[float, float]] = {}
    times: dict[int, float] = {}
    for event in run.events():
        step, when = int(event.get("step", 0)), event["time"]
        match event.get("event"):
            case "step":
                times[step] = when
                told["training/loss", step] = event["loss"], when
                if event.get("penalty"):
                    told["training/penalty", step] = event["penalty"], when
            case "evaluation":
                for name, value in event["validation"].items():
                    if isinstance(value, int | float):
                        told[f"validation/{name}", step] = value, when
    for name, step, value in _metrics(run):
        if step in times:
            told[f"training/{name}", step] = value, times[step]
    for (name, step), (value, when) in told.items():
        yield name, step, float(value), when


def _metrics(run: JobFolder) -> Iterator[tuple[str, int, float]]:
    path = run.file("metrics.parquet")
    if not path.is_file():
        return
    table = pd.read_parquet(path)
    for name in _FROM_METRICS:
        for step, value in table[["step", name]].dropna().itertuples(index=False):
            yield name, int(step), value


def _write(run: JobFolder, folder: Path, writer: Callable[[str], Any]) -> int:
    folder.mkdir(parents=True)
    log, count = writer(str(folder)), 0
    for name, step, value, when in scalars(run):
        log.add_scalar(name, value, step, wall_time=when)
        count += 1
    log.close()
    prompts = read_prompts(run)
    if prompts is not None:
        _project(run, prompts, folder)
    return count


def _project(run: JobFolder, prompts: RunPrompts, folder: Path) -> None:
    """Write initial and tuned prompt at each site in the format of TensorBoard's projector."""
    config = []
    ends = [(what, index) for what, index in _PROJECTED if prompts.begun or what == "posterior"]
    for site in prompts.sites:
        every = prompts.at(site)
        vectors = np.concatenate([every[index] for _, index in ends])
        rows = [f"{what}\t{i}\t{tuning_spec(run).prior.kind}" for what, _ in ends for i in range(every.shape[1])]
        pd.DataFrame(vectors).to_csv(folder / f"site-{site}.tsv", sep="\t", header=False, index=False)
        names = "\n".join(["what\tvector\tprior", *rows])
        (folder / f"site-{site}-names.tsv").write_text(names + "\n", encoding="utf-8")
        config.append(
            f'embeddings {{\n  tensor_name: "prompt at site {site}"\n  tensor_path: "site-{site}.tsv"\n'
            f'  metadata_path: "site-{site}-names.tsv"\n}}\n'
        )
    (folder / "projector_config.pbtxt").write_text("".join(config), encoding="utf-8")


def _writer() -> Callable[[str], Any]:
    try:
        from tensorboard.summary import Writer
    except ImportError as error:
        raise BadRequest(
            f"TensorBoard is not installed ({error}); `pip install tensorboard`, or install priorscope[tensorboard]."
        ) from None
    return Writer
