"""C2: language tasks share a cluster, arithmetic has its own, at every layer."""

from collections.abc import Mapping

from core.analysis.atlas_terms import pair_name
from core.analysis.intervals import Interval
from core.analysis.verdict import Bounds
from core.studies.bench import Bench
from core.studies.claims.base import DOCUMENT, JACKKNIFE_FREEDOM, Claim, Judged, Part, measured_part
from core.studies.layers import three_domains

APART = 0.9
"""Balanced accuracy: nine in ten tokens of unseen documents are classified correctly."""
NEARER = 0.5
"""Language data sets share a cluster where the distance between them is at most half of that to
arithmetic."""
_ACCURACY = "accuracy of telling tokens of unseen documents apart (LDA)"
_RATIO = "energy distance of texts and questions over that of arithmetic to the nearer of them"


def judge(bench: Bench) -> Judged:
    """Judge C2 at every site of the atlas."""
    atlas = three_domains(bench)
    texts, questions, sums = atlas.summary["names"]
    n = sum(atlas.summary["n_documents"])
    accuracies, ratios = [], []
    for site in atlas.sites:
        found = atlas.groups(site)["separability"]
        for other in (texts, questions):
            pair = found["lda_accuracy"][_pair(found["lda_accuracy"], other, sums)]
            accuracies.append(measured_part(f"site {site}, {other} / {sums}", _ACCURACY, pair, Bounds(low=APART), n))
        energy = found["energy"]
        near = min((energy[_pair(energy, other, sums)] for other in (texts, questions)), key=lambda e: e["value"])
        ratio = ratio_of(energy[_pair(energy, texts, questions)], near)
        ratios.append(
            Part(
                f"site {site}",
                _RATIO,
                ratio,
                Bounds(high=NEARER),
                Interval(1.0, 1.0, 1.0),
                n=n,
                freedom=JACKKNIFE_FREEDOM,
            )
        )
    apart = sum(part.interval.low >= APART for part in accuracies)
    shared = sum(part.interval.high <= NEARER for part in ratios)
    return Judged(
        [*accuracies, *ratios],
        f"{sums} can be told from {texts} and {questions} with at least {APART:.0%} accuracy in {apart} of "
        f"{len(accuracies)} comparisons over {len(atlas.sites)} sites. At {shared} of {len(ratios)} sites {texts} and "
        f"{questions} are at most half as far from each other as from {sums}.",
    )


def ratio_of(over: Mapping[str, float], under: Mapping[str, float]) -> Interval:
    """Return the ratio of two non-negative numbers with an interval.

    The errors of the two numbers may depend on each other in any way. The interval therefore
    reaches from the smallest to the largest ratio of values inside theirs, which is conservative.
    """
    top, bottom = ({name: max(0.0, found[name]) for name in ("value", "low", "high")} for found in (over, under))
    if min(bottom.values()) <= 0:
        return Interval(top["value"] / bottom["value"] if bottom["value"] else float("inf"), float("nan"), float("nan"))
    return Interval(top["value"] / bottom["value"], top["low"] / bottom["high"], top["high"] / bottom["low"])


def _pair(found: Mapping[str, object], first: str, second: str) -> str:
    name = pair_name(first, second)
    return name if name in found else pair_name(second, first)


CLAIMS = (
    Claim(
        number=2,
        title="Arithmetic has a cluster of its own, language tasks share one",
        quote=(
            "“We show that while SQuAD has activations similar to pre-training C4, MATH dataset's activations lie in a "
            "distant cluster, and this property holds for activations on all layers.”"
        ),
        section="5",
        statistic=(
            "Two numbers per site: the accuracy of a linear discriminant that tells arithmetic from each language data "
            "set, on unseen documents; and the energy distance (free of scale) between the two language data sets, "
            "over that between arithmetic and the nearer of them."
        ),
        why=(
            "A probe in many dimensions tells almost any two data sets apart, even two of language. Accuracy alone "
            "therefore cannot show that those two share a cluster, but the ratio of distances can. Both are measured "
            "in the full space, not on two axes."
        ),
        null=(
            "Data sets permuted over documents: an accuracy of about 0.5. At a ratio of 1 the three data sets are "
            "equally far apart."
        ),
        unit=DOCUMENT,
        rule=(
            f"Holds if at every site the 95 % intervals of both accuracies lie above {APART:g} and that of the ratio "
            f"below {NEARER:g}. Fails if one of the intervals, widened for their number, lies outside. Undecided "
            "otherwise."
        ),
        judge=judge,
        figures=("figure-4", "figure-12"),
    ),
)
