"""A small variational autoencoder: trained with torch, kept and drawn from as arrays.

A layer of its own at the bottom, since it needs nothing of the project and priors must not import torch themselves.
Everything is on one thread of the CPU, in float32 and decided by one seed: the same points give the same weights.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

Layer = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Weight (d_out, d_in) and bias (d_out,)."""

CLIP_NORM = 5.0
MIN_LOG_VARIANCE, MAX_LOG_VARIANCE = -10.0, 6.0
"""Bounds of an encoder's log variance: beyond them its exponential has no use and its gradient no sense."""


@dataclass(frozen=True)
class Training:
    """How an autoencoder is trained; the fields are those of the prior's spec.

    Attributes:
        d_latent: width of the latent code.
        d_hidden: width of the two hidden layers.
        kl_weight: on the divergence, once warm.
        warmup_steps: over which that weight rises from 0.
        free_bits: nats a latent unit that cost nothing.
        min_std: smallest standard deviation of the encoder's Gaussian.
        noise_std: standard deviation of the decoder's noise; None: that of the residuals at each step.
        steps: of the optimiser.
        batch_size: points a step.
        learning_rate: Adam's.
        seed: decides weights, batches and noise.
    """

    d_latent: int
    d_hidden: int
    kl_weight: float
    warmup_steps: int
    free_bits: float
    min_std: float
    noise_std: float | None
    steps: int
    batch_size: int
    learning_rate: float
    seed: int


@dataclass(frozen=True)
class Autoencoder:
    """A trained autoencoder.

    Attributes:
        encoder: layers to means and log variances, (2·d_latent).
        decoder: layers from the latent code back.
        min_std: smallest standard deviation of the encoder's Gaussian.
        losses: (steps,) the objective a coordinate.
    """

    encoder: tuple[Layer, ...]
    decoder: tuple[Layer, ...]
    min_std: float
    losses: NDArray[np.float32]

    def encode(self, x: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return mean and standard deviation (n, d_latent) of the codes of rows (n, d)."""
        mean, log_variance = np.split(_run(self.encoder, x), 2, axis=1)
        return mean, np.exp(_bounded(log_variance, self.min_std, np.clip) / 2)

    def decode(self, code: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the decoder's mean (n, d) of codes (n, d_latent)."""
        return _run(self.decoder, code)


def divergence(mean: NDArray[np.floating], std: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the divergence (n, d_latent) of N(mean, std²) from N(0, 1), in nats."""
    return 0.5 * (np.square(mean) + np.square(std) - 1) - np.log(std)


def train(points: NDArray[np.floating], training: Training) -> Autoencoder:
    """Train on points (n, d) that are centred and have a variance of about one a coordinate.

    The objective a point is ‖x − x̂‖²/(2·noise²) + d·ln noise + weight·Σ max(divergence a unit, free bits). With a
    learned noise its best value is taken at each step, the root mean square residual of the batch.

    Args:
        points: to train on.
        training: how.
    """
    with _one_thread():
        return _train(points, training)


def _train(points: NDArray[np.floating], training: Training) -> Autoencoder:
    generator = torch.Generator().manual_seed(training.seed)
    n, d_model = points.shape
    hidden, latent = training.d_hidden, training.d_latent
    encoder = _layers((d_model, hidden, hidden, 2 * latent), generator)
    decoder = _layers((latent, hidden, hidden, d_model), generator)
    parameters = [*encoder.parameters(), *decoder.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=training.learning_rate)
    data = torch.from_numpy(np.ascontiguousarray(points, np.float32))
    losses = np.zeros(training.steps, np.float32)
    for step in range(training.steps):
        x = data[torch.randint(n, (min(training.batch_size, n),), generator=generator)]
        mean, log_variance = encoder(x).chunk(2, dim=1)
        log_variance = _bounded(log_variance, training.min_std, torch.clamp)
        noise = torch.randn(mean.shape, generator=generator)
        rebuilt = decoder(mean + noise * torch.exp(log_variance / 2))
        units = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean(dim=0)
        warmth = min(1.0, (step + 1) / training.warmup_steps) if training.warmup_steps else 1.0
        cost = training.kl_weight * warmth * units.clamp(min=training.free_bits).sum()
        loss = (_misfit(x, rebuilt, training.noise_std) + cost) / d_model
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, CLIP_NORM)
        optimiser.step()
        losses[step] = loss.item()
    return Autoencoder(_arrays(encoder), _arrays(decoder), training.min_std, losses)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Use one thread: matrices this small gain nothing from more, and lose tenfold where cores are shared."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _misfit(x: Tensor, rebuilt: Tensor, noise_std: float | None) -> Tensor:
    """Return the mean over a batch of the negative log density of points under the decoder, without its constant."""
    squared = (x - rebuilt).square().sum(dim=1).mean()
    d_model = x.shape[1]
    if noise_std is None:
        return 0.5 * d_model * torch.log(squared / d_model + 1e-8)
    return 0.5 * squared / noise_std**2


def _layers(widths: tuple[int, ...], generator: torch.Generator) -> nn.Sequential:
    """Return linear layers with SiLU between them."""
    modules: list[nn.Module] = []
    for d_in, d_out in pairwise(widths):
        linear: Any = nn.utils.skip_init(nn.Linear, d_in, d_out)
        nn.init.kaiming_uniform_(linear.weight, a=5**0.5, generator=generator)
        nn.init.zeros_(linear.bias)
        modules += [linear, nn.SiLU()]
    return nn.Sequential(*modules[:-1])


def _arrays(network: nn.Sequential) -> tuple[Layer, ...]:
    linear = [module for module in network if isinstance(module, nn.Linear)]
    return tuple((layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in linear)


@torch.no_grad()
def _run(layers: tuple[Layer, ...], x: NDArray[np.floating]) -> NDArray[np.float32]:
    values = torch.from_numpy(np.ascontiguousarray(x, np.float32))
    for i, (weight, bias) in enumerate(layers):
        values = functional.linear(values, torch.from_numpy(weight), torch.from_numpy(bias))
        values = values if i == len(layers) - 1 else functional.silu(values)
    return values.numpy()


def _bounded(log_variance: Any, min_std: float, clip: Callable[..., Any]) -> Any:
    """Hold a log variance within its bounds, the lower one as the spec sets it."""
    low = max(MIN_LOG_VARIANCE, 2 * float(np.log(min_std))) if min_std > 0 else MIN_LOG_VARIANCE
    return clip(log_variance, low, MAX_LOG_VARIANCE)
