"""A small autoencoder as arrays: what is kept of a trained one, and drawn from. Free of torch.

`core.fits.training` trains one with torch; priors draw from it without.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from core.array_types import Float32s, Floats

Layer = tuple[Float32s, Float32s]
"""Weight (d_out, d_in) and bias (d_out,)."""

MIN_LOG_VARIANCE, MAX_LOG_VARIANCE = -10.0, 6.0
"""Bounds of an encoder's log variance: beyond them its exponential has no use and its gradient no
sense."""


@dataclass(frozen=True)
class Autoencoder:
    """A trained autoencoder: linear layers with SiLU between them.

    Attributes:
        encoder: layers to means and log variances, (2·d_latent).
        decoder: layers from the latent code back.
        min_std: smallest standard deviation of the encoder's Gaussian.
    """

    encoder: tuple[Layer, ...]
    decoder: tuple[Layer, ...]
    min_std: float

    def encode(self, x: Floats) -> tuple[Float32s, Float32s]:
        """Return mean and standard deviation (n, d_latent) of the codes of rows (n, d)."""
        mean, log_variance = np.split(_run(self.encoder, x), 2, axis=1)
        return mean, np.exp(np.clip(log_variance, lowest_log_variance(self.min_std), MAX_LOG_VARIANCE) / 2)

    def decode(self, code: Floats) -> Float32s:
        """Return the decoder's mean (n, d) of codes (n, d_latent)."""
        return _run(self.decoder, code)

    def tensors(self) -> dict[str, Float32s]:
        """Return weights and biases by name, ready to be kept."""
        return {
            f"{part}.{i}.{name}": array
            for part, layers in (("encoder", self.encoder), ("decoder", self.decoder))
            for i, layer in enumerate(layers)
            for name, array in zip(("weight", "bias"), layer, strict=True)
        }

    @classmethod
    def from_tensors(cls, tensors: dict[str, NDArray[Any]], min_std: float) -> "Autoencoder":
        """Return the autoencoder whose `tensors` these are; others among them are passed over."""

        def layers(part: str) -> tuple[Layer, ...]:
            n = sum(name.startswith(f"{part}.") for name in tensors) // 2
            return tuple((tensors[f"{part}.{i}.weight"], tensors[f"{part}.{i}.bias"]) for i in range(n))

        return cls(layers("encoder"), layers("decoder"), min_std)


def divergence(mean: Floats, std: Floats) -> Floats:
    """Return the divergence (n, d_latent) of N(mean, std²) from N(0, 1), in nats."""
    return 0.5 * (np.square(mean) + np.square(std) - 1) - np.log(std)


def lowest_log_variance(min_std: float) -> float:
    """Return the lower bound of an encoder's log variance, as the spec sets it."""
    return max(MIN_LOG_VARIANCE, 2 * float(np.log(min_std))) if min_std > 0 else MIN_LOG_VARIANCE


def _run(layers: tuple[Layer, ...], x: Floats) -> Float32s:
    values = np.asarray(x, np.float32)
    for i, (weight, bias) in enumerate(layers):
        values = values @ weight.T + bias
        values = values if i == len(layers) - 1 else values * expit(values)
    return values
