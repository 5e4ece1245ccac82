"""Figure 4: the cloud at several layers, and whether it has a single mode there; and the same layers as a film."""

from typing import Any

import numpy as np
import pandas as pd

from core.figures.film import PLANES_DIFFER, film_figure
from core.figures.strip import strip_figure
from core.jobs.atlas import Atlas, find_atlas
from core.specs import FINAL, AtlasSpec, Site
from core.studies.bench import Bench
from core.studies.figure import Reproduced


def layers(bench: Bench) -> Reproduced:
    """Reproduce Figure 4.

    Source: Figure 4 and 4.1 of the paper ("more or less unimodal across different layers").
    Deviation: unimodality is tested with Hartigan's dip along principal and random directions, with
        Holm's correction. Each map is rotated onto the one before. Questions and arithmetic are
        drawn as well as texts.
    """
    atlas = three_domains(bench)
    points, small = atlas.points, atlas.small_maps
    names = atlas.summary["names"]
    every = {str(site): atlas.groups(site) for site in atlas.sites}
    dips = [every[str(site)]["modality"]["dip"] for site in atlas.sites]
    plain = [dip[names[0]] for dip in dips]
    n_one = sum(dip["p"] > 0.05 for dip in plain)
    return Reproduced(
        picture=strip_figure(
            small, names, points["dataset"].to_numpy(), points["token"].tolist(), columns=4, panel_height=250
        ),
        points=_drawn(atlas),
        numbers={"model": bench.spec.model.label, "sites": atlas.sites, "data_sets": names, "by_site": every},
        caption=(
            f"Principal components of {', '.join(names)} at {len(small)} sites of {bench.spec.model.label}, fitted "
            "at each site and rotated onto the map before; the title of each gives the share of variance on its two "
            f"axes. For {names[0]} the dip test finds no second mode (Holm-corrected p > 0.05 along all 15 directions) "
            f"at {n_one} of {len(small)} sites."
        ),
    )


def film(bench: Bench) -> Reproduced:
    """Show the clouds of Figure 4 one after another, at the sites of the same atlas.

    Source: Figure 4 and section 5 of the paper ("this property holds for activations on all layers").
    Deviation: not a figure of the paper. Each site has its own plane; consecutive planes are only
        rotated or mirrored onto each other, so that a point that moves may be a plane that turns.
    """
    atlas = three_domains(bench)
    points, small = atlas.points, atlas.small_maps
    names = atlas.summary["names"]
    picture: Any = film_figure(small, names, points["dataset"].to_numpy(), points["token"].tolist())
    n_drawn = sum(len(trace.hovertext) for trace in picture.data)
    return Reproduced(
        picture=picture,
        points=_drawn(atlas),
        numbers={
            "model": bench.spec.model.label,
            "sites": atlas.sites,
            "data_sets": names,
            "explained": {str(one.site): one.shown for one in small},
        },
        caption=(
            f"The same {n_drawn:,} tokens of {', '.join(names)} at {len(small)} sites of {bench.spec.model.label}; "
            f"play or drag the slider. {PLANES_DIFFER}"
        ),
    )


def three_domains(bench: Bench) -> Atlas:
    """Return the atlas of the study's texts, questions and arithmetic."""
    study = bench.spec
    clouds = tuple(study.cloud(dataset) for dataset in (study.texts, study.questions, study.arithmetic))
    return bench.made(
        find_atlas, "atlas", AtlasSpec(model=study.model, clouds=clouds, sites=study_sites(bench), seed=study.seed)
    )


def study_sites(bench: Bench) -> tuple[Site, ...]:
    """Return all sites, or evenly spaced ones that include the first and the last."""
    every: list[Site] = [*range(bench.n_layers()), FINAL]
    chosen = np.unique(np.linspace(0, len(every) - 1, min(len(every), bench.spec.n_sites)).round().astype(int))
    return tuple(every[i] for i in chosen)


def _drawn(atlas: Atlas) -> pd.DataFrame:
    of_point = atlas.points.reset_index(drop=True).rename(columns={"row": "row_id"})
    drawn = atlas.maps.merge(of_point, left_on="point", right_index=True)
    names = atlas.summary["names"]
    return drawn.assign(cloud=[names[i] for i in drawn.pop("dataset")], site=drawn["site"].astype(str))
