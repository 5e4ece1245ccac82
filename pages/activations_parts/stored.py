"""What in the store the Activations page can show: captures, t-SNE maps, atlases."""

from core.activations.clouds import find_cloud, stored_specs
from core.jobs.projection import MAP
from core.specs import AtlasSpec, ModelSpec, ProjectionSpec
from core.store import Store, list_succeeded
from pages.activations_parts.layers import SETTINGS
from pages.maps.choice import TSNE_FIELDS
from pages.widgets.stored import Stored, capture_words, cloud_values, of_one_form, stored_captures


def stored_views(model: ModelSpec, store: Store) -> list[Stored]:
    """Return what is in the store of a model, by kind, newest first."""
    return [*_atlases(model, store), *_maps(model, store), *_captures(model, store)]


def _captures(model: ModelSpec, store: Store) -> list[Stored]:
    found = []
    for one in stored_captures(model, store):
        cloud = find_cloud(one, store)
        if cloud:
            values = {**cloud_values([one]), "site": cloud.sites[0], "show": "site"}
            found.append(Stored(f"Activations · {capture_words([one])}", values))
    return found


def _maps(model: ModelSpec, store: Store) -> list[Stored]:
    maps = [
        one
        for one in stored_specs(store, MAP, ProjectionSpec)
        if one.model == model and one.method == "tsne" and one.clouds and not one.joined and of_one_form(one.clouds)
    ]
    return [
        Stored(
            f"t-SNE at site {one.site} · {capture_words(one.clouds)} · perplexity {one.perplexity:g}",
            {
                **cloud_values(one.clouds),
                **{name: getattr(one, name) for name in TSNE_FIELDS if name != "further_perplexities"},
                "further_perplexities": ",".join(f"{scale:g}" for scale in one.further_perplexities),
                "rows": one.n_points,
                "seed": one.seed,
                "site": one.site,
                "method": "tsne",
                "dimensions": one.n_components,
                "show": "site",
            },
        )
        for one in dict.fromkeys(maps)
    ]


def _atlases(model: ModelSpec, store: Store) -> list[Stored]:
    asked = [AtlasSpec.parse(job.spec) for job, _ in list_succeeded(store, "atlas")]
    return [
        Stored(
            f"All sites measured · {capture_words(one.clouds)}",
            {
                **cloud_values(one.clouds),
                **{name: getattr(one, name) for name in SETTINGS},
                "seed": one.seed,
                "show": "layers",
            },
        )
        for one in dict.fromkeys(asked)
        if one.model == model and of_one_form(one.clouds)
    ]
