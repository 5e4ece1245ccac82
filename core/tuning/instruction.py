"""What a hand-written instruction is worth, the baseline beside no prompt and an untrained one."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from core.errors import BadRequest
from core.lm.batch import Example
from core.lm.load import FrozenModel
from core.lm.prompted import Prompted, build_prompted, leading_bos
from core.lm.shapes import Prompt
from core.specs.tuning import TuningSpec
from core.tuning.examples import context_of, tokens_of

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
    spec: TuningSpec, is_task: bool, frozen: FrozenModel, examples: Sequence[Example]
) -> Instruction | None:
    """Return the instruction of a run, or None: of plain text without one, or where the usual one does not fit.

    Args:
        spec: of the run.
        is_task: whether the data set has questions and answers.
        frozen: the model.
        examples: that it is put before.

    Raises:
        BadRequest: an instruction of the person's own that does not fit into the model's context.
    """
    text = spec.instruction or (BY_DATASET.get(spec.dataset.name, "") if is_task else "")
    ids = tokens_of(frozen.tokenizer, f"{text}\n") if text else []
    context = context_of(frozen)
    longest = max(len(example.ids) for example in examples) + int(leading_bos(frozen.tokenizer) is not None)
    if context is not None and len(ids) > context - longest:
        if not spec.instruction:
            return None
        raise BadRequest(
            f"The instruction's {len(ids)} tokens do not fit before the longest validation example ({longest} of the "
            f"model's {context} positions); shorten it to {max(context - longest, 0)} tokens, or lower max_length."
        )
    if not ids:
        return None
    embed = frozen.model.get_input_embeddings()
    with torch.no_grad():
        prompt = embed(torch.tensor([ids], device=frozen.device)).float()
    return Instruction(build_prompted(frozen, "after_bos"), prompt, tuple(ids))
