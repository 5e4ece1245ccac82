"""A variational autoencoder trained on a cloud: samples of its decoder."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import Field

from core.array_types import Float32s, Float64s, Floats
from core.errors import BadRequest, Diverged
from core.fits.autoencoder import Autoencoder, divergence
from core.fits.moments import Moments, Reference
from core.priors.covariance import GaussianFit, as_float32, fit_gaussian
from core.priors.kept import KeptPrior, Learnt
from core.progress import Progress
from core.specs.base import JsonObject, Seed
from core.specs.prior import PriorSpec

if TYPE_CHECKING:
    from core.fits.training import Trained

ACTIVE = 0.01
"""Variance of a unit's mean code over the data above which it counts as active."""
_OPERATIONS_PER_STEP = 3e7
"""What could be computed in the time that a step's calls take."""
_N_SAMPLED = 4096
"""Samples on which the spread is measured."""


class VaeSpec(PriorSpec, frozen=True):
    """A small autoencoder with two hidden layers each way."""

    title = "VAE"
    summary = "Decoded samples of a variational autoencoder that is trained on the reference cloud."
    needs_reference = True

    kind: Literal["vae"] = "vae"
    d_latent: int = Field(default=32, ge=1, le=4096, title="Latent width")
    """Number of latent units."""
    d_hidden: int = Field(default=256, ge=1, le=8192, title="Hidden width")
    """Width of the two hidden layers in the encoder and in the decoder."""
    kl_weight: float = Field(default=1.0, ge=0, le=1e4, title="KL weight")
    """Weight of the code's divergence from N(0, I); 1 gives the evidence lower bound."""
    warmup_steps: int = Field(default=300, ge=0, le=1_000_000, title="KL warm-up")
    """Steps over which the KL weight rises from 0."""
    free_bits: float = Field(default=0.0, ge=0, le=100, title="Free bits")
    """Divergence per latent unit that costs nothing (nats)."""
    min_std: float = Field(default=0.0, ge=0, le=1, title="Least code spread")
    """Lower bound on the encoder's standard deviation (variance constraint); 0: none."""
    noise: Literal["learned", "fixed"] = Field(default="learned", title="Decoder noise")
    """learned: the variance follows the residuals; fixed: it is given, and if large, the code may
    collapse."""
    noise_std: float = Field(default=1.0, gt=0, le=100, title="Fixed noise")
    """With 'fixed': standard deviation, in units of the cloud's root mean square coordinate."""
    draw: Literal["mean", "sampled"] = Field(default="mean", title="Draw")
    """mean: the decoder's mean; sampled: with its noise, the residual variance of each
    coordinate."""
    steps: int = Field(default=10_000, ge=1, le=1_000_000, title="Steps")
    """Most optimiser steps."""
    patience: int = Field(default=1000, ge=0, le=1_000_000, title="Patience")
    """Stop after this many steps without a better bound on held-out points, and keep the best
    weights; 0: take all steps."""
    batch_size: int = Field(default=64, ge=1, le=65_536, title="Batch size")
    """Points per step."""
    learning_rate: float = Field(default=5e-4, gt=0, le=1, title="Learning rate")
    """Of Adam."""
    seed: Seed = 0
    """Determines weights, batches and noise."""


