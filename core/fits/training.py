"""The training of a small variational autoencoder, with torch.

Everything is on one thread of the CPU, in float32 and decided by one seed: the same points give the
same weights.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.array_types import Float32s, Floats, Int64s
from core.fits.autoencoder import MAX_LOG_VARIANCE, Autoencoder, Layer, lowest_log_variance
from core.progress import Progress, silent

CLIP_NORM = 5.0
CHECK_EVERY = 100
"""Steps between two evaluations on the held-out points."""
REPORT_EVERY = 20
"""Steps between progress reports."""


@dataclass(frozen=True)
class Settings:
    """How an autoencoder is trained: the fields of `core.priors.vae.VaeSpec`, which describes them.

    `noise_std` is None where the decoder's noise follows the residuals of each step.
    """

    d_latent: int
    d_hidden: int
    kl_weight: float
    warmup_steps: int
    free_bits: float
    min_std: float
    noise_std: float | None
    steps: int
    patience: int
    batch_size: int
    learning_rate: float
    seed: int


@dataclass(frozen=True)
class Trained:
    """A trained autoencoder and how it came about.

    Attributes:
        network: with the weights of `best_step`.
        losses: (steps taken,) the objective per coordinate on each batch.
        checked: (n,) steps after which the objective on the held-out points was evaluated.
        held_out: (n,) the objective per coordinate on them, at the full weight of the divergence.
        best_step: after which the weights are kept; with a patience of 0 the last.
    """

    network: Autoencoder
    losses: Float32s
    checked: Int64s
    held_out: Float32s
    best_step: int


def train(points: Floats, held_out: Floats, settings: Settings, progress: Progress = silent) -> Trained:
    """Train on points (n, d) that are centred and have a variance of about one per coordinate.

    The objective per point is ‖x − x̂‖²/(2·noise²) + d·ln noise + weight·Σ max(divergence per unit,
    free bits), the negative evidence bound without its constant. With a learned noise its best
    value is taken at each step, the root mean square residual of the batch. Held-out points (m, d)
    say when to stop, and which weights are kept.

    Args:
        points: to train on.
        held_out: to stop by.
        settings: how.
        progress: in steps; may raise `Cancelled`, and then nothing is kept.
    """
    with _one_thread():
        return _Course(points, held_out, settings).to_the_end(progress)


class _Course:
    """One training from its first step to its last."""

    def __init__(self, points: Floats, held_out: Floats, settings: Settings) -> None:
        self.settings = settings
        self.generator = torch.Generator().manual_seed(settings.seed)
        d_model, hidden, latent = points.shape[1], settings.d_hidden, settings.d_latent
        self.encoder = _layers((d_model, hidden, hidden, 2 * latent), self.generator)
        self.decoder = _layers((latent, hidden, hidden, d_model), self.generator)
        self.parameters = [*self.encoder.parameters(), *self.decoder.parameters()]
        self.optimiser = torch.optim.Adam(self.parameters, lr=settings.learning_rate)
        self.data, self.held_out = _tensor(points), _tensor(held_out)
        self.lowest = lowest_log_variance(settings.min_std)
        self.losses: list[float] = []
        self.checks: list[tuple[int, float]] = []
        self.best: tuple[float, int, Any] = (np.inf, 0, None)

    def to_the_end(self, progress: Progress) -> Trained:
        """Train until the steps are used up or the held-out points get no better."""
        settings = self.settings
        for step in range(1, settings.steps + 1):
            self._step(step)
            if step % CHECK_EVERY == 0 or step == settings.steps:
                self._check(step)
                if settings.patience and step - self.best[1] >= settings.patience and step >= settings.warmup_steps:
                    break
            if step % REPORT_EVERY == 0:
                progress(step, settings.steps, f"Training the autoencoder, step {step} of at most {settings.steps}")
        if settings.patience and self.best[2]:
            for network, weights in zip((self.encoder, self.decoder), self.best[2], strict=True):
                network.load_state_dict(weights)
        steps, values = zip(*self.checks, strict=True)
        return Trained(
            Autoencoder(_arrays(self.encoder), _arrays(self.decoder), settings.min_std),
            np.asarray(self.losses, np.float32),
            np.asarray(steps, np.int64),
            np.asarray(values, np.float32),
            self.best[1] if settings.patience and self.best[2] else len(self.losses),
        )

    def _step(self, step: int) -> None:
        settings = self.settings
        size = min(settings.batch_size, len(self.data))
        x = self.data[torch.randint(len(self.data), (size,), generator=self.generator)]
        warmth = min(1.0, step / settings.warmup_steps) if settings.warmup_steps else 1.0
        loss = self._objective(x, warmth, self.generator)
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, CLIP_NORM)
        self.optimiser.step()
        self.losses.append(loss.item())

    @torch.no_grad()
    def _check(self, step: int) -> None:
        """Evaluate on the held-out points, always with the same noise; nothing is kept before the warm-up ends."""
        value = self._objective(self.held_out, 1.0, torch.Generator().manual_seed(self.settings.seed)).item()
        self.checks.append((step, value))
        if step >= self.settings.warmup_steps and value < self.best[0]:
            self.best = (value, step, deepcopy((self.encoder.state_dict(), self.decoder.state_dict())))

    def _objective(self, x: Tensor, warmth: float, generator: torch.Generator) -> Tensor:
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        log_variance = torch.clamp(log_variance, self.lowest, MAX_LOG_VARIANCE)
        noise = torch.randn(mean.shape, generator=generator)
        rebuilt = self.decoder(mean + noise * torch.exp(log_variance / 2))
        units = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean(dim=0)
        cost = self.settings.kl_weight * warmth * units.clamp(min=self.settings.free_bits).sum()
        return (_misfit(x, rebuilt, self.settings.noise_std) + cost) / x.shape[1]


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


def _tensor(points: Floats) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(points, np.float32))


def _arrays(network: nn.Sequential) -> tuple[Layer, ...]:
    linear = [module for module in network if isinstance(module, nn.Linear)]
    return tuple((layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in linear)
