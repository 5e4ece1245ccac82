import numpy as np
import pytest
from transformers import AutoTokenizer

from core.activations.tokens import Corpus, draw_rows, kept_tokens, length_buckets, pad_id, special_ids, tokenise
from core.errors import BadRequest
from core.specs import TokenFilter


def read(texts: list[str], folder, max_length: int = 100, keep_pad: bool = False) -> Corpus:
    return tokenise(texts, AutoTokenizer.from_pretrained(folder), max_length, keep_pad, lambda _: None)


def test_documents_stand_one_after_the_other(tiny_folder):
    corpus = read(["ab", "", "cde"], tiny_folder)
    assert corpus.lengths.tolist() == [2, 0, 3]
    assert corpus.first.tolist() == [True, False, True, False, False]
    assert corpus.document_of(np.arange(5)).tolist() == [0, 0, 2, 2, 2]
    assert corpus.text_start.tolist() == [0, 1, 0, 1, 2]


def test_documents_are_cut_and_counted(tiny_folder):
    corpus = read(["abcdef", "abc"], tiny_folder, max_length=3)
    assert corpus.lengths.tolist() == [3, 3]
    assert corpus.n_truncated == 1


def test_a_bos_is_special_and_stands_before_the_text(stories_folder):
    corpus = read(["Once upon a time"], stories_folder)
    assert corpus.special.tolist() == [True] + [False] * (len(corpus.ids) - 1)
    assert (corpus.text_start[0], corpus.text_end[0]) == (0, 0)


def test_a_token_that_the_text_does_not_hold_stands_where_it_follows():
    class Fast:
        is_fast, all_special_ids, added_tokens_decoder = True, [1, 2], {}

        def __call__(self, texts, return_offsets_mapping):
            return {"input_ids": [[1, 5, 6, 2]], "offset_mapping": [[(0, 0), (0, 3), (3, 7), (0, 0)]]}

    corpus = tokenise(["one two"], Fast(), 100, False, lambda _: None)
    assert list(zip(corpus.text_start.tolist(), corpus.text_end.tolist(), strict=True)) == [
        (0, 0),
        (0, 3),
        (3, 7),
        (7, 7),
    ]
    assert corpus.special.tolist() == [True, False, False, True]


def test_padding_fills_up_to_the_longest_of_its_neighbours(tiny_folder):
    texts = ["a"] * 7 + ["abcd"] + ["ab", "a"]
    corpus = read(texts, tiny_folder, keep_pad=True)
    assert corpus.lengths.tolist() == [4] * 8 + [2, 2]
    assert corpus.pad.sum() == 7 * 3 + 1
    assert corpus.special[corpus.pad].all()


def test_a_slow_tokenizer_is_refused():
    class Slow:
        is_fast = False

    with pytest.raises(BadRequest, match=r"The tokenizer Slow does not say where a token is .*; save a fast one"):
        tokenise(["a"], Slow(), 10, False, lambda _: None)


def test_reserved_ids_and_padding(tiny_folder):
    tokenizer = AutoTokenizer.from_pretrained(tiny_folder)
    assert special_ids(tokenizer) == [0, 1, 2]
    assert pad_id(tokenizer) == 2, "the end of sequence where there is no padding token"


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (TokenFilter(first_position=True), [0, 1, 1, 0]),
        (TokenFilter(special=True, first_position=True), [1, 1, 1, 0]),
        (TokenFilter(pad=True, first_position=True), [0, 1, 1, 1]),
        (TokenFilter(), [0, 1, 1, 0]),
        (TokenFilter(special=True), [0, 1, 1, 0]),
    ],
)
def test_the_filter(tokens, expected):
    flags = np.array([True, False, False, True])
    numbers = np.arange(4, dtype=np.int32)
    corpus = Corpus(numbers, np.array([0, 4]), numbers, numbers, flags, np.array([False, False, False, True]), 0)
    assert kept_tokens(corpus, tokens).astype(int).tolist() == expected


def test_the_sample_is_of_kept_tokens_without_repeats():
    kept = np.random.default_rng(0).random(1000) < 0.5
    rows = draw_rows(kept, 100, seed=3)
    assert kept[rows].all()
    assert len(set(rows.tolist())) == 100
    assert np.array_equal(rows, draw_rows(kept, 100, seed=3))
    assert np.array_equal(draw_rows(kept, 10_000, seed=3), np.flatnonzero(kept))


def test_buckets_hold_every_document_once_within_the_budget():
    lengths = np.random.default_rng(0).integers(0, 50, 200)
    lengths[17] = 500
    batches = length_buckets(lengths, budget=128)
    assert sorted(np.concatenate(batches).tolist()) == np.flatnonzero(lengths).tolist()
    assert batches[0].tolist() == [17], "longer than the budget: alone"
    assert all(lengths[batch].max() * len(batch) <= 128 for batch in batches[1:])
