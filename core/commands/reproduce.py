"""`reproduce`: the paper's figures, tables and claims on the model at hand."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from core.commands.datasets import dataset_specs
from core.commands.jobs import ensure
from core.commands.jobs import run as run_job
from core.commands.options import Json, requested
from core.commands.output import Document, emit, show_progress
from core.errors import BadRequest, Failed
from core.specs import DatasetSpec, StudyItemSpec, StudySpec
from core.store import Store
from core.studies.arms import arms
from core.studies.check import check, finished_study, unchecked
from core.studies.cost import StudyCost, study_cost
from core.studies.deviations import deviations
from core.studies.items import FIGURES, ITEMS, KIND, VERSION, Found, find_item, not_made
from core.studies.reproduce import figure_names
from core.studies.reproduce import reproduce as make
from core.studies.ship import ship
from core.studies.shipped import finished_of, finished_studies, problems

_LONG_MINUTES = 120


@dataclass(frozen=True)
class ReproduceRequest:
    """What to reproduce, on what, and where to put it; the options of the verb."""

    out: Annotated[Path | None, typer.Option(help="Folder for figures, points and numbers.")] = None
    figure: Annotated[
        list[str] | None, typer.Option(help=f"Number in the paper, 1 to {max(FIGURES)}; repeat for several.")
    ] = None
    claims: Annotated[bool, typer.Option("--claims", help="The paper's claims, each with a verdict.")] = False
    everything: Annotated[bool, typer.Option("--all", help="Figures, tables and claims.")] = False
    quick: Annotated[bool, typer.Option("--quick", help="Fewer texts, seeds and steps: minutes, not hours.")] = False
    paper: Annotated[bool, typer.Option("--paper", help="The paper's model, texts and sizes: days, or a GPU.")] = False
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be made, and at what cost.")] = False
    check: Annotated[
        bool, typer.Option("--check", help="Make a small part of a finished study (--model) again and compare.")
    ] = False
    ship: Annotated[
        Path | None, typer.Option(help="Folder to write this study's results to, as a finished study for the program.")
    ] = None
    machine: Annotated[str, typer.Option(help="With --ship: the machine, in words.")] = "an unnamed machine"
    commit: Annotated[str, typer.Option(help="With --ship: the program's commit when the study began.")] = "unknown"
    model: Annotated[str | None, typer.Option(help="A name, a Hugging Face id or a local folder.")] = None
    encoder: Annotated[str | None, typer.Option(help="Encoder of Figure 5; the paper uses t5-base.")] = None
    texts: Annotated[str | None, typer.Option(help="Plain texts: news, c4, c4:PATH or file:PATH.")] = None
    questions: Annotated[str | None, typer.Option(help="Questions: squad, squad:PATH, math:MODULE or file:PATH.")] = (
        None
    )
    seeds: Annotated[str | None, typer.Option(help="Runs per prior and rate.", metavar="INTEGER")] = None
    seed: Annotated[str, typer.Option(help="Seed of texts, points and null samples.", metavar="INTEGER")] = "0"

    @property
    def study(self) -> StudySpec:
        """Return the study that the options describe.

        Raises:
            BadRequest: two sizes, or a wrong value.
        """
        if self.quick and self.paper:
            raise BadRequest("--quick and --paper are two sizes of a study; give one of them.")
        given = {
            "model": None if self.model is None else {"name": self.model},
            "encoder": None if self.encoder is None else {"name": self.encoder},
            "texts": None if self.texts is None else _one(self.texts, "--texts"),
            "questions": None if self.questions is None else _one(self.questions, "--questions"),
            **dict.fromkeys(("n_seeds", "n_deep_seeds", "n_dose_seeds"), self.seeds),
        }
        size = "quick" if self.quick else "paper" if self.paper else "standard"
        return StudySpec.asked(
            size, seed=self.seed, **{name: value for name, value in given.items() if value is not None}
        )

    @property
    def items(self) -> list[str]:
        """Return the names of the items to make; without any named, those of the finished study.

        Raises:
            BadRequest: none, or a figure that does not exist.
        """
        chosen = figure_names([_number(text) for text in self.figure or []])
        chosen += [item for item in ITEMS if self.claims and item.startswith("claim-")]
        if self.everything or self.dry_run:
            chosen = chosen or list(ITEMS)
        if not chosen:
            finished = finished_of(self.study, VERSION)
            chosen = list(finished.manifest.items) if finished else []
        if not chosen:
            others = [f"--model {one.spec.model.name}" for one in finished_studies(VERSION)]
            there = f" A finished study came with the program: {' or '.join(others)}." if others else ""
            raise BadRequest(f"There is nothing to make; give --figure N, --claims or --all.{there}")
        return chosen


@requested
def reproduce(request: ReproduceRequest, json: Json = False) -> None:
    """Reproduce the paper's figures, tables and claims on a model, with one report over all.

    Without --figure, --claims or --all, open the finished study that came with the program.
    """
    store = Store.default()
    for line in problems(VERSION):
        typer.echo(line, err=True)
    if request.check:
        _check(request.model, store, json)
    elif request.dry_run:
        emit(_plan(request.study, request.items, store), json)
    elif request.ship is not None:
        about = {"command": _command(request), "machine": request.machine, "commit": request.commit}
        found = ship(request.study, store, request.ship, about)
        emit(
            {"folder": str(found.folder), "items": list(found.manifest.items), "runs": list(found.manifest.runs)}, json
        )
    else:
        _make(request, store, json)


def _make(request: ReproduceRequest, store: Store, json: bool) -> None:
    if request.out is None:
        raise BadRequest("There is no folder to write to; name one with --out DIR.")
    study, items = request.study, request.items

    def obtain(spec: StudyItemSpec) -> Found:
        return ensure(lambda: find_item(spec, store), KIND, spec, store)[0]

    typer.echo(cost_line(study_cost(study, items, store)), err=True)
    left = not_made(study, store)
    for item, why in left.items():
        if item not in items:
            typer.echo(f"{item}: {why}.", err=True)
    report = make(study, items, request.out, obtain, show_progress, left)
    emit(report.document, json)
    if failed := report.failed:
        raise Failed(
            f"{len(failed)} of {len(report.items)} items could not be made, {failed[0].item} first: "
            f"{failed[0].error} The others are kept; run the same command again to continue."
        )


def _check(model: str | None, store: Store, json: bool) -> None:
    """Make a small part of a finished study again.

    Raises:
        UnknownName: there is no study of that model.
        Failed: there is none at all, or a number does not agree.
    """
    study = finished_study(model)
    found = check(study, lambda kind, spec: run_job(kind, spec, store))
    rows = [{**asdict(one), "agrees": one.agrees} for one in found]
    about = {"study": study.folder.name, "provenance": study.provenance, "not_checked": unchecked(study)}
    emit({**about, "not_made": not_made(study.spec, store), "numbers": rows}, json)
    if other := [one for one in found if not one.agrees]:
        first = other[0]
        raise Failed(
            f"{len(other)} of {len(found)} numbers differ from the finished study's, {first.of}: {first.name} first: "
            f"{first.here:.4g} here, {first.shipped:.4g} there, tolerance {first.tolerance:.2g}."
        )


def _plan(study: StudySpec, items: Sequence[str], store: Store) -> Document:
    """Return what a study would run, what it costs, and how it differs from the paper's."""
    cost = study_cost(study, items, store)
    wanted = dict.fromkeys(arm for item in items for arm in ITEMS[item].arms)
    known = arms(study)
    return {
        "study": study.as_json(),
        "items": list(items),
        "arms": [
            {
                "arm": name,
                "title": known[name].title,
                "runs": len(known[name].specs),
                "steps": known[name].specs[0].steps,
            }
            for name in wanted
        ],
        "missing": {
            "items": cost.n_items,
            "runs": cost.n_runs,
            "captures": cost.n_captures,
            "readings": cost.n_readings,
        },
        "hours": None if cost.seconds is None else cost.seconds / 3600,
        "measured": cost.measured,
        "gigabytes": None if cost.bytes is None else cost.bytes / 1e9,
        "deviations": deviations(study),
    }


