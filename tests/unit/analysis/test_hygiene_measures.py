import numpy as np
import pandas as pd
import pytest

from core.activations.tokens import Corpus, kept_tokens
from core.analysis.hygiene_measures import (
    AS_CHOSEN,
    EVERYTHING,
    Variant,
    chosen_rows,
    measure_variant,
    passing,
    variants,
)
from core.errors import BadRequest
from core.specs import TokenFilter

FLAGS = pd.DataFrame(
    {
        "special": [True, False, False, False, True, True],
        "first": [True, False, False, True, False, False],
        "pad": [False, False, False, False, True, True],
        "norm": [1.0, 1, 30, 1, 1, 1],
    }
)


@pytest.mark.parametrize("special", [False, True])
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("pad", [False, True])
def test_a_filter_leaves_what_a_capture_with_it_would(special: bool, first: bool, pad: bool):
    tokens = TokenFilter(special=special, first_position=first, pad=pad)
    corpus = Corpus(
        ids=np.arange(6, dtype=np.int32),
        starts=np.array([0, 3, 6]),
        text_start=np.zeros(6, np.int32),
        text_end=np.ones(6, np.int32),
        special=FLAGS["special"].to_numpy(),
        pad=FLAGS["pad"].to_numpy(),
        n_truncated=0,
    )
    assert passing(FLAGS, tokens, 1.0).tolist() == kept_tokens(corpus, tokens).tolist()


def test_sinks_are_told_by_the_median_norm():
    every = TokenFilter(special=True, first_position=True, pad=True, sink_ratio=10)
    assert passing(FLAGS, every, 1.0).tolist() == [True, True, False, True, True, True]
    assert passing(FLAGS, every, 4.0).all()


def test_each_switch_is_turned_alone():
    names = [variant.name for variant in variants(TokenFilter(), 10)]
    assert names == [
        AS_CHOSEN,
        "special tokens kept",
        "first positions kept",
        "padding kept",
        "sinks left out",
        "duplicates left out",
        EVERYTHING,
    ]
    other = variants(TokenFilter(special=True, first_position=True, pad=True, sink_ratio=5), 10)
    assert [variant.name for variant in other][1:5] == [
        "special tokens left out",
        "first positions left out",
        "padding left out",
        "sinks kept",
    ]
    for variant in variants(TokenFilter(), 10)[1:5]:
        assert sum(a != b for a, b in zip(variant.tokens, TokenFilter(), strict=True)) == 1
    assert variants(TokenFilter(), 10)[4].tokens.sink_ratio == 10


def test_of_points_that_coincide_one_is_kept_among_those_that_pass():
    points = np.array([[0.0], [1], [5], [1], [0], [0]])
    plain, distinct = (
        chosen_rows(points, FLAGS, Variant("", TokenFilter(first_position=True, pad=True), flag), 1.0)
        for flag in (False, True)
    )
    assert plain.tolist() == [False, True, True, True, True, True]
    assert distinct.tolist() == [False, True, True, False, True, False]


def test_a_clump_far_out_owns_the_first_component_and_the_kurtosis():
    rng = np.random.default_rng(0)
    documents = [np.repeat(np.arange(20), 10)] * 2
    plain = [rng.normal(size=(200, 6)), rng.normal(2, 1, size=(200, 6))]
    clumped = [part.copy() for part in plain]
    for part in clumped:
        part[::10, 0] += 80
    before, after = (
        {(row.statistic, row.cloud): row for row in measure_variant(("a", "b"), points, documents, rng)}
        for points in (plain, clumped)
    )
    assert before[("lda_accuracy", "all")].p == pytest.approx(0.01)
    assert after[("first_component", "a")].value > 0.9 > 0.3 > before[("first_component", "a")].high
    assert after[("kurtosis_random", "a")].value > before[("kurtosis_random", "a")].value
    norms = np.linalg.norm(plain[0], axis=1)
    assert before[("mean_norm", "a")].value == pytest.approx(norms.mean())
    for row in before.values():
        assert row.low <= row.value <= row.high
        assert row.n == (400 if row.cloud == "all" else 200)


def test_too_few_points_are_refused():
    with pytest.raises(
        BadRequest, match="A token filter leaves 3 points of a, but at least 20 are needed; ask for more poin"
    ):
        measure_variant(("a",), [np.zeros((3, 2))], [np.arange(3)], np.random.default_rng(0))
