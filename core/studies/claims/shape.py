"""C3: the cloud has one mode at every layer. C4: a fitted Gaussian misses its sharp peak."""

import math
from collections.abc import Mapping

from core.analysis.intervals import Interval
from core.analysis.verdict import Bounds
from core.studies.bench import Bench
from core.studies.claims.base import DOCUMENT, JACKKNIFE_FREEDOM, Claim, Judged, Part, measured_part
from core.studies.layers import three_domains

LARGEST_DIP = 0.05
"""Two equal normal modes a little over four standard deviations apart have a dip of 0.05."""
DIP_ERROR = 0.13
"""Upper bound on the standard deviation of a sample's dip times the square root of its size, over
mixtures of two normal distributions."""
PEAKED = 0.5
"""Excess kurtosis of Student's distribution with 16 degrees of freedom."""
MISSED = 0.05
"""Share of tokens."""
_DIP = "largest dip over 15 directions (0: one mode; 0.25: two separate halves)"
_KURTOSIS = "mean excess kurtosis along the first 5 principal directions (Gaussian: 0)"
_INSIDE = "share of tokens in the Gaussian's 95 % region, distance from that of its own samples"


def judge_modes(bench: Bench) -> Judged:
    """Judge C3 for the texts, at every site of the atlas."""
    atlas = three_domains(bench)
    texts, n = atlas.summary["names"][0], atlas.summary["n_documents"][0]
    parts = []
    for site in atlas.sites:
        found = atlas.groups(site)["modality"]["dip"][texts]
        null = Interval(found["null"], found["null_low"], found["null_high"])
        interval = dip_interval(found["value"], null.high, n)
        parts.append(Part(f"site {site}", _DIP, interval, Bounds(high=LARGEST_DIP), null, found["p"], n))
    largest = max(parts, key=lambda part: part.interval.value)
    rejected = sum((part.p or 1) <= 0.05 for part in parts)
    return Judged(
        parts,
        f"The largest dip of {texts} over {len(parts)} sites is {largest.interval.value:.3f} ({largest.name}, {n} "
        f"documents); uniform samples of that size have {largest.null.value if largest.null else 0:.3f}. The test "
        f"rejects a single mode (Holm-corrected p ≤ 0.05) at {rejected} sites.",
    )


def dip_interval(dip: float, largest_by_chance: float, n: int) -> Interval:
    """Return an interval for a distribution's dip from the dip of a sample of n points.

    A sample's dip is larger on average than that of its distribution, so the lower bound subtracts
    what uniform samples reach by chance; the upper bound adds 1.96 standard errors.
    """
    return Interval(dip, max(0.0, dip - largest_by_chance), dip + 1.96 * DIP_ERROR / math.sqrt(n))


def judge_peak(bench: Bench) -> Judged:
    """Judge C4 for the questions, at the token embeddings and at the last site."""
    atlas = three_domains(bench)
    name, n = atlas.summary["names"][1], atlas.summary["n_documents"][1]
    parts, inside = [], []
    for site in (atlas.sites[0], atlas.sites[-1]):
        shape = atlas.groups(site)["shape"]
        kurtosis = shape["kurtosis_principal"][name]
        parts.append(measured_part(f"site {site}", _KURTOSIS, kurtosis, Bounds(low=PEAKED), n, JACKKNIFE_FREEDOM))
        found = shape["mahalanobis_inside"][name]
        inside.append(
            Part(
                f"site {site}",
                _INSIDE,
                away(found),
                Bounds(low=MISSED),
                Interval(0.0, 0.0, 0.0),
                n=n,
                freedom=JACKKNIFE_FREEDOM,
            )
        )
    low, high = (part.interval for part in parts)
    return Judged(
        [*parts, *inside],
        f"Along the principal directions of {name} the excess kurtosis is {low.value:.2g} at the token embeddings and "
        f"{high.value:.2g} at the last site. The share of tokens inside the fitted Gaussian's 95 % region differs from "
        f"that of its own samples by {inside[0].interval.value:.2f} and {inside[1].interval.value:.2f}.",
    )


def away(found: Mapping[str, float]) -> Interval:
    """Return how far a number lies outside the range of its null, in either direction; 0 inside."""

    def gap(value: float) -> float:
        return max(found["null_low"] - value, value - found["null_high"], 0.0)

    ends = gap(found["low"]), gap(found["high"])
    least = 0.0 if found["low"] <= found["null_high"] and found["high"] >= found["null_low"] else min(ends)
    return Interval(gap(found["value"]), least, max(ends))


CLAIMS = (
    Claim(
        number=3,
        title="The cloud has one mode at every layer",
        quote=(
            "“We further check that the distribution of activations stays more or less unimodal across different "
            "layers.”"
        ),
        section="4.1",
        statistic=(
            "Hartigan's dip of the texts' tokens, one per document, along the first 5 principal and 10 random "
            "directions; the largest of the 15, at every site."
        ),
        why=(
            "The dip is the distance of a distribution from the nearest one with a single mode, so a bound on it says "
            "what “more or less” means. A test that does not reject would prove nothing, and two axes hide the others."
        ),
        null="Uniform samples of the same size: of all unimodal distributions, theirs have the largest dip.",
        unit=DOCUMENT,
        rule=(
            f"Holds if at every site the upper bound of the dip lies below {LARGEST_DIP:g}, which two equal normal "
            "modes reach a little over four standard deviations apart. Fails if at some site the lower bound, widened "
            "for the number of sites, lies above. Undecided otherwise. The upper bound adds 1.96 standard errors, the "
            "lower one subtracts what uniform samples reach."
        ),
        judge=judge_modes,
        figures=("figure-4",),
    ),
    Claim(
        number=4,
        title="A fitted Gaussian misses the sharp peak of the cloud",
        quote=(
            "“Gaussian Fitted initialization does not really represent the activations distribution clearly, which "
            "supports our hypothesis on activations distributions being sharply peaked.”"
        ),
        section="4.4",
        statistic=(
            "Excess kurtosis of the questions' tokens along their principal directions, and the distance between the "
            "share of held-out tokens inside the fitted Gaussian's 95 % region and the range of that share over "
            "samples of the Gaussian; at the token embeddings (Figure 10) and at the last site (Figure 11)."
        ),
        why=(
            "A sharp peak with long tails has positive kurtosis. The share is measured on held-out tokens and compared "
            "with the Gaussian's own samples, because the squared distances of the fitted points average d whatever "
            "the shape."
        ),
        null="Samples of the fitted Gaussian, as large as the cloud and measured in the same way.",
        unit=DOCUMENT,
        rule=(
            f"Holds if at both sites the 95 % interval of the kurtosis lies above {PEAKED:g} (Student's "
            f"distribution with 16 degrees of freedom) and the share differs by at least {MISSED:g}. Fails if one of "
            "these intervals, widened for their number, lies below. Undecided otherwise."
        ),
        judge=judge_peak,
        figures=("figure-10", "figure-11"),
    ),
)
