"""C13: arithmetic tasks lie far from texts, and from each other, in the mean activations of an encoder."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from core.analysis.atlas_terms import pair_name
from core.analysis.intervals import LEVEL
from core.analysis.shares import documents_needed, share_interval
from core.analysis.verdict import FAILS, HOLDS, UNDECIDED, Bounds, Verdict, decide, widen
from core.jobs.atlas import Atlas
from core.specs import FINAL, ModelSpec, StudySpec
from core.studies.bench import Bench
from core.studies.claims.base import DOCUMENT, Claim, Judged, Part, measured_part
from core.studies.claims.documents import too_few
from core.studies.encoder_means import encoder_atlas

APART = 0.9
MOST = 0.8
"""Share of the pairs of tasks: 12 of the 15 pairs of six tasks."""
FROM_TEXTS, FROM_EACH_OTHER = "a", "b"
PAPERS = "t5-base"
_ACCURACY = "accuracy of telling unseen texts apart by their means (LDA)"
_ENERGY = "energy distance over mean distance (0: one distribution, 1: far apart)"


def judge(bench: Bench) -> Judged:
    """Judge C13 on the encoder of the study."""
    return judge_tasks(encoder_atlas(bench), bench.spec.encoder)


def judge_tasks(atlas: Atlas, encoder: ModelSpec) -> Judged:
    """Judge C13 by an atlas of means: texts, then tasks."""
    found, names = atlas.groups(FINAL)["separability"], atlas.summary["names"]
    each = dict(zip(names, atlas.summary["n_documents"], strict=True))
    texts, tasks = names[0], names[1:]
    pairs = [*((texts, task) for task in tasks), *combinations(tasks, 2)]
    parts = [_told(found["lda_accuracy"], pair, _sentence(pair, texts), each) for pair in pairs]
    shown = [
        replace(_part(found["energy"], pair, _ENERGY, Bounds(), each), decides=False, sentence=_sentence(pair, texts))
        for pair in pairs
    ]
    between = [part for part in parts if part.sentence == FROM_EACH_OTHER]
    told = sum(part.interval.low >= APART for part in between)
    least, from_texts = (
        min((part for part in parts if part.sentence == name), key=lambda part: part.interval.value)
        for name in (FROM_EACH_OTHER, FROM_TEXTS)
    )
    few = {FROM_TEXTS: _too_few(each, 1), FROM_EACH_OTHER: _too_few({task: each[task] for task in tasks}, len(between))}
    return Judged(
        [*parts, *shown],
        f"{told} of {len(between)} pairs of tasks can be told apart with at least {APART:.0%} accuracy by the mean "
        f"activations of {encoder.label}; the closest pair is {least.name} with {least.interval.value:.0%}. Of the "
        f"tasks, {from_texts.name} is told worst from texts, with {from_texts.interval.value:.0%}."
        + ("" if is_the_papers(encoder) else f" This is not the paper's encoder ({PAPERS})."),
        rules={FROM_EACH_OTHER: most_apart},
        blocked=few,
        extra={"encoder": encoder.name, "papers_encoder": is_the_papers(encoder), "pairs_apart": told},
    )


def is_the_papers(encoder: ModelSpec) -> bool:
    """Return whether an encoder is the paper's, by its name on the hub or the last part of it."""
    return encoder.name.rpartition("/")[2] == PAPERS


def most_apart(parts: Sequence[Part], level: float) -> Verdict:
    """Return whether most pairs lie inside their bounds, by intervals widened for their number."""
    share = 1 - (1 - level) / len(parts)
    wide = [share_interval(widen(part.interval, len(parts), level, part.freedom), part.n, share) for part in parts]
    alone = [decide(interval, part.bounds) for interval, part in zip(wide, parts, strict=True)]
    most = math.ceil(MOST * len(parts))
    if alone.count(HOLDS) >= most:
        return HOLDS
    return FAILS if alone.count(FAILS) > len(parts) - most else UNDECIDED


def _sentence(pair: tuple[str, str], texts: str) -> str:
    return FROM_TEXTS if texts in pair else FROM_EACH_OTHER


def _told(
    table: Mapping[str, Mapping[str, float]], pair: tuple[str, str], sentence: str, n_documents: Mapping[str, int]
) -> Part:
    part = _part(table, pair, _ACCURACY, Bounds(low=APART), n_documents)
    return replace(part, interval=share_interval(part.interval, part.n), sentence=sentence)


def _part(
    table: Mapping[str, Mapping[str, float]],
    pair: tuple[str, str],
    quantity: str,
    bounds: Bounds,
    n_documents: Mapping[str, int],
) -> Part:
    name = " / ".join(task.rpartition("__")[2] for task in pair)
    return measured_part(name, quantity, table[pair_name(*pair)], bounds, sum(n_documents[task] for task in pair))


def _too_few(n_documents: Mapping[str, int], n_pairs: int) -> str:
    return too_few("C13", min(n_documents.values()), enough(n_pairs), "of each task and of texts")


def enough(n_pairs: int) -> int:
    """Return how many texts of either data set can put the accuracy of one of several pairs above 0.9."""
    return math.ceil(documents_needed(APART, 1 - (1 - LEVEL) / n_pairs) / 2)


def _basis(study: StudySpec) -> str:
    other = "" if is_the_papers(study.encoder) else f" (not the paper's encoder, {PAPERS})"
    return f"{study.encoder.label}{other}, {study.n_texts} texts of each of {len(study.tasks)} tasks and of texts"


CLAIMS = (
    Claim(
        number=13,
        title="Arithmetic tasks are far from texts and from each other in an encoder",
        quote=(
            "“Mean activations over math problems are far away from the original C4 activations. Moreover, different "
            "math tasks are far apart between each other.”"
        ),
        section="4.1",
        statistic=(
            "Accuracy of a linear discriminant by the mean activations of unseen texts: of each task against plain "
            "texts (a), and of every two tasks (b). Shown for comparison: the energy distance of each pair."
        ),
        why=(
            "Gaps between clusters on a t-SNE map say nothing about distances. A real gap means that unseen texts can "
            "be told apart. Pairs are measured one by one, because an average would hide tasks that coincide; the "
            "sentence is about the tasks as a whole, so a few close pairs do not refute it."
        ),
        null="Tasks permuted over texts: an accuracy of about 0.5.",
        unit=DOCUMENT,
        rule=(
            f"Intervals are those of resampled texts, and Wilson's at least. (a) Holds if the 95 % interval of every "
            f"task against texts lies above {APART:g}; fails if one, widened for their number, lies below. (b) Holds "
            f"if the intervals, widened for the number of pairs, of at least {MOST * 100:g} % of the pairs (12 of 15) "
            f"lie above {APART:g}; fails if those of more than the other pairs (3 of 15) lie below. Undecided "
            f"otherwise, and with fewer than {enough(1)} (a) or, for 15 pairs, {enough(15)} (b) texts of each task."
        ),
        judge=judge,
        figures=("figure-5",),
        sentences={
            FROM_TEXTS: "Mean activations of arithmetic are far from those of texts.",
            FROM_EACH_OTHER: "Different arithmetic tasks are far apart from each other.",
        },
        basis=_basis,
        of_encoder=True,
    ),
)
