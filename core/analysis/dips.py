"""How well a sample's dip estimates that of its law, and how many documents that needs."""

import math

from core.analysis.intervals import Interval

LARGEST_DIP = 0.05
"""Two equal normal modes a little over four standard deviations apart have a dip of 0.05."""
DIP_ERROR = 0.13
"""Upper bound on the standard deviation of a sample's dip times the square root of its size, over
mixtures of two normal distributions."""
REACH = 1.96
PASSING = 0.95
_AT_NO_DOCUMENT, _PER_DOCUMENT = 2.883, -0.02616
"""Common logarithm of the share of samples of n normal points whose dip has an upper bound above
`LARGEST_DIP`, as a straight line in n: fitted to 80,000 samples each of 180, 200, 220, 240 and 260
points."""


def dip_interval(dip: float, largest_by_chance: float, n: int) -> Interval:
    """Return an interval for a distribution's dip from the dip of a sample of n points.

    A sample's dip is larger on average than that of its distribution, so the lower bound subtracts
    what uniform samples reach by chance; the upper bound adds 1.96 standard errors.
    """
    return Interval(dip, max(0.0, dip - largest_by_chance), dip + REACH * DIP_ERROR / math.sqrt(n))


def documents_needed(n_directions: int, passing: float = PASSING) -> int:
    """Return with how many documents an exactly normal cloud stays below `LARGEST_DIP`.

    Args:
        n_directions: tested, at all sites together; taken to be independent, which asks for a few
            documents more than related ones would.
        passing: share of studies in which all upper bounds must lie below.
    """
    share = -math.expm1(math.log(passing) / n_directions)
    return math.ceil((math.log10(share) - _AT_NO_DOCUMENT) / _PER_DOCUMENT)
