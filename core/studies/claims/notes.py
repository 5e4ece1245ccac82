"""A judgement in words: its sentences, controls, runs, power, and the version of its rules."""

from core.studies.claims.base import SEED
from core.studies.claims.judgement import JudgedControl, JudgedSentence, Judgement


def notes(found: Judgement) -> list[str]:
    """Return what a verdict's reader must know besides the finding, one sentence or two per line."""
    several = len(found.sentences) > 1
    lines = [_of_sentence(found, one, several) for one in found.sentences]
    lines += [_of_control(one, several) for one in found.controls]
    if found.unit == SEED and found.n_runs:
        lines.append(f"{found.n_converged} of {found.n_runs} runs converged.")
    return [line for line in lines if line] + [f"Judged by version {found.rule_version} of the rules."]


def _of_sentence(found: Judgement, one: JudgedSentence, several: bool) -> str:
    power = ""
    if one.smallest is not None:
        power = f"Decided in 80 % of such studies if the true value lies {one.smallest:.3g} or more beyond its bound."
    if one.units_needed is not None:
        power += f" It would take about {one.units_needed:,} {found.unit}s."
    head = f"{one.name}. {one.words.removesuffix('.')}: {one.verdict}." if several else ""
    reason = f"{one.reason[:1].upper()}{one.reason[1:]}." if one.reason and several else ""
    return " ".join(part.strip() for part in (head, reason, power) if part)


def _of_control(one: JudgedControl, several: bool) -> str:
    number = one.part
    value = "–" if number.value is None else f"{number.value:.3g}"
    if number.low is not None and number.high is not None:
        value += f" [{number.low:.3g}, {number.high:.3g}]"
    of = f"{number.sentence}, " if several and number.sentence else ""
    return f"Control ({of}{one.name}): the same rule gives “{one.verdict}”, with {value} for {number.name}."
