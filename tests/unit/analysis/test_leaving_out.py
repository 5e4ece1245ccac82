import numpy as np
import pytest

from core.analysis.leaving_out import leaving_out_each
from core.analysis.seeds import over_seeds


def test_the_jackknife_of_a_mean_is_students_interval():
    values = dict(enumerate([0.3, 0.9, 0.1, 0.5, 0.4]))
    found = leaving_out_each(list(values), lambda seeds: float(np.mean([values[seed] for seed in seeds])))
    plain = over_seeds(list(values.values()))
    assert (found.value, found.low, found.high) == pytest.approx((plain.value, plain.low, plain.high))


def test_its_interval_of_a_ratio_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        one, other = rng.normal(2, 0.3, 12), rng.normal(4, 0.3, 12)
        found = leaving_out_each(
            range(12), lambda seeds, a=one, b=other: float(a[list(seeds)].mean() / b[list(seeds)].mean())
        )
        covered += found.low <= 0.5 <= found.high
    assert covered / 400 == pytest.approx(0.95, abs=0.03)


def test_too_few_units_have_no_interval():
    assert np.isnan(leaving_out_each([0], lambda _: 1.0).low)
    assert np.isnan(leaving_out_each([0, 1], lambda seeds: 1.0 if len(seeds) > 1 else float("nan")).low)
