"""C1: sentences are not localised paths, though a little tighter than random walks."""

from typing import Any

from core.analysis.intervals import Interval
from core.analysis.verdict import Bounds
from core.studies.bench import Bench
from core.studies.claims.base import DOCUMENT, Claim, Judged, Part
from core.studies.sentence_paths import HIGHER, path_numbers

LEAST = 0.8
"""A path that keeps to a region has a clearly smaller radius than random draws; a fifth is clear."""
_GYRATION = "radius of gyration over that of random draws"
_EXPONENT = "exponent of the mean squared displacement: 0 jumps about, 1 drifts"


def judge(bench: Bench) -> Judged:
    """Judge C1 at the token embeddings and at a higher layer."""
    site = round(HIGHER * bench.n_layers())
    low, high = path_numbers(bench, 0), path_numbers(bench, site)
    walk, above = _row(low, "gyration", "uniform draw"), _row(high, "gyration", "unigram draw")
    parts = [
        _part("token embeddings, against random walks over the vocabulary", _GYRATION, walk, Bounds(LEAST, 1.0)),
        _part(f"site {site}, against random tokens of the data", _GYRATION, above, Bounds(low=LEAST)),
        _part(
            "token embeddings, against random tokens of the data",
            _GYRATION,
            _row(low, "gyration", "unigram draw"),
            Bounds(LEAST, 1.0),
            decides=False,
        ),
        _part("token embeddings", _EXPONENT, _row(low, "exponent", ""), Bounds(high=0.5), decides=False),
        _part(f"site {site}", _EXPONENT, _row(high, "exponent", ""), Bounds(high=0.5), decides=False),
    ]
    tighter = "tighter" if walk["high"] < 1 else "wider" if walk["low"] > 1 else "neither tighter nor wider"
    return Judged(
        parts,
        f"At the token embeddings {walk['n_documents']} texts have {walk['value']:.2f} times the radius of gyration of "
        f"random walks over the vocabulary: they are {tighter}. At site {site} they have {above['value']:.2f} "
        f"[{above['low']:.2f}, {above['high']:.2f}] times that of tokens drawn from the same data.",
    )


def _row(numbers: list[dict[str, Any]], statistic: str, null: str) -> dict[str, Any]:
    return next(row for row in numbers if (row["statistic"], row["null"]) == (statistic, null))


def _part(name: str, quantity: str, row: dict[str, Any], bounds: Bounds, decides: bool = True) -> Part:
    null = Interval(1.0, row["null_low"], row["null_high"]) if "null_low" in row else None
    interval = Interval(row["value"], row["low"], row["high"])
    return Part(name, quantity, interval, bounds, null, n=row["n_groups"], decides=decides)


CLAIMS = (
    Claim(
        number=1,
        title="Paths of sentences are not localised",
        quote=(
            "“We can see that trajectories are highly jumpy. Their standard deviations tend to be statistically lower "
            "than the random walks across vocabularies, though close enough to them. […] Trajectories still do not "
            "localize well.”"
        ),
        section="4.1",
        statistic=(
            "Radius of gyration of a text's path (the paper's standard deviation of a trajectory), over the mean of "
            "draws of as many tokens: from the whole vocabulary at the token embeddings, from the data's own tokens at "
            "a higher layer. Mean over documents."
        ),
        why=(
            "It is the paper's own statistic, taken in the full space: on a t-SNE map distances between far points "
            "mean nothing. A ratio to each document's own draws takes the length of the text out."
        ),
        null="Draws of as many tokens at random, 20 a document: a ratio of 1.",
        unit=DOCUMENT,
        rule=(
            f"Holds if the 95 % interval of the ratio lies between {LEAST:g} and 1 at the token embeddings (tighter "
            f"than random walks, by less than a fifth), and above {LEAST:g} at the higher layer (not localised). Fails "
            "if one of the intervals, widened for their number, lies outside. Undecided otherwise."
        ),
        judge=judge,
        figures=("figure-1", "figure-2"),
    ),
)
