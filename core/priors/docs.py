"""What the command line and the documentation say of priors, made from their specs."""

from core.specs.describe import Field, describe
from core.specs.docs import default, field_table, values
from core.specs.prior import PriorSpec, prior_kinds

_INTRODUCTION = """# Priors

Where a prompt starts. A prior is given as JSON with its `kind` and any parameters, for example
`{"kind": "exclusion", "c": 5}`; every kind works with its defaults alone. How to add one:
[adding-a-prior.md](adding-a-prior.md). This page is made from the specs; after a change, write it again with

```
python -m core.reference
```
"""


def prior_page() -> str:
    """Return `docs/priors.md`: each kind with a table of its parameters, and those of all kinds."""
    own = [_section(kind, spec) for kind, spec in prior_kinds().items()]
    common = [f"## All priors\n\nEach kind takes these as well.\n\n{field_table(_common())}"]
    return "\n".join([_INTRODUCTION, *own, *common])


def prior_help() -> str:
    """Return a compact plain text of all kinds and parameters for `--help`."""
    lines = []
    for kind, spec in prior_kinds().items():
        lines += [f"{kind}: {spec.summary}", *_lines(_own(spec))]
    return "\n".join([*lines, "all kinds:", *_lines(_common())])


def _own(spec: type[PriorSpec]) -> list[Field]:
    return [field for field in describe(spec) if field.name not in spec.described_last]


def _common() -> list[Field]:
    return [field for field in describe(PriorSpec) if field.name in PriorSpec.described_last]


def _lines(fields: list[Field]) -> list[str]:
    return [f"    {field.name} ({values(field)}; default {default(field)}): {field.help}" for field in fields]


def _section(kind: str, spec: type[PriorSpec]) -> str:
    fitted = "Fitted on a reference cloud." if spec.needs_reference else "Needs no reference cloud."
    return f"## {spec.title}: `{kind}`\n\n{spec.summary} {fitted}\n\n{field_table(_own(spec))}"
