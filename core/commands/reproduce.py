"""`reproduce`: the paper's figures, tables and claims on the model at hand."""

from pathlib import Path
from typing import Annotated

import typer

from core.commands.datasets import dataset_specs
from core.commands.jobs import ensure
from core.commands.options import Json
from core.commands.output import emit, show_progress
from core.errors import BadRequest, Failed
from core.specs import DEFAULT_MODEL, DatasetSpec, StudyItemSpec, StudySpec
from core.store import Store
from core.studies.cost import StudyCost, study_cost
from core.studies.items import FIGURES, ITEMS, KIND, Found, find_item
from core.studies.reproduce import figure_names
from core.studies.reproduce import reproduce as make


def reproduce(
    out: Annotated[Path, typer.Option(help="Folder that figures, points and numbers are written into.")],
    figure: Annotated[
        list[str] | None, typer.Option(help=f"Number in the paper, 1 to {max(FIGURES)}; may be given several times.")
    ] = None,
    claims: Annotated[bool, typer.Option("--claims", help="The paper's claims, each with a verdict.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Figures, tables and claims.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer texts, seeds and steps: minutes, not hours.")] = False,
    model: Annotated[str, typer.Option(help="A name, a Hugging Face id or a local folder.")] = DEFAULT_MODEL,
    encoder: Annotated[str, typer.Option(help="Of Figure 5; the paper's is t5-base.")] = "all-minilm-l6-v2",
    texts: Annotated[str, typer.Option(help="Plain texts: news, c4, c4:PATH or file:PATH.")] = "news",
    questions: Annotated[str, typer.Option(help="Questions: squad, squad:PATH, math:MODULE or file:PATH.")] = "squad",
    seeds: Annotated[str | None, typer.Option(help="Runs of each prior and rate.", metavar="INTEGER")] = None,
    seed: Annotated[str, typer.Option(help="Decides texts, points and nulls.", metavar="INTEGER")] = "0",
    json: Json = False,
) -> None:
    """Make the paper's figures, tables and claims on a model: pictures to open, points and numbers, one report."""
    study = StudySpec.asked(
        quick,
        model={"name": model},
        encoder={"name": encoder},
        texts=_one(texts, "--texts"),
        questions=_one(questions, "--questions"),
        seed=seed,
        **({} if seeds is None else {"n_seeds": seeds}),
    )
    store = Store.default()

    def obtain(spec: StudyItemSpec) -> Found:
        return ensure(lambda: find_item(spec, store), KIND, spec, store)[0]

    items = _items(figure or [], claims, everything)
    typer.echo(cost_line(study_cost(study, items, store)), err=True)
    report = make(study, items, out, obtain, show_progress)
    emit(report.document, json)
    if failed := report.failed:
        raise Failed(
            f"{len(failed)} of {len(report.items)} items could not be made, {failed[0].item} first: "
            f"{failed[0].error} The others are kept; run the same command again to go on."
        )


def _items(figures: list[str], claims: bool, everything: bool) -> list[str]:
    """Return the items that are asked for."""
    chosen = figure_names([_number(text) for text in figures])
    chosen += [item for item in ITEMS if claims and item.startswith("claim-")]
    if everything:
        chosen = list(ITEMS)
    if not chosen:
        raise BadRequest("Nothing is asked for; give --figure N, --claims or --all.")
    return chosen


def cost_line(cost: StudyCost) -> str:
    """Say what is still to do."""
    if not cost.n_items:
        return "Everything is here already."
    words = f"{cost.n_items} to make, with {cost.n_runs} tuning runs and {cost.n_captures} captures that are not here"
    if cost.seconds is None or cost.bytes is None:
        return f"{words}; how long they take is not known before the model is here."
    basis = "by paces measured here" if cost.measured else "some of it guessed"
    return (
        f"{words}: about {cost.seconds / 60:.0f} min ({basis}; maps, statistics and transfer on top) and "
        f"{cost.bytes / 1e6:,.0f} MB."
    )


def _one(text: str, option: str) -> DatasetSpec:
    found = dataset_specs(text, option, samples="1000", seed="0")
    if len(found) > 1:
        raise BadRequest(f"{option} takes one data set and got {len(found)} ({text!r}); name one.")
    return found[0]


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise BadRequest(f"Figure {text!r} is no number; give one of {', '.join(map(str, FIGURES))}.") from None