def _command(request: ReproduceRequest) -> str:
    """Return the command that makes a request's study."""
    named = ("model", "encoder", "texts", "questions", "seeds")
    options = [f"--{name} {value}" for name in named if (value := getattr(request, name)) is not None]
    options += [f"--{size}" for size in ("quick", "paper") if getattr(request, size)]
    return " ".join(["python -m core reproduce --all --out DIR", *options])


def cost_line(cost: StudyCost) -> str:
    """Return what is left to do in words."""
    if not cost.n_items:
        return "All items are made already."
    words = (
        f"{cost.n_items} items to make, which need {cost.n_runs} new tuning runs, {cost.n_captures} captures and "
        f"{cost.n_readings} readings of tuned prompts"
    )
    if cost.seconds is None or cost.bytes is None:
        return f"{words}; the time is unknown until the model is here."
    basis = "from speeds measured here" if cost.measured else "partly a guess"
    minutes = cost.seconds / 60
    time = f"{minutes / 60:.0f} h" if minutes > _LONG_MINUTES else f"{minutes:.0f} min"
    return (
        f"{words}: about {time} if no run ends early ({basis}; maps and statistics not included) and "
        f"{cost.bytes / 1e6:,.0f} MB."
    )


def _one(text: str, option: str) -> DatasetSpec:
    found = dataset_specs(text, option, samples="1000", seed="0")
    if len(found) > 1:
        raise BadRequest(f"{option} takes one data set, not {len(found)} ({text!r}); name one.")
    return found[0]


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise BadRequest(f"Figure {text!r} is not a number; give one of {', '.join(map(str, FIGURES))}.") from None
