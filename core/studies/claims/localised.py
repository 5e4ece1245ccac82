"""C1: sentences are not localised, though a little tighter than random walks."""

from core.analysis.intervals import Interval
from core.analysis.verdict import Bounds
from core.studies.bench import Bench
from core.studies.claims.base import DOCUMENT, Claim, Judged, Part
from core.studies.sentence_paths import HIGHER, PathRow, path_numbers, path_row

LEAST = 0.8
"""A localised sentence has a clearly smaller radius than random draws; a fifth is clear."""
_GYRATION = "radius of gyration over that of random draws"
_EXPONENT = "exponent of the mean squared displacement (0: jumps about; 1: drifts)"


def judge(bench: Bench) -> Judged:
    """Judge C1 at the token embeddings and at a higher layer."""
    site = round(HIGHER * bench.n_layers())
    low, high = path_numbers(bench, 0), path_numbers(bench, site)
    walk, above = path_row(low, "gyration", "uniform draw"), path_row(high, "gyration", "unigram draw")
    parts = [
        _part("token embeddings, against random walks over the vocabulary", _GYRATION, walk, Bounds(LEAST, 1.0)),
        _part(f"site {site}, against random tokens of the data", _GYRATION, above, Bounds(low=LEAST)),
        _part(
            "token embeddings, against random tokens of the data",
            _GYRATION,
            path_row(low, "gyration", "unigram draw"),
            Bounds(LEAST, 1.0),
            decides=False,
        ),
        _part("token embeddings", _EXPONENT, path_row(low, "exponent", ""), Bounds(high=0.5), decides=False),
        _part(f"site {site}", _EXPONENT, path_row(high, "exponent", ""), Bounds(high=0.5), decides=False),
    ]
    tighter = "tighter" if walk["high"] < 1 else "wider" if walk["low"] > 1 else "neither tighter nor wider"
    return Judged(
        parts,
        f"At the token embeddings the radius of gyration of {walk['n_documents']} texts is {walk['value']:.2f} times "
        f"that of random walks over the vocabulary: they are {tighter}. At site {site} it is {above['value']:.2f} "
        f"[{above['low']:.2f}, {above['high']:.2f}] times that of tokens drawn from the same data.",
    )


def _part(name: str, quantity: str, row: PathRow, bounds: Bounds, decides: bool = True) -> Part:
    null = Interval(1.0, row["null_low"], row["null_high"]) if "null_low" in row else None
    interval = Interval(row["value"], row["low"], row["high"])
    return Part(name, quantity, interval, bounds, null, n=row["n_groups"], decides=decides)


CLAIMS = (
    Claim(
        number=1,
        title="Trajectories of sentences are not localised",
        quote=(
            "“We can see that trajectories are highly jumpy. Their standard deviations tend to be statistically lower "
            "than the random walks across vocabularies, though close enough to them. […] Trajectories still do not "
            "localize well.”"
        ),
        section="4.1",
        statistic=(
            "Radius of gyration of a text's trajectory (the paper's standard deviation of a trajectory) over the mean "
            "of random draws of as many tokens: from the whole vocabulary at the token embeddings, from the data's own "
            "tokens at a higher layer. Mean over documents."
        ),
        why=(
            "This is the paper's own statistic, measured in the full space, because distances between far points of a "
            "t-SNE map mean nothing. The ratio to each document's own draws removes the effect of the text's length."
        ),
        null="Random draws of as many tokens, 20 per document: a ratio of 1.",
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
