"""C12: samples of a VAE concentrate."""

import numpy as np

from core.activations.references import ReferenceRequest
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
    place = ReferenceRequest(study.model, study.cloud(study.questions), site)
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
        _shown("VAE samples, with the decoder's noise", over_seeds(noisy), len(noisy)),
        _shown("reconstructed held-out points (1 − error)", over_seeds(rebuilt), len(rebuilt)),
        _shown("best linear model of the same width", _at(float(np.mean(linear))), len(linear)),
        _shown("fitted Gaussian's samples", _at(own), 1),
    ]
    return Judged(
        parts,
        f"VAE samples have {spread.value:.0%} of the activations' total variance at site {site}. The fitted Gaussian's "
        f"samples have {own:.0%}, reconstructions of held-out points {np.mean(rebuilt):.0%}, and the best linear model "
        f"of the same width would have {np.mean(linear):.0%}.",
        extra={"site": site},
    )


def _at(value: float) -> Interval:
    return Interval(value, value, value)


def _shown(name: str, interval: Interval, n: int) -> Part:
    """Return a part that is shown for comparison and decides nothing."""
    return Part(name, _SPREAD, interval, Bounds(high=HALF), n=n, decides=False)


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
            "Samples concentrate when they have too little spread. The table compares with what is possible: "
            "reconstructions of held-out points, the best linear model of the same latent width, samples with the "
            "decoder's noise, and samples of the fitted Gaussian."
        ),
        null="Samples from the data's own distribution: a ratio of 1.",
        unit=SEED,
        rule=f"Holds if the 95 % interval lies below {HALF:g}, fails if it lies above, undecided otherwise.",
        judge=judge,
        figures=("figure-13",),
        also="Each seed also trains an autoencoder, which takes about a minute on two cores.",
    ),
)
