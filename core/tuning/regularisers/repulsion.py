"""Keep away from tokens, or from the points of a cloud."""

from collections.abc import Sequence

import torch
from torch.nn.functional import normalize

from core.lm.shapes import Prompt, Rows, Scalar
from core.tuning.regularisers.base import Ground, Regulariser

TEMPERATURE = 0.02
"""Of the soft maximum: it lies above the largest cosine by at most this times ln(rows), 0.22 for
49,152 rows."""


class Repulsion(Regulariser):
    """Cosine similarity to the nearest rows, by a soft maximum τ·ln Σ exp(cos / τ); the mean over sites and vectors.

    Only directions count, as in what the model reads of a prompt behind its norm layers.
    """

    name = "repulsion"

    def __init__(self, weight: float, rows: Sequence[Rows]) -> None:
        """Take the rows (n_rows, d_model) to keep away from at each site, in the order of the prompt's sites."""
        super().__init__(weight)
        self.directions = [normalize(points.float(), dim=-1) for points in rows]

    @classmethod
    def build(cls, weight: float, ground: Ground) -> Regulariser:
        """Keep away from the vocabulary at site 0 and from the data's activations elsewhere."""
        spec, sites = ground.spec, ground.sites
        clouds = [ground.cloud(spec.model if site == 0 else spec.activations(*sites)) for site in sites]
        rows = zip(sites, clouds, strict=True)
        return cls(weight, [torch.tensor(cloud.points(site), device=ground.device) for site, cloud in rows])

    def penalty(self, prompt: Prompt) -> Scalar:
        """Return the mean soft maximum of the cosines."""
        nearest = [
            TEMPERATURE * torch.logsumexp(normalize(vectors, dim=-1) @ directions.T / TEMPERATURE, dim=-1)
            for directions, vectors in zip(self.directions, prompt, strict=True)
        ]
        return torch.stack(nearest).mean()
