"""A variational autoencoder trained on a cloud: samples of its decoder."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from core.errors import BadRequest, Diverged
from core.moments import Moments, Reference
from core.priors.base import Prior
from core.priors.covariance import GaussianFit, as_float32, fit_gaussian
from core.specs.prior import PriorSpec

if TYPE_CHECKING:
    from core.vae import Autoencoder

ACTIVE = 0.01
"""Variance of a unit's mean code over the data above which it counts as active."""
_N_SAMPLED = 4096
"""Samples on which the spread is measured."""


class VaeSpec(PriorSpec):
    """A small autoencoder with two hidden layers each way."""

    title: ClassVar[str] = "VAE"
    summary: ClassVar[str] = "Decoded samples of a variational autoencoder that is trained on the reference cloud."
    needs_reference: ClassVar[bool] = True
    order: ClassVar[int] = 90

    kind: Literal["vae"] = "vae"
    d_latent: int = Field(default=32, ge=1, le=4096, title="Latent width", description="Units of the code.")
    d_hidden: int = Field(
        default=256, ge=1, le=8192, title="Hidden width", description="Of the two hidden layers before and after."
    )
    kl_weight: float = Field(
        default=1.0,
        ge=0,
        le=1e4,
        title="KL weight",
        description="On the code's divergence from N(0, I); 1 is the bound.",
    )
    warmup_steps: int = Field(
        default=300, ge=0, le=1_000_000, title="KL warm-up", description="Steps over which the weight rises from 0."
    )
    free_bits: float = Field(
        default=0.0, ge=0, le=100, title="Free bits", description="Nats a latent unit that cost nothing."
    )
    min_std: float = Field(
        default=0.0,
        ge=0,
        le=1,
        title="Least code spread",
        description="Variance constraint: the encoder's standard deviation is held above it; 0 is none.",
    )
    noise: Literal["learned", "fixed"] = Field(
        default="learned",
        title="Decoder noise",
        description="Its variance follows the residuals, or is fixed; a large fixed one lets the code collapse.",
    )
    noise_std: float = Field(
        default=1.0,
        gt=0,
        le=100,
        title="Fixed noise",
        description="Of 'fixed': standard deviation, in units of the cloud's root mean square coordinate.",
    )
    draw: Literal["mean", "sampled"] = Field(
        default="mean",
        title="Draw",
        description="The decoder's mean, or with its noise: residual variance, a value a coordinate.",
    )
    steps: int = Field(default=1500, ge=1, le=1_000_000, title="Steps", description="Of the optimiser.")
    batch_size: int = Field(default=64, ge=1, le=65_536, title="Batch", description="Points a step.")
    learning_rate: float = Field(default=1e-3, gt=0, le=1, title="Learning rate", description="Adam's.")
    seed: int = Field(default=0, ge=0, le=2**31 - 1, title="Seed", description="Decides weights, batches and noise.")


