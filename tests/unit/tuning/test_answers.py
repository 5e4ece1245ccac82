import pytest

from core.tuning.answers import _overlap, exact_scores, squad_scores

CASES = [
    ("the Battle of Hastings!", ["Battle of Hastings"], (1.0, 1.0, 1.0)),
    ("battle", ["Battle of Hastings"], (0.5, 1.0, 1 / 3)),
    ("in the year 1066 or so", ["1066", "the year 1066"], (2 / 3.5, 2 / 5, 1.0)),
    ("no", ["yes"], (0.0, 0.0, 0.0)),
    ("", ["yes"], (0.0, 0.0, 0.0)),
    ("the", ["a"], (1.0, 1.0, 1.0)),
]


@pytest.mark.parametrize(("text", "answers", "expected"), CASES)
def test_squad_scores_of_one_answer(text, answers, expected):
    scores = squad_scores([text], [answers])
    assert (scores["f1"], scores["precision"], scores["recall"]) == pytest.approx(expected, abs=1e-6)


def test_our_overlap_gives_torchmetrics_f1():
    from torchmetrics.functional.text.squad import _normalize_text

    texts, answers = [case[0] for case in CASES], [case[1] for case in CASES]
    ours = _overlap(texts, answers, lambda text: _normalize_text(text).split())
    scores = squad_scores(texts, answers)
    assert ours["f1"] == pytest.approx(scores["f1"], abs=1e-6)
    assert scores["exact_match"] == pytest.approx(2 / 6)


def test_mathematics_counts_the_sign():
    assert squad_scores(["3"], [["-3"]])["exact_match"] == 1.0
    assert exact_scores(["3"], [["-3"]]) == {"exact_match": 0.0, "f1": 0.0, "precision": 0.0, "recall": 0.0}
    assert exact_scores([" -3 "], [["-3"]]) == {"exact_match": 1.0, "f1": 1.0, "precision": 1.0, "recall": 1.0}
