"""C1: sentences are a little tighter than random walks, and not localised."""

from collections.abc import Sequence

from core.analysis.intervals import Interval
from core.analysis.verdict import Bounds
from core.specs import StudySpec
from core.studies.bench import Bench
from core.studies.claims.base import DOCUMENT, Claim, Judged, Part
from core.studies.claims.documents import too_few
from core.studies.sentence_paths import HIGHER, PathRow, path_numbers, path_row

LEAST = 0.8
"""A localised sentence has a clearly smaller radius than random draws; a fifth is clear."""
LEAST_DOCUMENTS = 20
"""Intervals from resamples of fewer documents are too narrow."""
TIGHTER, LOCALISED = "a", "b"
_GYRATION = "radius of gyration over that of random draws"
_EXPONENT = "exponent of the mean squared displacement (0: jumps about; 1: drifts)"


def judge(bench: Bench) -> Judged:
    """Judge C1 at the token embeddings and at a higher layer."""
    site = round(HIGHER * bench.n_layers())
    return judge_paths(path_numbers(bench, 0), path_numbers(bench, site), site)


def judge_paths(low: Sequence[PathRow], high: Sequence[PathRow], site: int) -> Judged:
    """Judge C1 by the statistics of trajectories.

    Args:
        low: at the token embeddings.
        high: at a higher site.
        site: its number.
    """
    walk, near = path_row(low, "gyration", "uniform draw"), path_row(low, "gyration", "unigram draw")
    above = path_row(high, "gyration", "unigram draw")
    tight, wide = Bounds(LEAST, 1.0), Bounds(low=LEAST)
    parts = [
        _part("token embeddings, against random walks over the vocabulary", _GYRATION, walk, tight, TIGHTER),
        _part("token embeddings, against random tokens of the data", _GYRATION, near, wide, LOCALISED),
        _part(f"site {site}, against random tokens of the data", _GYRATION, above, wide, LOCALISED),
        _part("token embeddings", _EXPONENT, path_row(low, "exponent", ""), Bounds(high=0.5)),
        _part(f"site {site}", _EXPONENT, path_row(high, "exponent", ""), Bounds(high=0.5)),
    ]
    tighter = "tighter" if walk["high"] < 1 else "wider" if walk["low"] > 1 else "neither tighter nor wider"
    return Judged(
        parts,
        f"At the token embeddings the radius of gyration of {walk['n_documents']} texts is {walk['value']:.2f} times "
        f"that of random walks over the vocabulary: they are {tighter}. Against tokens drawn from the same data it is "
        f"{near['value']:.2f} times as large there, and {above['value']:.2f} [{above['low']:.2f}, {above['high']:.2f}] "
        f"times at site {site}.",
        blocked=dict.fromkeys((TIGHTER, LOCALISED), too_few("C1", walk["n_groups"], LEAST_DOCUMENTS, "with a path")),
    )


def _part(name: str, quantity: str, row: PathRow, bounds: Bounds, sentence: str = "") -> Part:
    """Return a row as a part; without a sentence of its own it is shown beside the second."""
    null = Interval(1.0, row["null_low"], row["null_high"]) if "null_low" in row else None
    interval = Interval(row["value"], row["low"], row["high"])
    return Part(
        name,
        quantity,
        interval,
        bounds,
        null,
        n=row["n_groups"],
        decides=bool(sentence),
        sentence=sentence or LOCALISED,
    )


def _basis(study: StudySpec) -> str:
    return f"{min(study.n_documents, study.n_texts)} texts of {study.texts.label}"


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
            "of random draws of as many tokens: from the whole vocabulary (a), and from the data's own tokens, at the "
            "token embeddings and at a higher layer (b). Mean over documents."
        ),
        why=(
            "This is the paper's own statistic, measured in the full space, because distances between far points of a "
            "t-SNE map mean nothing. The ratio to each document's own draws removes the effect of the text's length. "
            "For “localised” the data's own tokens are the fair comparison: all texts use frequent tokens most, and a "
            "walk over the vocabulary does not."
        ),
        null="Random draws of as many tokens, 20 per document: a ratio of 1.",
        unit=DOCUMENT,
        rule=(
            f"(a) Holds if the 95 % interval of the ratio against random walks lies between {LEAST:g} and 1 at the "
            "token embeddings, so that sentences are tighter by less than a fifth. (b) Holds if the intervals against "
            f"the data's own tokens lie above {LEAST:g} at the token embeddings and at the higher layer. Either fails "
            "if one of its intervals, widened for their number, lies outside. Undecided otherwise, and with fewer than "
            f"{LEAST_DOCUMENTS} documents."
        ),
        judge=judge,
        figures=("figure-1", "figure-2"),
        sentences={
            TIGHTER: "Sentences are tighter than random walks over the vocabulary, though close to them.",
            LOCALISED: "Sentences are not localised.",
        },
        basis=_basis,
    ),
)
