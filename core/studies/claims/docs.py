"""The documentation's page of claims, generated from their source."""

from collections.abc import Mapping

from core.studies.claims.base import Claim

_INTRODUCTION = """# Claims

What the paper claims, how each claim is judged here, and by which rule. A verdict says where an
interval lies against the bounds (holds, fails, undecided); a p above 0.05 is never a reason. See
[decisions/0020-verdicts.md](decisions/0020-verdicts.md). How to add one:
[adding-a-claim.md](adding-a-claim.md). The Findings page shows the claims with their numbers;
`python -m core reproduce --claims` judges them all. This page is generated from the source; after a
change, run `python -m core.reference`.
"""
_ROWS = {
    "What is measured": "statistic",
    "Why this": "why",
    "By chance alone": "null",
    "Rule": "rule",
    "Unit of independence": "unit",
}


def claims_page(claims: Mapping[int, Claim]) -> str:
    """Return `docs/claims.md`: the paper's words on each claim, and how it is judged."""
    return "\n".join([_INTRODUCTION, *(_section(claim) for claim in claims.values())])


def _section(claim: Claim) -> str:
    rows = [f"| {title} | {getattr(claim, name)} |" for title, name in _ROWS.items()]
    if claim.sentences:
        sentences = "; ".join(f"({name}) {words}" for name, words in claim.sentences.items())
        rows.insert(0, f"| Sentences | {sentences} |")
    rows += [f"| Pictures | {', '.join(claim.figures)} |"] if claim.figures else []
    rows += [f"| Arms whose seeds count | {', '.join(claim.arms)} |"] if claim.arms else []
    rows += [f"| Arms of its controls | {', '.join(claim.controls)} |"] if claim.controls else []
    head = f"## C{claim.number} · {claim.title}\n\n{claim.quote} (section {claim.section})\n"
    return "\n".join([head, "| | |", "|---|---|", *rows, ""])
