"""The same verbs from a shell: `python -m core VERB`. One file a verb stands in `core/commands/`.

Exit codes: 0 done, 2 bad request with a one-line reason, 1 failed.
"""

import logging
import sys
import warnings

import typer

from core.commands.cache import cache
from core.commands.capture import capture
from core.commands.doctor import doctor
from core.commands.runs import runs
from core.commands.sample import priors, sample
from core.commands.tune import tune
from core.errors import PriorscopeError

app = typer.Typer(
    name="python -m core",
    help="Explore priors and posteriors of prompt-tuned embeddings in frozen language models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for verb in (doctor, capture, sample, priors, tune):
    app.command(no_args_is_help=False)(verb)
app.add_typer(runs, name="runs")
app.add_typer(cache, name="cache")


def main() -> None:
    """Run the command line and leave with the contract's exit code."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    warnings.simplefilter("default")
    try:
        app()
    except PriorscopeError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
