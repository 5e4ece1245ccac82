"""Figures 1 and 2: trajectories of sentences on the vocabulary and on a higher layer."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from core.activations.capture import SINK_RATIO
from core.activations.clouds import find_cloud, find_vocabulary
from core.figures.cloud_map import map_axes
from core.figures.palette import REFERENCE
from core.figures.text_trajectories import trajectories_figure
from core.jobs.paths import find_paths
from core.jobs.projection import find_map
from core.jobs.trajectory import Trajectories, find_trajectories, trajectory_spec
from core.specs import PathsSpec, ProjectionSpec, TokenFilter
from core.studies.bench import Bench
from core.studies.figure import Reproduced
from core.studies.picture import layers_of, points_of, trajectories_of

SENTENCES = (
    "The old bridge was closed for repairs, so we walked along the river instead.",
    "Scientists found that the new material conducts heat better than copper.",
    "She put the letter back into the drawer and never spoke of it again.",
)
"""The sentences of Figures 1 and 2; the paper does not print its own."""
HIGHER = 0.75
"""Height of Figure 2's site as a share of the blocks; the paper says "higher-layer"."""


def sentences_on_vocabulary(bench: Bench) -> Reproduced:
    """Reproduce Figure 1.

    Source: Figure 1 and 4.1 of the paper (sentences on the token embeddings, t-SNE; their spread
        against random walks).
    Deviation: a token that the map was not fitted on is overlaid only inside the map's support.
        Spread, step length and drift are measured in the full space, against three nulls.
    """
    study = bench.spec
    asked = ProjectionSpec(
        method="tsne", model=study.model, vocabulary=True, n_points=study.n_vocabulary, seed=study.seed
    )
    stored = bench.made(find_map, "projection", asked)
    followed = _followed(bench)
    vocabulary = find_vocabulary(study.model, bench.store)
    clouds = {"vocabulary": vocabulary} if vocabulary else {}
    ground = points_of(stored, clouds)
    paths, placed = trajectories_of(followed, 0, stored)
    numbers = path_numbers(bench, 0)
    tighter = _against(numbers, "gyration", "uniform draw")
    return Reproduced(
        picture=trajectories_figure(layers_of(ground, {"vocabulary": REFERENCE}), paths, map_axes(stored.map)),
        points=pd.concat([ground, placed], ignore_index=True),
        numbers={"model": study.model.label, "site": 0, "sentences": list(SENTENCES), "paths": numbers},
        caption=(
            f"t-SNE (perplexity {asked.perplexity:g}) of {len(ground):,} rows of the vocabulary of "
            f"{study.model.label}, grey, with {len(SENTENCES)} sentences token by token. In the full space "
            f"{study.n_documents} texts have {tighter} the radius of gyration of random walks over the vocabulary."
        ),
    )


def sentences_on_activations(bench: Bench) -> Reproduced:
    """Reproduce Figure 2.

    Source: Figure 2 and 4.1 of the paper (1,000 samples of C4, PCA).
    Deviation: first positions, which are sinks, are left out of cloud, axes and trajectories. The
        measurements leave out all tokens whose norm is over ten times the median.
    """
    study = bench.spec
    site = round(HIGHER * bench.n_layers())
    cloud = study.cloud(study.texts)
    asked = ProjectionSpec(model=study.model, site=site, clouds=(cloud,), n_points=study.rows, seed=study.seed)
    stored = bench.made(find_map, "projection", asked)
    name = study.texts.label
    found = find_cloud(cloud, bench.store)
    ground = points_of(stored, {name: found} if found else {})
    paths, placed = trajectories_of(_followed(bench), site, stored)
    numbers = path_numbers(bench, site)
    shown = float(stored.map.pca.explained[:2].sum())
    return Reproduced(
        picture=trajectories_figure(layers_of(ground, {name: REFERENCE}), paths, map_axes(stored.map)),
        points=pd.concat([ground, placed], ignore_index=True),
        numbers={"model": study.model.label, "site": site, "sentences": list(SENTENCES), "paths": numbers},
        caption=(
            f"Principal components of {len(ground):,} tokens of {name} entering block {site} of {study.model.label}, "
            f"grey, with {len(SENTENCES)} sentences token by token; the two axes show {shown:.0%} of the variance. In "
            f"the full space trajectories have {_against(numbers, 'gyration', 'unigram draw')} the radius of gyration "
            f"of tokens drawn at random, and {_against(numbers, 'step', 'order shuffled')} the step length of the same "
            "tokens shuffled."
        ),
    )


def _followed(bench: Bench) -> Trajectories:
    wanted = trajectory_spec(bench.store, model=bench.spec.model, texts=SENTENCES, sites="all")
    return bench.made(find_trajectories, "trajectory", wanted)


PathRow = Mapping[str, Any]
"""A row of the table of `core.analysis.paths`: a statistic with its interval, against one null."""


def path_numbers(bench: Bench, site: int) -> list[PathRow]:
    """Return the statistics of many documents' trajectories at a site, without sinks.

    There is one row per statistic and null; columns without a value are left out.
    """
    study = bench.spec
    wanted = PathsSpec(
        tokens=TokenFilter(sink_ratio=SINK_RATIO),
        model=study.model,
        dataset=study.data(study.texts),
        sites=(site,),
        n_documents=min(study.n_documents, study.n_texts),
        max_length=min(128, study.max_length),
        seed=study.seed,
    )
    table = bench.made(find_paths, "paths", wanted).table("paths")
    return [{name: value for name, value in row.items() if not pd.isna(value)} for row in table.to_dict("records")]


def path_row(numbers: Sequence[PathRow], statistic: str, null: str) -> PathRow:
    """Return the row of a statistic and a null; the null is empty for the statistic itself."""
    return next(row for row in numbers if (row["statistic"], row["null"]) == (statistic, null))


def _against(numbers: Sequence[PathRow], statistic: str, null: str) -> str:
    """Return a ratio in words, such as '0.93 [0.91, 0.95] times'."""
    row = path_row(numbers, statistic, null)
    return f"{row['value']:.2f} [{row['low']:.2f}, {row['high']:.2f}] times"
