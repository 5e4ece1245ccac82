"""`sweep`: many runs from one file."""

import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from core.commands.compare import in_words
from core.commands.files import read_text
from core.commands.jobs import interruptible, run
from core.commands.options import Json, requested
from core.commands.output import ProgressLine, emit
from core.engine import client
from core.errors import BadRequest, Failed
from core.jobs.best_rates import CHOSEN_ON, best_rates
from core.jobs.costs import runs_cost
from core.jobs.outcomes import runs_table
from core.jobs.sweep import Standing, follow_runs, keep_sweep, standings, submit_runs, to_do
from core.sources.models import model_revision
from core.specs.sweep import SweepSpec, parse_sweep
from core.store import Store
from core.store.files import write_atomically

TABLES = (".csv", ".json", ".parquet")


@dataclass(frozen=True)
class SweepRequest:
    """Which sweep to do, where, and what to do with its table; the options of the verb."""

    file: Annotated[
        str, typer.Argument(help="YAML or JSON file with a base and axes, see docs/sweeps.md; or JSON.", metavar="FILE")
    ]
    scheduler: Annotated[
        str | None,
        typer.Option(help="Send the runs to this Dask scheduler instead of this machine.", metavar="tcp://…"),
    ] = None
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what it would cost, and start nothing.")] = False
    retry: Annotated[bool, typer.Option("--retry", help="Run failed runs again.")] = False
    out: Annotated[Path | None, typer.Option(help="Also write the table: .csv, .json or .parquet.", metavar="FILE")] = (
        None
    )


@requested
def sweep(request: SweepRequest, json: Json = False) -> None:
    """Do every missing run of a sweep; if it is interrupted, the same command continues it."""
    out, retry = request.out, request.retry
    if out and out.suffix not in TABLES:
        raise BadRequest(f"The table cannot be written as {out.name!r}; end its name in {', '.join(TABLES)}.")
    if request.scheduler:
        os.environ[client.SCHEDULER] = request.scheduler
    asked, store = _read(request.file), Store.default()
    found = standings(asked, store)
    cost = cost_of(asked, found, store, retry)
    if request.dry_run:
        emit(asdict(cost), json)
        return
    typer.echo(cost.in_words, err=True)
    keep_sweep(asked, store)
    _fetch_models(found, store)
    found = _to_the_end(asked, store, retry)
    document = sweep_document(asked, found, store)
    if out:
        _write(pd.DataFrame(document["runs"]), out)
    emit(document, json, table)
    _require_success(found)


def sweep_document(asked: SweepSpec, found: Sequence[Standing], store: Store) -> Mapping[str, Any]:
    """Return the results of a sweep, JSON-able."""
    rows = runs_table(found, asked.target)
    rows = rows.astype(object).where(rows.notna(), None)
    return {
        "sweep": keep_sweep(asked, store),
        "name": asked.name,
        "counts": dict(Counter(one.state for one in found)),
        "runs": rows.to_dict("records"),
        "best_rates": asdict(best_rates(found, asked.target)),
    }


def table(document: Mapping[str, Any]) -> list[str]:
    """Return lines: one per run, by what the runs differ in, and one per comparison."""
    runs = pd.DataFrame(document["runs"])
    varied = [name for name in runs.columns[: runs.columns.get_loc("stage")] if len(set(runs[name].map(str))) > 1]
    shown = runs[[*varied, "run", "status", "loss", "steps_to_target", "angle_median"]]
    lines = shown.map(_cell).to_string(index=False).splitlines()
    for group in document["best_rates"]["groups"]:
        name, rate = _name(group["names"], varied), f"rate {group['rate']:g}"
        lines.append(f"{name}: {rate}, loss {in_words(group['loss'])} over {len(group['losses'])} seeds")
    for pair in document["best_rates"]["differences"]:
        first, second = (_name(pair[which], varied) for which in ("first", "second"))
        lines.append(f"{first} minus {second}: {in_words(pair['difference'])}")
    said = dict.fromkeys(CHOSEN_ON[group["chosen_on"]] for group in document["best_rates"]["groups"])
    return [*lines, *said]


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "–" if math.isnan(value) else f"{value:.4g}"
    return "–" if value is None else str(value)


