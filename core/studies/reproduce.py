"""The paper's figures by number, each made from jobs that are kept: a second call only reads."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import BadRequest
from core.progress import Progress, silent
from core.store.files import write_json
from core.studies.answer_path import answer_path
from core.studies.encoder_means import encoder_means
from core.studies.figure import Reproduced, write
from core.studies.layers import layers
from core.studies.sentence_paths import sentences_on_activations, sentences_on_vocabulary
from core.studies.setting import Bench


@dataclass(frozen=True)
class Figure:
    """A figure of the paper.

    Attributes:
        title: said above the picture.
        make: from a bench.
    """

    title: str
    make: Callable[[Bench], Reproduced]


FIGURES = {
    1: Figure("Sentences as paths on the vocabulary cloud, t-SNE", sentences_on_vocabulary),
    2: Figure("Sentences as paths on activations, PCA", sentences_on_activations),
    3: Figure("A question and its answer, token by token, on the last layer's activations, PCA", answer_path),
    4: Figure("Activations at several layers, PCA of each", layers),
    5: Figure("Mean activations of an encoder on texts and arithmetic tasks, t-SNE", encoder_means),
}


def reproduce_figures(bench: Bench, numbers: Sequence[int], out: Path, progress: Progress = silent) -> dict[str, Any]:
    """Make figures and write each one's picture, points and numbers, and `report.json` over all.

    Args:
        bench: what they are made with.
        numbers: of figures in the paper.
        out: folder, made if need be.
        progress: in figures.

    Returns:
        the report: study, and of each figure title, files, seconds and headline numbers.

    Raises:
        BadRequest: a figure that there is not, before anything is made; or a folder that cannot be written.
    """
    wanted = sorted(set(numbers))
    if unknown := [number for number in wanted if number not in FIGURES]:
        raise BadRequest(f"Figure {unknown[0]} cannot be reproduced; there are {_listed()}.")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadRequest(f"The folder {out} cannot be made ({error.strerror}); name another with --out.") from None
    made = []
    for done, number in enumerate(wanted):
        progress(done, len(wanted), f"figure {number}")
        began = time.monotonic()
        figure = FIGURES[number]
        found = figure.make(bench)
        files = write(found, number, figure.title, out)
        made.append(
            {
                "figure": number,
                "title": figure.title,
                "caption": found.caption,
                "seconds": round(time.monotonic() - began, 1),
                "files": files,
                "numbers": found.numbers,
            }
        )
    report = {"study": bench.spec.model_dump(mode="json"), "out": str(out), "figures": made}
    write_json(out / "report.json", report)
    return report


def _listed() -> str:
    return ", ".join(map(str, FIGURES))
