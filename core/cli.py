"""The same verbs from a shell: `python -m core VERB`. One file a verb stands in `core/commands/`.

Exit codes: 0 done, 2 bad request with a one-line reason, 1 failed.
"""

import logging
import sys
import warnings

import typer
from typer.exceptions import TyperException

from core.commands.atlas import atlas
from core.commands.cache import cache
from core.commands.capture import capture
from core.commands.compare import compare
from core.commands.doctor import doctor
from core.commands.export import export
from core.commands.import_ import import_
from core.commands.make import make
from core.commands.maps import maps
from core.commands.reproduce import reproduce
from core.commands.runs import runs
from core.commands.sample import priors, sample
from core.commands.sweep import sweep
from core.commands.tune import tune
from core.errors import PriorscopeError

app = typer.Typer(
    name="python -m core",
    help="Explore priors and posteriors of prompt-tuned embeddings in frozen language models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for verb in (doctor, capture, sample, priors, tune, sweep, compare, atlas, reproduce, export):
    app.command(no_args_is_help=False)(verb)
app.command(no_args_is_help=True)(make)
app.command("import", no_args_is_help=True)(import_)
app.add_typer(runs, name="runs")
app.add_typer(cache, name="cache")
app.add_typer(maps, name="maps")


def main() -> None:
    """Run the command line and leave with the contract's exit code."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    warnings.simplefilter("default")
    try:
        sys.exit(app(standalone_mode=False) or 0)
    except PriorscopeError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except TyperException as error:
        reason = " ".join(str(error).split()).rstrip(".")
        if reason:  # without arguments the help itself was shown
            typer.echo(f"error: {reason}; add --help to see the options.", err=True)
        sys.exit(2)
    except typer.Abort:
        typer.echo("error: stopped.", err=True)
        sys.exit(1)
