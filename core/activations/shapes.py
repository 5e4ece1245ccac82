"""Shapes of what a capture handles, by name. Annotations only, checked in tests (see `core.lm.shapes`)."""

import numpy as np
from jaxtyping import Float, Float32, Int64
from torch import Tensor

Grid = Float[Tensor, "batch pos d_model"]
"""The residual stream of texts side by side, padded on the right."""
TokenNumbers = Int64[np.ndarray, "n_tokens"]
"""Numbers of tokens in a corpus."""
Places = Int64[Tensor, "n_tokens"]
"""Where tokens stand in the flattened (batch × pos) grid; or the id of each."""
TokenStates = Float[Tensor, "n_tokens d_model"]
"""The residual stream of tokens."""
TokenLogits = Float32[Tensor, "n_tokens n_vocabulary"]
Points = Float[Tensor, "n_points d_model"]
"""Tokens, or means of documents."""
ChosenRows = Int64[np.ndarray, "n_chosen"]
"""Rows of the sample that are among a batch's points."""
ChosenPoints = Int64[Tensor, "n_chosen"]
"""Which of a batch's points they are."""
