"""Conversations as a tokenizer's template writes them; the oracle is transformers' own `apply_chat_template`."""

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tokenizers import processors
from transformers import AutoTokenizer

from core.errors import BadData, BadRequest
from core.lm.batch import IGNORED
from core.lm.chat import as_texts
from core.lm.load import load_model
from core.sources.datasets import TextData, load_dataset
from core.specs import CloudSpec, DatasetSpec, ModelSpec
from core.store import Store
from core.tuning.examples import Prepared, prepare
from tests.jobs import attempt, done
from tests.runs import spec_of

TEMPLATE = (
    "{{ bos_token }}{% for turn in messages %}"
    "{% if turn.role == 'tool' %}{{ raise_exception('no tools here') }}{% endif %}"
    "{{ turn.role + ': ' + turn.content + eos_token + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
)


def said(*contents: str, first: str = "user") -> list[dict[str, str]]:
    roles = ["user", "assistant"] if first == "user" else ["system", "user", "assistant"]
    return [{"role": roles[i % len(roles)], "content": content} for i, content in enumerate(contents)]


TURNS = [
    said("What is 1 + 1?", "2"),
    said("Be brief.", "What is 2 + 3?", "5", first="system"),
    said("Hello", "Good day", "What is 4 + 4?", "8"),
    said("What is 5 + 5?", "10", "Thank you"),
    said("nobody answers"),
    *(said(f"What is {i} + 7?", str(i + 7)) for i in range(12)),
]
ANSWERED = [turns[: 2 * (len(turns) // 2)] if turns[0]["role"] == "user" else turns for turns in TURNS]
ANSWERED = [turns for turns in ANSWERED if turns]


@pytest.fixture(scope="module")
def chatty(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with a tokenizer that has a template."""
    folder = tmp_path_factory.mktemp("chatty") / "model"
    shutil.copytree(tiny_folder, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = TEMPLATE
    own = [("<s>", tokenizer.bos_token_id)]
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=own)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def conversations(tmp_path: Path) -> Path:
    path = tmp_path / "chat.jsonl"
    path.write_text("\n".join(json.dumps({"messages": turns}) for turns in TURNS))
    return path


def part(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


def spec_for(path: Path, **changes: Any) -> DatasetSpec:
    return DatasetSpec.parse({"name": "file", "path": str(path), "samples": 100, **changes})


def read(path: Path, model: Path, store: Store, **changes: Any) -> tuple[TextData, Any]:
    frozen = load_model(ModelSpec(name=str(model), device="cpu", dtype="float32"), store)
    return as_texts(load_dataset(spec_for(path, **changes), store), frozen), frozen


def oracle(tokenizer: Any, turns: list[dict[str, str]], **options: Any) -> list[int]:
    ids = tokenizer.apply_chat_template(turns, tokenize=True, return_dict=False, **options)
    return ids[ids[:1] == [tokenizer.bos_token_id] :]


def test_prompt_and_answer_are_the_templates_own_tokens(conversations: Path, chatty: Path, store: Store):
    data, frozen = read(conversations, chatty, store)
    assert (data.is_task, data.is_chat, len(data.records)) == (True, True, len(ANSWERED))
    assert data.provenance["dropped"] == {"no question or answer": 1}
    assert frozen.beginning, "the template's beginning would be a second one"
    prepared: Prepared = prepare(data.records, data.is_task, frozen.tokenizer, 200)
    found = {item.question: item for item in prepared.items}
    for turns in ANSWERED:
        item = found.pop(tuple(oracle(frozen.tokenizer, turns[:-1], add_generation_prompt=True)))
        whole = oracle(frozen.tokenizer, turns)
        assert list(item.example.ids) == whole[: len(item.example.ids)]
        assert item.example.ids[-1] == frozen.tokenizer.eos_token_id
        n = len(item.question)
        assert item.example.labels == (*[IGNORED] * n, *item.example.ids[n:])
        assert item.answers == (turns[-1]["content"],)
    assert not found


def test_a_run_and_a_capture_read_conversations(conversations: Path, chatty: Path, store: Store):
    tuning = spec_of(chatty, conversations, n_validation=3, n_generation=2)
    run = done("tune", tuning.model_copy(update={"dataset": spec_for(conversations)}), store)
    assert (run.result() or {})["scoring"] == "numeric"
    model = ModelSpec(name=str(chatty), device="cpu", dtype="float32")
    done("capture", CloudSpec(model=model, dataset=spec_for(conversations), rows=50), store)


def test_parts_of_text_parquet_and_a_named_column_are_read(tmp_path: Path, chatty: Path, store: Store):
    path = tmp_path / "chat.parquet"
    pd.DataFrame({"turns": ANSWERED, "text": [f"text {i}" for i in range(len(ANSWERED))]}).to_parquet(path)
    data, _ = read(path, chatty, store, text_column="turns")
    assert len(data.records) == len(ANSWERED)
    assert not read(path, chatty, store)[0].is_chat, "a column of texts is read as before"
    rows = [{"messages": [{**turn, "content": [part(turn["content"])]} for turn in turns]} for turns in ANSWERED]
    (tmp_path / "parts.json").write_text(json.dumps(rows))
    in_parts, _ = read(tmp_path / "parts.json", chatty, store)
    assert sorted(record.text for record in in_parts.records) == sorted(record.text for record in data.records)


def test_a_tokenizer_without_a_template_is_refused(conversations: Path, tiny_folder: Path, store: Store):
    with pytest.raises(BadRequest, match=r"'chat.jsonl' holds conversations, and .* has no chat template"):
        read(conversations, tiny_folder, store)
    tuning = spec_of(tiny_folder, conversations).model_copy(update={"dataset": spec_for(conversations)})
    status = attempt("tune", tuning, store).status()
    assert (status.state, status.exit_code) == ("failed", 2)


@pytest.mark.parametrize(
    ("turns", "message"),
    [
        ([*said("a", "b"), {"role": "tool", "content": "c"}, *said("d", "e")], "refuses row-0 .*no tools here"),
        ([{"role": "user", "text": "a"}], "line 1 of 'odd.jsonl' holds .* and no list of turns with role and content"),
        ([{"role": "user", "content": [{"type": "image"}]}], "has a turn with parts that are no text"),
    ],
)
def test_a_conversation_that_cannot_be_read_is_named(
    tmp_path: Path, chatty: Path, store: Store, turns: Any, message: str
):
    path = tmp_path / "odd.jsonl"
    path.write_text("\n".join(json.dumps({"messages": each}) for each in (turns, said("a", "b"), said("c", "d"))))
    with pytest.raises(BadData, match=message):
        read(path, chatty, store)
