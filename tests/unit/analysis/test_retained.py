from itertools import permutations

import numpy as np
import pytest
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from core.analysis.retained import FEATURES, leave_one_out, prior_retained, run_features


def test_leave_one_out_is_scikit_learns_nearest_centroid():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 7)
    points = rng.normal(size=(21, 4)) * [1, 10, 0.1, 1] + labels[:, None] * [0.5, 5, 0, 0.3]
    oracle = cross_val_predict(make_pipeline(StandardScaler(), NearestCentroid()), points, labels, cv=LeaveOneOut())
    assert leave_one_out(points, labels) == pytest.approx(np.mean(oracle == labels))


def test_a_prior_that_is_kept_is_told_and_one_that_is_not_is_not():
    rng = np.random.default_rng(1)
    names = ["isotropic"] * 6 + ["gaussian"] * 6
    kept = [run_features(rng.normal(size=(20, 32)) * (0.1 if name == "isotropic" else 1)) for name in names]
    found = prior_retained(np.array(kept), names, rng)
    assert found.accuracy == 1
    assert found.p == pytest.approx(2 / 924, abs=3e-3)
    assert found.chance == pytest.approx(0.4, abs=0.1)
    assert found.reason == ""
    lost = [run_features(rng.normal(size=(20, 32))) for _ in names]
    p = prior_retained(np.array(lost), names, rng).p
    assert p is not None
    assert p > 0.05


def test_four_runs_have_a_smallest_p_that_is_said():
    found = prior_retained(np.array([[0.0], [0.1], [5], [5.1]]), ["a", "a", "b", "b"], np.random.default_rng(0))
    assert found.accuracy == 1
    assert found.p == pytest.approx(2 / 6)
    assert found.reason == "with 4 runs no p below 0.33 is possible"


def test_p_of_eight_runs_of_four_priors_counts_all_orders_whatever_that_of_the_runs():
    names = ["d", "c", "b", "a"] * 2
    points = np.array([[10.0 * ord(name), place % 3] for place, name in enumerate(names)])
    found = prior_retained(points, names, np.random.default_rng(0))
    labels = np.array([sorted(set(names)).index(name) for name in names])
    orders = np.array(sorted(set(permutations(labels.tolist()))))
    assert len(orders) == 2520
    null = np.array([leave_one_out(points, order) for order in orders])
    assert found.chance == pytest.approx(null.mean())
    assert found.p == pytest.approx((null >= leave_one_out(points, labels) - 1e-9).mean())


def test_a_single_run_of_a_prior_takes_no_part():
    points = np.array([[0.0], [0.1], [5], [5.1], [9]])
    found = prior_retained(points, ["a", "a", "b", "b", "c"], np.random.default_rng(0))
    assert found.n_runs == {"a": 2, "b": 2}
    assert found.reason.startswith("left out, with a single run: c; with 4 runs")


@pytest.mark.parametrize("names", [[], ["a"], ["a", "b", "b"], ["a", "a", "a"]])
def test_too_few_runs_are_undecided_with_the_reason(names):
    found = prior_retained(np.zeros((len(names), 2)), names, np.random.default_rng(0))
    assert (found.accuracy, found.chance, found.p) == (None, None, None)
    assert found.reason.startswith("undecided: it takes at least 2 runs of each of 2 priors (runs by prior: ")


def test_features_do_not_depend_on_the_order_of_vectors():
    vectors = np.random.default_rng(2).normal(size=(9, 5)) + 1
    found = run_features(vectors)
    assert found == pytest.approx(run_features(vectors[::-1]))
    assert len(found) == len(FEATURES)
    units = vectors / np.linalg.norm(vectors, axis=1)[:, None]
    assert found[4] == pytest.approx((units @ units.T)[np.triu_indices(9, 1)].mean())
    assert np.isfinite(run_features(np.zeros((3, 4)))).all()
    assert np.isfinite(run_features(np.ones((1, 4)))).all()