class Vae(Prior[VaeSpec]):
    """Decoded standard normal codes.

    Source: 4.6 of the paper.
    Deviation: it does not tell its architecture; here two hidden SiLU layers each way. A tenth of the points is held
    out, so that the report's numbers are not those of memorised points.
    """

    spec_class = VaeSpec
    network_: "Autoencoder"
    facts_: dict[str, Any]

    def fit(
        self, points: NDArray[np.floating], moments: Moments | None = None, further: Sequence[Reference] = ()
    ) -> Self:
        """Train on points (n, d), which takes seconds to minutes.

        Raises:
            BadRequest: fewer than ten points, or see `fit_gaussian`.
            Diverged: the loss is not finite.
        """
        from core.vae import Training, train

        spec = self.spec
        gaussian = fit_gaussian(points, None, "empirical", 1)
        if len(points) < 10:
            raise BadRequest(f"{len(points)} points are too few to train a VAE on; give a cloud of at least 10.")
        self.d_model_ = points.shape[1]
        self.mean_ = gaussian.mean
        self.unit_ = float(np.sqrt(gaussian.variances.sum() / self.d_model_))
        scaled = ((points - self.mean_) / self.unit_).astype(np.float32)
        order = np.random.default_rng(spec.seed).permutation(len(scaled))
        held_out, kept = np.split(scaled[order], [len(scaled) // 10])
        noise = spec.noise_std if spec.noise == "fixed" else None
        shared = spec.model_dump(include=set(Training.__dataclass_fields__) - {"noise_std"})
        self.network_ = train(kept, Training(noise_std=noise, **shared))
        if not np.isfinite(self.network_.losses).all():
            raise Diverged(
                f"The VAE's loss is not finite at learning rate {spec.learning_rate:g}; choose a smaller one."
            )
        residual = kept - self.network_.decode(self.network_.encode(kept)[0])
        self.noise_ = np.sqrt(np.square(residual).mean(axis=0)) if noise is None else np.full(self.d_model_, noise)
        self.facts_ = self._measure(held_out, kept, gaussian)
        return self

    def sample(self, n: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw n vectors: (n, d).

        Raises:
            BadRequest: a value does not fit into float32.
        """
        return as_float32(self.mean_ + self.unit_ * self._draw(n, rng))

    def report(self) -> dict[str, Any]:
        """Return quality and collapse of the autoencoder, each number beside the data's own."""
        return dict(self.facts_)

    def _draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return samples (n, d) in the units of the network."""
        drawn = self.network_.decode(rng.standard_normal((n, self.spec.d_latent))).astype(np.float64)
        if self.spec.draw == "sampled":
            drawn += self.noise_ * rng.standard_normal(drawn.shape)
        return drawn

    def _measure(
        self, held_out: NDArray[np.float32], kept: NDArray[np.float32], gaussian: GaussianFit
    ) -> dict[str, Any]:
        from core.vae import divergence

        code, std = self.network_.encode(held_out)
        units = divergence(code, std).mean(axis=0)
        active = int((self.network_.encode(kept)[0].var(axis=0) > ACTIVE).sum())
        total = max(float(np.square(held_out).sum()), 1e-30)
        left = np.square(held_out - self.network_.decode(code)).sum()
        leading = gaussian.basis[:, : self.spec.d_latent]
        linear = total - np.square(held_out @ leading).sum()
        drawn = self.unit_ * self._draw(_N_SAMPLED, np.random.default_rng(0))
        names = ("total_variance", "effective_rank", "median_distance_to_mean")
        spread = {
            name: {"samples": ours, "data": data, "ratio": ours / data if data else None}
            for name, ours, data in zip(names, _spread(drawn), _spread(self.unit_ * held_out), strict=True)
        }
        return {
            "reconstruction_error": {
                "vae": float(left / total),
                "principal_components_of_the_same_width": float(linear / total),
                "mean_alone": 1.0,
                "note": "share of the held-out points' squared distance from the mean that is not rebuilt",
            },
            "active_units": {"vae": active, "of": self.spec.d_latent, "rank_of_the_data": gaussian.dim},
            "kl_a_unit_nats": sorted((float(value) for value in units), reverse=True),
            "kl_nats": float(units.sum()),
            "spread": spread,
            "final_loss_a_coordinate": float(self.network_.losses[-50:].mean()),
            "d_model": self.d_model_,
            "points_trained_on": len(kept),
            "points_held_out": len(held_out),
            "in_words": f"Samples have {spread['total_variance']['samples'] / gaussian.variances.sum():.0%} of the "
            f"data's total variance, and {active} of {self.spec.d_latent} latent units are used: without any collapse "
            "it is 100 % and all that the data need.",
        }


def _spread(x: NDArray[np.floating]) -> tuple[float, float, float]:
    """Return total variance, effective rank (participation ratio) and median distance to the mean of rows (n, d)."""
    centred = x - x.mean(axis=0, dtype=np.float64)
    gram = centred.T @ centred if x.shape[0] > x.shape[1] else centred @ centred.T
    total, square = float(np.trace(gram)), float(np.square(gram).sum())
    distance = float(np.median(np.linalg.norm(centred, axis=1)))
    return total / len(x), total**2 / square if square else 0.0, distance
