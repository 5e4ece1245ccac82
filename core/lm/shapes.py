"""Shapes of tensors by name. Annotations only: tests check them at each call, and a run costs nothing more."""

from jaxtyping import Float, Float32
from torch import Tensor

Prompt = Float32[Tensor, "n_sites n_prompt d_model"]
"""A prompt, soft or deep: n_sites is 1 for a soft one, and n_prompt may be 0."""
Vectors = Float[Tensor, "n_vectors d_model"]
"""Vectors of one site."""
Rows = Float[Tensor, "_ d_model"]
"""Points of one site, of which each site may have another number."""
Scalar = Float[Tensor, ""]
"""A loss or a penalty."""
