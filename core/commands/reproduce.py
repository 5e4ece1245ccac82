"""`reproduce`: the paper's figures on the model at hand."""

from pathlib import Path
from typing import Annotated

import typer

from core.commands.datasets import dataset_specs
from core.commands.jobs import run
from core.commands.options import Json
from core.commands.output import emit, show_progress
from core.errors import BadRequest
from core.specs import DEFAULT_MODEL, DatasetSpec
from core.store import Store
from core.studies.reproduce import FIGURES, reproduce_figures
from core.studies.setting import Bench, StudySpec


def reproduce(
    out: Annotated[Path, typer.Option(help="Folder that figures, points and numbers are written into.")],
    figure: Annotated[
        list[str] | None,
        typer.Option(
            help=f"Number in the paper, 1 to {max(FIGURES)}; may be given several times. Default: all of them."
        ),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer texts and points: minutes instead of an hour.")] = False,
    model: Annotated[str, typer.Option(help="A name, a Hugging Face id or a local folder.")] = DEFAULT_MODEL,
    encoder: Annotated[str, typer.Option(help="Of Figure 5; the paper's is t5-base.")] = "all-minilm-l6-v2",
    texts: Annotated[str, typer.Option(help="Plain texts: news, c4, c4:PATH or file:PATH.")] = "news",
    questions: Annotated[str, typer.Option(help="Questions: squad, squad:PATH, math:MODULE or file:PATH.")] = "squad",
    seed: Annotated[str, typer.Option(help="Decides texts, points and nulls.", metavar="INTEGER")] = "0",
    json: Json = False,
) -> None:
    """Make figures of the paper on a model: a picture to open, its points and its numbers, each as a file."""
    spec = StudySpec.asked(
        quick,
        model={"name": model},
        encoder={"name": encoder},
        texts=_one(texts, "--texts"),
        questions=_one(questions, "--questions"),
        seed=seed,
    )
    store = Store.default()
    bench = Bench(spec, store, lambda kind, wanted: run(kind, wanted, store))
    report = reproduce_figures(bench, [_number(asked) for asked in figure or map(str, FIGURES)], out, show_progress)
    emit(report, json)


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
