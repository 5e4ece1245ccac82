import json

import numpy as np
import pytest

from core.errors import BadRequest
from core.fits.moments import Reference
from core.priors.vocabulary import Vocabulary, VocabularySpec
from core.specs.prior import VocabularyRows, parse_prior

ROWS = np.arange(60, dtype=np.float32).reshape(20, 3)
COUNTS = np.array([0, 5, 1, 0, 9, 5] + [0] * 14)
NO_POINTS = np.empty((0, 3), np.float32)


def make(counts: np.ndarray | None = None, **parameters) -> Vocabulary:
    return Vocabulary(VocabularySpec.parse(parameters)).fit(NO_POINTS, None, [Reference(ROWS, counts=counts)])


def ids(sample: np.ndarray) -> list[int]:
    assert sample.dtype == np.float32
    return (sample[:, 0] / 3).astype(int).tolist()


def test_rows_are_those_of_the_vocabulary_each_once_while_they_last():
    prior = make()
    assert sorted(ids(prior.sample(20, np.random.default_rng(0)))) == list(range(20))
    assert set(ids(prior.sample(500, np.random.default_rng(0)))) == set(range(20))


@pytest.mark.parametrize(("rows", "expected"), [("frequent", [1, 4, 5]), ("low_ids", [0, 1, 2])])
def test_only_some_rows(rows: str, expected: list[int]):
    prior = make(COUNTS, rows=rows, n_rows=3)
    assert sorted(ids(prior.sample(3, np.random.default_rng(0)))) == expected
    assert prior.report()["n_rows"] == 3


def test_a_text_is_repeated_and_cut():
    spec = VocabularySpec(rows="text", text="a b c")
    assert spec.further() == (VocabularyRows(special=False, text="a b c"),)
    prior = Vocabulary(spec).fit(NO_POINTS, None, [Reference(ROWS[[7, 2, 7]])])
    assert ids(prior.sample(7, np.random.default_rng(0))) == [7, 2, 7, 7, 2, 7, 7]
    assert ids(prior.sample(2, np.random.default_rng(1))) == [7, 2]


def test_spread_is_that_of_the_rows():
    mean, trace = make().spread(20)
    np.testing.assert_allclose(mean, ROWS.mean(axis=0))
    assert trace == pytest.approx(ROWS.var(axis=0).sum())
    assert json.loads(json.dumps(make().report()))["total_variance"] == pytest.approx(trace)


def test_the_generator_decides_alone():
    first, again, other = (make().sample(5, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_reads_the_reference_only_to_count_or_to_match():
    asked = [{}, {"rows": "frequent"}, {"match_trace": "reference"}]
    assert [VocabularySpec.parse(data).reads_reference for data in asked] == [False, True, True]


@pytest.mark.parametrize(
    ("counts", "parameters", "message"),
    [
        (None, {"rows": "frequent"}, r"^There are no texts .* choose the rows 'low_ids'\.$"),
        (COUNTS, {"rows": "frequent", "n_rows": 5}, r"^n_rows 5 is above the 4 tokens .* choose at most 4\.$"),
        (COUNTS, {"rows": "low_ids", "n_rows": 21}, r"^n_rows 21 is above the 20 tokens .* choose at most 20\.$"),
    ],
)
def test_rows_that_are_not_there(counts: np.ndarray | None, parameters: dict, message: str):
    with pytest.raises(BadRequest, match=message):
        make(counts, **parameters)


@pytest.mark.parametrize("parameters", [{"rows": "text"}, {"rows": "text", "text": "  "}, {"text": "a"}])
def test_rows_and_text_go_together(parameters: dict):
    with pytest.raises(BadRequest, match=r"rows 'text' and a text go together; give both or neither"):
        parse_prior({"kind": "vocabulary", **parameters})


def test_the_vocabulary_must_be_given_and_fit():
    prior = Vocabulary(VocabularySpec())
    with pytest.raises(BadRequest, match=r"^The prior 'vocabulary' is fitted on 1 further clouds but got 0; pass what"):
        prior.fit(NO_POINTS)
    with pytest.raises(BadRequest, match=r"^gpt has width 3 but the reference cloud 8; choose one of the same model"):
        prior.fit(np.empty((0, 8), np.float32), None, [Reference(ROWS, name="gpt")])
