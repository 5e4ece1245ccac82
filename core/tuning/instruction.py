"""What a hand-written instruction is worth, the baseline beside no prompt and an untrained one."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from core.errors import BadRequest
from core.lm.frozen import FrozenModel
from core.lm.prompted import Prompted, build_prompted
from core.lm.shapes import Prompt
from core.lm.text import tokens_of
from core.specs.tuning import TuningSpec
from core.tuning.examples import Item

BY_DATASET = {
    "squad": "Answer the question from the text, in as few words as possible.",
    "math": "Solve the problem. Write the answer and nothing else.",
    "file": "Answer the question, in as few words as possible.",
}
"""Used where the spec gives none."""


@dataclass(frozen=True)
class Instruction:
    """An instruction as a soft prompt that nobody trained.

    Attributes:
        prompted: the model that reads it after its beginning-of-sequence token, as any text.
        prompt: the embeddings of its tokens, at one site.
        ids: its tokens.
    """

    prompted: Prompted
    prompt: Prompt
    ids: tuple[int, ...]


def build_instruction(
    spec: TuningSpec, is_task: bool, frozen: FrozenModel, items: Sequence[Item]
) -> Instruction | None:
    """Return the instruction of a run, or None: of plain text without one, or where the usual one does not fit.

    Args:
        spec: of the run.
        is_task: whether the data set has questions and answers.
        frozen: the model.
        items: examples that it is put before, and answers are generated to.

    Raises:
        BadRequest: an instruction of the person's own that does not fit into the model's context.
    """
    text = spec.instruction or (BY_DATASET.get(spec.dataset.name, "") if is_task else "")
    ids = tokens_of(frozen.tokenizer, f"{text}\n") if text else []
    context = frozen.context
    asked = [len(item.question) + spec.max_new_tokens for item in items[: spec.n_generation] if item.answers]
    longest = max(*(len(item.example.ids) for item in items), *asked, 0) + len(frozen.beginning)
    if context is not None and len(ids) > context - longest:
        if not spec.instruction:
            return None
        raise BadRequest(
            f"The instruction's {len(ids)} tokens do not fit before the longest validation example and its answer "
            f"({longest} of the model's {context} positions); shorten it to {max(context - longest, 0)} tokens, or "
            "lower max_length or max_new_tokens."
        )
    if not ids:
        return None
    embed = frozen.model.get_input_embeddings()
    with torch.no_grad():
        prompt = embed(torch.tensor([ids], device=frozen.device)).float()
    return Instruction(build_prompted(frozen, "after_bos"), prompt, tuple(ids))
