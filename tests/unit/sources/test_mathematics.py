"""DeepMind's questions: all modules, all different, the same every time, and like the release's."""

import json
import os
import re
import subprocess
import sys

import pytest

from core.errors import BadData, Cancelled, Failed, UnknownName
from core.sources import mathematics
from core.sources.datasets import load_dataset
from core.sources.mathematics import MODULES
from core.sources.mathematics_worker import MAX_ANSWER, MAX_QUESTION
from core.specs import DatasetSpec


def worker(*arguments: str) -> list:
    command = [sys.executable, "-m", "core.sources.mathematics_worker", *arguments]
    environment = os.environ | {"PYTHONHASHSEED": "0"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_list_of_modules_is_the_package_s():
    assert sorted(MODULES) == sorted(worker())
    assert len(set(MODULES)) == 56


def test_every_module_runs():
    code = (
        "import json, sys; from core.sources.mathematics_worker import generate\n"
        "for name in sys.argv[1:]: print(json.dumps([name, list(generate(name, 'train-easy', 3, 0))]))"
    )
    done = subprocess.run([sys.executable, "-c", code, *MODULES], capture_output=True, text=True, check=True)
    found = dict(json.loads(line) for line in done.stdout.splitlines())
    assert set(found) == set(MODULES)
    assert all(len(pairs) == 3 and all(question and answer for question, answer in pairs) for pairs in found.values())


@pytest.fixture(scope="module")
def addition(tmp_path_factory):
    from core.store import Store

    store = Store(tmp_path_factory.mktemp("math"))
    return load_dataset(DatasetSpec(name="math", samples=120), store), store


def test_questions_are_different_short_and_right(addition):
    data, _ = addition
    assert data.is_task
    assert len({record.prompt for record in data.records}) == len(data.records) == 120
    for record in data.records:
        question = record.prompt.removeprefix("Question: ").removesuffix("\nAnswer:")
        assert len(question) <= MAX_QUESTION
        assert len(record.answers[0]) <= MAX_ANSWER
        assert record.text == f"Question: {question}\nAnswer: {record.answers[0]}"
    sums = [re.fullmatch(r"Question: (\S+) \+ (\S+)\nAnswer: (\S+)", record.text) for record in data.records]
    checked = [tuple(map(float, found.groups())) for found in sums if found]
    assert len(checked) > 5
    assert all(a + b == pytest.approx(c) for a, b, c in checked)


def test_generated_once_and_kept(addition, monkeypatch):
    data, store = addition
    monkeypatch.setattr(mathematics, "run_watched", lambda *_: pytest.fail("generated twice"))
    assert load_dataset(DatasetSpec(name="math", samples=120), store) == data
    assert data.provenance["module"] == "arithmetic__add_or_sub"
    assert data.provenance["version"]


def test_the_split_keeps_questions_apart(addition):
    train, validation = addition[0].split()
    assert (len(train), len(validation)) == (96, 24)
    assert {record.prompt for record in train}.isdisjoint(record.prompt for record in validation)


@pytest.mark.parametrize("module", ["numbers__gcd_composed", "numbers__is_prime", "polynomials__evaluate_composed"])
def test_the_seed_decides(module):
    """Composed modules and primes are those whose order or choice varies unless the worker sees to it."""
    first = worker(module, "train-easy", "20", "5")
    assert first == worker(module, "train-easy", "20", "5")
    assert first != worker(module, "train-easy", "20", "6")


def test_the_caller_s_hash_seed_does_not_matter(addition, store, monkeypatch):
    monkeypatch.setenv("PYTHONHASHSEED", "77")
    again = load_dataset(DatasetSpec(name="math", samples=120), store)
    assert again.provenance["content_sha256"] == addition[0].provenance["content_sha256"]


def test_an_unknown_module_shows_the_closest(store):
    with pytest.raises(UnknownName, match=r"'arithmetic__add_or_subb'; known: algebra.*Did you mean '\w+add_or_sub'"):
        load_dataset(DatasetSpec(name="math", module="arithmetic__add_or_subb"), store)


def few(monkeypatch: pytest.MonkeyPatch, lines: list[list[str]], code: int = 0, complaint: str = "") -> None:
    def run(command, environment, output, errors, tick) -> int:
        output.write_text("".join(json.dumps(line) + "\n" for line in lines))
        errors.write_text(complaint)
        tick()
        return code

    monkeypatch.setattr(mathematics, "run_watched", run)


def test_a_small_module_is_used_up_and_says_so(store, monkeypatch):
    few(monkeypatch, [["1+1", "2"], ["1+2", "3"]])
    data = load_dataset(DatasetSpec(name="math", samples=50), store)
    assert len(data.records) == 2
    note = "50 questions were asked for; arithmetic__add_or_sub at train-easy has only 2."
    assert data.provenance["notes"] == [note]


def test_a_module_with_one_question_is_refused(store, monkeypatch):
    few(monkeypatch, [["1+1", "2"]])
    with pytest.raises(BadData, match="has only 1 different questions; choose another difficulty"):
        load_dataset(DatasetSpec(name="math", samples=50), store)


def test_a_generator_that_stops_says_why(store, monkeypatch):
    few(monkeypatch, [], code=1, complaint="Traceback\n  …\nValueError: no such thing\n\n")
    with pytest.raises(Failed, match=r"seed 0 stopped with code 1 \(ValueError: no such thing\); try another seed"):
        load_dataset(DatasetSpec(name="math", samples=50), store)


def test_cancel(store):
    def stop(done: int, total: int, message: str = "") -> None:
        assert (total, message) == (30, "generating arithmetic__add_or_sub")
        raise Cancelled("stop")

    with pytest.raises(Cancelled):
        load_dataset(DatasetSpec(name="math", samples=30), store, stop)
    assert list(store.artifacts()) == []


def shape(text: str) -> str:
    """Return a question without its numbers and single letters."""
    return re.sub(r"\b[a-z]\b|-?\d[\d.]*", "#", text)


def words(text: str) -> set[str]:
    return set(re.findall(r"[A-Za-z]{3,}", text))


@pytest.mark.parametrize("module", ["arithmetic__add_or_sub", "numbers__place_value", "calculus__differentiate"])
def test_questions_read_like_the_release_s(shared_data, module):
    path = shared_data / "math" / "dm-v1.0-official-first5.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    official = [row["question"] for row in rows if (row["module"], row["difficulty"]) == (module, "train-easy")]
    assert len(official) == 5
    ours = [question for question, _ in worker(module, "train-easy", "150", "0")]
    vocabulary = set().union(*map(words, ours))
    assert all(words(question) <= vocabulary for question in official)
    assert any(shape(question) in set(map(shape, ours)) for question in official)


def test_the_release_s_sample_has_our_modules_and_lengths(shared_data):
    path = shared_data / "math" / "dm-v1.0-official-first5.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert {row["module"] for row in rows} == set(MODULES)
    assert max(len(row["question"]) for row in rows) <= MAX_QUESTION
    assert max(len(row["answer"]) for row in rows) <= MAX_ANSWER
