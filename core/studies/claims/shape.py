"""C3: the cloud keeps one mode across layers. C4: a fitted Gaussian does not represent the sharply peaked cloud."""

import math
from typing import Any

from core.analysis.intervals import Interval
from core.analysis.verdict import Bounds
from core.studies.bench import Bench
from core.studies.claims.base import DOCUMENT, JACKKNIFE_FREEDOM, Claim, Judged, Part
from core.studies.layers import three_domains

LARGEST_DIP = 0.05
"""That of two equal normal modes a little over four standard deviations apart is 0.05."""
DIP_ERROR = 0.13
"""Standard deviation of a sample's dip, times the root of its size, over mixtures of two normal laws: at most this."""
PEAKED = 0.5
"""Excess kurtosis of Student's law with 16 degrees of freedom."""
MISSED = 0.05
"""Share of tokens."""
_DIP = "largest dip over 15 directions (0: one mode; 0.25: two separate halves)"
_KURTOSIS = "mean excess kurtosis along the first 5 principal directions (Gaussian: 0)"
_INSIDE = "share of tokens in the Gaussian's 95 % region, away from what its own samples have"


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
        f"The largest dip of {texts} over {len(parts)} sites is {largest.interval.value:.3f} ({largest.name}), of "
        f"{n} documents; a uniform law of that size has {largest.null.value if largest.null else 0:.3f}. One mode is "
        f"rejected (Holm-corrected p ≤ 0.05) at {rejected} sites.",
    )


def dip_interval(dip: float, largest_by_chance: float, n: int) -> Interval:
    """Return an interval of a law's dip from that of a sample of n points.

    A sample's dip is larger than its law's on average, so the lower bound takes off what the uniform law reaches by
    chance; the upper bound adds 1.96 standard errors.
    """
    return Interval(dip, max(0.0, dip - largest_by_chance), dip + 1.96 * DIP_ERROR / math.sqrt(n))


def judge_peak(bench: Bench) -> Judged:
    """Judge C4 for the questions, at the token embeddings and at the last site."""
    atlas = three_domains(bench)
    name, n = atlas.summary["names"][1], atlas.summary["n_documents"][1]
    parts, inside = [], []
    for site in (atlas.sites[0], atlas.sites[-1]):
        shape = atlas.groups(site)["shape"]
        parts.append(_part(f"site {site}", _KURTOSIS, shape["kurtosis_principal"][name], Bounds(low=PEAKED), n))
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
        f"{high.value:.2g} at the last site, and the share of tokens inside the fitted Gaussian's 95 % region is away "
        f"from what its samples have by {inside[0].interval.value:.2f} and {inside[1].interval.value:.2f}.",
    )


def away(found: dict[str, Any]) -> Interval:
    """Return how far a number is from the range that its null has, in either direction; 0 inside of it."""

    def gap(value: float) -> float:
        return max(found["null_low"] - value, value - found["null_high"], 0.0)

    ends = gap(found["low"]), gap(found["high"])
    least = 0.0 if found["low"] <= found["null_high"] and found["high"] >= found["null_low"] else min(ends)
    return Interval(gap(found["value"]), least, max(ends))


def _part(name: str, quantity: str, found: dict[str, Any], bounds: Bounds, n: int) -> Part:
    null = Interval(found["null"], found["null_low"], found["null_high"])
    interval = Interval(found["value"], found["low"], found["high"])
    return Part(name, quantity, interval, bounds, null, found.get("p"), n, freedom=JACKKNIFE_FREEDOM)


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
            "Hartigan's dip of the texts' tokens, one a document, along the first 5 principal directions and 10 random "
            "ones; the largest of them, at every site."
        ),
        why=(
            "The dip is how far a distribution is from the nearest one with a single mode, so a bound on it says what "
            "“more or less” means. A test that does not reject would show nothing, and two axes hide the rest."
        ),
        null="Uniform samples of the same size, the unimodal law whose sample dips most.",
        unit=DOCUMENT,
        rule=(
            f"Holds if at every site the upper bound of the dip lies below {LARGEST_DIP:g}, which two equal normal "
            "modes reach a little over four standard deviations apart. Fails if at some site the lower bound, widened "
            "for the number of sites, lies above. Undecided otherwise. Bounds: above 1.96 standard errors, below what "
            "uniform samples reach."
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
            "Excess kurtosis of the questions' tokens along their principal directions, and how far the share of "
            "held-out tokens inside the fitted Gaussian's 95 % region is from the range that samples of that Gaussian "
            "have; at the token embeddings (Figure 10) and at the last site (Figure 11)."
        ),
        why=(
            "A sharp peak with long tails has positive kurtosis. The share inside is held out and set against the "
            "Gaussian's own samples, as distances of points that were fitted average d whatever the shape."
        ),
        null="Samples of the fitted Gaussian, as large as the cloud and measured in the same way.",
        unit=DOCUMENT,
        rule=(
            f"Holds if at both sites the 95 % interval of the kurtosis lies above {PEAKED:g} (Student's law with 16 "
            f"degrees of freedom) and the share is off by at least {MISSED:g}. Fails if one of these intervals, "
            "widened for their number, lies below. Undecided otherwise."
        ),
        judge=judge_peak,
        figures=("figure-10", "figure-11"),
    ),
)
