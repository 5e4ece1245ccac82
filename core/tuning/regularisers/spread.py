"""Keep the prompt vectors of a site apart from each other."""

import torch
from torch.nn.functional import normalize

from core.lm.shapes import Prompt, Scalar
from core.tuning.regularisers.base import Regulariser, exact_dtype

RIDGE = 0.01
"""Added to the similarities' diagonal: equal vectors cost much, but not infinitely."""


class Spread(Regulariser):
    """Minus the log-determinant of the vectors' cosine similarities, a vector; the mean over sites.

    0 for vectors at right angles. With the ridge ρ it is −ln det((C + ρI) / (1 + ρ)) / n_prompt,
    which stays below ln(1 + 1/ρ).
    """

    name = "spread"

    def penalty(self, prompt: Prompt) -> Scalar:
        """Return the mean over sites of minus the log-determinant, over n_prompt."""
        directions = normalize(prompt.to(exact_dtype(prompt.device)), dim=-1)
        n_prompt = directions.shape[1]
        eye = torch.eye(n_prompt, dtype=directions.dtype, device=directions.device)
        similar = (directions @ directions.mT + RIDGE * eye) / (1 + RIDGE)
        root = torch.linalg.cholesky(similar)
        return -2 * root.diagonal(dim1=-2, dim2=-1).log().sum(-1).mean() / n_prompt
