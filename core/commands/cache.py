"""`cache`: list, verify and prune what is stored."""

from typing import Annotated

import typer

from core.commands.options import Json
from core.commands.output import emit
from core.store import Store, maintenance

cache = typer.Typer(no_args_is_help=True, help="List, verify and prune what is stored.")
