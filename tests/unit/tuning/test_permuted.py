"""Random labels, the control."""

from core.lm.batch import IGNORED, Example
from core.tuning.examples import Item, Prepared
from core.tuning.permuted import permute_answers
from tests.runs import spec_of
from tests.unit.tuning.conftest import run


def task(i: int, n_asked: int = 3, n_answer: int = 2) -> Item:
    asked, answer = tuple(range(100 * i, 100 * i + n_asked)), tuple(range(100 * i + 50, 100 * i + 50 + n_answer))
    return Item(Example(asked + answer, (IGNORED,) * n_asked + answer), asked, (str(i),))


def answers(prepared: Prepared) -> list[int]:
    return [next(label for label in item.example.labels if label != IGNORED) // 100 for item in prepared.items]


def test_no_example_keeps_its_answer_and_each_answer_is_used_once():
    for seed in range(20):
        found = permute_answers(Prepared([task(i) for i in range(7)]), seed, 99)
        assert [item.question for item in found.items] == [task(i).question for i in range(7)]
        assert sorted(answers(found)) == list(range(7))
        assert all(answer != i for i, answer in enumerate(answers(found)))
        assert [item.answers for item in found.items] == [(str(answer),) for answer in answers(found)]


def test_the_data_seed_decides_who_gets_whose_answer():
    of = [answers(permute_answers(Prepared([task(i) for i in range(30)]), seed, 99)) for seed in (0, 0, 1)]
    assert of[0] == of[1] != of[2]


def test_a_single_example_can_only_keep_its_answer():
    assert permute_answers(Prepared([task(4)]), 0, 99).items == [task(4)]


def test_what_becomes_too_long_is_dropped_and_counted():
    found = permute_answers(Prepared([task(0, 5, 1), task(1, 2, 4)]), 0, 6)
    assert [len(item.example.ids) for item in found.items] == [3]
    assert (dict(found.dropped), found.shortest_dropped) == ({"longer than the bound": 1}, 9)


def test_the_second_half_of_a_plain_text_is_another_text_s():
    texts = [Item(Example((*range(i, i + 4),), (IGNORED, IGNORED, i + 2, i + 3)), (), ()) for i in (10, 20)]
    assert [item.example.ids for item in permute_answers(Prepared(texts), 0, 3).items] == [(10, 11, 22), (20, 21, 12)]


def test_a_run_on_random_labels_is_validated_on_true_ones(store, tiny_folder, sums):
    _, true = run(spec_of(tiny_folder, sums), store, "t-1")
    _, control = run(spec_of(tiny_folder, sums, labels="random"), store, "t-2")
    assert control["baseline"] == true["baseline"]
    assert control["validation"]["loss"] != true["validation"]["loss"]
    assert control["examples"]["validation"] == true["examples"]["validation"]
