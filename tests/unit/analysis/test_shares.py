import pytest
from scipy.stats import binomtest

from core.analysis.intervals import Interval
from core.analysis.shares import documents_needed, share_interval, wilson


@pytest.mark.parametrize(("hits", "n", "level"), [(0, 5, 0.95), (7, 20, 0.9), (300, 300, 0.99)])
def test_wilson_is_scipys(hits, n, level):
    theirs = binomtest(hits, n).proportion_ci(level, "wilson")
    assert wilson(hits / n, n, level) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_documents_that_are_all_recognised_still_have_an_interval():
    found = share_interval(Interval(1.0, 1.0, 1.0), 20)
    assert found.low == pytest.approx(20 / (20 + 1.96**2), abs=1e-4)
    wide = Interval(0.5, 0.1, 0.9)
    assert share_interval(wide, 10_000) == wide


@pytest.mark.parametrize(("share", "level"), [(0.9, 0.95), (0.9, 0.997), (0.5, 0.95)])
def test_as_many_documents_as_needed_put_the_interval_above_the_share(share, level):
    n = documents_needed(share, level)
    assert wilson(1.0, n, level)[0] >= share > wilson(1.0, n - 1, level)[0]
