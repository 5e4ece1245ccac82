"""Figure 5: mean activations of an encoder on plain texts and on arithmetic tasks."""

from core.activations.clouds import find_cloud
from core.figures.cloud_map import map_axes, map_figure
from core.figures.palette import DATASET_MARKS
from core.jobs.atlas import Atlas, cloud_names, find_atlas
from core.jobs.projection import find_map
from core.specs import FINAL, AtlasSpec, CloudSpec, DatasetSpec, ProjectionSpec, StudySpec
from core.studies.bench import Bench
from core.studies.figure import Reproduced
from core.studies.picture import PINK, layers_of, points_of

TEXTS_PER_NEIGHBOUR = 5
"""Texts needed for each neighbour that t-SNE takes into account."""


def encoder_means(bench: Bench) -> Reproduced:
    """Reproduce Figure 5.

    Source: Figure 5 and 4.1 of the paper (t5-base, 1,000 samples of C4, six arithmetic tasks,
        t-SNE).
    Deviation: means are taken over the stream that leaves the encoder's last block, without special
        tokens; the paper does not say where it takes them. t-SNE starts from principal components.
    """
    study = bench.spec
    clouds = _clouds(study)
    asked = ProjectionSpec(
        method="tsne",
        model=study.encoder,
        site=FINAL,
        clouds=clouds,
        n_points=max(50, study.n_texts),
        perplexity=min(30, len(clouds) * study.n_texts / TEXTS_PER_NEIGHBOUR),
        seed=study.seed,
    )
    stored = bench.made(find_map, "projection", asked)
    numbers = encoder_atlas(bench).groups(FINAL)["separability"]
    names = cloud_names(clouds)
    found = [find_cloud(cloud, bench.store) for cloud in clouds]
    points = points_of(stored, {name: cloud for name, cloud in zip(names, found, strict=True) if cloud})
    others = [mark for mark in DATASET_MARKS if mark.colour != PINK.colour] * 2
    purity = numbers["neighbour_purity"]["all"]
    return Reproduced(
        picture=map_figure(layers_of(points, dict(zip(names, (PINK, *others), strict=False))), map_axes(stored.map)),
        points=points,
        numbers={"encoder": study.encoder.label, "site": FINAL, "data_sets": names, "separability": numbers},
        caption=(
            f"t-SNE (perplexity {asked.perplexity:g}) of {len(points):,} texts; each point is the mean over a text's "
            f"tokens as they leave the last block of {study.encoder.label}; seed {study.seed}. In the full space "
            f"{purity['value']:.0%} of a text's nearest neighbours belong to its own data set ({purity['null']:.0%} "
            "when data sets are permuted)."
        ),
    )


def encoder_atlas(bench: Bench) -> Atlas:
    """Return the atlas of the encoder's mean activations at its last site: texts, then tasks."""
    study = bench.spec
    asked = AtlasSpec(model=study.encoder, clouds=_clouds(study), sites=(FINAL,), seed=study.seed)
    return bench.made(find_atlas, "atlas", asked)


def _clouds(study: StudySpec) -> tuple[CloudSpec, ...]:
    datasets = [study.texts, *(DatasetSpec(name="math", module=task) for task in study.tasks)]
    return tuple(study.cloud(dataset, model=study.encoder, pooling="mean") for dataset in datasets)
