"""Rules of claims that say something is possible, so that one case is enough."""

from collections.abc import Sequence

from core.analysis.verdict import FAILS, HOLDS, UNDECIDED, Stated, Verdict, decide_all, decide_any, widen
from core.studies.claims.base import Judged
from core.studies.claims.part import Control, Part


def one_meets_all(parts: Sequence[Part], level: float) -> Verdict:
    """Return the verdict where it is enough that all parts with one name, such as a prior, lie inside.

    The intervals are widened for the number of names among which one may be chosen.
    """
    groups = [[part for part in parts if part.name == name] for name in dict.fromkeys(part.name for part in parts)]
    wide = [
        decide_all([Stated(widen(part.interval, len(groups), level, part.freedom), part.bounds) for part in mine])
        for mine in groups
    ]
    if HOLDS in wide:
        return HOLDS
    alone = [decide_all([part.stated for part in mine], level) for mine in groups]
    return FAILS if alone and all(found == FAILS for found in alone) else UNDECIDED


def one_inside(parts: Sequence[Part], level: float) -> Verdict:
    """Return the verdict where one part inside its bounds is enough."""
    return decide_any([part.stated for part in parts], level)


def best_on(name: str, parts: Sequence[Part]) -> Control:
    """Return what 'one is enough' says on a control, with the part that supports it most."""
    ranked = Judged(parts, "", one_inside, one_is_enough=True)
    return Control(name, ranked.headline, ranked.verdict)
