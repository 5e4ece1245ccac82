"""The norm through which a block sees what enters it."""

import numpy as np
import torch
from numpy.typing import NDArray

from core.lm.architectures import Unmapped, map_decoder
from core.lm.load import FrozenModel


def input_norm(frozen: FrozenModel, block: int) -> tuple[NDArray[np.float64], float] | None:
    """Return weight (d_model,) and eps of the root-mean-square norm before a block's attention; None if unmapped."""
    try:
        decoder = map_decoder(frozen.model)
    except Unmapped:
        return None
    weight = decoder.blocks[block].norm_before_attention
    return weight.detach().to("cpu", torch.float64).numpy(), decoder.eps
