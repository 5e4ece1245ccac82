"""Shapes of tensors by name. Annotations only: tests check them at each call, and a run costs nothing more."""

from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor

Prompt = Float32[Tensor, "n_sites n_prompt d_model"]
"""A prompt, soft or deep: n_sites is 1 for a soft one, and n_prompt may be 0."""
Vectors = Float[Tensor, "n_vectors d_model"]
"""Vectors of one site."""
Rows = Float[Tensor, "_ d_model"]
"""Points of one site, of which each site may have another number."""
Scalar = Float[Tensor, ""]
"""A loss or a penalty."""
Ids = Int64[Tensor, "batch pos"]
"""Token ids of texts side by side, padded on the right."""
Lengths = Int64[Tensor, "batch"]
"""A number per text: its tokens, or a token."""
Labels = Int64[Tensor, "n_labels"]
"""A number per token that is to be predicted."""
PerLabel = Float[Tensor, "n_labels"]
Hits = Bool[Tensor, "n_labels"]
Logits = Float[Tensor, "_ n_vocabulary"]
"""A row per text or per label."""
Stream = Float[Tensor, "rows d_model"]
"""The residual stream of a batch: the shared rows, then the tokens of all examples
(`core.lm.layout`)."""
States = Float[Tensor, "n_labels d_model"]
Head = Float[Tensor, "n_vocabulary d_model"]
"""The output matrix."""