class Vae(KeptPrior[VaeSpec]):
    """Decoded standard normal codes.

    Source: 4.6 of the paper. Deviation: the paper states neither architecture nor schedule; here two hidden
    SiLU layers each way. A tenth of the points says when to stop, and another tenth is held out, so
    that the report's numbers are not those of memorised points. What was seen of the schedule
    stands in docs/decisions/0012: too few steps make samples too narrow, too many memorise, and the
    latent width limits the spread of a mean draw more than either.
    """

    spec_class = VaeSpec
    only_drawing = ("draw",)
    network_: Autoencoder
    facts_: JsonObject

    def learn(
        self, points: Floats, moments: Moments | None, further: Sequence[Reference], progress: Progress
    ) -> Learnt:
        """Train on points (n, d), which takes seconds to minutes.

        Raises:
            BadRequest: fewer than ten points, or see `fit_gaussian`.
            Diverged: the loss is not finite.
            Cancelled: by `progress`.
        """
        from core.fits.training import Settings, train

        spec = self.spec
        gaussian = fit_gaussian(points, None, "empirical", 1)
        if len(points) < 10:
            raise BadRequest(f"{len(points)} points are too few to train a VAE on; give a cloud of at least 10.")
        unit = float(np.sqrt(gaussian.variances.sum() / points.shape[1]))
        scaled = ((points - gaussian.mean) / unit).astype(np.float32)
        tenth = len(scaled) // 10
        order = np.random.default_rng(spec.seed).permutation(len(scaled))
        held_out, stopping, kept = np.split(scaled[order], [tenth, 2 * tenth])
        noise = spec.noise_std if spec.noise == "fixed" else None
        shared = spec.model_dump(include=set(Settings.__dataclass_fields__) - {"noise_std"})
        trained = train(kept, stopping, Settings(noise_std=noise, **shared), progress)
        if not np.isfinite(trained.losses).all():
            raise Diverged(
                f"The VAE's loss is not finite at learning rate {spec.learning_rate:g}; choose a smaller one."
            )
        residual = kept - trained.network.decode(trained.network.encode(kept)[0])
        by_coordinate = np.sqrt(np.square(residual, dtype=np.float64).mean(axis=0))
        tensors = {
            **trained.network.tensors(),
            "mean": gaussian.mean,
            "noise": by_coordinate if noise is None else np.full(points.shape[1], noise),
            "losses": trained.losses,
            "checked": trained.checked,
            "held_out": trained.held_out,
        }
        facts = _quality(trained.network, held_out, kept, gaussian, spec.d_latent)
        facts = {"unit": unit, **facts, **_course(trained, spec, len(kept), len(held_out))}
        return Learnt(tensors, facts, len(trained.losses) / spec.steps)

    def operations(self, n_points: int, d_model: int) -> float:
        """Return six a weight, point and step, and what a step costs in any case, if all steps are taken."""
        spec = self.spec
        weights = spec.d_hidden * (2 * d_model + 2 * spec.d_hidden + 3 * spec.d_latent)
        return (6.0 * weights * min(spec.batch_size, n_points) + _OPERATIONS_PER_STEP) * spec.steps

    def restore(self, learnt: Learnt, points: Floats) -> Self:
        """Take the trained network; the points are no longer needed."""
        self.network_ = Autoencoder.from_tensors(learnt.tensors, self.spec.min_std)
        self.mean_, self.noise_ = learnt.tensors["mean"], learnt.tensors["noise"]
        self.unit_ = learnt.facts["unit"]
        self.d_model_ = len(self.mean_)
        self.facts_ = {name: value for name, value in learnt.facts.items() if name != "unit"}
        return self

    def sample(self, n: int, rng: np.random.Generator) -> Float32s:
        """Draw n vectors: (n, d).

        Raises:
            BadRequest: a value does not fit into float32.
        """
        return as_float32(self.mean_ + self.unit_ * self._draw(n, rng))

    def report(self) -> JsonObject:
        """Return quality and collapse of the autoencoder, each number beside the data's own."""
        facts, own = dict(self.facts_), self.facts_["spread"]
        drawn = self.unit_ * self._draw(_N_SAMPLED, np.random.default_rng(0))
        spread = {
            name: {"samples": value, "data": own[name], "ratio": value / own[name] if own[name] else None}
            for name, value in _spread(drawn).items()
        }
        share = facts.pop("linear_share")
        linear = share if self.spec.draw == "mean" else 1.0
        spread["total_variance"]["ratio_of_a_linear_model_of_the_same_width"] = linear
        active, total = facts["active_units"], facts.pop("total_variance")
        return {
            **facts,
            "spread": spread,
            "in_words": f"Samples have {spread['total_variance']['samples'] / total:.0%} of the data's total variance "
            f"(the best linear model of this width: {linear:.0%}), and {active['vae']} of {active['of']} latent units "
            "are used: without any collapse, these are 100 % and all that the data need.",
        }

    def _draw(self, n: int, rng: np.random.Generator) -> Float64s:
        """Return samples (n, d) in the units of the network."""
        drawn = self.network_.decode(rng.standard_normal((n, self.spec.d_latent))).astype(np.float64)
        if self.spec.draw == "sampled":
            drawn += self.noise_ * rng.standard_normal(drawn.shape)
        return drawn


