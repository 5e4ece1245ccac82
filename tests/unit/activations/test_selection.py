"""Selections: by ids, short in an address, kept where they are large."""

import numpy as np
import pytest

from core.activations.selection import IN_WORDS, NOTHING, SELECTION, Selection, keep, number, recall, split_number
from core.errors import BadRequest

LARGE = Selection.of({"b": range(IN_WORDS), "a": [5, 3, 3]})


def test_a_selection_is_a_set_of_rows_a_cloud():
    both = Selection.of({"a": [3, 1, 3], "b": []}) | Selection.of({"c": [2], "a": [7]})
    assert both.rows == {"a": (1, 3, 7), "c": (2,)}
    assert len(both) == 4
    assert (both - Selection.of({"c": [2], "a": [3, 9]})).rows == {"a": (1, 7)}
    assert both.holds("a", np.array([0, 1, 2, 3])).tolist() == [False, True, False, True]
    assert not both.holds("unknown", np.array([1])).any()


def test_a_small_selection_is_its_own_text(store):
    small = Selection.of({"2f0d7e61c8e4effd": [5, 1]})
    assert keep(small, store) == '{"2f0d7e61c8e4effd":[1,5]}'
    assert recall(keep(small, store), store) == small
    assert recall(keep(NOTHING, store), store) == NOTHING
    assert not list(store.artifacts())


def test_a_large_selection_is_kept_once_under_its_key(store):
    text = keep(LARGE, store)
    assert len(text) == 21
    assert keep(LARGE, store) == text
    assert recall(text, store) == LARGE
    assert [kind for kind, _, _ in store.artifacts()] == [SELECTION]
    assert keep(LARGE - Selection.of({"a": [3]}), store) != text


def test_a_selection_that_is_not_here_says_so(store):
    with pytest.raises(BadRequest, match="'kept-0123456789abcdef' is not in this cache folder; a selection of over 40"):
        recall("kept-0123456789abcdef", store)


@pytest.mark.parametrize("text", ["no", "[1]", '{"a":1}', '{"a":["x"]}'])
def test_a_text_that_names_no_selection_says_so(text, store):
    with pytest.raises(BadRequest, match="names no selection; give cloud names"):
        recall(text, store)


def test_numbers_tell_clouds_and_rows_apart():
    rows = np.array([0, 7, 999_999])
    numbers = np.concatenate([number(0, rows), number(3, rows)])
    assert numbers.dtype == np.int32
    assert len(set(numbers.tolist())) == 6
    clouds, ids = split_number(numbers)
    assert clouds.tolist() == [0, 0, 0, 3, 3, 3]
    assert ids.tolist() == [*rows, *rows]
