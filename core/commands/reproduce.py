"""`reproduce`: the paper's figures, tables and claims on the model at hand."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from core.commands.datasets import dataset_specs
from core.commands.jobs import ensure
from core.commands.options import Json, requested
from core.commands.output import emit, show_progress
from core.errors import BadRequest, Failed
from core.specs import DEFAULT_MODEL, DatasetSpec, StudyItemSpec, StudySpec
from core.store import Store
from core.studies.cost import StudyCost, study_cost
from core.studies.items import FIGURES, ITEMS, KIND, Found, find_item
from core.studies.reproduce import figure_names
from core.studies.reproduce import reproduce as make


@dataclass(frozen=True)
class ReproduceRequest:
    """What to reproduce, on what, and where to put it; the options of the verb."""

    out: Annotated[Path, typer.Option(help="Folder for figures, points and numbers.")]
    figure: Annotated[
        list[str] | None, typer.Option(help=f"Number in the paper, 1 to {max(FIGURES)}; repeat for several.")
    ] = None
    claims: Annotated[bool, typer.Option("--claims", help="The paper's claims, each with a verdict.")] = False
    everything: Annotated[bool, typer.Option("--all", help="Figures, tables and claims.")] = False
    quick: Annotated[bool, typer.Option("--quick", help="Fewer texts, seeds and steps: minutes, not hours.")] = False
    model: Annotated[str, typer.Option(help="A name, a Hugging Face id or a local folder.")] = DEFAULT_MODEL
    encoder: Annotated[str, typer.Option(help="Encoder of Figure 5; the paper uses t5-base.")] = "all-minilm-l6-v2"
    texts: Annotated[str, typer.Option(help="Plain texts: news, c4, c4:PATH or file:PATH.")] = "news"
    questions: Annotated[str, typer.Option(help="Questions: squad, squad:PATH, math:MODULE or file:PATH.")] = "squad"
    seeds: Annotated[str | None, typer.Option(help="Runs per prior and rate.", metavar="INTEGER")] = None
    seed: Annotated[
        str, typer.Option(help="Seed of the choice of texts and points, and of nulls.", metavar="INTEGER")
    ] = "0"

    @property
    def study(self) -> StudySpec:
        """Return the study that the options describe."""
        return StudySpec.asked(
            self.quick,
            model={"name": self.model},
            encoder={"name": self.encoder},
            texts=_one(self.texts, "--texts"),
            questions=_one(self.questions, "--questions"),
            seed=self.seed,
            **({} if self.seeds is None else dict.fromkeys(("n_seeds", "n_deep_seeds", "n_dose_seeds"), self.seeds)),
        )

    @property
    def items(self) -> list[str]:
        """Return the names of the items to make.

        Raises:
            BadRequest: none, or a figure that does not exist.
        """
        chosen = figure_names([_number(text) for text in self.figure or []])
        chosen += [item for item in ITEMS if self.claims and item.startswith("claim-")]
        if self.everything:
            chosen = list(ITEMS)
        if not chosen:
            raise BadRequest("There is nothing to make; give --figure N, --claims or --all.")
        return chosen


@requested
def reproduce(request: ReproduceRequest, json: Json = False) -> None:
    """Reproduce the paper's figures, tables and claims on a model, with one report over all."""
    study = request.study
    store = Store.default()

    def obtain(spec: StudyItemSpec) -> Found:
        return ensure(lambda: find_item(spec, store), KIND, spec, store)[0]

    items = request.items
    typer.echo(cost_line(study_cost(study, items, store)), err=True)
    report = make(study, items, request.out, obtain, show_progress)
    emit(report.document, json)
    if failed := report.failed:
        raise Failed(
            f"{len(failed)} of {len(report.items)} items could not be made, {failed[0].item} first: "
            f"{failed[0].error} The others are kept; run the same command again to go on."
        )


def cost_line(cost: StudyCost) -> str:
    """Return what is left to do in words."""
    if not cost.n_items:
        return "All items are made already."
    words = f"{cost.n_items} items to make, which need {cost.n_runs} new tuning runs and {cost.n_captures} captures"
    if cost.seconds is None or cost.bytes is None:
        return f"{words}; the time is unknown until the model is here."
    basis = "from speeds measured here" if cost.measured else "partly a guess"
    return (
        f"{words}: about {cost.seconds / 60:.0f} min ({basis}; maps, statistics and transfer not included) and "
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
