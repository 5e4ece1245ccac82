"""The documentation's page of all verbs, generated from the command line itself."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

_INTRODUCTION = """# Commands

`python -m core VERB`, or `priorscope VERB` where the package is installed. With `--json` a verb
prints one JSON document on stdout and nothing else; progress goes to stderr. Exit codes: 0 done, 2
bad request with a one-line reason, 1 failed, 130 and 143 stopped by SIGINT and SIGTERM.
`PRIORSCOPE_CACHE` names the cache folder, `PRIORSCOPE_SCHEDULER` a Dask cluster. This page is
generated from the command line itself.
"""
_PRIORS = "JSON, or just a kind: see [priors.md](../priors.md)."
_WORDS = {str: "text", int: "integer", float: "number", Path: "path"}
_EVERYWHERE = ("json", "help")


def command_page(verbs: Mapping[str, Any]) -> str:
    """Return `docs/reference/commands.md`; a group has a section for each of its verbs."""
    return "\n".join([_INTRODUCTION, *(_section(words, verb) for words, verb in all_verbs(verbs))])


def all_verbs(verbs: Mapping[str, Any], words: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every verb with its words, including those in groups."""
    for name, verb in verbs.items():
        path = f"{words} {name}".strip()
        if children := getattr(verb, "commands", None):
            yield from all_verbs(children, path)
        else:
            yield path, verb


def _section(words: str, verb: Any) -> str:
    given = [parameter for parameter in verb.params if parameter.param_type_name == "argument"]
    options = [p for p in verb.params if p.param_type_name == "option" and p.name not in _EVERYWHERE]
    usage = " ".join([f"python -m core {words}", *(_metavar(argument) for argument in given)])
    lines = [
        f"## {words}",
        "",
        " ".join(verb.help.split()),
        "",
        "```",
        usage + (" [options]" if options else ""),
        "```",
        "",
    ]
    if given or options:
        lines += ["| parameter | takes | default | meaning |", "|---|---|---|---|"]
        lines += [_row(_metavar(argument), "", argument) for argument in given]
        lines += [_row(", ".join([*option.opts, *option.secondary_opts]), _takes(option), option) for option in options]
        lines.append("")
    return "\n".join(lines)


def _row(name: str, takes: str, parameter: Any) -> str:
    words = _PRIORS if "\n" in parameter.help else parameter.help
    shown = [f"`{name}`", takes, _default(parameter), words.strip()]
    return "| " + " | ".join(text.replace("|", "or") for text in shown) + " |"


def _metavar(argument: Any) -> str:
    return argument.metavar or argument.name.upper()


def _takes(option: Any) -> str:
    if option.is_flag:
        return "flag"
    if option.metavar:
        return option.metavar if "." in option.metavar or ":" in option.metavar else option.metavar.lower()
    annotation = option.type_descriptor.annotation
    if get_origin(annotation) is Literal:
        return ", ".join(map(str, get_args(annotation)))
    several = get_origin(annotation) is list
    (plain,) = get_args(annotation) if several else (annotation,)
    words = _WORDS[plain] if plain in _WORDS else plain.__name__.lower()
    return f"{words}, repeatable" if several else words


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    value = parameter.default
    return "" if value is None or value is False or callable(value) else str(value)
