"""C12: samples of a VAE concentrate, whatever its regularisation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from core.activations.references import ReferenceRequest
from core.analysis.intervals import Interval
from core.analysis.seeds import over_seeds
from core.analysis.verdict import Bounds
from core.specs import StudySpec, parse_prior
from core.studies.bench import Bench
from core.studies.claims.base import SEED, Claim, Judged, Part
from core.studies.prior_samples import N_SAMPLES, fitted, total_variance

HALF = 0.5
KL_WEIGHTS = (0.1, 1.0, 4.0)
"""1 gives the evidence lower bound; more is stronger regularisation, less weaker."""
LEAST_SPREADS = (0.0, 0.5)
"""Variance constraint: lower bound on the standard deviation of a code; 0 for none."""
TRAINED = {"steps": 5000, "patience": 500}
"""Half as many steps at most as by default, and half the patience: the grid has six trainings per
seed."""
_SPREAD = "total variance of samples over that of the best linear model of the same latent width"
_OF_DATA = "total variance over that of the activations"


@dataclass
class Spreads:
    """Total variances of one setting's samples, each a number per seed.

    Attributes:
        drawn: of the decoder's mean, over that of the data.
        noisy: with the decoder's noise, over that of the data.
        linear: of the best linear model's mean, over that of the data.
        rebuilt: share of the held-out points' variance that reconstructions keep.
    """

    drawn: list[float] = field(default_factory=list)
    noisy: list[float] = field(default_factory=list)
    linear: list[float] = field(default_factory=list)
    rebuilt: list[float] = field(default_factory=list)

    @property
    def over_linear(self) -> list[float]:
        """Return the samples' variance over that of the best linear model of the same width."""
        return [drawn / linear for drawn, linear in zip(self.drawn, self.linear, strict=True)]


Setting = tuple[float, float]
"""Weight of the divergence, and least standard deviation of a code."""


def judge(bench: Bench) -> Judged:
    """Judge C12 on the questions' activations entering the last block."""
    study, site = bench.spec, bench.n_layers() - 1
    place = ReferenceRequest(study.model, study.cloud(study.questions), site)
    found = {setting: _spreads(setting, place, bench) for setting in product(KL_WEIGHTS, LEAST_SPREADS)}
    gaussian, references = fitted(parse_prior({"kind": "gaussian"}), place, bench)
    rng = np.random.default_rng(study.seed)
    own = total_variance(gaussian.sample(N_SAMPLES, rng)) / total_variance(references.main.points)
    return judge_spreads(found, own, site)


def _spreads(setting: Setting, place: ReferenceRequest, bench: Bench) -> Spreads:
    kl_weight, min_std = setting
    found = Spreads()
    for seed in range(bench.spec.n_seeds):
        asked = {"kind": "vae", "seed": seed, "kl_weight": kl_weight, "min_std": min_std, **TRAINED}
        report = fitted(parse_prior(asked), place, bench)[0].report()
        total = report["spread"]["total_variance"]
        found.drawn.append(total["ratio"])
        found.linear.append(total["ratio_of_a_linear_model_of_the_same_width"])
        found.rebuilt.append(1 - report["reconstruction_error"]["vae"])
        noisy = fitted(parse_prior({**asked, "draw": "sampled"}), place, bench)[0].report()
        found.noisy.append(noisy["spread"]["total_variance"]["ratio"])
    return found


def judge_spreads(found: Mapping[Setting, Spreads], gaussian: float, site: int) -> Judged:
    """Judge C12 by the spread of samples.

    Args:
        found: by setting.
        gaussian: total variance of the fitted Gaussian's samples over that of the data.
        site: of the activations.
    """
    parts = [_part(_words(setting), spreads.over_linear) for setting, spreads in found.items()]
    plain = found[(1.0, 0.0)]
    shown = [
        *(_shown(f"VAE samples, {_words(setting)}", spreads.drawn) for setting, spreads in found.items()),
        _shown("VAE samples with the decoder's noise", plain.noisy),
        _shown("reconstructed held-out points (1 − error)", plain.rebuilt),
        _shown("best linear model of the same width", plain.linear),
        _shown("fitted Gaussian's samples", [gaussian]),
    ]
    ratios = [part.interval.value for part in parts]
    return Judged(
        [*parts, *shown],
        f"Over {len(parts)} settings VAE samples have from {min(ratios):.0%} to {max(ratios):.0%} of the total "
        f"variance that samples of the best linear model of the same latent width have, at site {site}. With the "
        f"plain evidence bound they have {np.mean(plain.drawn):.0%} of the activations' own, the linear model "
        f"{np.mean(plain.linear):.0%}.",
        extra={"site": site},
    )


def _part(name: str, values: Sequence[float]) -> Part:
    one = Interval(1.0, 1.0, 1.0)
    free = max(len(values) - 1, 1)
    return Part(name, _SPREAD, over_seeds(values), Bounds(high=HALF), one, n=len(values), freedom=free)


def _shown(name: str, values: Sequence[float]) -> Part:
    """Return a part that is shown for comparison and decides nothing."""
    value = float(np.mean(values))
    interval = over_seeds(values) if len(values) > 1 else Interval(value, value, value)
    return Part(name, _OF_DATA, interval, Bounds(), n=len(values), decides=False)


def _words(setting: Setting) -> str:
    kl_weight, min_std = setting
    return f"KL weight {kl_weight:g}, " + (f"code spread at least {min_std:g}" if min_std else "no variance constraint")


def _basis(study: StudySpec) -> str:
    return (
        f"{study.rows:,} tokens of {study.questions.label}, {study.n_seeds} trainings of each of "
        f"{len(KL_WEIGHTS) * len(LEAST_SPREADS)} autoencoders"
    )


CLAIMS = (
    Claim(
        number=12,
        title="Samples of a VAE concentrate",
        quote=(
            "“Despite implementing multiple regularization strategies, the VAE remains prone to collapsing the "
            "activation distribution, failing to maintain a structured spread. In the results, SQuAD-trained "
            "activations are tightly concentrated in a distinct cluster.”"
        ),
        section="4.6",
        statistic=(
            "Total variance of a VAE's samples (the decoder's mean) over that of samples of the best linear model of "
            "the same latent width (probabilistic principal components, its mean as well), trained on the activations "
            "entering the last block; for every KL weight of "
            f"{', '.join(f'{weight:g}' for weight in KL_WEIGHTS)} without and with a variance constraint (code spread "
            f"at least {LEAST_SPREADS[-1]:g}). Mean over seeds of the training."
        ),
        why=(
            "A narrow latent code alone makes samples narrower than the data, for a linear model too, so collapse is "
            "what a VAE loses beyond that. “Multiple regularization strategies” are a grid. The table also compares "
            "with the data's own variance: reconstructions, samples with the decoder's noise, the fitted Gaussian."
        ),
        null="Samples as wide as the linear model's: a ratio of 1.",
        unit=SEED,
        rule=(
            f"Holds if the 95 % interval of every setting lies below {HALF:g}. Fails if that of one setting, widened "
            "for their number, lies above. Undecided otherwise."
        ),
        judge=judge,
        figures=("figure-13",),
        also=(
            f"Each seed also trains {len(KL_WEIGHTS) * len(LEAST_SPREADS)} autoencoders, which takes about two minutes "
            "on two cores."
        ),
        basis=_basis,
    ),
)
