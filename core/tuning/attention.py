"""The attention that a tuned prompt gets from validation examples."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from core.lm.batch import Example, collate
from core.lm.prompt_attention import prompt_attention
from core.lm.prompted import FastPrompted
from core.tuning.evaluation import BATCH


def mean_attention(
    prompted: FastPrompted, prompt: NDArray[np.float32], examples: Sequence[Example]
) -> NDArray[np.float64]:
    """Return the mean share of attention, over tokens and heads, that each prompt vector gets in each block.

    Args:
        prompted: model and place of the prompt.
        prompt: (n_sites, n_prompt, d_model).
        examples: texts whose tokens look.

    Returns:
        (n_blocks, n_prompt); NaN at blocks that no prompt reaches.
    """
    ordered = sorted(examples, key=lambda example: len(example.ids))
    vectors, total = torch.from_numpy(np.ascontiguousarray(prompt)), torch.zeros(())
    for start in range(0, len(ordered), BATCH):
        batch = collate(ordered[start : start + BATCH]).to(prompted.frozen.device)
        total = total + prompt_attention(prompted, vectors, batch)
    return (total / sum(len(example.ids) for example in ordered)).numpy()
