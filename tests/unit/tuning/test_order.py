import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.tuning.order import Order


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 200), min_size=1, max_size=120), st.integers(1, 20), st.integers(0, 5))
def test_each_epoch_takes_examples_at_most_once_and_any_step_can_be_resumed(lengths, batch_size, seed):
    order = Order(lengths, batch_size, seed)
    steps = [order.batch(step) for step in range(3 * order.n_batches)]
    assert {len(batch) for batch in steps} == {min(batch_size, len(lengths))}
    for epoch in range(3):
        taken = np.concatenate(steps[epoch * order.n_batches : (epoch + 1) * order.n_batches])
        assert len(set(taken.tolist())) == len(taken) > len(lengths) - order.batch_size
    last = len(steps) - 1
    assert Order(lengths, batch_size, seed).batch(last) == steps[last]


def test_batches_hold_similar_lengths_in_a_random_order():
    lengths = np.random.default_rng(0).integers(1, 500, 640)
    order = Order(lengths.tolist(), 16, seed=0)
    batches = [lengths[order.batch(step)] for step in range(order.n_batches)]
    assert np.mean([np.ptp(batch) for batch in batches]) < 0.2 * np.ptp(lengths)
    means = [batch.mean() for batch in batches]
    assert means != sorted(means)
    other = Order(lengths.tolist(), 16, seed=1)
    assert order.batch(0) != other.batch(0)
