"""Vectors kept by their content."""

import numpy as np
import pytest

from core.errors import BadRequest
from core.store.vectors import keep_vectors, read_vectors


def test_the_same_vectors_are_kept_once(store):
    vectors = np.random.default_rng(0).normal(size=(5, 3))
    key = keep_vectors(vectors, store)
    assert keep_vectors(vectors.astype(np.float32), store) == key
    assert keep_vectors(vectors[:4], store) != key
    assert np.array_equal(read_vectors(key, store), vectors.astype(np.float32))


def test_the_shape_tells_vectors_apart(store):
    assert keep_vectors(np.ones((2, 3)), store) != keep_vectors(np.ones((3, 2)), store)


@pytest.mark.parametrize("shape", [(0, 3), (5,), (50_001, 1)])
def test_too_few_or_too_many_are_refused(store, shape):
    with pytest.raises(BadRequest, match="cannot be kept; give 1 to 50,000 of them as rows"):
        keep_vectors(np.ones(shape), store)


def test_vectors_that_are_gone_are_named(store):
    with pytest.raises(BadRequest, match="The vectors 'x' are not in the store any more; ask for the map again"):
        read_vectors("x", store)
