"""What a model's output matrix makes of vectors, as if they left the last block."""

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from core.lm.blocks import find_parts
from core.lm.frozen import FrozenModel


def read_by_head(frozen: FrozenModel, vectors: NDArray[np.floating], n: int) -> NDArray[np.int64]:
    """Return the ids (n_vectors, n) of the tokens with the largest logits, the largest first.

    Args:
        frozen: a causal language model.
        vectors: (n_vectors, d_model), taken as the stream that leaves the last block, before the final norm.
        n: tokens per vector.

    Source: the logit lens, nostalgebraist, 2020.
    """
    norm, head = find_parts(frozen.model).final_norm, cast(torch.nn.Linear, frozen.model.get_output_embeddings())
    stream = torch.from_numpy(np.ascontiguousarray(vectors, np.float32)).to(frozen.device, frozen.dtype)
    with torch.inference_mode():
        logits = head(stream if norm is None else norm(stream))
    return logits.float().topk(n, dim=-1).indices.cpu().numpy()
