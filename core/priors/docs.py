"""What the command line and the documentation say of priors, made from their specs."""

from core.specs.describe import Field, describe
from core.specs.prior import PriorSpec, prior_kinds

_INTRODUCTION = """# Priors

Where a prompt starts. A prior is given as JSON with its `kind` and any parameters, for example
`{"kind": "exclusion", "c": 5}`; every kind works with its defaults alone. How to add one:
[adding-a-prior.md](adding-a-prior.md). This page is made from the specs; after a change, write it again with

```
python -c "from core.priors.docs import prior_page; print(prior_page(), end='')" > docs/priors.md
```
"""


def prior_page() -> str:
    """Return `docs/priors.md`: each kind with a table of its parameters."""
    return "\n".join([_INTRODUCTION, *(_section(kind, spec) for kind, spec in prior_kinds().items())])


def prior_help() -> str:
    """Return a compact plain text of all kinds and parameters for `--help`."""
    lines = []
    for kind, spec in prior_kinds().items():
        lines.append(f"{kind}: {spec.summary}")
        lines += [
            f"    {field.name} ({_values(field)}; default {_default(field)}): {field.help}" for field in describe(spec)
        ]
    return "\n".join(lines)


def _section(kind: str, spec: type[PriorSpec]) -> str:
    fitted = "Fitted on a reference cloud." if spec.needs_reference else "Needs no reference cloud."
    rows = [
        f"| `{field.name}` | {field.title} | {_values(field).replace('|', 'or')} | {_default(field)} | {field.help} |"
        for field in describe(spec)
    ]
    head = ["| parameter | title | values | default | meaning |", "|---|---|---|---|---|"]
    return "\n".join([f"## {spec.title}: `{kind}`", "", f"{spec.summary} {fitted}", "", *head, *rows, ""])


def _values(field: Field) -> str:
    if field.choices:
        return field.range
    return f"{field.kind} {field.range}".strip()


def _default(field: Field) -> str:
    return "empty" if field.default is None else str(field.default)
