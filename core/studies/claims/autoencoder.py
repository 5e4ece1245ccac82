"""C12: samples of a VAE concentrate."""

import numpy as np

from core.activations.references import Place
from core.analysis.intervals import Interval
from core.analysis.seeds import over_seeds
from core.analysis.verdict import Bounds
from core.specs import parse_prior
from core.studies.bench import Bench
from core.studies.claims.base import SEED, Claim, Judged, Part
from core.studies.prior_samples import N_SAMPLES, fitted, total_variance

HALF = 0.5
_SPREAD = "total variance over that of the activations"


def judge(bench: Bench) -> Judged:
    """Judge C12 on the questions' activations entering the last block."""
    study, site = bench.spec, bench.n_layers() - 1
    place = Place(study.model, study.cloud(study.questions), site)
    drawn, noisy, rebuilt, linear = [], [], [], []
    for seed in range(study.n_seeds):
        prior, _ = fitted(parse_prior({"kind": "vae", "seed": seed}), place, bench)
        report = prior.report()
        total = report["spread"]["total_variance"]
        drawn.append(total["ratio"])
        linear.append(total["ratio_of_a_linear_model_of_the_same_width"])
        rebuilt.append(1 - report["reconstruction_error"]["vae"])
        sampled, _ = fitted(parse_prior({"kind": "vae", "seed": seed, "draw": "sampled"}), place, bench)
        noisy.append(sampled.report()["spread"]["total_variance"]["ratio"])
    gaussian, references = fitted(parse_prior({"kind": "gaussian"}), place, bench)
    rng = np.random.default_rng(study.seed)
    own = total_variance(gaussian.sample(N_SAMPLES, rng)) / total_variance(references.main.points)
    free = max(study.n_seeds - 1, 1)
    spread = over_seeds(drawn)
    parts = [
        Part("VAE samples, decoder's mean", _SPREAD, spread, Bounds(high=HALF), _at(1.0), n=len(drawn), freedom=free),
        _beside("VAE samples, with the decoder's noise", over_seeds(noisy), len(noisy)),
        _beside("rebuilt held-out points (1 − error)", over_seeds(rebuilt), len(rebuilt)),
        _beside("best linear model of the same width", _at(float(np.mean(linear))), len(linear)),
        _beside("fitted Gaussian's samples", _at(own), 1),
    ]
    return Judged(
        parts,
        f"VAE samples have {spread.value:.0%} of the activations' total variance at site {site}; the fitted Gaussian's "
        f"have {own:.0%}, held-out points are rebuilt to {np.mean(rebuilt):.0%}, and the best linear model of the same "
        f"width would give {np.mean(linear):.0%}.",
        extra={"site": site},
    )


def _at(value: float) -> Interval:
    return Interval(value, value, value)


def _beside(name: str, interval: Interval, n: int) -> Part:
    return Part(name, _SPREAD, interval, Bounds(high=HALF), None, None, n, decides=False)


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
            "Total variance of decoded samples over that of the activations that the VAE was trained on, entering the "
            "last block. Mean over seeds of the training."
        ),
        why=(
            "Concentration is a lack of spread. Beside it stand what could have been: held-out points rebuilt, the "
            "best linear model of the same latent width, samples with the decoder's noise, and the fitted Gaussian's."
        ),
        null="Samples of the data's own law: a ratio of 1.",
        unit=SEED,
        rule=f"Holds if the 95 % interval lies below {HALF:g}, fails if it lies above, undecided otherwise.",
        judge=judge,
        figures=("figure-13",),
        also="An autoencoder is trained for each seed, a minute or so each on two cores.",
    ),
)
