"""C13: arithmetic tasks are far apart from each other in the mean activations of an encoder."""

from collections.abc import Mapping
from dataclasses import replace

from core.analysis.atlas_terms import pair_name
from core.analysis.verdict import Bounds
from core.specs import FINAL
from core.studies.bench import Bench
from core.studies.claims.base import DOCUMENT, Claim, Judged, Part, measured_part
from core.studies.encoder_means import encoder_atlas

APART = 0.9
_ACCURACY = "accuracy of telling unseen texts of two tasks apart (LDA)"
_ENERGY = "energy distance over mean distance (0: one distribution, 1: far apart)"


def judge(bench: Bench) -> Judged:
    """Judge C13 on the encoder of the study."""
    atlas = encoder_atlas(bench)
    found, names = atlas.groups(FINAL)["separability"], atlas.summary["names"]
    tasks = names[1:]
    each = dict(zip(names, atlas.summary["n_documents"], strict=True))
    pairs = [(first, second) for i, first in enumerate(tasks) for second in tasks[i + 1 :]]
    parts = [_part(found["lda_accuracy"], pair, _ACCURACY, Bounds(low=APART), each) for pair in pairs]
    shown = [replace(_part(found["energy"], pair, _ENERGY, Bounds(), each), decides=False) for pair in pairs]
    told = sum(part.interval.low >= APART for part in parts)
    least = min(parts, key=lambda part: part.interval.value)
    return Judged(
        [*parts, *shown],
        f"{told} of {len(pairs)} pairs of tasks can be told apart with at least {APART:.0%} accuracy by the mean "
        f"activations of {bench.spec.encoder.name}; the closest pair is {least.name} with {least.interval.value:.0%}.",
        extra={"encoder": bench.spec.encoder.name},
    )


def _part(
    table: Mapping[str, Mapping[str, float]],
    pair: tuple[str, str],
    quantity: str,
    bounds: Bounds,
    n_documents: Mapping[str, int],
) -> Part:
    name = " / ".join(task.rpartition("__")[2] for task in pair)
    return measured_part(name, quantity, table[pair_name(*pair)], bounds, sum(n_documents[task] for task in pair))


CLAIMS = (
    Claim(
        number=13,
        title="Arithmetic tasks are far apart in an encoder",
        quote=(
            "“Mean activations over math problems are far away from the original C4 activations. Moreover, different "
            "math tasks are far apart between each other.”"
        ),
        section="4.1",
        statistic=(
            "Accuracy of a linear discriminant that tells two tasks apart by the mean activations of unseen texts, for "
            "every pair of tasks. Shown for comparison: the energy distance of each pair."
        ),
        why=(
            "Gaps between clusters on a t-SNE map say nothing about distances. A real gap means that unseen texts can "
            "be told apart. Pairs are measured one by one, because an average would hide two tasks that coincide."
        ),
        null="Tasks permuted over texts: an accuracy of about 0.5.",
        unit=DOCUMENT,
        rule=(
            f"Holds if the 95 % interval of every pair lies above {APART:g}. Fails if that of a pair, widened for the "
            "number of pairs, lies below. Undecided otherwise."
        ),
        judge=judge,
        figures=("figure-5",),
    ),
)
