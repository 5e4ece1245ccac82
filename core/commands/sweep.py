"""`sweep`: many runs from one file."""

import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from core.commands.compare import in_words
from core.commands.jobs import run
from core.commands.options import Json
from core.commands.output import ProgressLine, emit
from core.engine import client
from core.errors import BadRequest, Cancelled, Failed
from core.jobs.costs import runs_cost
from core.jobs.outcomes import CHOSEN_ON, best_rates, runs_table
from core.jobs.sweep import Standing, cancel_runs, follow_runs, keep_sweep, standings, submit_runs, to_do
from core.sources.models import model_revision
from core.specs.sweep import SweepSpec, parse_sweep
from core.store import Store
from core.store.files import write_atomically

TABLES = (".csv", ".json", ".parquet")


def sweep(
    file: Annotated[
        str,
        typer.Argument(help="YAML or JSON: a base and axes, see docs/sweeps.md; or the JSON itself.", metavar="FILE"),
    ],
    scheduler: Annotated[
        str | None,
        typer.Option(help="Send the runs to this Dask scheduler instead of this machine.", metavar="tcp://…"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would cost, and start nothing.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Do failed runs once more.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write the table too: .csv, .json or .parquet.", metavar="FILE")
    ] = None,
    json: Json = False,
) -> None:
    """Do every run of a sweep that is not there yet; killed at any moment, the same command goes on with it."""
    if out and out.suffix not in TABLES:
        raise BadRequest(f"The table cannot be written as {out.name!r}; end its name in {', '.join(TABLES)}.")
    if scheduler:
        os.environ[client.SCHEDULER] = scheduler
    asked, store = _read(file), Store.default()
    found = standings(asked, store)
    if dry_run:
        emit(_cost(asked, found, store, retry), json)
        return
    _say(_cost(asked, found, store, retry))
    keep_sweep(asked, store)
    _fetch_models(found, store)
    found = _to_the_end(asked, store, retry)
    document = sweep_document(asked, found, store)
    if out:
        _write(pd.DataFrame(document["runs"]), out)
    if json:
        emit(document, True)
    else:
        typer.echo("\n".join(table(document)))
    _require_success(found)


def sweep_document(asked: SweepSpec, found: Sequence[Standing], store: Store) -> dict[str, Any]:
    """Return what came of a sweep, JSON-able."""
    rows = runs_table(found, asked.target)
    rows = rows.astype(object).where(rows.notna(), None)
    return {
        "sweep": keep_sweep(asked, store),
        "name": asked.name,
        "counts": dict(Counter(one.state for one in found)),
        "runs": rows.to_dict("records"),
        "best_rates": best_rates(found, asked.target),
    }


def table(document: dict[str, Any]) -> list[str]:
    """Return a sweep's document as a line a run, by what the runs differ in, and a line a comparison."""
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
    """Return what a group differs in from the others, or its prior."""
    return ", ".join(str(value) for name, value in names.items() if name in varied) or str(next(iter(names.values())))


def _read(file: str) -> SweepSpec:
    if file.lstrip().startswith("{"):
        return parse_sweep(file)
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(f"The sweep file {file!r} cannot be read ({error}); check its path.") from None
    return parse_sweep(text, Path(file).name)


def _to_the_end(asked: SweepSpec, store: Store, retry: bool) -> list[Standing]:
    """Do the search, and then what it is the search for."""
    show, done = ProgressLine(), 0
    found = standings(asked, store)
    if any(one.state != "succeeded" for one in found):
        client.ensure_engine(store)  # that there is none is no run's fault
    while len(found) > done:
        done = len(found)
        submitted = submit_runs(found, store, retry)
        try:
            follow_runs(submitted, show)
        except KeyboardInterrupt:
            cancel_runs(submitted, store)
            raise Cancelled("The runs were cancelled; the same command goes on with them.") from None
        found = standings(asked, store)
    return found


def _fetch_models(found: Sequence[Standing], store: Store) -> None:
    """Have models of the hub fetched: before that they have no revision, and runs would be named without one."""
    for model in {one.cell.spec.model: None for one in found}:
        if model_revision(model) is None:
            run("model", model, store)


def _cost(asked: SweepSpec, found: Sequence[Standing], store: Store, retry: bool) -> dict[str, Any]:
    left = to_do(found, retry)
    cost = runs_cost([one.cell.spec for one in left], store)
    return {
        "runs": len(found),
        "counts": dict(Counter(one.state for one in found)),
        "to_do": len(left),
        "steps": cost.steps,
        "minutes": None if cost.seconds is None else round(cost.seconds / 60, 1),
        "megabytes": None if cost.bytes is None else round(cost.bytes / 1e6, 3),
        "captures_first": len(cost.captures),
        "compared_later": _compared_later(asked, found),
    }


def _compared_later(asked: SweepSpec, found: Sequence[Standing]) -> int:
    """Return how many runs of the comparison are not known yet, as their rates are not."""
    groups = {one.cell.group for one in found}
    known = sum(one.cell.stage == "compare" for one in found)
    return len(groups) * len(asked.compare_seeds) - known


def _say(cost: dict[str, Any]) -> None:
    time = "an unknown time" if cost["minutes"] is None else f"about {cost['minutes']:g} min"
    disk = "" if cost["megabytes"] is None else f" and {cost['megabytes']:g} MB"
    later = f", and {cost['compared_later']} more once their rates are chosen" if cost["compared_later"] else ""
    typer.echo(f"{cost['to_do']} of {cost['runs']} runs to do: {time}{disk}{later}", err=True)


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
    """Raise Failed if some run did not succeed."""
    failed = [one for one in found if one.state != "succeeded"]
    if failed:
        states = Counter(one.state for one in failed)
        words = ", ".join(f"{n} {state}" for state, n in states.items())
        raise Failed(
            f"{len(failed)} of {len(found)} runs did not succeed ({words}); the others are shown; --retry does the "
            "failed ones once more."
        )
