import numpy as np
import pytest

from core.analysis.dips import LARGEST_DIP, dip_interval, documents_needed
from core.analysis.modality import dip


def passing(n, n_directions, n_studies, rng):
    """Return the share of studies in which normal clouds have no dip above the bound."""
    dips = np.array([[dip(rng.normal(size=n)) for _ in range(n_directions)] for _ in range(n_studies)])
    return np.mean([dip_interval(largest, 0.0, n).high <= LARGEST_DIP for largest in dips.max(axis=1)])


def test_normal_clouds_pass_with_as_many_documents_as_are_said_to_be_needed():
    rng = np.random.default_rng(0)
    needed = documents_needed(15)
    assert passing(needed, 15, 100, rng) >= 0.9
    assert passing(needed - 50, 15, 30, rng) < 0.6


def test_more_directions_need_more_documents():
    found = [documents_needed(n) for n in (1, 15, 120, 465)]
    assert found == sorted(found)
    assert documents_needed(15, 0.99) > documents_needed(15, 0.95)


@pytest.mark.parametrize(("apart", "law"), [(3.0, 0.0166), (4.0, 0.0463), (6.0, 0.0934)])
def test_the_interval_covers_the_dip_of_the_law(apart, law):
    rng = np.random.default_rng(0)
    n, uniform = 150, 0.044
    drawn = [dip(rng.normal(size=n) + apart * (rng.random(n) < 0.5)) for _ in range(100)]
    found = [dip_interval(value, uniform, n) for value in drawn]
    assert np.mean([one.low <= law <= one.high for one in found]) >= 0.95
