"""What the documentation says of the claims, made from their source."""

from collections.abc import Mapping

from core.studies.claims.base import Claim

_INTRODUCTION = """# Claims

What the paper says, how it is judged here, and by which rule, with its bounds. A verdict is where an interval lies
against the bounds (holds, fails, undecided), never a p above 0.05; see
[decisions/0020-verdicts.md](decisions/0020-verdicts.md). How to add one: [adding-a-claim.md](adding-a-claim.md). The
Findings page shows them with their numbers; `python -m core reproduce --claims` judges them all. This page is made from
the source; after a change, write it again with `python -m core.reference`.
"""
_ROWS = {
    "What is measured": "statistic",
    "Why this": "why",
    "By chance alone": "null",
    "Rule": "rule",
    "Unit of independence": "unit",
}


def claims_page(claims: Mapping[int, Claim]) -> str:
    """Return `docs/claims.md`: each claim with the paper's words and a table of how it is judged."""
    return "\n".join([_INTRODUCTION, *(_section(claim) for claim in claims.values())])


def _section(claim: Claim) -> str:
    rows = [f"| {title} | {getattr(claim, name)} |" for title, name in _ROWS.items()]
    rows += [f"| Pictures | {', '.join(claim.figures)} |"] if claim.figures else []
    rows += [f"| Arms whose seeds count | {', '.join(claim.arms)} |"] if claim.arms else []
    head = f"## C{claim.number} · {claim.title}\n\n{claim.quote} (section {claim.section})\n"
    return "\n".join([head, "| | |", "|---|---|", *rows, ""])
