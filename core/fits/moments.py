"""Exact first and second moments of a cloud, and a cloud as a prior sees it."""

from dataclasses import dataclass

from core.array_types import Float64s, Floats, Ints


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean and covariance over all tokens of a cloud, in float64; told apart by identity.

    Attributes:
        count: number of tokens.
        mean: (d,).
        covariance: (d, d), divided by `count`.
    """

    count: int
    mean: Float64s
    covariance: Float64s


@dataclass(frozen=True)
class Reference:
    """A cloud that a prior is fitted on.

    Attributes:
        points: (n, d).
        moments: exact moments of the whole cloud that `points` is a sample of, if they are known.
        counts: (n,) how often each point's token occurs in the texts at hand, if that is known.
        name: in words, for reports and messages.
        key: of the stored artifact, or the id of the run; empty for neither.
        site: where the stream is read; one artifact holds several.
    """

    points: Floats
    moments: Moments | None = None
    counts: Ints | None = None
    name: str = ""
    key: str = ""
    site: int | str = 0
