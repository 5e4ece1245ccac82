"""Figures 9 and 13: samples of priors on the cloud that they were fitted on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.activations.clouds import Cloud
from core.activations.references import Needed, ReferenceRequest, References, find, gather, job_kind
from core.figures.cloud_map import map_axes, map_figure
from core.figures.layer import Layer
from core.figures.palette import PRIOR, Mark
from core.priors.base import Prior
from core.priors.fitting import FIT, find_fit
from core.specs import FitSpec, PriorSpec, parse_prior
from core.store import Store
from core.studies.bench import Bench
from core.studies.figure import Numbers, Reproduced
from core.studies.picture import AXES
from core.studies.prompts import Ground, activations_ground, vocabulary_ground

N_SAMPLES = 500
MEAN = Mark("#10A56B", "cross", "cross", 16, 1.0)
"""The paper's green cross."""
MANY = replace(PRIOR, size=5, opacity=0.6)
"""For hundreds of samples of a prior."""
GAUSSIAN = Mark("#E69F00", "circle-open", "circle-open", 6, 0.8)


@dataclass(frozen=True)
class Drawn:
    """Vectors on a picture.

    Attributes:
        name: for the legend.
        vectors: (n, d_model).
        mark: how they are drawn.
    """

    name: str
    vectors: NDArray[np.floating]
    mark: Mark


def exclusion_samples(bench: Bench) -> Reproduced:
    """Reproduce Figure 9.

    Source: Figure 9 and 4.3 of the paper (samples of the exclusion prior, empirical mean as a green
        cross).
    Deviation: the numbers give the distance of samples from the mean in the full space, where the
        hole drawn in two dimensions is a thin shell (c = 5).
    """
    prior, references = fitted(parse_prior({"kind": "exclusion"}), ReferenceRequest(bench.spec.model), bench)
    samples = prior.sample(N_SAMPLES, np.random.default_rng(bench.spec.seed))
    rows, report = references.main.points, prior.report()
    mean = rows.mean(axis=0, dtype=np.float64)
    away, own = (float(np.median(np.linalg.norm(points - mean, axis=1))) for points in (samples, rows))
    return _figure(
        bench,
        vocabulary_ground(bench),
        [Drawn("exclusion prior, c = 5", samples, MANY), Drawn("mean of the rows", mean[None], MEAN)],
        {"report": report, "distance_median": away, "row_distance_median": own},
        f"In the full space samples lie {away / own:.2f} times as far from the mean as the rows (medians). "
        f"{report['in_words']}",
    )


def autoencoder_samples(bench: Bench) -> Reproduced:
    """Reproduce Figure 13.

    Source: Figure 13 and 4.6 of the paper (samples of a VAE trained on SQuAD activations, which
        concentrate).
    Deviation: the activations are those entering the last block. Samples of a Gaussian fitted on
        the same activations are drawn as well. Spread is the trace of the covariance over that
        of the data.
    """
    study, site = bench.spec, bench.n_layers() - 1
    place = ReferenceRequest(study.model, study.cloud(study.questions), site)
    drawn, spread, reports = [], {}, {}
    for name, kind, mark in (("fitted Gaussian", "gaussian", GAUSSIAN), ("VAE", "vae", MANY)):
        prior, references = fitted(parse_prior({"kind": kind}), place, bench)
        drawn.append(Drawn(name, prior.sample(N_SAMPLES, np.random.default_rng(study.seed)), mark))
        reports[name] = prior.report()
        spread[name] = total_variance(drawn[-1].vectors) / total_variance(references.main.points)
    words = ", ".join(f"{name} {value:.2f}" for name, value in spread.items())
    return _figure(
        bench,
        activations_ground(bench, [study.questions], site),
        drawn,
        {"site": site, "spread": spread, "reports": reports},
        f"Spread of the samples over that of the activations (traces of covariance): {words}.",
    )


def total_variance(points: NDArray[np.floating]) -> float:
    """Return the trace of the covariance of points (n, d)."""
    return float(points.astype(np.float64).var(axis=0, ddof=1).sum())


def fitted(spec: PriorSpec, place: ReferenceRequest, bench: Bench) -> tuple[Prior, References]:
    """Return a prior fitted on a reference, and the reference; a fit that takes long is a job."""

    def get(needed: Needed) -> Cloud:
        return bench.made(find, job_kind(needed), needed)

    references = gather(spec, place, bench.store, get)

    def found(_spec: FitSpec, store: Store) -> Prior | None:
        return find_fit(spec, references, store)

    asked = FitSpec(prior=spec, model=place.model, reference=place.cloud, site=place.site)
    return bench.made(found, FIT, asked), references


def _figure(bench: Bench, ground: Ground, drawn: Sequence[Drawn], numbers: Numbers, words: str) -> Reproduced:
    layers, tables = list(ground.layers), [ground.points]
    for one in drawn:
        xy = ground.stored.map.overlay(one.vectors).coordinates
        layers.append(
            Layer(name=one.name if len(xy) == 1 else f"{one.name} ({len(xy):,})", coordinates=xy, mark=one.mark)
        )
        tables.append(pd.DataFrame(xy, columns=list(AXES)).assign(cloud=one.name, row_id=np.arange(len(xy))))
    explained = float(ground.stored.map.pca.explained[:2].sum())
    return Reproduced(
        picture=map_figure(layers, map_axes(ground.stored.map)),
        points=pd.concat(tables, ignore_index=True),
        numbers={"model": bench.spec.model.label, **numbers},
        caption=f"Principal components of {ground.words} ({explained:.0%} of their variance), with {N_SAMPLES} samples "
        f"per prior. {words}",
    )
