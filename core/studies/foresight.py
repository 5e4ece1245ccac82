"""What a claim could decide on a study, said before the time is spent."""

from core.analysis.power import decided_with
from core.specs import StudySpec
from core.store import Store
from core.studies.claims import RULES_VERSION, Claim
from core.studies.claims.base import SEED
from core.studies.claims.judgement import JudgedSentence, Judgement
from core.studies.judgements import JudgedClaim, judgements


def foreseen(claim: Claim, study: StudySpec, store: Store) -> str:
    """Return which true difference a claim would decide with the study's seeds, from the variance of runs at hand.

    The runs are those of the judgement of the claim with the most seeds, if possible on the same
    model. Empty for a claim on documents, and while there is no judgement with an interval.
    """
    if claim.unit != SEED:
        return ""
    known = [one for one in judgements(store) if one.claim == claim.number and _current(one)]
    if not known:
        return ""
    best = max(known, key=lambda one: (one.study.model == study.model, one.judgement.n_seeds))
    n, judged = claim.seeds(study), best.judgement
    several = len(judged.sentences) > 1
    found = [
        f"{decided_with(one.spread, n, _level(judged, one)):.3g}{f' ({one.name})' if several else ''}"
        for one in judged.sentences
        if one.spread is not None and n > 1
    ]
    if not found:
        return ""
    return (
        f"With {n} seeds it would be decided in 80 % of cases if the true value lies this far beyond its bound: "
        f"{', '.join(found)} (variance of {judged.n_seeds} seeds on {best.study.model.label})."
    )


def _level(found: Judgement, sentence: JudgedSentence) -> float:
    """Return the level of the intervals that a sentence may hold by: higher where one of several cases is enough."""
    cases = {part.name for part in found.parts if part.decides and part.sentence == sentence.name}
    return 1 - (1 - found.level) / (len(cases) if found.headline == "most" else 1)


def _current(one: JudgedClaim) -> bool:
    return one.judgement.rule_version == RULES_VERSION
