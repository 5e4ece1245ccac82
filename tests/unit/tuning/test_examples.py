import pytest
from transformers import AutoTokenizer

from core.errors import BadData
from core.lm.batch import IGNORED
from core.sources.records import Record
from core.tuning.examples import Prepared, prepare, require_items


@pytest.fixture
def tokenizer(stories_folder):
    return AutoTokenizer.from_pretrained(stories_folder)


def test_a_task_trains_on_the_answer_and_its_end(tokenizer):
    record = Record.question("1", "g", "What is 2 + 3?", ["5", "five"])
    (item,) = prepare([record], True, tokenizer, 100).items
    n = len(item.question)
    assert item.example.ids[:n] == item.question
    assert item.example.labels == (*[IGNORED] * n, *item.example.ids[n:])
    assert item.example.ids[-1] == tokenizer.eos_token_id == tokenizer.pad_token_id
    assert tokenizer.decode(item.example.ids[:-1]).strip() == record.text
    assert list(item.question) == tokenizer(record.prompt, add_special_tokens=False).input_ids
    assert item.answers == ("5", "five")


class Merging:
    """A tokenizer of words that merges 'a b' into one token."""

    eos_token_id = 9

    def __call__(self, text, add_special_tokens=True):
        known = {"a": 1, "b": 2, "a b": 3}
        return type("E", (), {"input_ids": [known[text]] if text in known else [known[w] for w in text.split()]})


def test_an_answer_that_would_merge_with_the_question_is_tokenised_by_itself():
    (item,) = prepare([Record.question("1", "g", "a", ["b"])], True, Merging(), 100).items
    assert (item.question, item.example.ids) == ((1,), (1, 2, 9))


def test_plain_text_trains_on_its_second_half_and_is_cut_at_the_bound(tokenizer):
    text = "Once upon a time there was a little girl named Lily"
    whole = prepare([Record.document("1", text)], False, tokenizer, 100)
    cut = prepare([Record.document("1", text)], False, tokenizer, 7)
    ids = tokenizer(text, add_special_tokens=False).input_ids
    assert whole.items[0].example.labels == (*[IGNORED] * (len(ids) // 2), *ids[len(ids) // 2 :])
    assert (whole.n_truncated, cut.n_truncated) == (0, 1)
    assert cut.items[0].example.ids == tuple(ids[:7])
    assert cut.items[0].example.n_labels == 4


def test_what_cannot_be_used_is_counted(tokenizer):
    records = [Record.question("1", "g", "", ["5"]), Record.question("2", "g", "What is 2 + 3?", ["5"])]
    assert prepare(records, True, tokenizer, 3).dropped == {"empty prompt": 1, "longer than the bound": 1}
    assert prepare([Record.document("3", "a")], False, Merging(), 9).dropped == {"fewer than two tokens": 1}


def test_nothing_left_is_an_error_with_bound_and_remedy():
    prepared = Prepared(shortest_dropped=40)
    prepared.dropped["longer than the bound"] = 2
    with pytest.raises(BadData) as error:
        require_items(prepared, "validation", 16)
    assert str(error.value) == (
        "No validation example is left of those that have at most 16 tokens (the shortest has 40): 2 longer than the "
        "bound; raise max_length if the model's context allows it, or give shorter examples."
    )
