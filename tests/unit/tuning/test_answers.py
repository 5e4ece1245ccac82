import pytest

from core.tuning.answers import _overlap, choose_scoring, exact_scores, number_in, numeric_scores, squad_scores

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


def test_an_empty_answer_is_not_a_question_mark():
    assert squad_scores([""], [["?"]])["exact_match"] == 1.0, "as the normalisation has it"
    assert choose_scoring("auto", "file", ["!", "?", "."]) == "exact"
    assert exact_scores(["", "?"], [["?"], ["?"]])["exact_match"] == 0.5


@pytest.mark.parametrize(
    ("text", "number"),
    [("3", 3), (" -3.50 ", -3.5), ("+.5", 0.5), ("1,234,567", 1_234_567), ("\u22122", -2), ("6/4", 1.5), ("2e3", 2000)],
)
def test_what_is_a_number(text, number):
    assert float(number_in(text) or 0) == number


@pytest.mark.parametrize(
    "text", ["", "-", ".", "3 dogs", "1/0", "1,23", "3.1.4", "e5", "5%", "Infinity", "nan", "1e9999"]
)
def test_what_is_none(text):
    assert number_in(text) is None


def test_numbers_count_by_their_value():
    found = numeric_scores(["3.0", "3", "314", "6/2", "three"], [["3"], ["-3"], ["3.14"], ["3"], ["three"]])
    assert found == {"exact_match": 0.6, "f1": 0.6, "precision": 0.6, "recall": 0.6}


def test_words_of_scripts_without_spaces_are_characters():
    assert exact_scores(["北京大学"], [["北京"]])["f1"] == pytest.approx(2 / 3)
    assert choose_scoring("auto", "file", ["北京", "dog"]) == "exact"


@pytest.mark.parametrize(
    ("asked", "dataset", "answers", "chosen"),
    [
        ("auto", "math", ["3"], "exact"),
        ("auto", "squad", ["3"], "squad"),
        ("auto", "file", ["3", "-4.5"], "numeric"),
        ("auto", "file", ["3", "a dog"], "squad"),
        ("auto", "file", ["-3", "a dog"], "exact"),
        ("auto", "file", ["the U.S.", "a dog!"], "squad"),
        ("auto", "file", [], "squad"),
        ("squad", "file", ["3", "4"], "squad"),
        ("numeric", "math", ["3"], "numeric"),
    ],
)
def test_the_scoring_is_as_asked_else_what_the_answers_need(asked, dataset, answers, chosen):
    assert choose_scoring(asked, dataset, answers) == chosen