def _name(names: Mapping[str, Any], varied: Sequence[str]) -> str:
    """Return how a group differs from the others, or else its prior."""
    return ", ".join(str(value) for name, value in names.items() if name in varied) or str(next(iter(names.values())))


def _read(file: str) -> SweepSpec:
    if file.lstrip().startswith("{"):
        return parse_sweep(file)
    return parse_sweep(read_text(Path(file), "sweep file"), Path(file).name)


def _to_the_end(asked: SweepSpec, store: Store, retry: bool) -> list[Standing]:
    """Do the runs of the search, and then those of the comparison at the rates it chose."""
    done = 0
    found = standings(asked, store)
    if any(one.state != "succeeded" for one in found):
        client.ensure_engine(store)  # without an engine the command fails, and no single run
    while len(found) > done:
        done = len(found)
        do_runs(asked, found, store, retry)
        found = standings(asked, store)
    return found


def do_runs(
    sweep: SweepSpec, found: Sequence[Standing], store: Store, retry: bool, again: bool = False
) -> Sequence[Standing]:
    """Submit runs of a sweep and follow them to their ends; see `submit_runs`.

    Raises:
        Unreachable, Busy, Failed: there is no engine and none could be started.
        Interrupted: see `interruptible`.
    """
    submitted = found
    with interruptible(lambda: [one.job for one in (*submitted, *standings(sweep, store)) if one.job], store):
        submitted = submit_runs(found, store, retry, again)
        follow_runs(submitted, ProgressLine())
    return submitted


def _fetch_models(found: Sequence[Standing], store: Store) -> None:
    """Fetch the models of a hub, because a run's id depends on their revision."""
    for model in {one.cell.spec.model: None for one in found}:
        if model_revision(model) is None:
            run("model", model, store)


@dataclass(frozen=True)
class SweepCost:
    """What a sweep has and what is left to do; None where that is unknown."""

    runs: int
    counts: dict[str, int]
    to_do: int
    steps: int
    minutes: float | None
    megabytes: float | None
    captures_first: int
    compared_later: int

    @property
    def in_words(self) -> str:
        """Return the cost as one line."""
        time = "an unknown time" if self.minutes is None else f"about {self.minutes:g} min"
        disk = "" if self.megabytes is None else f" and {self.megabytes:g} MB"
        later = f", and {self.compared_later} more once their rates are chosen" if self.compared_later else ""
        return f"{self.to_do} of {self.runs} runs to do: {time}{disk}{later}"


def cost_of(asked: SweepSpec, found: Sequence[Standing], store: Store, retry: bool) -> SweepCost:
    """Return what is left to do of a sweep."""
    left = to_do(found, retry)
    cost = runs_cost([one.cell.spec for one in left], store)
    return SweepCost(
        runs=len(found),
        counts=dict(Counter(one.state for one in found)),
        to_do=len(left),
        steps=cost.steps,
        minutes=None if cost.seconds is None else round(cost.seconds / 60, 1),
        megabytes=None if cost.bytes is None else round(cost.bytes / 1e6, 3),
        captures_first=len(cost.captures),
        compared_later=_compared_later(asked, found),
    )


def _compared_later(asked: SweepSpec, found: Sequence[Standing]) -> int:
    """Return how many runs of the comparison are unknown so far, because their rates are."""
    groups = {one.cell.group for one in found}
    known = sum(one.cell.stage == "compare" for one in found)
    return len(groups) * len(asked.compare_seeds) - known


def _write(table: pd.DataFrame, out: Path) -> None:
    match out.suffix:
        case ".csv":
            raw = str(table.to_csv(index=False)).encode()
        case ".json":
            raw = str(table.to_json(orient="records", force_ascii=False)).encode()
        case _:
            raw = table.to_parquet(index=False)
    try:
        write_atomically(out, raw)
    except OSError as error:
        raise BadRequest(f"The table cannot be written to {out} ({error.strerror}); name another file.") from None


def _require_success(found: Sequence[Standing]) -> None:
    """Raise Failed if a run did not succeed."""
    failed = [one for one in found if one.state != "succeeded"]
    if failed:
        states = Counter(one.state for one in failed)
        words = ", ".join(f"{n} {state}" for state, n in states.items())
        raise Failed(
            f"{len(failed)} of {len(found)} runs did not succeed ({words}); the others are shown. Add --retry to run "
            "the failed ones once more."
        )
