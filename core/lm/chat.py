"""Conversations as the text that a model was tuned on, by its tokenizer's own template."""

from dataclasses import replace
from typing import Any

from core.errors import BadData, BadRequest
from core.lm.frozen import FrozenModel
from core.lm.questions import short
from core.sources.chat import turns_of
from core.sources.datasets import TextData
from core.sources.records import Record


def as_texts(data: TextData, frozen: FrozenModel) -> TextData:
    """Return a data set as texts; of conversations, each as the model's tokenizer writes it.

    The prompt ends where the template begins the model's turn, and the answer is what the model
    says there. Of the beginning that the tokenizer itself puts before every text the template's is
    left out, and so is the end of sequence, which follows every answer.

    Raises:
        BadRequest: conversations, and a tokenizer without a template.
        BadData: a conversation that the template refuses.
    """
    if not data.is_chat:
        return data
    if not getattr(frozen.tokenizer, "chat_template", None):
        raise BadRequest(
            f"{data.spec.label!r} holds conversations, and this model's tokenizer has no chat template; choose a "
            "model that was tuned to chat (smollm2-135m was), or give a prompt and an answer column."
        )
    return replace(data, records=[_as_text(record, data, frozen) for record in data.records])


def _as_text(record: Record, data: TextData, frozen: FrozenModel) -> Record:
    tokenizer, turns, answer = frozen.tokenizer, turns_of(record), record.answers[0]
    try:
        prompt = _written(tokenizer, turns, add_generation_prompt=True)
        whole = _written(tokenizer, [*turns, {"role": "assistant", "content": answer}])
    except Exception as error:  # noqa: BLE001 - whatever a template raises says what it wants
        raise BadData(
            f"The model's chat template refuses {record.id} of {data.spec.label!r} ({short(error)}); "
            "write that conversation as it wants."
        ) from None
    said = whole[len(prompt) :] if whole.startswith(prompt) else answer
    if tokenizer.eos_token:
        said = said.rstrip().removesuffix(tokenizer.eos_token)
    if frozen.beginning and tokenizer.bos_token:
        prompt = prompt.removeprefix(tokenizer.bos_token)
    return replace(record, prompt=prompt, text=prompt + said)


def _written(tokenizer: Any, turns: list[dict[str, str]], **options: bool) -> str:
    return tokenizer.apply_chat_template(turns, tokenize=False, **options)
