"""`make`: one job of any kind from its spec, so that whatever a page does can be done from a shell."""

from pathlib import Path
from typing import Annotated

import typer

from core.commands.jobs import run
from core.commands.options import Json
from core.commands.output import emit
from core.engine.tasks import find_task
from core.errors import BadRequest
from core.store import Store


def make(
    kind: Annotated[str, typer.Argument(help="Of job: projection, trajectory, atlas, tune …", metavar="KIND")],
    spec: Annotated[
        str, typer.Argument(help="Its spec, as JSON or a JSON file; docs/reference/specs.md has every field.")
    ],
    json: Json = False,
) -> None:
    """Do one job from its spec, as pages cite it and `runs show` tells it; what is there already is not made again."""
    task = find_task(kind)
    job = run(kind, task.parse(_text(spec)), Store.default())
    emit({"job": job.id, "kind": kind, "status": job.status().state, "result": job.result()}, json)


def _text(spec: str) -> str:
    if spec.lstrip().startswith("{"):
        return spec
    try:
        return Path(spec).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(f"The spec {spec!r} is neither JSON nor a file that can be read ({error}).") from None
