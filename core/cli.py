"""The command line: `python -m core VERB`, or `priorscope VERB` where the package is installed.

Each verb has a file of its own in `core/commands/` and a line in `VERBS`. Only the verb that is
called is imported, so that one that merely reads starts at once. Exit codes: 0 done, 2 bad request
with a one-line reason, 1 failed.
"""

import errno
import logging
import sys
import warnings
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from core.errors import BadRequest, PriorscopeError, in_one_line, shown


@dataclass(frozen=True)
class Verb:
    """A verb, or a group of verbs, before it is imported.

    Attributes:
        where: 'module:name' in `core.commands`, of a function or of a `typer.Typer`.
        summary: its line in `--help`.
        bare_help: whether the verb without arguments shows its help; a group always does.
    """

    where: str
    summary: str
    bare_help: bool = False


VERBS = {
    "doctor": Verb("doctor:doctor", "Show what this machine has, and where each model and data set comes from."),
    "capture": Verb("capture:capture", "Capture the activations of a model on a data set."),
    "sample": Verb("sample:sample", "Fit a prior on a cloud and draw from it."),
    "priors": Verb("priors:priors", "List the kinds of prior with their parameters."),
    "tune": Verb("tune:tune", "Tune a prompt from a prior."),
    "sweep": Verb("sweep:sweep", "Do every run of a sweep."),
    "compare": Verb("compare:compare", "Measure the posteriors of several runs and put them side by side."),
    "generalise": Verb("readings:generalise", "Read the prompts of runs on other data sets, without tuning."),
    "line": Verb("readings:line", "Measure the loss along the straight line between the prompts of two runs."),
    "atlas": Verb("atlas:atlas", "Measure separability, modality and shape of activations at every site."),
    "reproduce": Verb("reproduce:reproduce", "Make the paper's figures, tables and claims on a model."),
    "export": Verb("export:export", "Write runs for other programs or other machines."),
    "make": Verb("make:make", "Do one job of any kind from its spec.", bare_help=True),
    "import": Verb("import_:import_", "Bring in runs from elsewhere.", bare_help=True),
    "runs": Verb("runs:runs", "List, show, cancel, resume and delete runs and other jobs."),
    "cache": Verb("cache:cache", "List, verify and prune what is stored."),
    "maps": Verb("maps:maps", "List, show, name and rename maps."),
}


REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST)
"""Of a path that was named and cannot be used as it was named."""


class _Verbs(TyperGroup):
    """A group that imports a verb when it is called; its help needs only the table."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the verb that is called, imported, and its arguments."""
        name, stub, rest = super().resolve_command(ctx, args)
        return name, load(name) if name and stub else stub, rest


app = typer.Typer(
    cls=_Verbs,
    name="python -m core",
    help="Explore priors and posteriors of prompt-tuned embeddings in frozen language models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _name, _verb in VERBS.items():
    app.command(_name, short_help=_verb.summary)(lambda: None)


def load(name: str) -> Any:
    """Import a verb and return its command."""
    verb = VERBS[name]
    module, _, attribute = verb.where.partition(":")
    found = getattr(import_module(f"core.commands.{module}"), attribute)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False)
        alone.command(name, no_args_is_help=verb.bare_help)(found)
        found = alone
    return typer.main.get_command(found)


def main() -> None:
    """Run the command line and leave with the contract's exit code."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    warnings.simplefilter("default")
    try:
        _require_unicode(sys.argv[1:])
        sys.exit(app(standalone_mode=False) or 0)
    except PriorscopeError as error:
        _leave(str(error), error.exit_code)
    except TyperException as error:
        # There is no reason where the help itself was shown, for want of arguments.
        reason = in_one_line(error.format_message()) if str(error) else ""
        _leave(
            reason
            and f"{reason.removesuffix('.')}{'' if reason.endswith('?') else '.'} Add --help to see the options.",
            2,
        )
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _leave(
            f"{where}{error.strerror or error}. Make that path readable and writable, or name another one "
            "(PRIORSCOPE_CACHE names the cache folder).",
            2 if error.errno in REFUSED else 1,
        )


def _require_unicode(arguments: list[str]) -> None:
    """Refuse bytes that no document on stdout could hold."""
    for argument in arguments:
        if not argument.isascii() and argument.encode("utf-8", "replace") != argument.encode("utf-8", "surrogatepass"):
            raise BadRequest(f"The argument {shown(argument)} is not UTF-8; rename that file, or correct the argument.")


def _leave(reason: str, exit_code: int) -> None:
    """Say why nothing came of it, in one line, and leave."""
    if reason:
        typer.echo(f"error: {in_one_line(reason)}", err=True)
    sys.exit(exit_code)