def _quality(
    network: Autoencoder, held_out: Float32s, kept: Float32s, gaussian: GaussianFit, d_latent: int
) -> JsonObject:
    """Return what is measured of a trained network, and of the data."""
    code, std = network.encode(held_out)
    units = divergence(code, std).mean(axis=0)
    active = int((network.encode(kept)[0].var(axis=0) > ACTIVE).sum())
    squared = max(float(np.square(held_out).sum()), 1e-30)
    left = np.square(held_out - network.decode(code)).sum()
    linear = squared - np.square(held_out @ gaussian.basis[:, :d_latent]).sum()
    total = float(gaussian.variances.sum())
    return {
        "reconstruction_error": {
            "vae": float(left / squared),
            "principal_components_of_the_same_width": float(linear / squared),
            "mean_alone": 1.0,
            "note": "share of the held-out points' squared distance from the mean that is not rebuilt",
        },
        "active_units": {"vae": active, "of": d_latent, "rank_of_the_data": gaussian.dim},
        "kl_a_unit_nats": sorted((float(value) for value in units), reverse=True),
        "kl_nats": float(units.sum()),
        "spread": _spread(np.sqrt(total / len(gaussian.mean)) * held_out),
        "total_variance": total,
        "linear_share": _linear_share(gaussian, d_latent),
        "d_model": len(gaussian.mean),
    }


def _course(trained: "Trained", spec: VaeSpec, n_kept: int, n_held_out: int) -> JsonObject:
    """Return how the training went."""
    return {
        "final_loss_a_coordinate": float(trained.losses[-50:].mean()),
        "held_out_loss_a_coordinate": float(trained.held_out[trained.checked <= trained.best_step][-1]),
        "steps": {"taken": len(trained.losses), "at_most": spec.steps, "weights_kept_of": trained.best_step},
        "points_trained_on": n_kept,
        "points_to_stop_by": n_held_out,
        "points_held_out": n_held_out,
    }


def _linear_share(gaussian: GaussianFit, d_latent: int) -> float:
    """Return the share of the variance that the mean of the best linear autoencoder of this width has.

    That is probabilistic principal components, the bound's optimum for linear maps: each leading
    variance less the noise, which is the mean of the others.
    """
    d_model, total = len(gaussian.mean), float(gaussian.variances.sum())
    width = min(d_latent, gaussian.dim)
    leading = gaussian.variances[:width]
    noise = max(total - float(leading.sum()), 0.0) / max(d_model - width, 1)
    return float(np.clip(leading - noise, 0, None).sum()) / total


def _spread(x: Floats) -> dict[str, float]:
    """Return total variance, effective rank (participation ratio) and median distance to the mean of rows (n, d)."""
    centred = x - x.mean(axis=0, dtype=np.float64)
    gram = centred.T @ centred if x.shape[0] > x.shape[1] else centred @ centred.T
    total, square = float(np.trace(gram)), float(np.square(gram).sum())
    return {
        "total_variance": total / len(x),
        "effective_rank": total**2 / square if square else 0.0,
        "median_distance_to_mean": float(np.median(np.linalg.norm(centred, axis=1))),
    }
