"""`make`: one job of any kind from its spec, so that a shell can do all that a page does."""

from pathlib import Path
from typing import Annotated

import typer

from core.commands.files import read_text
from core.commands.jobs import run
from core.commands.options import Json
from core.commands.output import emit
from core.engine.tasks import find_task
from core.store import Store


def make(
    kind: Annotated[str, typer.Argument(help="Kind of job: projection, trajectory, atlas, tune …", metavar="KIND")],
    spec: Annotated[
        str, typer.Argument(help="Its spec, as JSON or a JSON file; docs/reference/specs.md has every field.")
    ],
    json: Json = False,
) -> None:
    """Do one job from its spec, as pages and `runs show` print it, unless its result exists."""
    task = find_task(kind)
    text = spec if spec.lstrip().startswith("{") else read_text(Path(spec), "spec file")
    job = run(kind, task.parse(text), Store.default())
    emit({"job": job.id, "kind": kind, "status": job.status().state, "result": job.result()}, json)
